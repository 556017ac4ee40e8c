"""Everything odd that a record can hold: its code, what becomes of it, what it means.

A code is one word for a program; its meaning is one sentence for a person. Nothing odd
passes without one, so that what was kept, nulled or set aside can be counted.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Self


class Effect(StrEnum):
    """What became of something odd.

    Example:
        >>> Effect.NULLED.value
        'nulled'
    """

    KEPT = "kept"
    NULLED = "nulled"
    SET_ASIDE = "set aside"


_KEPT, _NULLED, _SET_ASIDE = Effect.KEPT, Effect.NULLED, Effect.SET_ASIDE


class Code(StrEnum):
    """The codes of notes, each with its ``effect`` and its ``meaning``.

    Example:
        >>> Code("money_unreadable").effect.value
        'nulled'
        >>> Code.TIME_NAIVE.meaning
        'A time without an offset; read as UTC.'
    """

    effect: Effect
    meaning: str

    def __new__(cls, word: str, effect: Effect = Effect.KEPT, meaning: str = "") -> Self:
        """A word that carries what it stands for; the word alone finds its member."""
        code = str.__new__(cls, word)
        code._value_ = word
        code.effect = effect
        code.meaning = meaning
        return code

    # records that no table can take
    NOT_AN_OBJECT = "not_an_object", _SET_ASIDE, "The record is not a JSON object."
    KEY_UNREADABLE = "key_unreadable", _SET_ASIDE, "The record's own id is missing or not a UUID."
    INSTANT_UNREADABLE = "instant_unreadable", _SET_ASIDE, "The record's own time is not a time."
    ATTEMPTS_UNREADABLE = "attempts_unreadable", _SET_ASIDE, "The attempts are no list of objects."
    TOO_DEEP = "too_deep", _SET_ASIDE, "The record is nested more than 20 deep."
    TOO_LONG = "too_long", _SET_ASIDE, "A text is longer than 65,536, or a list than 20,000."

    # one field
    MONEY_UNREADABLE = (
        "money_unreadable",
        _NULLED,
        "Not an amount of at most 9 digits before and 8 after the point.",
    )
    MONEY_NEGATIVE = "money_negative", _KEPT, "An amount with a minus sign."
    MONEY_NUMBER = "money_number", _KEPT, "An amount sent as a JSON number in place of a text."
    AMOUNT_MISSING = "amount_missing", _KEPT, "An amount is unknown, not 0; sums are lower bounds."
    TIME_UNREADABLE = "time_unreadable", _NULLED, "No time of the API's form from 1970 to 2261."
    TIME_ZERO = "time_zero", _KEPT, "The API's zero date, which stands for no time."
    TIME_NAIVE = "time_naive", _KEPT, "A time without an offset; read as UTC."
    TIME_FORM = "time_form", _KEPT, "A time written as a Go program prints it; read as it says."
    TIME_UNIX = "time_unix", _KEPT, "A number; read as seconds or milliseconds since 1970."
    TIME_CUT = "time_cut", _KEPT, "A fraction of over 6 digits; cut to microseconds."
    NUMBER_ODD = "number_odd", _KEPT, "No telephone number has this form; kept as text."
    NUMBER_FROM_INT = (
        "number_from_int",
        _KEPT,
        "A telephone number sent as a JSON number; zeros in front of it would be lost.",
    )
    NUMBER_UNREADABLE = (
        "number_unreadable",
        _NULLED,
        "A telephone number sent as a fraction, or not as a text at all.",
    )
    CODE_FROM_INT = (
        "code_from_int",
        _KEPT,
        "A code sent as a JSON number; zeros in front of it would be lost.",
    )
    COUNT_UNREADABLE = "count_unreadable", _NULLED, "Not a whole number from 0 up."
    COUNT_LARGE = "count_large", _NULLED, "A count of more than a million, which no record has."
    FLAG_UNREADABLE = "flag_unreadable", _NULLED, "Neither true nor false."
    TEXT_UNREADABLE = "text_unreadable", _NULLED, "Not a text."
    TEXT_UNSTORABLE = "text_unstorable", _NULLED, "A NUL or half a character; no file can hold it."

    # fields that disagree
    COUNT_DIFFERS = "count_differs", _KEPT, "The API's count is not the number of attempts listed."
    ATTEMPT_REPEATED = (
        "attempt_repeated",
        _KEPT,
        "An attempt is listed again under its id, equal in every field; it counts once.",
    )
    ATTEMPT_UUID_TWICE = (
        "attempt_uuid_twice",
        _KEPT,
        "Two attempts that differ have one id; both count.",
    )
    ATTEMPT_EARLY = "attempt_early", _KEPT, "An attempt's time is before its session began."
    ATTEMPTS_UNORDERED = (
        "attempts_unordered",
        _KEPT,
        "The attempts are not listed in order of time; they are read in it.",
    )
    CHARGES_UNREADABLE = "charges_unreadable", _NULLED, "Charges of another form than documented."
    CHARGE_REPEATED = (
        "charge_repeated",
        _KEPT,
        "A charge is listed again under its id, equal in every field; it counts once.",
    )
    CHARGES_DIFFER = "charges_differ", _KEPT, "There is not one charge for each attempt."

    # two states of one record, read at different times
    WENT_BACK = "went_back", _KEPT, "A settled record came back open; it stays settled."
    INSTANT_MOVED = "instant_moved", _KEPT, "The record stood at another time before; now at this."

    # a page
    ACCOUNT_FOREIGN = "account_foreign", _KEPT, "The record names another account than was asked."
    RECORD_REPEATED = "record_repeated", _KEPT, "A page holds the same record again; counted once."
    RECORD_TWICE = (
        "record_twice",
        _KEPT,
        "A page holds two states of one record; a settled one is taken, else the later.",
    )
    CONTAINER_OTHER = "container_other", _KEPT, "The records are under `objects`, not their name."
    META_MISSING = "meta_missing", _KEPT, "A page says nothing of its place."
    META_ODD = "meta_odd", _KEPT, "What a page says of its place cannot be."
    NEXT_FOREIGN = "next_foreign", _KEPT, "The next page's address is another list's; not followed."
    PAGE_SIZE = "page_size", _KEPT, "More records than the limit, or fewer although more follow."
