"""The questions of docs/questions.md, asked in JupyterLab and in Voila as a person asks them.

Each is played from the first screen in at most three clicks or fields, which :class:`Visitor`
counts, and what stands on the screen then is what the emulator's own books hold: the records of
the account, summed up by the emulator's reference and by nothing of the package.
"""

from __future__ import annotations

import csv
import gzip
import io
import re
from collections import defaultdict
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import plivo_analysis as pva
from plivo_analysis.emulator import AUTH_ID, AUTH_TOKEN, Account, Server, generate
from plivo_analysis.emulator.expected import ExpectedSession, session_of_record, sum_up
from plivo_analysis.emulator.listing import SESSIONS
from plivo_analysis.emulator.traffic_model import SUBACCOUNT_ID
from plivo_analysis.system.clock import FrozenWallClock
from plivo_analysis.values.typesetting import money, unit_price

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MOST_STEPS = 3
MANY = 100_000
FEW = 20  # sessions; a country with fewer is not called the worst
EXPLORER = """
from datetime import datetime

import plivo_analysis as pva
from plivo_analysis.system.clock import FrozenWallClock

client = {client}
explorer = pva.SessionExplorer(client, since="{since}")
explorer
"""


class Visitor:
    """A person before an explorer; a fourth click or field in one question is a failure.

    Args:
        page: The page that it stands in.
        steps: What was done already.
    """

    def __init__(self, page: Any, steps: tuple[str, ...] = ()) -> None:
        self.page = page
        self.explorer = page.locator(".pva")
        self.steps = [*steps]

    def _step(self, what: str) -> None:
        self.steps.append(what)
        assert len(self.steps) <= MOST_STEPS, f"too many steps: {self.steps}"

    def press(self, name: str) -> None:
        self._step(f"press {name}")
        self.explorer.get_by_role("button", name=name, exact=True).click()

    def load(self) -> None:
        self.press("Load")
        self.explorer.locator(".pva-status", has_text="Complete.").wait_for()

    def tick(self, label: str) -> None:
        self._step(f"tick {label}")
        self.explorer.get_by_label(label).check()

    def choose(self, label: str, option: str) -> None:
        self._step(f"choose {option}")
        self.explorer.get_by_label(label, exact=True).select_option(label=option)

    def fill(self, label: str, words: str) -> None:
        self._step(f"fill in {label}")
        field = self.explorer.get_by_label(label, exact=True)
        field.fill(words)
        field.press("Tab")

    def open(self, tab: str) -> None:
        self._step(f"open {tab}")
        self.explorer.get_by_role("tab", name=tab, exact=True).click()

    def follow(self, selector: str) -> None:
        self._step(f"click {selector}")
        self.explorer.locator(selector).first.click()

    def see(self, *wanted: str) -> None:
        """Wait until all of this stands on the screen, whatever breaks its lines."""
        self.page.wait_for_function(
            r"""wanted => {
                const shown = document.querySelector('.pva').innerText.replace(/\s+/g, ' ');
                return wanted.every(words => shown.includes(words));
            }""",
            arg=[plain(words) for words in wanted],
        )

    def cells(self) -> dict[str, list[str]]:
        """The table on the screen: what stands in each row, after the first cell's words."""
        rows = self.explorer.locator(".pva-table:visible tbody tr")
        rows.first.wait_for()
        found = [
            [plain(cell) for cell in row.locator("td").all_inner_texts()] for row in rows.all()
        ]
        return {row[0]: row[1:] for row in found}

    def heads(self) -> list[str]:
        heads = self.explorer.locator(".pva-table:visible thead th").all_inner_texts()
        return [plain(head) for head in heads]


def plain(words: str) -> str:
    """Words as they are read: every kind of space is one space."""
    return re.sub(r"\s+", " ", words).strip()


@dataclass(frozen=True)
class Entry:
    """A session in the books: its record, and what the emulator expects of it."""

    record: dict[str, Any]
    expected: ExpectedSession

    @property
    def country(self) -> str:
        return str(self.record.get("destination_country_iso2"))

    @property
    def began_on(self) -> str | None:
        return self.expected.attempts[0].channel if self.expected.attempts else None


class Books:
    """The account's own records."""

    def __init__(self, account: Account) -> None:
        self.account = account

    def sessions(self, days: int, *, before: int = 0) -> list[Entry]:
        """The sessions of so many days, ending so many days before now."""
        end = self.account.now - timedelta(days=before)
        keys = self.account.uuids(end - timedelta(days=days), end)
        records = [self.account.record(key) for key in keys]
        return [Entry(record, session_of_record(record)) for record in records]


def spent(sessions: list[Entry]) -> Decimal:
    return sum_up(entry.expected for entry in sessions).spend


def per_verified(sessions: list[Entry]) -> str:
    results = sum_up(entry.expected for entry in sessions)
    return unit_price(results.settled_spend / results.verified, "USD")


def by(sessions: list[Entry], of: Callable[[Entry], Any]) -> dict[Any, list[Entry]]:
    groups: defaultdict[Any, list[Entry]] = defaultdict(list)
    for entry in sessions:
        groups[of(entry)].append(entry)
    return dict(groups)


def fell_back(sessions: list[Entry]) -> tuple[int, int]:
    """How many sessions changed the channel, of how many of which it is known."""
    results = sum_up(entry.expected for entry in sessions)
    return sum(results.fell_back.values()), sum(results.evaluable.values())


@pytest.fixture(scope="module")
def books() -> Books:
    """The books of the account that ``pva.demo()`` serves."""
    return Books(generate())


@pytest.fixture(scope="module", params=["lab", "voila"])
def home(request: pytest.FixtureRequest, pages: Any) -> Iterator[Any]:
    """Opens a notebook in JupyterLab, and in Voila."""
    outside: list[str] = []
    with pages(outside) as new_page:
        yield request.getfixturevalue(f"{request.param}_opener")(new_page)
    assert outside == []


@pytest.fixture(scope="module")
def visit(home: Any, write_notebook: Any) -> Callable[..., Visitor]:
    """Come to the first screen of an explorer."""

    places = count(1)  # Lab asks what to do about an open notebook that changed

    def come(client: str = "pva.demo()", since: str = "30d") -> Visitor:
        source = EXPLORER.format(client=client, since=since)
        return Visitor(home(write_notebook(f"questions-{next(places)}", source)))

    return come


@pytest.fixture(scope="module")
def compared(visit: Callable[..., Visitor]) -> Visitor:
    """One explorer of 30 days and the 30 before, for every question that asks no other range."""
    visitor = visit()
    visitor.tick("Compare with the period before")
    visitor.load()
    return visitor


@pytest.fixture
def loaded(compared: Visitor) -> Iterator[Visitor]:
    """The same as after Load alone: as it was shown at first, one step taken."""
    yield Visitor(compared.page, ("press Load",))
    pressed = compared.explorer.locator(".pva-channel.mod-active")
    if pressed.count():
        pressed.click()
    compared.explorer.get_by_role("tab", name="Overview", exact=True).click()
    compared.explorer.get_by_label("Group by", exact=True).select_option(label="country")


def test_why_did_spend_jump(loaded: Visitor, books: Books) -> None:
    visitor = Visitor(loaded.page, ("tick Compare with the period before", *loaded.steps))
    now, before = books.sessions(30), books.sessions(30, before=30)
    rise = spent(now) - spent(before)
    jumped = {
        country: spent(sessions) - spent(by(before, lambda e: e.country).get(country, []))
        for country, sessions in by(now, lambda e: e.country).items()
    }
    country = max(jumped, key=lambda code: jumped[code])
    assert country == "BD"
    visitor.see(
        f"You spent at least {money(spent(now), 'USD')} on {len(now)} verification sessions",
        f"{rise / spent(before):.1%} more than in the 30 days before".replace("%", " %", 1),
        f"{jumped[country] / rise:.0%} of the rise is Bangladesh".replace("%", " %", 1),
    )
    row = visitor.cells()["Bangladesh BD"]
    assert row[visitor.heads().index("Spend") - 1].startswith(
        money(spent(by(now, lambda e: e.country)[country]), "USD")
    )


def test_which_country_fails_on_sms(loaded: Visitor, books: Books) -> None:
    loaded.press("SMS")
    loaded.open("Fallback")
    on_sms = [entry for entry in books.sessions(30) if entry.began_on == "sms"]
    counts = {code: fell_back(part) for code, part in by(on_sms, lambda e: e.country).items()}
    large = {code: changed / known for code, (changed, known) in counts.items() if known > FEW}
    changed, known = counts[max(large, key=lambda code: large[code])]
    loaded.see(f"{changed / known * 100:.1f} % {changed} of {known}")


def test_does_voice_save_it(loaded: Visitor, books: Books) -> None:
    loaded.choose("Group by", "channel")
    loaded.open("Paths")
    paths = by(books.sessions(30), lambda e: tuple(a.channel for a in e.expected.attempts))
    saved = sum_up(entry.expected for entry in paths["sms", "voice"])
    share = 100 * saved.sessions / len(books.sessions(30))
    verified = 100 * saved.verified / saved.settled
    row = f"SMS → Voice {saved.sessions} {share:.1f} {verified:.0f} {money(saved.spend, 'USD')}"
    loaded.see(row)


def test_what_did_a_verified_session_and_journey_cost_by_application(
    loaded: Visitor, books: Books
) -> None:
    loaded.choose("Group by", "application")
    loaded.see("Per journey")
    shown, heads = loaded.cells(), loaded.heads()
    for sessions in by(books.sessions(30), lambda e: e.record["app_uuid"]).values():
        name = next(e.record["alias"] for e in sessions if e.record.get("alias"))
        journeys = sum_up(entry.expected for entry in sessions).journeys
        cost = unit_price(journeys.settled_spend / journeys.verified, "USD")
        per_session = shown[name][heads.index("Per verified") - 1]
        per_journey = shown[name][heads.index("Per journey") - 1]
        assert per_session.startswith(plain(per_verified(sessions)))
        assert per_journey.startswith(plain(cost))


def test_whatsapp_sms_or_voice_per_verified_session(loaded: Visitor, books: Books) -> None:
    loaded.choose("Group by", "channel")
    loaded.explorer.locator(".pva-table:visible td", has_text="WhatsApp").wait_for()
    shown, heads = loaded.cells(), loaded.heads()
    parts = by(books.sessions(30), lambda e: e.began_on)
    for channel, name in (("whatsapp", "WhatsApp"), ("sms", "SMS"), ("voice", "Voice")):
        cost = shown[name][heads.index("Per verified") - 1]
        assert cost.startswith(plain(per_verified(parts[channel])))


def test_this_week_against_last(visit: Any, books: Books) -> None:
    visitor = visit()
    visitor.press("7 d")
    visitor.tick("Compare with the period before")
    visitor.load()
    now, last = books.sessions(7), books.sessions(7, before=7)
    change = spent(now) / spent(last) - 1
    visitor.see(
        f"You spent at least {money(spent(now), 'USD')} on {len(now)} verification sessions",
        f"{abs(change) * 100:.1f} % {'more' if change > 0 else 'less'} than in the 7 days before",
    )


def test_what_is_still_open_and_may_change(loaded: Visitor, books: Books) -> None:
    results = sum_up(entry.expected for entry in books.sessions(30))
    assert results.open
    assert results.unpriced
    loaded.see(
        f"{results.sessions} sessions, {results.open} still open",
        f"at least · {results.unpriced} totals missing",
    )


def test_what_does_not_add_up(loaded: Visitor, books: Books) -> None:
    loaded.open("Not adding up")
    sessions = books.sessions(30)
    wrong = {entry.record["session_uuid"] for entry in sessions if not adds_up(entry.record)}
    loaded.see(f"{len(wrong)} of {len(sessions)} sessions do not add up")
    assert set(loaded.cells()) == wrong


def adds_up(record: dict[str, Any]) -> bool:
    """Whether total, lines and attempts of a session agree."""
    charges, attempts = record["charges"], record["attempt_details"] or ()
    parts = [charge["charge"] for charge in charges["attempt_charges"] or ()]
    if charges["total_charge"] is None or None in parts or len(parts) != len(attempts):
        return False
    whole = sum(map(Decimal, parts), Decimal(charges["validation_charge"] or 0))
    return whole == Decimal(charges["total_charge"])


def test_one_subaccount(visit: Any, books: Books) -> None:
    visitor = visit()
    visitor.press("Subaccount, Brand, App hash")
    visitor.fill("Subaccount", SUBACCOUNT_ID)
    visitor.load()
    account = books.account
    low, high, now = account.served(account.now - timedelta(days=30))
    index = account.records(SESSIONS)
    handles = list(index.find(low, high, {"subaccount": SUBACCOUNT_ID}, now))
    results = sum_up(session_of_record(index.record(handle, now)) for handle in handles)
    assert 0 < results.sessions < len(books.sessions(30))
    visitor.see(
        f"{money(results.spend, 'USD')} on {results.sessions} verification sessions",
        f"Subaccount {SUBACCOUNT_ID}",
    )


def test_how_long_will_90_days_take_and_stop(visit: Any, books: Books) -> None:
    visitor = visit("pva.demo(requests_per_minute=20)")
    visitor.press("90 d")
    visitor.see("min per 10,000 sessions at the limit.")
    visitor.press("Load")
    visitor.see("Next request in")
    status = visitor.explorer.locator(".pva-status")
    expected = int(re.search(r"of ~([\d,]+) requests", status.inner_text())[1].replace(",", ""))  # type: ignore[index]
    pages = len(books.sessions(90)) / 20
    assert pages / 2 < expected < 2 * pages  # an estimate, from the first minute's answers
    visitor.see("min left at the limit, 20 a minute")
    visitor.press("Cancel")
    visitor.see("Stopped.")
    kept = int(re.search(r"([\d,]+) sessions kept", status.inner_text())[1].replace(",", ""))  # type: ignore[index]
    assert 0 < kept < len(books.sessions(90))


def test_one_session_from_the_inside(loaded: Visitor, books: Books) -> None:
    loaded.open("Attempts")
    loaded.follow("button.pva-open:visible")
    inside = loaded.explorer.locator(".pva-session:visible")
    inside.locator("text=Charge line").wait_for()
    seen = plain(inside.inner_text())
    newest = books.sessions(30)[0].record
    charge = Decimal(newest["charges"]["total_charge"])
    assert newest["session_uuid"] in seen
    assert money(charge, "USD", 5) in seen
    assert newest["recipient"] not in seen


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Account, str]]:
    """An account of 100,000 sessions, and the client of it that has them all in its store."""
    account = generate(sessions=MANY)
    with Server(account) as server:
        asked = {"base_url": server.url, "store": str(tmp_path_factory.mktemp("large"))}
        options: dict[str, Any] = {**asked, "requests_per_minute": 1e9}
        clock = FrozenWallClock(account.now)
        with pva.Client(AUTH_ID, AUTH_TOKEN, **options, clock=clock) as client:
            pva.load_sessions(since="90d", client=client, progress=False)
        now = f"datetime.fromisoformat('{account.now.isoformat()}')"
        arguments = f"{AUTH_ID!r}, {AUTH_TOKEN!r}, **{options!r}, clock=FrozenWallClock({now})"
        yield account, f"pva.Client({arguments})"


@pytest.mark.slow
def test_a_csv_of_100_000_sessions_for_a_bi_tool(visit: Any, large: tuple[Account, str]) -> None:
    account, client = large
    visitor = visit(client, since="90d")
    visitor.load()
    with visitor.page.expect_download() as download:
        visitor.press("Sessions CSV")
    assert download.value.suggested_filename == "sessions.csv.gz"
    text = gzip.decompress(Path(download.value.path()).read_bytes()).decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text)))
    results = account.expected()
    assert len(rows) == results.sessions == MANY
    amounts = (Decimal(row["total_charge"]) for row in rows if row["total_charge"])
    assert sum(amounts) == results.spend
