"""Paths: the ways of sessions through the channels, and how they ended."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import ipywidgets as widgets

from plivo_analysis import figures
from plivo_analysis.api.words import ARROW
from plivo_analysis.explorer.groups import ENTRY
from plivo_analysis.explorer.html import Markup, join, tag
from plivo_analysis.explorer.output import canvas, draw, text, write
from plivo_analysis.explorer.source import Call
from plivo_analysis.explorer.views.view import remark, written
from plivo_analysis.figures import style, svg
from plivo_analysis.figures.prepared import Estimate
from plivo_analysis.figures.rows import title
from plivo_analysis.metrics.paths import channel_paths
from plivo_analysis.metrics.success import success_rates
from plivo_analysis.templates.rendering import draw_svg
from plivo_analysis.values.typesetting import count, money, percent, plural

if TYPE_CHECKING:
    import polars as pl

    from plivo_analysis.explorer.dataset import Sessions
    from plivo_analysis.explorer.views.view import Scene

_BY_STATUS = Call(channel_paths, "sessions", {"by": ("status",)})
_MOST = 11
_WIDTH = 92
_CHANGED, _EVERY = "Changed channel", "All sessions"
_LOWEST = 0.7


class Paths:
    """The tab "Paths"."""

    title = "Paths"

    def __init__(self) -> None:
        self.which = widgets.ToggleButtons(options=[_CHANGED, _EVERY])
        self.which.add_class("pva-which")
        self._sentence, self._list, self._note = text("pva-sentence"), text("pva-rows"), text()
        self._flow = canvas()
        self._scene: Scene[Sessions] | None = None
        self.which.observe(lambda _: self._draw_flow(), "value")
        top = widgets.Box([self.which, self._sentence])
        top.add_class("pva-beside")
        below = widgets.Box([self._flow, self._list])
        below.add_class("pva-halves")
        self.box = widgets.VBox([top, below, self._note])

    def draw(self, scene: Scene[Sessions]) -> None:
        """Draw the flow from channel to channel, and list the paths."""
        self._scene = scene
        self._draw_flow()
        write(self._sentence, _sentence(scene.count(Call(channel_paths, "sessions"))))
        write(self._list, _list(scene))
        write(self._note, remark("Verified: of settled sessions, with its 95\u202f% interval."))

    def table(self, scene: Scene[Sessions]) -> pl.DataFrame:
        """Paths, by group."""
        return scene.count(_call(scene))

    def code(self, scene: Scene[Sessions], backend: str) -> list[str]:
        """The paths, by group."""
        return written(_call(scene), "sessions", backend, "created_at")

    def _draw_flow(self) -> None:
        if self._scene is None:
            return
        every = self.which.value == _EVERY
        frame = self._scene.count(_BY_STATUS)
        drawn = figures.paths(frame, every_session=every, sentence=False)
        draw(self._flow, drawn if drawn.data else None)


def _by(scene: Scene[Sessions]) -> tuple[str, ...]:
    return () if scene.by == (ENTRY,) else scene.by  # a path begins with its entry channel


def _call(scene: Scene[Sessions]) -> Call:
    return Call(channel_paths, "sessions", {"by": _by(scene)})


def _sentence(paths: pl.DataFrame) -> Markup:
    stayed, changed = (0, 0), (0, 0)
    for row in paths.rows(named=True):
        counts = row["sessions"], row["verified"]
        if len(set(row["path"].split(ARROW))) == 1:
            stayed = stayed[0] + counts[0], stayed[1] + counts[1]
        else:
            changed = changed[0] + counts[0], changed[1] + counts[1]
    return tag(
        "span",
        tag("b", count(stayed[0])),
        f" {'session' if stayed[0] == 1 else 'sessions'} stayed on one channel{_share(*stayed)}; ",
        tag("b", count(changed[0])),
        f" changed channel{_share(*changed)}.",
    )


def _share(sessions: int, verified: int) -> str:
    return f", {percent(verified / sessions, 0)} verified" if sessions else ""


def _list(scene: Scene[Sessions]) -> Markup:
    by = _by(scene)
    names = [*by, "path"]
    paths = scene.count(_call(scene)).sort("sessions", descending=True, maintain_order=True)
    listed, rest = paths.head(_MOST), paths.slice(_MOST)
    of_them = scene.kept.frames["sessions"].join(listed, on=names, how="semi", nulls_equal=True)
    rates: pl.DataFrame = success_rates(of_them, by=names)
    success = {tuple(row[name] for name in names): row for row in rates.rows(named=True)}
    called = scene.kept.named(listed).rows(named=True)
    whole = int(paths["sessions"].sum())
    shown = [
        _row(scene, row, success[key], whole, by)
        for row, key in zip(called, listed.select(names).rows(), strict=True)
    ]
    if rest.height:
        shown.append(_rest(scene, rest, whole))
    return tag("table", _head(), tag("tbody", *shown), class_="pva-paths")


def _head() -> Markup:
    scale = tag(
        "th",
        tag("span", percent(_LOWEST, 0, unit=False), class_="pva-faint"),
        " Verified, % ",
        tag("span", "100", class_="pva-faint"),
        class_="pva-number",
        colspan=2,
    )
    names = [tag("th", name, class_="pva-number") for name in ("Sessions", "%")]
    last = tag("th", "Spend", class_="pva-number")
    return tag("thead", tag("tr", tag("th", "Attempts, in order"), *names, scale, last))


def _row(
    scene: Scene[Sessions],
    row: dict[str, Any],
    rates: dict[str, Any],
    whole: int,
    by: tuple[str, ...],
) -> Markup:
    group = tuple(row[name] for name in by)
    steps = [
        join((draw_svg(svg.square(word)), tag("span", style.name(word), class_="pva-step")))
        for word in row["path"].split(ARROW)
    ]
    path = join(steps, f" {tag('span', '→', class_='pva-faint')} ")
    of = tag("span", f"{title(group, by)} ", class_="pva-grey") if by else None
    return tag(
        "tr",
        tag("td", of, path),
        *_numbers(row["sessions"], whole),
        tag("td", _dot(rates), class_="pva-dot"),
        tag("td", percent(rates["success_rate"], 0, unit=False), class_="pva-number"),
        tag("td", money(row["total_charge"], scene.currency), class_="pva-number"),
    )


def _dot(rates: dict[str, Any]) -> Markup | None:
    """The rate on a scale from 70 to 100; what lies below it is an arrow."""
    now = Estimate.of(rates, "success_rate")
    if now is None:
        return None
    if now.value < _LOWEST:
        return tag("span", "‹ below the scale", class_="pva-accent")
    label = f"{percent(now.value)} verified"
    return Markup(draw_svg(svg.estimate(now, (_LOWEST, 1.0), _WIDTH, label=label)))


def _rest(scene: Scene[Sessions], rest: pl.DataFrame, whole: int) -> Markup:
    known = rest["total_charge"].drop_nulls()
    spent: Any = known.sum() if known.len() else None
    return tag(
        "tr",
        tag("td", f"{plural(rest.height, 'other path')}", class_="pva-grey"),
        *_numbers(int(rest["sessions"].sum()), whole),
        tag("td", colspan=2),
        tag("td", money(spent, scene.currency), class_="pva-number"),
    )


def _numbers(sessions: int, whole: int) -> list[Markup]:
    share = percent(sessions / whole, 1, unit=False)
    return [tag("td", said, class_="pva-number") for said in (count(sessions), share)]
