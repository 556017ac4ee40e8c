"""The fields of the sidebar: the range of time, a field for each declared filter, the channels.

Labels, kinds and choices come from the declaration of the resource. A value is checked by the
parameter itself, one field at a time, so that an error stands beside the field that caused it
and the explorer allows exactly what the loader does.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import ipywidgets as widgets

from plivo_analysis.api.checks import ParameterKind
from plivo_analysis.api.times import parse_range
from plivo_analysis.errors import FilterError
from plivo_analysis.explorer.output import NOTHING, box, lines, text, write
from plivo_analysis.figures import style
from plivo_analysis.report.countries import country_code
from plivo_analysis.values.masking import mask_text
from plivo_analysis.values.typesetting import clean

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from plivo_analysis.api.resources import Parameter, Resource

ANY = "any"
PRESETS = ("24h", "7d", "30d", "90d")

_FIXED = ""
_SHORT = 24  # letters of a name on a button
_COLOURED = ("sms", "voice", "whatsapp")
_MINUTE = timedelta(minutes=1)


class DateRange:
    """The range of time: presets and two pickers, in UTC.

    A preset counts back from the account's now and stays relative, so that pressing Load later
    asks for later days. Touching a picker makes the range a fixed one.

    Args:
        now: Gives the account's time.
        changed: Is called when the range changed.
    """

    def __init__(self, now: Callable[[], datetime], changed: Callable[[], None]) -> None:
        self._now = now
        self._changed = changed
        self.preset = widgets.ToggleButtons(
            options=[*((f"{text[:-1]} {text[-1]}", text) for text in PRESETS), ("Other", _FIXED)],
            tooltips=[f"The last {text}" for text in PRESETS] + ["From and To, as set below"],
        )
        self.start = widgets.NaiveDatetimePicker(
            description="From, UTC", tooltip="When the range starts"
        )
        self.end = widgets.NaiveDatetimePicker(
            description="To (not included), UTC", tooltip="When the range ends"
        )
        self._shown: dict[widgets.Widget, datetime | None] = {}  # what the pickers were set to
        self._error = text("pva-error")
        self.box = box("pva-dates", self.preset, self.start, self.end, self._error)
        self._show_preset()
        self.preset.observe(self._choose_preset, "value")
        self.start.observe(self._touch, "value")
        self.end.observe(self._touch, "value")

    def put(self, since: object, until: object) -> None:
        """Show a range that was given as arguments, in any form that the loaders take.

        Raises:
            FilterError: It is none, or empty.
        """
        start, end = parse_range(since, until, now=self._now())
        word = since.strip().casefold().replace(" ", "") if isinstance(since, str) else since
        if until is None and (word is None or word in PRESETS):
            self.preset.value = word or PRESETS[0]
            return
        self._set(start, end)
        self.preset.value = _FIXED

    def arguments(self) -> dict[str, Any]:
        """The loader's arguments ``since`` and ``until``."""
        if self.preset.value != _FIXED:
            return {"since": self.preset.value}
        bounds = {"since": self.start.value, "until": self.end.value}
        return {
            name: bound.replace(tzinfo=UTC) for name, bound in bounds.items() if bound is not None
        }

    def check(self) -> FilterError | None:
        """Check the range, show beside it what is wrong with it, and return that."""
        arguments = self.arguments()
        since, until = arguments.get("since"), arguments.get("until")
        try:
            if since is None:
                raise FilterError("Choose when the range starts.")  # noqa: TRY301 - is shown below
            parse_range(since, until, now=self._now())
        except FilterError as error:
            sentence = str(error)
            if isinstance(since, datetime) and until is not None and since >= until:
                sentence = "Ends before it starts." if since > until else "Holds no time."
            write(self._error, lines(sentence, kind="failed"))
            return error
        write(self._error, NOTHING)
        return None

    def _choose_preset(self, _: object) -> None:
        if self.preset.value != _FIXED:
            self._show_preset()
        self._changed()

    def _touch(self, change: Mapping[str, Any]) -> None:
        # What `_set` wrote comes back here as a change: no person touched the picker, and the
        # preset has to stay.
        if change["new"] == self._shown.get(change["owner"]):
            return
        self._shown[change["owner"]] = change["new"]
        if self.preset.value == _FIXED:
            self._changed()
        else:
            self.preset.value = _FIXED  # which tells of the change

    def _show_preset(self) -> None:
        start, end = parse_range(self.preset.value, None, now=self._now())
        # In whole minutes, and the start rounded up: rounded down, 90 days would begin before
        # what the server still has.
        odd = timedelta(seconds=start.second, microseconds=start.microsecond)
        self._set(start + (_MINUTE - odd if odd else odd), end.replace(second=0, microsecond=0))

    def _set(self, start: datetime, end: datetime) -> None:
        for picker, at in ((self.start, start), (self.end, end)):
            self._shown[picker] = at.replace(tzinfo=None)
            picker.value = self._shown[picker]


class FilterField:
    """One field on the screen.

    Args:
        parameters: What it gives: one parameter, or one that takes a UUID and one that takes a
            name.
        changed: Is called when its value changed.
    """

    def __init__(self, parameters: Sequence[Parameter], changed: Callable[[], None]) -> None:
        self.parameters = tuple(parameters)
        self.label = parameters[0].label
        self.is_rare = parameters[0].rare
        self.names = [parameter.name for parameter in parameters]
        # The columns whose values are offered: none for numbers, which are not shown, or words.
        self._columns = [
            parameter.column
            for parameter in parameters
            if parameter.column and not parameter.kind.is_number and not parameter.choices
        ]
        self.input = self._widget()
        self._error = text("pva-error")
        self.box = box("pva-field", self.input, self._error).add_class(f"pva-of-{self.names[0]}")
        # What is asked for, and what stands in the field: a number is masked there, since what a
        # field shows is saved with a notebook that keeps its widgets.
        self._typed = self._shown = ""
        self._changed = changed
        self.input.observe(self._entered, "value")

    def arguments(self) -> dict[str, str]:
        """The loader's argument that it gives; nothing where any will do."""
        value = self._value()
        return {self._parameter(value).name: value} if value else {}

    def put(self, value: object) -> None:
        """Show a value that was given as an argument."""
        first = self.parameters[0]
        # A menu holds the API's own spelling, which the check gives.
        self._hold(str(first.checked(value) if first.choices else value))
        self.input.value = self._shown

    def check(self) -> FilterError | None:
        """Check the value, show beside the field what is wrong with it, and return that."""
        value = self._value()
        try:
            if value:
                self._parameter(value).checked(value)
        except FilterError as error:
            # The sentence names the argument; on the screen the field has another name.
            argument, _, rest = str(error).partition(" ")
            sentence = f"{self.label} {rest}" if argument in self.names else str(error)
            write(self._error, lines(sentence, kind="failed"))
            return error
        write(self._error, NOTHING)
        return None

    def offer(self, known: Callable[[str], Iterable[str]]) -> None:
        """Offer the known values of the field's columns to choose from, names before ids."""
        values = [list(known(column)) for column in reversed(self._columns)]
        if any(values):
            most = max(len(words) for words in values)
            self.input.options = tuple(word for words in values for word in words)
            self.input.placeholder = f"all {most}" if most > 1 else "all"

    def _widget(self) -> Any:
        first = self.parameters[0]
        if first.choices:
            options = [(ANY, ""), *((word, word) for word in first.choices)]
            return widgets.Dropdown(options=options, description=self.label, tooltip=first.meaning)
        kind = widgets.Combobox if self._columns else widgets.Text
        return kind(
            description=self.label,
            placeholder="all",
            continuous_update=False,
            tooltip=first.meaning,
        )

    def _hold(self, text: str) -> None:
        """Keep what was typed, and show a number masked; a mistyped one stays, to be corrected."""
        self._typed = self._shown = text
        if self.parameters[0].kind.is_number:
            with suppress(FilterError):
                self._parameter(text).checked(text)
                self._shown = mask_text(text)

    def _entered(self, change: Mapping[str, str]) -> None:
        if change["new"] != self._shown:
            self._hold(change["new"])
            if self._shown != self._typed:
                self.input.value = self._shown  # which leads here again
                return
        self._changed()

    def _value(self) -> str:
        value = self._typed.strip()
        if self.parameters[0].kind is ParameterKind.COUNTRY:
            return country_code(value) or value
        return value

    def _parameter(self, value: str) -> Parameter:
        """The parameter that a value is of: the last one takes what no earlier one does."""
        for parameter in self.parameters[:-1]:
            try:
                parameter.checked(value)
            except FilterError:
                continue
            return parameter
        return self.parameters[-1]


class FilterFields:
    """All fields of a resource, those that are rarely needed folded away.

    Args:
        resource: What is listed; parameters of one label share a field.
        changed: Is called when a value changed.
    """

    def __init__(self, resource: Resource, changed: Callable[[], None]) -> None:
        labels: dict[str, list[Parameter]] = {}
        for parameter in resource.parameters:
            labels.setdefault(parameter.label, []).append(parameter)
        self.fields = [FilterField(parameters, changed) for parameters in labels.values()]
        rare = [field for field in self.fields if field.is_rare]
        # Not an accordion: the head of one is no button, and no keyboard reaches it.
        # The style sheet folds it, so that it opens while the kernel is busy, too.
        fold = widgets.ToggleButton(
            description=", ".join(field.label for field in rare[:3]),
            tooltip="Show or hide these fields",
        ).add_class("pva-more")
        common = box("pva-fields", *(field.box for field in self.fields if not field.is_rare))
        folded = box("pva-rare", *(field.box for field in rare))
        self.box = widgets.VBox([common, fold, folded])

    def arguments(self) -> dict[str, str]:
        """The loader's arguments that the fields give."""
        return {name: value for field in self.fields for name, value in field.arguments().items()}

    def put(self, values: Mapping[str, object]) -> None:
        """Show values that were given as arguments.

        Raises:
            FilterError: One is unknown, or two are of one field.
        """
        left = {name: value for name, value in values.items() if value is not None}
        for field in self.fields:
            named = [name for name in field.names if name in left]
            if len(named) > 1:
                raise FilterError(f"The explorer takes one of {' and '.join(named)}, not both.")
            if named:
                field.put(left.pop(named[0]))
        if left:
            known = ", ".join(name for field in self.fields for name in field.names)
            raise FilterError(
                f"There is no filter {', '.join(map(repr, left))}. There is since, until, {known}."
            )


class EntryChannels:
    """A toggle for each channel that sessions began on; nothing pressed is every session.

    Args:
        changed: Is called when a toggle was pressed.

    Attributes:
        toggles: The toggles by channel.
        wanted: The channels to press as soon as a load offers them.

    Example:
        >>> channels = EntryChannels(lambda: None)
        >>> channels.wanted = ("voice",)
        >>> channels.offer(["sms", "voice"])
        >>> channels.chosen
        ('voice',)
    """

    def __init__(self, changed: Callable[[], None]) -> None:
        self._changed = changed
        self.toggles: dict[str, widgets.ToggleButton] = {}
        self.wanted: tuple[str, ...] = ()
        self._offered: Sequence[str] = ()
        self._places = box("pva-channels")
        hint = lines("Show sessions that began on these channels; none pressed is all.")
        label = text("pva-label", lines("Entry channel"))
        self.parts = [label, self._places, text("pva-hint", hint)]

    @property
    def chosen(self) -> tuple[str, ...]:
        """The channels that are shown and pressed; before a load, those that will be."""
        if not self.toggles:
            return self.wanted
        return tuple(name for name in self._offered if self.toggles[name].value)

    def offer(self, channels: Sequence[str]) -> None:
        """Show a toggle for each channel; one that was there keeps its state."""
        for channel in channels:
            if channel in self.toggles:
                continue
            name = clean(style.name(channel), cap=_SHORT)
            hue = channel if channel in _COLOURED else "unknown"
            toggle = widgets.ToggleButton(
                value=channel in self.wanted,
                description=name,
                tooltip=f"Sessions that began on {name}",
            )
            toggle.add_class("pva-channel").add_class(f"pva-is-{hue}")
            toggle.observe(lambda _: self._changed(), "value")
            self.toggles[channel] = toggle
        self._offered = channels
        self._places.children = [self.toggles[channel] for channel in channels]
