"""A resource is declared once: leave a parameter out anywhere, and a test here fails.

Each declared parameter is played from the loader, the command line and the explorer to the
emulator's query and back to the rows. The emulator keeps a list of its own, as the witness of
the API's documentation.
"""

from __future__ import annotations

import inspect
import re
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

import plivo_analysis as pva
from plivo_analysis.api.checks import ParameterKind
from plivo_analysis.api.filters import Filter
from plivo_analysis.api.resources import RESOURCES, Parameter, Resource
from plivo_analysis.cli import main
from plivo_analysis.cli.arguments import parser
from plivo_analysis.emulator import Account, listing
from plivo_analysis.emulator.account import DEFAULT_NOW
from plivo_analysis.explorer.sidebar import FilterFields
from plivo_analysis.system.clock import FrozenWallClock
from plivo_analysis.values.table_types import Form, Kind

if TYPE_CHECKING:
    from collections.abc import Callable

    from plivo_analysis.emulator import Server

    Serve = Callable[..., Server]
    Connect = Callable[..., pva.Client]
    Make = Callable[..., dict[str, Any]]
    Way = Callable[..., list[str]]

LOADERS = {"sessions": pva.load_sessions, "messages": pva.load_messages}
EXPLORERS = {"sessions": pva.SessionExplorer, "messages": pva.MessageExplorer}
EMULATED = {"sessions": listing.SESSIONS, "messages": listing.MESSAGES}
COMMON = ["since", "until", "client", "backend", "recipients", "progress", "partial", "verify"]
SPAN = {"since": DEFAULT_NOW - timedelta(days=2), "until": DEFAULT_NOW - timedelta(minutes=30)}

# A value of each kind, and another one that must not pass.
VALUES = {
    ParameterKind.UUID: tuple(f"{sign * 8}-0000-4000-8000-000000000000" for sign in "12"),
    ParameterKind.RECIPIENT: ("14155550142", "14155550143"),
    ParameterKind.SENDER: ("ACME OTP", "ACMEOTP"),
    ParameterKind.SUBACCOUNT: ("SAXXXXXXXXXXXXXXXXXX", "SAXXXXXXXXXXXXXXXXX2"),
    ParameterKind.COUNTRY: ("IN", "US"),
    ParameterKind.CODE: ("450", "45"),
    ParameterKind.ID: ("CEXAMPLE", "COTHER"),
    ParameterKind.TEXT: ("Shop 24", "Shop 25"),
}

each_resource = pytest.mark.parametrize("resource", RESOURCES.values(), ids=RESOURCES.keys())
each_parameter = pytest.mark.parametrize(
    ("resource", "parameter"),
    [(resource, each) for resource in RESOURCES.values() for each in resource.parameters],
    ids=[
        f"{resource.name}-{each.name}"
        for resource in RESOURCES.values()
        for each in resource.parameters
    ],
)


def names(resource: Resource) -> list[str]:
    return [parameter.name for parameter in resource.parameters]


# What is written out by hand, held to the declaration.


@each_resource
def test_a_loader_takes_the_declared_parameters(resource: Resource) -> None:
    taken = inspect.signature(LOADERS[resource.name]).parameters
    assert [name for name in taken if name not in COMMON] == names(resource)
    assert all(taken[name].default is None for name in names(resource))


def test_an_estimate_takes_the_declared_parameters_of_sessions() -> None:
    taken = list(inspect.signature(pva.estimate).parameters)
    filters = [parameter.name for parameter in RESOURCES["sessions"].parameters]
    assert [name for name in taken if name in filters] == filters
    for name in filters:
        assert f"    {name}: As in :func:`load_sessions`.\n" in (inspect.getdoc(pva.estimate) or "")


@each_parameter
def test_a_loader_explains_a_parameter_in_the_words_of_the_declaration(
    resource: Resource, parameter: Parameter
) -> None:
    documentation = inspect.getdoc(LOADERS[resource.name]) or ""
    entries = dict(re.findall(r"^    (\w+): (.*\n(?:        .*\n)*)", documentation, re.MULTILINE))
    words = " ".join(entries[parameter.name].replace("`", "").split())
    assert words.startswith(parameter.meaning.removesuffix("."))
    assert all(f'"{word}"' in words for word in parameter.choices)


@each_resource
def test_the_command_line_takes_the_declared_parameters(resource: Resource) -> None:
    options = vars(parser().parse_args(["pull", resource.name]))
    own = ["resource", "command", "demo", "since", "until", "out", "recipients", "quiet", "dry_run"]
    assert [name for name in options if name not in own] == names(resource)


@each_resource
def test_the_explorer_has_a_field_for_each_declared_parameter(resource: Resource) -> None:
    entries = FilterFields(resource, lambda: None).fields
    fields = {name: entry for entry in entries for name in entry.names}
    assert sorted(fields) == sorted(names(resource))
    for parameter in resource.parameters:
        field = fields[parameter.name]
        assert field.input.description == parameter.label
        if parameter.choices:
            assert [value for _, value in field.input.options] == ["", *parameter.choices]


@each_resource
def test_the_emulator_s_own_list_names_the_declared_parameters(resource: Resource) -> None:
    assert EMULATED[resource.name].filters == set(names(resource))
    assert EMULATED[resource.name].path == resource.path
    assert EMULATED[resource.name].list_key == resource.list_key


@each_parameter
def test_the_documentation_has_a_row_for_each_declared_parameter(
    resource: Resource, parameter: Parameter
) -> None:
    page = (Path(__file__).parents[2] / "DATA.md").read_text()
    table = page.split(f"### Filters of {resource.name}\n")[1].split("\n##")[0]
    assert re.search(rf"\| `{parameter.name}` \|.*\| {re.escape(parameter.meaning)} \|", table)


# What a declaration says of itself.


@each_parameter
def test_a_declaration_is_whole(resource: Resource, parameter: Parameter) -> None:
    assert bool(parameter.choices) == (parameter.kind is ParameterKind.CHOICE)
    assert not parameter.column or parameter.column in resource.table.names
    assert parameter.label
    assert parameter.meaning.endswith(".")
    assert not parameter.changes or parameter.column in (resource.status, "error_code")


@each_resource
def test_every_column_that_a_filter_takes_for_a_number_is_declared_one(resource: Resource) -> None:
    forms = {column.name: column.form for column in resource.table.columns}
    for parameter in resource.parameters:
        if parameter.column:
            assert parameter.kind.is_number == forms[parameter.column].is_number
    assert {column.kind for column in resource.table.columns if column.form is not Form.FREE} == {
        Kind.TEXT
    }


# Each parameter, played.


def by_loader(server: Server, connect: Connect, resource: Resource, given: dict[str, str]) -> Any:
    return LOADERS[resource.name](client=connect(server), **SPAN, **given)


def by_stored_rows(
    server: Server, connect: Connect, resource: Resource, given: dict[str, str]
) -> Any:
    client = connect(server)
    assert LOADERS[resource.name](client=client, **SPAN).height == 2
    return LOADERS[resource.name](client=client, **SPAN, **given)


def by_command_line(
    server: Server, connect: Connect, resource: Resource, given: dict[str, str]
) -> Any:
    options = [
        word for name, value in given.items() for word in (f"--{name.replace('_', '-')}", value)
    ]
    span = [word for name, at in SPAN.items() for word in (f"--{name}", at.isoformat())]
    assert main(["pull", resource.name, *span, *options, "--quiet", "--out", "rows.parquet"]) == 0
    return pl.read_parquet("rows.parquet")


def by_explorer(server: Server, connect: Connect, resource: Resource, given: dict[str, str]) -> Any:
    explorer = EXPLORERS[resource.name](connect(server), **SPAN)
    for entry in explorer._fields.fields:
        for name in entry.names:
            if name in given:
                entry.input.value = given[name]
    assert explorer.filters == {**SPAN, **given}
    explorer.load.click()
    assert explorer.wait(60)
    assert explorer.error is None
    explorer.close()
    return explorer.frame


@pytest.fixture
def serve_two(
    serve: Serve, session: Make, message: Make, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Callable[..., tuple[Server, str]]:
    """An account of two records that differ in one field, and the id of the first."""
    monkeypatch.chdir(tmp_path)
    make = {"sessions": session, "messages": message}

    def start(resource: Resource, field: str, values: tuple[str, str]) -> tuple[Server, str]:
        records = [make[resource.name](timedelta(hours=3), **{field: value}) for value in values]
        server = serve(Account.of(**{resource.name: records}))
        monkeypatch.setenv("PLIVO_AUTH_ID", server.account.auth_id)
        monkeypatch.setenv("PLIVO_AUTH_TOKEN", server.account.auth_token)
        monkeypatch.setenv("PLIVO_API_URL", server.url)
        now = server.account.now
        monkeypatch.setattr("plivo_analysis.client.Clock", lambda: FrozenWallClock(now))
        return server, records[0][resource.key]

    return start


@each_parameter
@pytest.mark.parametrize("way", [by_loader, by_stored_rows, by_command_line, by_explorer])
def test_a_parameter_reaches_the_query_and_its_rows_come_back(
    way: Way,
    resource: Resource,
    parameter: Parameter,
    serve_two: Callable[..., tuple[Server, str]],
    connect: Connect,
) -> None:
    values = parameter.choices[::-1][:2] or VALUES[parameter.kind]
    given = {parameter.name: values[0]}
    field = parameter.column or f"_{parameter.name}"  # the emulator filters by what it hides
    server, wanted = serve_two(resource, field, values)
    frame = way(server, connect, resource, given)
    assert frame[resource.key].to_list() == [wanted]
    asked = [request.query.get(parameter.name) for request in server.log]
    # What a column confirms is answered from rows that are stored, without a request.
    assert (values[0] in asked) == (way is not by_stored_rows or not parameter.column)
    rows = frame.iter_rows(named=True)
    assert [Filter.of(resource, **given).matches(row) for row in rows] == [True]


@each_parameter
def test_a_parameter_that_no_row_confirms_is_labelled(
    resource: Resource, parameter: Parameter
) -> None:
    value = parameter.choices[0] if parameter.choices else VALUES[parameter.kind][0]
    chosen = Filter.of(resource, **{parameter.name: value})
    assert chosen.params() == {parameter.name: value}
    assert chosen.unverifiable == (() if parameter.column else (parameter.name,))
    assert chosen.stable is not parameter.changes
