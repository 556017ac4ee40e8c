"""The fields of the rail: each holds one filter, knows its label, and shows its error beside it.

A value is checked by the filter's own class, one field at a time, so that an error stands
beside the field that caused it and the explorer allows exactly what the loader does.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import ipywidgets as widgets

from plivo_analysis.api.checks import checked_uuid
from plivo_analysis.errors import FilterError
from plivo_analysis.report.html import tag

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

ANY = "any"

_NO_NOTE = ""


@dataclass(frozen=True, slots=True)
class Field:
    """One field of the rail.

    Args:
        label: What stands above it.
        names: The loader's arguments that it gives: one, or one for a UUID and one for a name.
        choices: The words of a closed set; empty for free text.
        column: The column whose values are offered once some are known.
        apart: Whether it is rarely needed and folded away.
    """

    label: str
    names: tuple[str, ...]
    choices: tuple[str, ...] = ()
    column: tuple[str, ...] = ()
    apart: bool = False


class TextInput:
    """A field on the screen.

    Args:
        field: What it is.
        check: Refuses a value that cannot match anything, given as keyword argument.
        changed: Is called when its value changed.
    """

    def __init__(
        self, field: Field, check: Callable[..., object], changed: Callable[[], None]
    ) -> None:
        self.field = field
        self._check = check
        self.input = _input(field)
        self._note = note()
        self.box = widgets.VBox([self.input, self._note])
        self.box.add_class("pva-field")
        self.box.add_class(f"pva-of-{field.names[0]}")
        self.input.observe(lambda _: changed(), "value")

    def given(self) -> dict[str, str]:
        """The loader's argument that it gives; nothing where any will do."""
        value = self.input.value.strip()
        return {self._name(value): value} if value else {}

    def put(self, value: object) -> None:
        """Show a value that came as an argument."""
        choices = self.field.choices
        if not choices:
            self.input.value = str(value)
            return
        self._check(**{self.field.names[0]: value})
        folded = {_folded(word): word for word in choices}
        self.input.value = folded[_folded(str(value))]

    def review(self) -> FilterError | None:
        """Check the value, show beside the field what is wrong with it, and return that."""
        try:
            self._check(**self.given())
        except FilterError as error:
            say(self._note, self._named(str(error)))
            return error
        say(self._note)
        return None

    def offer(self, known: Callable[[str], Iterable[str]]) -> None:
        """Offer the known values of the field's columns to choose from."""
        values = [list(known(column)) for column in self.field.column]
        if any(values):
            most = max(len(words) for words in values)
            self.input.options = tuple(word for words in values for word in words)
            self.input.placeholder = f"all {most}" if most > 1 else "all"

    def _named(self, said: str) -> str:
        """An error under the name that the field has on the screen."""
        argument, _, rest = said.partition(" ")
        return f"{self.field.label} {rest}" if argument in self.field.names else said

    def _name(self, value: str) -> str:
        if len(self.field.names) == 1:
            return self.field.names[0]
        of_uuid, of_name = self.field.names
        try:
            checked_uuid(of_uuid, value)
        except FilterError:
            return of_name
        return of_uuid


class Rail:
    """All fields of a resource.

    Args:
        fields: What they are.
        check: The filter's constructor.
        changed: Is called when a value changed.
        folded: What stands above the fields that are folded away.
    """

    def __init__(
        self,
        fields: Sequence[Field],
        check: Callable[..., object],
        changed: Callable[[], None],
        folded: str,
    ) -> None:
        self.entries = [TextInput(field, check, changed) for field in fields]
        often = [entry.box for entry in self.entries if not entry.field.apart]
        grid = widgets.Box(often)
        grid.add_class("pva-fields")
        apart = [entry for entry in self.entries if entry.field.apart]
        fold = widgets.Accordion([widgets.VBox([entry.box for entry in apart])])
        fold.set_title(0, folded)
        fold.add_class("pva-apart")
        self.box = widgets.VBox([grid, fold])

    def given(self) -> dict[str, str]:
        """The loader's arguments that the fields give."""
        return {name: value for entry in self.entries for name, value in entry.given().items()}

    def put(self, values: Mapping[str, object]) -> None:
        """Show values that came as arguments.

        Raises:
            FilterError: One is unknown, or two are of one field.
        """
        left = {name: value for name, value in values.items() if value is not None}
        for entry in self.entries:
            named = [name for name in entry.field.names if name in left]
            if len(named) > 1:
                raise FilterError(f"The explorer takes one of {' and '.join(named)}, not both.")
            if named:
                entry.put(left.pop(named[0]))
        if left:
            known = ", ".join(name for entry in self.entries for name in entry.field.names)
            raise FilterError(
                f"There is no filter {', '.join(map(repr, left))}. There is since, until, {known}."
            )

    def review(self) -> FilterError | None:
        """Check every field; return the first error."""
        errors = [error for entry in self.entries if (error := entry.review()) is not None]
        return errors[0] if errors else None

    def offer(self, known: Callable[[str], Iterable[str]]) -> None:
        """Offer the known values of each field's columns."""
        for entry in self.entries:
            entry.offer(known)


def note() -> widgets.HTML:
    """A place for what is wrong with a field; nothing while nothing is.

    Example:
        >>> note().value
        ''
    """
    place = widgets.HTML(_NO_NOTE)
    place.add_class("pva-error")
    return place


def say(place: widgets.HTML, error: str = "") -> None:
    """Show an error in its place, or take it away.

    Example:
        >>> place = note()
        >>> say(place, "Ends before it starts.")
        >>> place.value
        '<span role="alert">Ends before it starts.</span>'
    """
    place.value = tag("span", error, role="alert") if error else _NO_NOTE


def _input(field: Field) -> Any:
    if field.choices:
        return widgets.Dropdown(
            options=[(ANY, ""), *((word, word) for word in field.choices)],
            description=field.label,
        )
    kind = widgets.Combobox if field.column else widgets.Text
    return kind(description=field.label, placeholder="all", continuous_update=False)


def _folded(word: str) -> str:
    return "".join(sign for sign in word.casefold() if sign.isalnum())
