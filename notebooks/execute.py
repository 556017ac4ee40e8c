"""Run the tutorials anew and keep what they say: ``make notebooks``.

A run on the demo account says the same on every computer, so that what ``git diff`` shows after
it is what a change of the package changed. To keep it so, nothing is kept that differs from run
to run: no times, no versions, no state of widgets. Cells run as the check runs them, with a
figure's data as its only form. The picture beside it, for places that show no live figure, is
drawn here afterwards, and only where the figure's data changed: browsers differ in their pixels.
"""

from __future__ import annotations

import argparse
import base64
import json
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import nbformat
from nbclient import NotebookClient

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

HERE = Path(__file__).parent
FIGURE = "application/vnd.plotly.v1+json"
PICTURE = "image/png"
WIDGET = "application/vnd.jupyter.widget-view+json"
WIDTH = 760  # pixels: what the column of a notebook has room for
_MARGIN = 12  # pixels, where a figure has none: a picture is not set in from the page's edge
SURROUNDINGS = {
    "PLOTLY_RENDERER": "plotly_mimetype",
    "PLIVO_ANALYSIS_PROGRESS": "0",
}
_METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python", "pygments_lexer": "ipython3"},
}
_SECONDS = 120  # for one cell


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the notebooks that are named, or all of them."""
    parser = argparse.ArgumentParser(description="Run notebooks anew, in place.")
    parser.add_argument("notebook", nargs="*", type=Path, help="default: all of this folder")
    named = parser.parse_args(arguments).notebook
    os.environ.update(SURROUNDINGS)
    with tempfile.TemporaryDirectory() as home:
        os.environ["PLIVO_ANALYSIS_HOME"] = home
        for path in named or sorted(HERE.glob("*.ipynb")):
            print(f"{path.name}: {'changed' if run(path) else 'as it was'}", flush=True)


def run(path: Path) -> bool:
    """Run one notebook and write it back; say whether that changed it."""
    before = path.read_text(encoding="utf-8")
    book = nbformat.reads(before, as_version=4)
    drawn = pictures(book)
    NotebookClient(
        book,
        timeout=_SECONDS,
        kernel_name="python3",
        resources={"metadata": {"path": str(path.parent)}},
        store_widget_state=False,
        record_timing=False,
        coalesce_streams=True,
    ).execute()
    tidy(book)
    illustrate(book, drawn)
    after = nbformat.writes(book) + "\n"
    path.write_text(after, encoding="utf-8")
    return after != before


def tidy(book: Any) -> None:
    """Leave out what differs from one run or computer to another.

    Tags stay: papermill looks for the cell that is tagged ``parameters``.
    """
    book.metadata = nbformat.from_dict(_METADATA)
    for cell in book.cells:
        cell.metadata = {name: tags for name, tags in cell.metadata.items() if name == "tags"}
        for output in cell.get("outputs", ()):
            if "metadata" in output:
                output.metadata = {}
            output.get("data", {}).pop(WIDGET, None)  # it names a model that is gone


def illustrate(book: Any, drawn: dict[str, str]) -> None:
    """Put a picture beside each figure: the one it had, or a new one where it changed."""
    for data in _figures(book):
        known = drawn.get(_canonical(data[FIGURE]))
        data[PICTURE] = known or draw(data[FIGURE])


def pictures(book: Any) -> dict[str, str]:
    """The pictures that a notebook holds, each by the data of its figure."""
    return {_canonical(data[FIGURE]): data[PICTURE] for data in _figures(book) if PICTURE in data}


def draw(figure: dict[str, Any]) -> str:
    """A figure as a PNG picture in base64, dark text on white."""
    import plotly.graph_objects as go  # noqa: PLC0415 - needed where a figure changed, with kaleido

    page = go.Figure(data=figure["data"], layout=figure["layout"])
    page.update_layout(paper_bgcolor="white", plot_bgcolor="white")
    return base64.b64encode(page.to_image("png", width=WIDTH)).decode("ascii")


def _figures(book: Any) -> Iterator[dict[str, Any]]:
    for cell in book.cells:
        for output in cell.get("outputs", ()):
            if FIGURE in output.get("data", {}):
                yield output.data


def _canonical(figure: dict[str, Any]) -> str:
    return json.dumps(figure, sort_keys=True)


if __name__ == "__main__":
    main()
