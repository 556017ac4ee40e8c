"""The sample answers of the API's documentation, served and answered.

The telephone numbers are replaced by numbers of fiction; all else stands as printed.
"""

from __future__ import annotations

from copy import deepcopy
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from plivo_analysis.emulator import Account

if TYPE_CHECKING:
    from collections.abc import Callable

ONE_ATTEMPT: dict[str, Any] = {
    "session_uuid": "51e965f3-65a5-4ca0-9542-57154118a991",
    "app_uuid": "59728519-d145-45d6-8d46-60c06f7e8bbb",
    "recipient": "910000000001",
    "channel": "sms",
    "status": "expired",
    "count": 1,
    "attempt_details": [
        {
            "channel": "sms",
            "attempt_uuid": "bd460457-6c2f-4177-a879-e6a83c35d5a9",
            "status": "undelivered",
            "time": "2023-06-01T10:40:05.804031Z",
        }
    ],
    "charges": {
        "total_charge": "0.08",
        "validation_charge": "0.0000",
        "attempt_charges": [
            {
                "attempt_uuid": "bd460457-6c2f-4177-a879-e6a83c35d5a9",
                "channel": "sms",
                "charge": "0.08000",
            }
        ],
    },
    "created_at": "2023-06-01T10:40:05.804031Z",
    "updated_at": "2023-06-01T10:40:05.804031Z",
}
THERE_AND_BACK: dict[str, Any] = {
    "session_uuid": "60ea68db-b123-46d9-9eb2-1201d516dbbd",
    "app_uuid": "ec66515e-86f6-4507-8620-31c039538d7a",
    "recipient": "910000000002",
    "channel": "voice",
    "status": "expired",
    "count": 3,
    "attempt_details": [
        {
            "channel": "voice",
            "attempt_uuid": "90cc6cde-db80-4d14-9716-3aaa2b403377",
            "status": "ANSWER",
            "time": "2023-06-01T08:52:39.363253Z",
        },
        {
            "channel": "sms",
            "attempt_uuid": "acbffc94-283b-42b3-8a96-65cbc18a9624",
            "status": "delivered",
            "time": "2023-06-01T08:52:59.484375Z",
        },
        {
            "channel": "voice",
            "attempt_uuid": "04a81620-c4ab-45d6-847d-cc3ae6fec121",
            "status": "EARLY MEDIA",
            "time": "2023-06-01T08:53:25.577153Z",
        },
    ],
    "charges": {
        "total_charge": "0.113",
        "validation_charge": "0.0000",
        "attempt_charges": [
            {
                "attempt_uuid": "90cc6cde-db80-4d14-9716-3aaa2b403377",
                "channel": "voice",
                "charge": "0.03300",
            },
            {
                "attempt_uuid": "acbffc94-283b-42b3-8a96-65cbc18a9624",
                "channel": "sms",
                "charge": "0.08000",
            },
            {
                "attempt_uuid": "04a81620-c4ab-45d6-847d-cc3ae6fec121",
                "channel": "voice",
                "charge": "0.00000",
            },
        ],
    },
    "created_at": "2023-06-01T08:52:39.363253Z",
    "updated_at": "2023-06-01T08:53:25.577153Z",
}


def test_the_list_of_sessions_is_the_documented_page(serve: Callable[..., Any]) -> None:
    account = Account.of([THERE_AND_BACK, ONE_ATTEMPT], now=datetime(2023, 6, 1, 12, tzinfo=UTC))
    page = serve(account).page()
    assert len(page.pop("api_id")) == 36
    assert page == {
        "meta": {"limit": 20, "offset": 0, "next": None, "previous": None},
        "sessions": [ONE_ATTEMPT, THERE_AND_BACK],
    }


def test_a_retrieved_session_is_the_documented_record(serve: Callable[..., Any]) -> None:
    account = Account.of([THERE_AND_BACK], now=datetime(2023, 6, 1, 12, tzinfo=UTC))
    record = serve(account).page("Verify/Session/60ea68db-b123-46d9-9eb2-1201d516dbbd/")
    documented = deepcopy(THERE_AND_BACK)
    documented["status"] = "Expired"
    documented["attempt_details"][0]["status"] = "answer"
    documented["attempt_details"][2]["status"] = "early media"
    assert len(record.pop("api_id")) == 36
    assert record == documented


def _message(key: str, time: str) -> dict[str, Any]:
    return {
        "error_code": "200",
        "from_number": "12025550141",
        "message_direction": "outbound",
        "message_state": "failed",
        "message_time": time,
        "message_type": "sms",
        "message_uuid": key,
        "resource_uri": f"/v1/Account/{{auth_id}}/Message/{key}/",
        "to_number": "12025550148",
        "total_amount": "0.00000",
        "total_rate": "0.00350",
        "units": 1,
    }


def test_the_list_of_messages_is_the_documented_page(serve: Callable[..., Any]) -> None:
    # The page printed counts 22 messages and shows two; twenty more stand in for the rest.
    shown = [
        _message("85ce8068-6fab-4f0a-9dc7-d6c852cdde91", "2016-08-17 21:26:44+05:30"),
        _message("2a340179-e8a9-4b1d-ae2c-9f346e7b6d7d", "2016-08-17 21:22:36+05:30"),
    ]
    rest = [_message(f"rest-{n}", "2016-08-17 20:00:00+05:30") for n in range(20)]
    account = Account.of(messages=[*rest, *shown], now=datetime(2016, 8, 17, 18, tzinfo=UTC))
    caller = serve(account)
    page = caller.page("Message/", error_code="200")
    following = f"/v1/Account/{account.auth_id}/Message/?limit=20&error_code=200&offset=20"
    assert page["objects"][:2] == shown
    assert page["meta"] == {"limit": 20, "offset": 0, "next": following, "previous": None}
    assert len(caller.page("Message/", error_code="200", offset=20)["objects"]) == 2


def test_a_refusal_has_the_documented_form(serve: Callable[..., Any]) -> None:
    reply = serve().ask("Verify/Session/unknown/")
    body = reply.json()
    assert reply.status_code == 404
    assert body.keys() == {"api_id", "error"}
    assert body["error"] == "not found"
