"""The fields of the sidebar: each holds one filter, and shows its error beside it.

Labels, kinds and choices come from the declaration of the resource. A value is checked by the
parameter itself, one field at a time, so that an error stands beside the field that caused it
and the explorer allows exactly what the loader does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import ipywidgets as widgets

from plivo_analysis.errors import FilterError
from plivo_analysis.explorer.html import tag

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from plivo_analysis.api.resources import Parameter, Resource

ANY = "any"

_NO_NOTE = ""


class TextInput:
    """A field on the screen.

    Args:
        parameters: What it gives: one parameter, or one that takes a UUID and one that takes a
            name.
        changed: Is called when its value changed.
    """

    def __init__(self, parameters: Sequence[Parameter], changed: Callable[[], None]) -> None:
        self.parameters = tuple(parameters)
        self.label = parameters[0].label
        self.rare = parameters[0].rare
        self.names = [parameter.name for parameter in parameters]
        self._columns = [_offered(parameter) for parameter in parameters]
        self.input = self._widget()
        self._note = note()
        self.box = widgets.VBox([self.input, self._note])
        self.box.add_class("pva-field")
        self.box.add_class(f"pva-of-{self.names[0]}")
        self.input.observe(lambda _: changed(), "value")

    def given(self) -> dict[str, str]:
        """The loader's argument that it gives; nothing where any will do."""
        value = self.input.value.strip()
        return {self._of(value).name: value} if value else {}

    def put(self, value: object) -> None:
        """Show a value that came as an argument."""
        first = self.parameters[0]
        # A menu holds the API's own spelling, which the check gives.
        self.input.value = first.checked(value) if first.choices else str(value)

    def review(self) -> FilterError | None:
        """Check the value, show beside the field what is wrong with it, and return that."""
        value = self.input.value.strip()
        try:
            if value:
                self._of(value).checked(value)
        except FilterError as error:
            say(self._note, self._named(str(error)))
            return error
        say(self._note)
        return None

    def offer(self, known: Callable[[str], Iterable[str]]) -> None:
        """Offer the known values of the field's columns to choose from, names before ids."""
        values = [list(known(column)) for column in reversed(self._columns) if column]
        if any(values):
            most = max(len(words) for words in values)
            self.input.options = tuple(word for words in values for word in words)
            self.input.placeholder = f"all {most}" if most > 1 else "all"

    def _widget(self) -> Any:
        if choices := self.parameters[0].choices:
            options = [(ANY, ""), *((word, word) for word in choices)]
            return widgets.Dropdown(options=options, description=self.label)
        kind = widgets.Combobox if any(self._columns) else widgets.Text
        return kind(description=self.label, placeholder="all", continuous_update=False)

    def _named(self, error: str) -> str:
        """An error under the name that the field has on the screen."""
        argument, _, rest = error.partition(" ")
        return f"{self.label} {rest}" if argument in self.names else error

    def _of(self, value: str) -> Parameter:
        """The parameter that a value is of: the last one takes what no earlier one does."""
        for parameter in self.parameters[:-1]:
            try:
                parameter.checked(value)
            except FilterError:
                continue
            return parameter
        return self.parameters[-1]


class Rail:
    """All fields of a resource, those that are rarely needed folded away.

    Args:
        resource: What is listed; parameters of one label share a field.
        changed: Is called when a value changed.
        folded: What stands above the fields that are folded away.
    """

    def __init__(self, resource: Resource, changed: Callable[[], None], folded: str) -> None:
        labels: dict[str, list[Parameter]] = {}
        for parameter in resource.parameters:
            labels.setdefault(parameter.label, []).append(parameter)
        self.entries = [TextInput(parameters, changed) for parameters in labels.values()]
        grid = widgets.Box([entry.box for entry in self.entries if not entry.rare])
        grid.add_class("pva-fields")
        rare = [entry.box for entry in self.entries if entry.rare]
        fold = widgets.Accordion([widgets.VBox(rare)])
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
            named = [name for name in entry.names if name in left]
            if len(named) > 1:
                raise FilterError(f"The explorer takes one of {' and '.join(named)}, not both.")
            if named:
                entry.put(left.pop(named[0]))
        if left:
            known = ", ".join(name for entry in self.entries for name in entry.names)
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


def _offered(parameter: Parameter) -> str:
    """The column whose values are offered: none for numbers, which are not shown, or for words."""
    return "" if parameter.kind.is_number or parameter.choices else parameter.column


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
