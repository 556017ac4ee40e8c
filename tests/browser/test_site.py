"""The site's tables in a real browser: what a column means stands beside its name."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).parents[2]
# The theme's part of the layout: an article's width beside two sidebars, in a window of 1300 px,
# and names in code that do not break by themselves.
ARTICLE = 638
THEME = """
.pst-scrollable-table-container { overflow-x: auto }
table { border-collapse: collapse; font-family: system-ui, sans-serif }
code { font-family: monospace; font-size: 0.875em; padding: 0.1rem 0.25rem }
.pre { white-space: nowrap }
"""
WIDE_TABLES = ["DATA.md", "docs/faults.md", "docs/coming-from/sdk.md", "docs/questions.md"]


@pytest.mark.parametrize("name", WIDE_TABLES)
def test_a_table_of_the_site_shows_all_its_columns(new_page: Callable[..., Any], name: str) -> None:
    mistune = pytest.importorskip("mistune", reason="JupyterLab brings it, and is not installed")
    written = mistune.create_markdown(plugins=["table"])((ROOT / name).read_text(encoding="utf-8"))
    for plain, themed in {
        "<code>": '<code><span class="pre">',
        "</code>": "</span></code>",
        "<table>": '<div class="pst-scrollable-table-container"><table>',
        "</table>": "</table></div>",
    }.items():
        written = written.replace(plain, themed)
    looks = THEME + (ROOT / "docs" / "site.css").read_text(encoding="utf-8")
    page = new_page(width=1300)
    page.set_content(
        f'<style>{looks}</style><div class="bd-content" style="width: {ARTICLE}px">{written}</div>'
    )
    cut_off = page.evaluate(
        "() => [...document.querySelectorAll('.pst-scrollable-table-container')]"
        ".filter(table => table.scrollWidth > table.clientWidth)"
        ".map(table => table.innerText.slice(0, 80))"
    )
    assert page.locator("table").count()
    assert cut_off == []
