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
    NOT_AN_OBJECT = "not_an_object", Effect.SET_ASIDE, "The record is not a JSON object."
    KEY_UNREADABLE = (
        "key_unreadable",
        Effect.SET_ASIDE,
        "The record's own id is missing or not a UUID.",
    )
    INSTANT_UNREADABLE = (
        "instant_unreadable",
        Effect.SET_ASIDE,
        "The time that the record belongs to is missing or not a time.",
    )
    ATTEMPTS_UNREADABLE = (
        "attempts_unreadable",
        Effect.SET_ASIDE,
        "The attempts are not a list of objects.",
    )
    TOO_DEEP = "too_deep", Effect.SET_ASIDE, "The record is nested more than 20 deep."
    TOO_LONG = (
        "too_long",
        Effect.SET_ASIDE,
        "A text in the record is longer than 65,536, or a list than 20,000.",
    )

    # one field
    MONEY_UNREADABLE = (
        "money_unreadable",
        Effect.NULLED,
        "Not an amount of at most 9 digits before and 8 after the point.",
    )
    MONEY_NEGATIVE = "money_negative", Effect.KEPT, "An amount with a minus sign."
    MONEY_NUMBER = (
        "money_number",
        Effect.KEPT,
        "An amount sent as a JSON number in place of a text.",
    )
    AMOUNT_MISSING = (
        "amount_missing",
        Effect.KEPT,
        "An amount is not known (which is not 0); sums are lower bounds.",
    )
    TIME_UNREADABLE = (
        "time_unreadable",
        Effect.NULLED,
        "Not a time of the API's form, or not between 1970 and 2261.",
    )
    TIME_ZERO = "time_zero", Effect.KEPT, "The API's zero date, which stands for no time."
    TIME_NAIVE = "time_naive", Effect.KEPT, "A time without an offset; read as UTC."
    TIME_CUT = (
        "time_cut",
        Effect.KEPT,
        "A fraction of a second of more than 6 digits; cut to microseconds.",
    )
    NUMBER_ODD = (
        "number_odd",
        Effect.KEPT,
        "A telephone number of a form that no telephone number has; kept as text.",
    )
    NUMBER_FROM_INT = (
        "number_from_int",
        Effect.KEPT,
        "A telephone number sent as a JSON number; zeros in front of it would be lost.",
    )
    NUMBER_UNREADABLE = (
        "number_unreadable",
        Effect.NULLED,
        "A telephone number sent as a fraction, or not as a text at all.",
    )
    CODE_FROM_INT = (
        "code_from_int",
        Effect.KEPT,
        "A code sent as a JSON number; zeros in front of it would be lost.",
    )
    COUNT_UNREADABLE = "count_unreadable", Effect.NULLED, "Not a whole number from 0 up."
    FLAG_UNREADABLE = "flag_unreadable", Effect.NULLED, "Neither true nor false."
    TEXT_UNREADABLE = "text_unreadable", Effect.NULLED, "Not a text."
    TEXT_UNSTORABLE = (
        "text_unstorable",
        Effect.NULLED,
        "A text with a NUL or half a character, which no file of text can hold.",
    )

    # fields that disagree
    COUNT_DIFFERS = (
        "count_differs",
        Effect.KEPT,
        "The API's count is not the number of attempts listed.",
    )
    ATTEMPT_REPEATED = (
        "attempt_repeated",
        Effect.KEPT,
        "An attempt is listed again, equal in every field; it counts once.",
    )
    ATTEMPT_UUID_TWICE = (
        "attempt_uuid_twice",
        Effect.KEPT,
        "Two attempts that differ have one id; both count.",
    )
    ATTEMPT_EARLY = (
        "attempt_early",
        Effect.KEPT,
        "An attempt's time is before its session began.",
    )
    ATTEMPTS_UNORDERED = (
        "attempts_unordered",
        Effect.KEPT,
        "The attempts are not listed in order of time; they are read in it.",
    )
    CHARGES_UNREADABLE = (
        "charges_unreadable",
        Effect.NULLED,
        "The charges, or one of them, have another form than documented.",
    )
    CHARGE_REPEATED = (
        "charge_repeated",
        Effect.KEPT,
        "A charge is listed again, equal in every field; it counts once.",
    )
    CHARGES_DIFFER = (
        "charges_differ",
        Effect.KEPT,
        "There is not one charge for each attempt.",
    )

    # two states of one record, read at different times
    WENT_BACK = (
        "went_back",
        Effect.KEPT,
        "A record that was settled came back open; the settled state is kept.",
    )

    # a page
    RECORD_REPEATED = (
        "record_repeated",
        Effect.KEPT,
        "A page holds the same record again; it counts once.",
    )
    RECORD_TWICE = (
        "record_twice",
        Effect.KEPT,
        "A page holds two states of one record; a settled one is taken, else the later.",
    )
    CONTAINER_OTHER = (
        "container_other",
        Effect.KEPT,
        "The records lie under `objects` in place of their own name.",
    )
    META_MISSING = "meta_missing", Effect.KEPT, "A page says nothing of its place."
    META_ODD = (
        "meta_odd",
        Effect.KEPT,
        "What a page says of its place has another form than documented, or cannot be.",
    )
    NEXT_FOREIGN = (
        "next_foreign",
        Effect.KEPT,
        "The address of the next page is not one of this listing; it is not followed.",
    )
    PAGE_SIZE = (
        "page_size",
        Effect.KEPT,
        "A page holds more records than its limit, or fewer although a next one is named.",
    )
