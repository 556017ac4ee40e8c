"""The world of the generated accounts: countries, prices, applications, carriers, rhythm.

Prices are those that the service published for verification, in hundred-thousandths of a US
dollar so that they stay whole numbers. Shares and rates are invented.

Nobody can be called by the numbers made here. North American ones lie in 555-0100 to 555-0199
and British ones in 07700 900000 to 900999, which their numbering plans keep for fiction. Other
countries get their calling code and then zeros: no national number begins so. Network
addresses lie in the ranges that are reserved for documentation.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING

from plivo_analysis.emulator.times import DAY, HOUR, SECOND

if TYPE_CHECKING:
    from random import Random

SMS, VOICE, WHATSAPP = range(3)
CHANNELS = ("sms", "voice", "whatsapp")
DOLLAR = 100_000

# The chance to change the channel, by the one that a session begins on; and to try it once more.
FALLBACK = (0.088, 0.178, 0.066)
RETRY = 0.045

# Of the form that the official SDKs insist on: MA or SA, then 18 capital letters or digits.
AUTH_ID = "MADEMO00000000000000"
SUBACCOUNT_ID = "SADEMO00000000000000"
OWN_SENDERS = ("PLVRFY", "PLVSMS")
OWN_NUMBER = "14155550199"
BURST_ADDRESS = "203.0.113.254"
ADDRESSES = ("192.0.2", "198.51.100", "203.0.113")


@dataclass(frozen=True)
class Network:
    """How a carrier delivers, and how far its receipts can be believed.

    Attributes:
        success: Factor on the chance that a session is verified.
        lost_though_verified: Chance that the receipt of a verified session's last attempt says
            it was not delivered.
        lost_at_last: The same for a session that is not verified.
        queue: Median of the seconds from a message's request until it is sent.
        delivery: Median of the seconds from then until its receipt.

    Example:
        >>> network_named("Verizon").lost_at_last
        0.45
    """

    success: float = 1.0
    lost_though_verified: float = 0.02
    lost_at_last: float = 0.45
    queue: float = 0.7
    delivery: float = 3.2


def network_named(name: str) -> Network:
    """How the carrier of that name behaves. Only invented ones behave oddly.

    Example:
        >>> network_named(FALSE_FAILURES).lost_though_verified
        0.35
    """
    return _NETWORKS.get(name, _USUAL)


FALSE_FAILURES, UNUSED_DELIVERIES, SLOW = "Onda Livre", "Nube Alta", "Savanna Tel"
_USUAL = Network()
_NETWORKS = {
    FALSE_FAILURES: Network(lost_though_verified=0.35),
    UNUSED_DELIVERIES: Network(success=0.84, lost_at_last=0.04),
    SLOW: Network(queue=9.0, delivery=40.0),
    "AirTel": Network(delivery=6.5),
    "Jio": Network(delivery=5.0),
    "Verizon": Network(delivery=2.1),
    "T-Mobile US": Network(delivery=2.4),
    "Telekom": Network(delivery=1.8),
}


@dataclass(frozen=True)
class Country:
    """A country that codes are sent to.

    Attributes:
        iso: Its two letters.
        calling: Calling code, with an area code where numbers have one.
        lines: How many numbers there are for each calling code.
        share: Of all sessions.
        success: Chance that a session which stays on its channel is verified.
        prices: Of one SMS part, one call, one WhatsApp message (0: not offered).
        entry: Chances that a session begins by voice, by WhatsApp.
        fallback: Factor on the chance to change the channel.
        parts: Chance that an SMS has more than one part.
        carriers: Names of its networks, each as large as the others.
        mcc: Its mobile country code.
        locale: The language of its messages.

    Example:
        >>> COUNTRIES[0].iso
        'US'
    """

    iso: str
    calling: tuple[int, ...]
    lines: int
    share: float
    success: float
    prices: tuple[int, int, int]
    entry: tuple[float, float]
    fallback: float
    parts: float
    carriers: tuple[str, ...]
    locale: str
    mcc: str

    def number(self, draw: float) -> int:
        """A number of fiction, from a draw between 0 and 1.

        Example:
            >>> COUNTRIES[0].number(0.0), COUNTRIES[4].number(0.999999)
            (12015550100, 447700900999)
        """
        area, line = divmod(int(draw * len(self.calling) * self.lines), self.lines)
        return self.calling[area] + line


def _fiction(*area_codes: int) -> tuple[int, ...]:
    # 1, the area code, 555, and the first of the hundred lines that are kept for fiction.
    return tuple(10_000_000_000 + area * 10_000_000 + 5_550_100 for area in area_codes)


# fmt: off
_US = _fiction(201, 202, 206, 212, 213, 214, 215, 216, 224, 240, 248, 267, 301, 303, 305, 310,
               312, 313, 314, 323, 347, 404, 408, 415, 425, 469, 503, 510, 512, 602, 614, 617,
               619, 646, 702, 703, 713, 718, 773, 808, 817, 858, 901, 904, 917, 949, 971, 972)
_CA = _fiction(204, 250, 403, 416, 418, 438, 450, 506, 514, 519, 587, 604, 613, 647, 705, 778)

COUNTRIES = (
    Country("US", _US, 100, 0.2717, 0.944, (770, 1150, 1430), (0.040, 0.13), 0.93, 0.010,
            ("Verizon", "T-Mobile US", "AT&T"), "en_US", "310"),
    Country("IN", (910_000_000_000,), 100_000, 0.1994, 0.936, (8000, 925, 220), (0.050, 0.13), 1.0,
            0.030, ("AirTel", "Jio", "Vi"), "en_IN", "404"),
    Country("BR", (550_000_000_000,), 100_000, 0.1075, 0.940, (4840, 2100, 3230), (0.045, 0.14),
            1.0, 0.015, ("Vivo", "Claro BR", "TIM Brasil", FALSE_FAILURES), "pt_BR", "724"),
    Country("CA", _CA, 100, 0.0202, 0.944, (770, 1200, 0), (0.045, 0.0), 0.95, 0.010,
            ("Rogers", "Bell", "Telus"), "en_CA", "302"),
    Country("GB", (447_700_900_000,), 1_000, 0.0786, 0.942, (3720, 750, 3660), (0.045, 0.12), 0.95,
            0.010, ("EE", "O2", "Vodafone UK"), "en_GB", "234"),
    Country("MX", (520_000_000_000,), 100_000, 0.0710, 0.938, (8360, 1250, 2470), (0.045, 0.12),
            1.0, 0.020, ("Telcel", "AT&T MX", UNUSED_DELIVERIES), "es_MX", "334"),
    Country("DE", (49_000_000_000,), 100_000, 0.0600, 0.934, (9500, 1350, 0), (0.045, 0.0), 1.0,
            0.030, ("Telekom", "Vodafone DE", "o2-de"), "de_DE", "262"),
    Country("FR", (33_000_000_000,), 100_000, 0.0521, 0.940, (6637, 1950, 0), (0.045, 0.0), 1.0,
            0.025, ("SFR", "Orange F", "Bouygues"), "fr_FR", "208"),
    Country("NG", (2_340_000_000_000,), 100_000, 0.0356, 0.898, (2360, 16100, 0), (0.110, 0.0), 1.6,
            0.015, ("MTN Nigeria", "Glo", "Airtel NG", SLOW), "en_GB", "621"),
    Country("ID", (620_000_000_000,), 100_000, 0.0338, 0.924, (33330, 8300, 0), (0.060, 0.0), 1.1,
            0.030, ("Telkomsel", "XL", "Indosat"), "id_ID", "510"),
    Country("SG", (650_000_0000,), 10_000, 0.0272, 0.938, (5156, 3400, 0), (0.045, 0.0), 0.95,
            0.020, ("Singtel", "StarHub"), "en_GB", "525"),
    Country("AE", (971_000_000_000,), 100_000, 0.0261, 0.926, (9875, 22900, 0), (0.070, 0.0), 1.05,
            0.060, ("Etisalat", "du"), "ar_AE", "424"),
    Country("BD", (880_000_000_0000,), 100_000, 0.0168, 0.918, (28240, 4600, 0), (0.040, 0.0), 1.1,
            0.040, ("Grameenphone", "Robi", "Banglalink"), "bn_BD", "470"),
)
# fmt: on

BANGLADESH = next(index for index, country in enumerate(COUNTRIES) if country.iso == "BD")

# A carrier's new price: before its day, Mexico's SMS cost this.
STEP_COUNTRY = "MX"
STEP_PRICE_BEFORE = 7900
STEP_DAYS_AGO = 14


@dataclass(frozen=True)
class Application:
    """A Verify application of the account; the names are those of the filters.

    Attributes:
        app_uuid: Its key.
        alias: Its name.
        share: Of all sessions outside the burst.
        brand_name: The name that its messages carry.
        app_hash: What its Android messages end with, or nothing.
        subaccount: The subaccount that runs it, or nothing.

    Example:
        >>> [application.alias for application in APPLICATIONS]
        ['Rider app', 'Web checkout', 'Driver app', 'Back office']
    """

    app_uuid: str
    alias: str
    share: float
    brand_name: str
    app_hash: str = ""
    subaccount: str = ""


# fmt: off
APPLICATIONS = (
    Application("0a5f1c52-6d0e-4c3b-9f6e-2b1d7c4e8a01", "Rider app", 0.522, "Halt", "hAltRider01"),
    Application("1b6e2d63-7e1f-4d4c-8a7f-3c2e8d5f9b02", "Web checkout", 0.307, "Halt Pay"),
    Application("2c7f3e74-8f20-4e5d-9b80-4d3f9e60ac03", "Driver app", 0.141, "Halt", "hAltDrive01"),
    Application("3d804f85-9031-4f6e-8c91-5e40af71bd04", "Back office", 0.030, "Halt Desk",
                subaccount=SUBACCOUNT_ID),
)
# fmt: on
WEB_CHECKOUT = 1

# Sessions by hour of the day (UTC) and by weekday, and how they grow.
_HOURS = (
    *(30, 22, 18, 18, 22, 32, 46, 62, 78, 90, 96, 98),
    *(100, 98, 95, 94, 96, 100, 104, 102, 94, 80, 62, 44),
)
_WEEKDAYS = (100, 103, 101, 102, 100, 74, 68)  # from Monday
_FIRST_WEEKDAY = 3  # 1 January 1970 was a Thursday
_GROWTH = 0.0006  # a day
# Some times of the service have fewer digits: to the second, millisecond or tenth of one.
_COARSE = ((0.01, SECOND), (0.05, 1000), (0.08, 100))


def rhythmic_times(random: Random, count: int, first: int, last: int) -> list[int]:
    """Moments of ``[first, last)`` in microseconds, unsorted, after the rhythm.

    Example:
        >>> from random import Random
        >>> [0 <= time < HOUR for time in rhythmic_times(Random(1), 2, 0, HOUR)]
        [True, True]
    """
    # Each moment draws an hour by its weight, then a place within it.
    starts = range(first, last, HOUR)
    weights = accumulate(_weight(start, first) for start in starts)
    chosen = random.choices(starts, cum_weights=list(weights), k=count)
    draw = random.random
    return [
        coarsened(start + int(draw() * min(HOUR, last - start)), draw(), start) for start in chosen
    ]


def even_times(random: Random, count: int, first: int, last: int) -> list[int]:
    """Moments of ``[first, last)`` without a rhythm.

    Example:
        >>> from random import Random
        >>> even_times(Random(1), 1, 5, 6)
        [5]
    """
    return [first + int(random.random() * (last - first)) for _ in range(count)]


def coarsened(time: int, draw: float, first: int) -> int:
    """A time cut to fewer digits, as some of the service's are; never before ``first``.

    Example:
        >>> coarsened(1_234_567, 0.0, 0), coarsened(1_234_567, 0.5, 0)
        (1000000, 1234567)
    """
    for chance, unit in _COARSE:
        if draw < chance:
            return max(first, time - time % unit)
    return time


def _weight(start: int, first: int) -> float:
    day, in_day = divmod(start, DAY)
    weekday = _WEEKDAYS[(day + _FIRST_WEEKDAY) % 7]
    return _HOURS[in_day // HOUR] * weekday * (1 + _GROWTH * (start - first) / DAY)
