"""Accounts made of a seed: when sessions begin, by whom, by which channels and how they end.

The same seed, size and moment give the same account. Most sessions follow a rhythm of hours
and weekdays with a little growth. On top of it there is what an analyst should find: a burst of
requests in one country three weeks before the present, most through one application, from one
address to consecutive numbers and hardly ever verified; a price that changed; people who come
back after an expired session; waits between attempts, of which longer ones help a little;
networks whose receipts are wrong; a few sessions still open; a handful whose money does not add
up.
"""

from __future__ import annotations

from bisect import bisect
from itertools import accumulate
from random import Random
from typing import TYPE_CHECKING

from plivo_analysis.emulator import session_plan as planning
from plivo_analysis.emulator.account import DEFAULT_NOW, RETENTION, Account
from plivo_analysis.emulator.session_plan import Row
from plivo_analysis.emulator.session_state import MOST_SPREAD
from plivo_analysis.emulator.times import DAY, HOUR, MINUTE, SECOND, to_micros
from plivo_analysis.emulator.traffic_model import (
    APPLICATIONS,
    BANGLADESH,
    COUNTRIES,
    FALLBACK,
    RETRY,
    SMS,
    STEP_DAYS_AGO,
    VOICE,
    WEB_CHECKOUT,
    WHATSAPP,
    even_times,
    network_named,
    rhythmic_times,
)

if TYPE_CHECKING:
    from datetime import datetime

    from plivo_analysis.emulator.traffic_model import Network

    # The number, then the indices of its country, its network and the application.
    Person = tuple[int, int, int, int]

_EDGE = 6 * HOUR  # no session this close to the end of the 90 days: it would age out at once
# Sessions too old to be served, in the week before: one for so many. A client that asks for more
# than 90 days must not get them.
_OLDER = 7 * DAY
_OLDER_SHARE = 40
# Sessions of the last minutes, many of them still open: one for so many, within bounds.
_LIVE = 14 * MINUTE
_LIVE_SHARE = 250
_FEWEST_LIVE, _MOST_LIVE = 3, 40
_ENOUGH_FOR_LIVE = 20
_UNRELATED_SHARE = 25  # a message that belongs to no session for so many sessions

_BURST_SHARE = 0.0125
_BURST_DAYS = ((21, 0.16), (20, 0.44), (19, 0.34), (18, 0.06))  # days ago, share of the burst
_BURST_VERIFIED = 0.18
_BURST_WEB = 0.88
_BURST_RETRY = 0.10
_BURST_NOT_REACHED = 0.25
_FIRST_BURST_NUMBER = 8_800_000_040_000

# Paths as (0 the entry channel, 1 another), and how often each is taken.
_SWITCHES = {(0, 1): 84, (0, 1, 0): 8, (0, 0, 1): 6, (0, 1, 0, 1): 2}
_RETRIES = {(0, 0): 90, (0, 0, 0): 10}
_RESCUED = 0.87
_LOST_BEFORE_SWITCH, _LOST_BEFORE_RETRY = 0.62, 0.45
_LOST_TO_CARRIER = 0.8  # the rest of those lost failed before
_NO_RECEIPT = 0.004
_STRAGGLER = 0.06
_LONGEST_OPEN = 36 * HOUR
_CODE_LIFE = 10 * MINUTE

# Of all sessions; a small account has one of each.
_ODD_SHARES = {
    planning.TOTAL_ABOVE: 0.00065,
    planning.TOTAL_BELOW: 0.0003,
    planning.CHARGE_MISSING: 0.00017,
    planning.COUNT_DIFFERS: 0.00006,
    planning.NO_ATTEMPTS: 0.0015,
    planning.FIELDS_ABSENT: 0.005,
    planning.CHANNEL_BLANK: 0.0010,
    planning.CHANNEL_NEW: 0.0001,
}
_ENOUGH_FOR_ODDITIES = 100

_RETURN_SHARE = 0.025  # of all sessions: people who come back after an expired one
_RETURN_AGAIN = 0.4
_RETURN_SOON = 0.75  # within half an hour; the others within hours
_SOON, _LATE = 29 * MINUTE, 6 * HOUR
_RETURN_EDGE = 30 * MINUTE  # nobody returns this close to the present: too little has expired
_RETURN_SUCCESS = 0.92  # factor
_PATIENCE_HELPS = 0.10  # how much more often the most patient are verified than the hastiest

_COUNTRY_SHARES = list(accumulate(country.share for country in COUNTRIES))
_APPLICATION_SHARES = list(accumulate(application.share for application in APPLICATIONS))


def generate(
    *,
    seed: int = 0,
    sessions: int = 2000,
    now: datetime = DEFAULT_NOW,
    days: int = 90,
    frozen: bool = True,
) -> Account:
    """A believable account.

    Args:
        seed: Any whole number.
        sessions: How many the account serves; a few more are too old to be served.
        now: The account's present, aware.
        days: How far back its sessions reach, at most 90.
        frozen: Whether its clock stands still. One that runs has sessions of the next day in
            store, which appear as their time comes.

    Returns:
        An account whose records are written out only when asked for.

    Raises:
        ValueError: ``sessions`` is negative or ``days`` is not between 1 and 90.

    Example:
        >>> len(generate(sessions=41).uuids())
        41
    """
    if sessions < 0 or not 1 <= days <= RETENTION // DAY:
        raise ValueError(
            f"sessions is {sessions} and days is {days}; an account has 0 or more sessions over "
            f"1 to {RETENTION // DAY} days."
        )
    present = to_micros(now)
    # Every argument but the clock's is part of the seed: accounts that differ share no session.
    name = f"{seed}/{sessions}/{present}/{days}"
    random = Random(name)
    plan = planning.Plan(name.encode(), present - present % DAY - STEP_DAYS_AGO * DAY)
    returns = round(sessions * _RETURN_SHARE) if sessions >= _ENOUGH_FOR_ODDITIES else 0
    first = max(present - days * DAY, present - RETENTION + _EDGE)
    moments = _moments(random, sessions - returns, first, present)
    if not frozen:
        ahead = rhythmic_times(random, sessions // days, present, present + DAY)
        moments += [(moment, False) for moment in ahead]
    # In the order of time, since a row's place in the plan is where the list shows it.
    burst_size = 0
    for moment, in_burst in sorted(moments):
        row = _burst(random, moment, burst_size) if in_burst else _ordinary(random, moment)
        plan.append(row)
        burst_size += in_burst
    came_back = _returns(plan, random, returns, first, present)
    # A small account may have fewer expired sessions than that: others make up the number.
    instead = rhythmic_times(random, returns - len(came_back), first, present)
    # Who comes back is known only when the others are planned, so that these rows are merged in.
    plan.merge(came_back + [_ordinary(random, moment) for moment in instead])
    unrelated: list[int] = []
    if sessions >= _ENOUGH_FOR_ODDITIES:
        _spread_oddities(plan, random)
    if sessions >= _UNRELATED_SHARE:
        others = Random(f"{name}/messages")
        many = sessions // _UNRELATED_SHARE
        unrelated = rhythmic_times(others, many, plan.times[0], plan.times[-1] + 1)
    return Account(plan, unrelated, now=now, frozen=frozen)


def _moments(random: Random, sessions: int, first: int, present: int) -> list[tuple[int, bool]]:
    """When sessions begin, and whether they belong to the burst."""
    live = 0
    if sessions >= _ENOUGH_FOR_LIVE:
        live = min(_MOST_LIVE, max(_FEWEST_LIVE, sessions // _LIVE_SHARE))
    burst: list[int] = []
    if sessions >= _ENOUGH_FOR_ODDITIES:
        midnight = present - present % DAY
        for ago, share in _BURST_DAYS:
            day = midnight - ago * DAY
            if day > first:
                count = round(sessions * _BURST_SHARE * share)
                burst += even_times(random, count, day, day + DAY)
    # All kinds together make up the number that was asked for; only those too old come on top.
    usual = sessions - live - len(burst)
    times = rhythmic_times(random, usual, first, present)
    times += even_times(random, live, present - _LIVE, present)
    if first <= present - RETENTION + _EDGE:
        edge = present - RETENTION - HOUR
        times += rhythmic_times(random, sessions // _OLDER_SHARE, edge - _OLDER, edge)
    return [(time, False) for time in times] + [(time, True) for time in burst]


# The order in which chances are drawn is part of what a seed means: another order gives other
# accounts, and with them other numbers in every tutorial.
def _ordinary(random: Random, moment: int) -> Row:
    draw = random.random
    country = bisect(_COUNTRY_SHARES, draw(), hi=len(COUNTRIES) - 1)
    network = int(draw() * len(COUNTRIES[country].carriers))
    application = bisect(_APPLICATION_SHARES, draw(), hi=len(APPLICATIONS) - 1)
    person = (COUNTRIES[country].number(draw()), country, network, application)
    return _session(random, moment, person)


def _session(random: Random, moment: int, person: Person, success: float = 1.0) -> Row:
    """A session of that person; ``success`` is a factor on the chance that it is verified."""
    _, country, network, _ = person
    draw = random.random
    place = COUNTRIES[country]
    carrier = network_named(place.carriers[network])
    by_voice, by_whatsapp = place.entry
    choice = draw()
    entry = VOICE if choice < by_voice else SMS
    if by_voice <= choice < by_voice + by_whatsapp:
        entry = WHATSAPP
    path = _path(random, entry, FALLBACK[entry] * place.fallback)
    fell_back = path.count(entry) < len(path)
    patience = int(draw() * planning.PATIENCE_LEVELS)
    chance = (_RESCUED if fell_back else place.success) * carrier.success * success
    if len(path) > 1:
        chance += _PATIENCE_HELPS * (patience / planning.PATIENCE_LEVELS - 0.5)
    verified = draw() < chance
    # An attempt that another one followed more often reached nobody.
    followed = _LOST_BEFORE_SWITCH if fell_back else _LOST_BEFORE_RETRY
    last = carrier.lost_though_verified if verified else carrier.lost_at_last
    outcomes = _outcomes(random, [followed] * (len(path) - 1) + [last])
    open_for = _open_for(random, path, patience, carrier, verified=verified)
    path_index = planning.PATH_INDEX[path]
    return Row(moment, open_for, *person, patience, path_index, outcomes, verified)


def _open_for(
    random: Random, path: tuple[int, ...], patience: int, carrier: Network, *, verified: bool
) -> int:
    """How long a session is open: until its code comes back, or expires, after the last attempt."""
    # A fifth more than planned, since the hash may lengthen each wait: a session must not settle
    # before its last attempt.
    open_for = (len(path) - 1) * planning.WAITS[patience] * 6 // 5
    if verified:  # never before its message was sent, however slow the network
        slowest = 8 + MOST_SPREAD * carrier.queue
        open_for += int((slowest + 100 * random.random()) * SECOND)
    else:
        open_for += _CODE_LIFE
    if random.random() < _STRAGGLER:
        open_for += int(random.random() * (_LONGEST_OPEN - open_for))
    return open_for


def _returns(
    plan: planning.Plan, random: Random, count: int, first: int, present: int
) -> list[Row]:
    """Sessions of people who come back after an expired one, at most ``count``."""
    draw = random.random
    last = present - _RETURN_EDGE
    # Only sessions that end soon enough to come back within half an hour of their beginning.
    expired = [
        row
        for row in range(bisect(plan.times, first), bisect(plan.times, last))
        if not plan.verified[row]
        and plan.odds[row] == planning.PLAIN
        and plan.settles[row] * planning.SETTLE_UNIT < _SOON
    ]
    found: list[Row] = []
    for row in random.sample(expired, min(count, len(expired))):
        person = (
            plan.recipients[row],
            plan.countries[row],
            plan.networks[row],
            plan.applications[row],
        )
        moment, open_for = plan.times[row], plan.settles[row] * planning.SETTLE_UNIT
        while len(found) < count:
            if draw() < _RETURN_SOON:
                moment += open_for + int(draw() * (_SOON - open_for))
            else:
                moment += _SOON + int(draw() * _LATE)
            if moment >= last:
                break
            session = _session(random, moment, person, _RETURN_SUCCESS)
            found.append(session)
            open_for = session.open_for + planning.SETTLE_UNIT
            if session.verified or open_for >= _SOON or draw() >= _RETURN_AGAIN:
                break
    return found


def _path(random: Random, entry: int, fallback: float) -> tuple[int, ...]:
    choice = random.random()
    if choice >= fallback + RETRY:
        return (entry,)
    shapes = _SWITCHES if choice < fallback else _RETRIES
    shape = random.choices(tuple(shapes), tuple(shapes.values()))[0]
    other = VOICE if entry == SMS else SMS
    return tuple(other if step else entry for step in shape)


def _outcomes(random: Random, lost: list[float]) -> int:
    """Two bits an attempt, from the chance of each that it reaches nobody."""
    packed = 0
    for number, chance in enumerate(lost):
        outcome = planning.REACHED
        if random.random() < chance:
            arrived = random.random() < _LOST_TO_CARRIER
            outcome = planning.NOT_REACHED if arrived else planning.FAILED
        elif random.random() < _NO_RECEIPT:
            outcome = planning.PENDING
        packed |= outcome << 2 * number
    return packed


def _burst(random: Random, moment: int, number: int) -> Row:
    draw = random.random
    path = (SMS, SMS) if draw() < _BURST_RETRY else (SMS,)
    outcome = planning.NOT_REACHED if draw() < _BURST_NOT_REACHED else planning.REACHED
    network = int(draw() * len(COUNTRIES[BANGLADESH].carriers))
    carrier = network_named(COUNTRIES[BANGLADESH].carriers[network])
    patience = int(draw() * planning.PATIENCE_LEVELS)
    verified = draw() < _BURST_VERIFIED
    application = WEB_CHECKOUT
    if draw() >= _BURST_WEB:
        application = bisect(_APPLICATION_SHARES, draw(), hi=len(APPLICATIONS) - 1)
    return Row(
        time=moment,
        open_for=_open_for(random, path, patience, carrier, verified=verified),
        recipient=_FIRST_BURST_NUMBER + number % 60_000,
        country=BANGLADESH,
        network=network,
        application=application,
        patience=patience,
        path=planning.PATH_INDEX[path],
        outcomes=outcome << 2 * (len(path) - 1),
        verified=verified,
        odd=planning.BURST,
    )


def _spread_oddities(plan: planning.Plan, random: Random) -> None:
    # One thing at most is odd about a row, and its first attempt reached somebody: a total that
    # does not add up needs an amount, which an attempt that failed has not.
    for odd, share in _ODD_SHARES.items():
        left = max(1, round(share * len(plan)))
        while left:
            row = int(random.random() * len(plan))
            reached = plan.outcomes[row] & 3 == planning.REACHED
            if plan.odds[row] == planning.PLAIN and reached:
                plan.odds[row] = odd
                plan.verified[row] &= odd != planning.NO_ATTEMPTS
                left -= 1
