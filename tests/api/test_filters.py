"""A filter is checked before anything is sent, and a row tells whether it was honoured."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plivo_analysis.api.columns import MESSAGES, SESSIONS
from plivo_analysis.api.filters import Filter, Query
from plivo_analysis.api.resources import MESSAGE_RESOURCE, SESSION_RESOURCE
from plivo_analysis.errors import FilterError

APP = "53cfe61c-7a3b-4a35-9b0e-6f0a1c2d3e4f"
SUBACCOUNT = "SAXXXXXXXXXXXXXXXXXX"
PHONE = "14155550123"


def session(**fields: Any) -> dict[str, Any]:
    return dict.fromkeys(SESSIONS.names) | fields


def message(**fields: Any) -> dict[str, Any]:
    return dict.fromkeys(MESSAGES.names) | fields


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        ({"status": "in-progress"}, "in-progress"),
        ({"status": "In Progress"}, "in-progress"),
        ({"status": "IN_PROGRESS"}, "in-progress"),
        ({"status": " Expired "}, "expired"),
        ({"app_uuid": APP.upper()}, APP),
        ({"app_uuid": uuid.UUID(APP)}, APP),
        ({"recipient": "+1 (415) 555-0123"}, PHONE),
        ({"recipient": "001.415.555.0123"}, PHONE),
        ({"recipient": "1\u2013415\u2013555\u20130123"}, PHONE),
        ({"recipient": PHONE}, PHONE),
        ({"subaccount": SUBACCOUNT}, SUBACCOUNT),
        ({"brand_name": "Über & Söhne"}, "Über & Söhne"),
        ({"app_hash": "FA+9qCX9VSu"}, "FA+9qCX9VSu"),
        ({"country": "in"}, "IN"),
        ({"alias": " shop "}, "shop"),
    ],
)
def test_session_filters_are_sent_in_the_api_s_own_spelling(
    given: dict[str, Any], sent: str
) -> None:
    (name,) = given
    assert Filter.of(SESSION_RESOURCE, **given).params() == {name: sent}


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        ({"message_direction": "OUTBOUND"}, "outbound"),
        *(
            ({"message_state": state.title()}, state)
            for state in (
                "queued",
                "sent",
                "delivered",
                "undelivered",
                "failed",
                "received",
                "rejected",
                "read",
            )
        ),
        ({"message_type": "WhatsApp"}, "whatsapp"),
        ({"error_code": "000"}, "000"),
        ({"error_code": 0}, "000"),
        ({"error_code": 450}, "450"),
        ({"from_number": "+1 415 555 0123"}, PHONE),
        ({"from_number": "PLVSMS"}, "PLVSMS"),
        ({"from_number": "56789"}, "56789"),
        ({"from_number": "567-89"}, "56789"),
        ({"from_number": " ACME OTP "}, "ACME OTP"),
        ({"from_number": "ACME-OTP"}, "ACME-OTP"),
        ({"from_number": "Acme.24"}, "Acme.24"),
        ({"from_number": "4 you"}, "4 you"),
        ({"to_number": PHONE}, PHONE),
        ({"powerpack_id": APP}, APP),
        ({"destination_country_iso2": "us"}, "US"),
        ({"tendlc_campaign_id": "CEXAMPLE"}, "CEXAMPLE"),
        ({"tendlc_registration_status": "Registered"}, "registered"),
        ({"conversation_id": APP}, APP),
        ({"conversation_origin": "Utility"}, "utility"),
        ({"subaccount": SUBACCOUNT}, SUBACCOUNT),
    ],
)
def test_message_filters_are_sent_in_the_api_s_own_spelling(
    given: dict[str, Any], sent: str
) -> None:
    (name,) = given
    assert Filter.of(MESSAGE_RESOURCE, **given).params() == {name: sent}


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (
            {"status": "validated"},
            r"status is 'validated'; it takes one of in-progress, verified, expired\.",
        ),
        ({"status": ["verified"]}, "status is of type list; it takes text"),
        ({"status": ""}, "status is empty; leave it out to ask for any"),
        ({"app_uuid": "../../Message"}, r"app_uuid is '\.\./\.\./Message'; it takes a UUID"),
        ({"app_uuid": f"{APP}/x"}, "it takes a UUID"),
        ({"app_uuid": APP[:-1]}, "it takes a UUID"),
        ({"recipient": "call me"}, "recipient is not a telephone number"),
        ({"recipient": "0415 555"}, "recipient is not a telephone number"),
        ({"recipient": "12345"}, "6 to 15 digits with the country code"),
        ({"recipient": "1" * 16}, "6 to 15 digits"),
        ({"recipient": "١٤١٥٥٥٥٠١٢٣"}, "recipient is not a telephone number"),
        ({"recipient": 14155550123}, "recipient is of type int; it takes text"),
        ({"subaccount": "MAXXXXXXXXXXXXXXXXXX"}, "it takes SA and 18 capital letters or digits"),
        ({"country": "India"}, r"country is 'India'\. Use a two-letter code, such as BD\."),
        ({"country": "91"}, "Use a two-letter code"),
        ({"alias": "a\nb"}, "alias holds a control character"),
        ({"alias": "a\u202eb"}, "alias holds a control character"),
        ({"brand_name": "x" * 201}, "brand_name has 201 characters; it takes at most 200"),
    ],
)
def test_a_session_filter_that_can_match_nothing_is_refused(
    given: dict[str, Any], said: str
) -> None:
    with pytest.raises(FilterError, match=said):
        Filter.of(SESSION_RESOURCE, **given)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"message_direction": "both"}, "one of inbound, outbound"),
        ({"message_state": "deleted"}, "one of queued, sent, delivered, undelivered, failed, rec"),
        ({"message_type": "voice"}, "one of sms, mms, whatsapp"),
        ({"error_code": "none"}, 'up to six digits as text, such as "000"'),
        ({"error_code": True}, "error_code is of type bool"),
        ({"from_number": "a b c!"}, "neither a telephone number nor a sender's name"),
        ({"powerpack_id": "a/b"}, "up to 64 letters, digits, hyphens and underscores"),
        ({"tendlc_registration_status": "no"}, "one of registered, unregistered"),
        ({"conversation_origin": "x"}, "one of service, utility, authentication, marketing"),
    ],
)
def test_a_message_filter_that_can_match_nothing_is_refused(
    given: dict[str, Any], said: str
) -> None:
    with pytest.raises(FilterError, match=said):
        Filter.of(MESSAGE_RESOURCE, **given)


def test_an_unknown_filter_is_no_filter() -> None:
    with pytest.raises(
        FilterError, match=r"no filter 'channel' of sessions\. There is status, app"
    ):
        Filter.of(SESSION_RESOURCE, channel="sms")


@pytest.mark.parametrize(
    "given",
    [
        {"recipient": f"{PHONE}x"},
        {"status": PHONE},
        {"app_uuid": PHONE},
        {"country": PHONE},
        {"subaccount": f"+{PHONE}"},
        {"alias": PHONE + "\x07"},
    ],
)
def test_no_message_shows_a_telephone_number(given: dict[str, Any]) -> None:
    with pytest.raises(FilterError) as caught:
        Filter.of(SESSION_RESOURCE, **given)
    assert PHONE[2:] not in str(caught.value)


def test_a_filter_and_its_query_show_no_telephone_number() -> None:
    chosen = Filter.of(SESSION_RESOURCE, recipient=PHONE, status="verified")
    for text in (repr(chosen), str(chosen), repr(chosen.params()), f"{chosen.params()}"):
        assert PHONE not in text
        assert "23" in text
    assert (
        repr(Filter.of(MESSAGE_RESOURCE, to_number=PHONE))
        == "Filter(messages, to_number='1 ••• ••• ••23')"
    )
    assert dict(Query(recipient=PHONE)) == {"recipient": PHONE}


def test_no_filter_is_empty_text_and_matches_every_row() -> None:
    for chosen, row in (
        (Filter.of(SESSION_RESOURCE), session()),
        (Filter.of(MESSAGE_RESOURCE), message()),
    ):
        assert chosen.scope == ""
        assert chosen.params() == {}
        assert chosen.matches(row) is True
        assert chosen.stable
        assert chosen.unverifiable == ()


def test_the_same_filter_has_the_same_scope_however_it_was_written() -> None:
    one = Filter.of(SESSION_RESOURCE, status="Verified", recipient="+1 415 555 0123", alias="a&b=c")
    other = Filter.of(SESSION_RESOURCE, alias="a&b=c", recipient=PHONE, status="verified")
    assert one == other
    assert one.scope == other.scope == "alias=a%26b%3Dc&recipient=14155550123&status=verified"


@given(
    st.dictionaries(
        st.sampled_from(["alias", "brand_name", "app_hash"]),
        st.text("abc&=%+ 1", min_size=1, max_size=5).filter(str.strip),
    ),
    st.dictionaries(
        st.sampled_from(["alias", "brand_name", "app_hash"]),
        st.text("abc&=%+ 1", min_size=1, max_size=5).filter(str.strip),
    ),
)
def test_two_filters_share_a_scope_only_if_they_are_one(
    one: dict[str, str], other: dict[str, str]
) -> None:
    first, second = Filter.of(SESSION_RESOURCE, **one), Filter.of(SESSION_RESOURCE, **other)
    assert (first.scope == second.scope) == (first == second)


@pytest.mark.parametrize(
    ("given", "row", "answer"),
    [
        ({"status": "verified"}, {"status": "verified"}, True),
        ({"status": "in-progress"}, {"status": "in progress"}, True),
        ({"status": "verified"}, {"status": "expired"}, False),
        ({"status": "verified"}, {"status": None}, None),
        ({"app_uuid": APP}, {"app_uuid": APP}, True),
        ({"app_uuid": APP}, {"app_uuid": APP.replace("5", "6")}, False),
        ({"recipient": PHONE}, {"recipient": PHONE}, True),
        ({"recipient": PHONE}, {"recipient": f"+{PHONE}"}, True),
        ({"recipient": PHONE}, {"recipient": "14155550124"}, False),
        ({"recipient": PHONE}, {"recipient": "141XXXXX123"}, None),
        ({"recipient": PHONE}, {"recipient": "+141****0123"}, None),
        ({"recipient": PHONE}, {"recipient": "XXXXXXXXXXX"}, None),
        ({"recipient": PHONE}, {"recipient": "141XXXX0123"}, None),
        ({"recipient": PHONE}, {"recipient": "141XX0123"}, None),
        ({"recipient": PHONE}, {"recipient": "141XXXXX111"}, False),
        ({"recipient": PHONE}, {"recipient": "142XXXXX123"}, False),
        ({"recipient": PHONE}, {"recipient": "1XX6XXX0123"}, False),
        ({"recipient": PHONE}, {"recipient": "14155XXX0124"}, False),
        ({"recipient": PHONE}, {"recipient": "withheld"}, False),
        ({"country": "in"}, {"destination_country_iso2": "in"}, True),
        ({"country": "in"}, {"destination_country_iso2": "IN"}, True),
        ({"country": "in"}, {"destination_country_iso2": "US"}, False),
        ({"country": "in"}, {"destination_country_iso2": None}, None),
        ({"alias": "Shop"}, {"alias": "shop"}, True),
        ({"alias": "shop"}, {"alias": "shop 2"}, False),
        ({"brand_name": "x", "app_hash": "y", "subaccount": SUBACCOUNT}, {}, True),
        ({"status": "verified", "alias": "a"}, {"status": "expired", "alias": None}, False),
        ({"status": "verified", "alias": "a"}, {"status": "verified", "alias": None}, None),
    ],
)
def test_a_session_tells_whether_the_filter_was_honoured(
    given: dict[str, Any], row: dict[str, Any], answer: bool | None
) -> None:
    assert Filter.of(SESSION_RESOURCE, **given).matches(session(**row)) is answer


@pytest.mark.parametrize(
    ("given", "row", "answer"),
    [
        ({"message_state": "read"}, {"message_state": "read"}, True),
        ({"message_state": "read"}, {"message_state": "delivered"}, False),
        ({"error_code": "000"}, {"error_code": "000"}, True),
        ({"error_code": "0"}, {"error_code": "000"}, True),
        ({"error_code": "20"}, {"error_code": "200"}, False),
        ({"error_code": "20"}, {"error_code": None}, None),
        ({"from_number": "plvsms"}, {"from_number": "PLVSMS"}, None),
        ({"from_number": "PLVSMS"}, {"from_number": "PLVSMS"}, True),
        ({"from_number": "ACME OTP"}, {"from_number": "ACME OTP"}, True),
        ({"from_number": "ACME OTP"}, {"from_number": "ACME-OTP"}, False),
        ({"from_number": "ACME OTP"}, {"from_number": "ACMEOTP"}, False),
        ({"from_number": PHONE}, {"from_number": "ACME OTP"}, False),
        ({"from_number": "PLVSMS"}, {"from_number": PHONE}, False),
        ({"to_number": PHONE}, {"to_number": "14155550XXX"}, None),
        ({"destination_country_iso2": "us"}, {"destination_country_iso2": "US"}, True),
        ({"tendlc_campaign_id": "CEXAMPLE"}, {"tendlc_campaign_id": "COTHER"}, False),
        ({"conversation_origin": "utility"}, {"conversation_origin": None}, None),
    ],
)
def test_a_message_tells_whether_the_filter_was_honoured(
    given: dict[str, Any], row: dict[str, Any], answer: bool | None
) -> None:
    assert Filter.of(MESSAGE_RESOURCE, **given).matches(message(**row)) is answer


def test_what_no_row_confirms_is_named() -> None:
    chosen = Filter.of(
        SESSION_RESOURCE, status="verified", brand_name="x", app_hash="y", subaccount=SUBACCOUNT
    )
    assert chosen.unverifiable == ("subaccount", "brand_name", "app_hash")
    assert Filter.of(MESSAGE_RESOURCE, subaccount=SUBACCOUNT, message_type="sms").unverifiable == (
        "subaccount",
    )


@pytest.mark.parametrize(
    ("chosen", "stable"),
    [
        (Filter.of(SESSION_RESOURCE, status="in-progress"), False),
        (Filter.of(SESSION_RESOURCE, alias="a", recipient=PHONE), True),
        (Filter.of(MESSAGE_RESOURCE, message_state="sent"), False),
        (Filter.of(MESSAGE_RESOURCE, error_code="000"), False),
        (Filter.of(MESSAGE_RESOURCE, message_direction="inbound"), True),
    ],
)
def test_a_filter_knows_whether_its_truth_may_change_while_its_list_is_read(
    chosen: Filter, *, stable: bool
) -> None:
    assert chosen.stable is stable


def test_every_confirming_column_exists() -> None:
    """matches() looks its columns up in rows, so a wrong name would raise here."""
    everything = Filter.of(
        SESSION_RESOURCE, status="verified", app_uuid=APP, recipient=PHONE, country="IN", alias="a"
    )
    assert everything.matches(session()) is None
    assert (
        Filter.of(
            MESSAGE_RESOURCE,
            message_direction="inbound",
            message_state="read",
            message_type="sms",
            error_code="000",
            from_number=PHONE,
            to_number=PHONE,
            powerpack_id="a",
            destination_country_iso2="US",
            tendlc_campaign_id="a",
            tendlc_registration_status="registered",
            conversation_id="a",
            conversation_origin="service",
        ).matches(message())
        is None
    )
