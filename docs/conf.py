"""How the site is built: ``make docs``.

The sources are the project's own folder, so that pages, notebooks and DATA.md link to each
other by the same paths on a code host and on the site. Notebooks are shown as they were
committed, never run here. A page asks no other host for anything, and the build fails if one
would.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

from sphinx.errors import SphinxError

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from plivo_analysis.system.versions import __version__

project = "plivo_analysis"
version = release = __version__

root_doc = "docs/index"
include_patterns = [
    "docs/**",
    "notebooks/*.ipynb",
    "DATA.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
]
exclude_patterns = [".*", "build", "plivo_analysis", "tests", "docs/conf.py"]  # not even walked

extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx_copybutton"]

myst_enable_extensions = ["deflist"]
myst_heading_anchors = 3
nb_execution_mode = "off"
nb_ipywidgets_js: dict[str, Any] = {}  # would be fetched from other hosts
nb_merge_streams = True
suppress_warnings = ["mystnb.unknown_mime_type"]  # a live figure; the picture beside it is shown

autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
python_use_unqualified_type_names = True
napoleon_google_docstring = True
napoleon_numpy_docstring = False

# A prompt is not copied, nor the output below it.
copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True

html_theme = "pydata_sphinx_theme"
html_title = f"plivo_analysis {version}"
html_static_path = ["site.css"]
html_css_files = ["site.css"]
html_extra_path = ["index.html"]
html_show_sourcelink = False
html_copy_source = False
# Pages without pages below them give the empty column to their tables.
html_sidebars: dict[str, list[str]] = {
    f"docs/{page}": []
    for page in (
        "questions",
        "start",
        "promises",
        "faults",
        "where-it-runs",
        "compared",
        "versions",
    )
}
html_theme_options = {
    "navbar_align": "left",
    "show_prev_next": True,
    "secondary_sidebar_items": ["page-toc"],
    "footer_start": [],
    "footer_end": [],
}

# What makes a browser fetch something: not a link that a reader follows.
_FETCHED = re.compile(
    r"<(?:script|img|iframe|source|link(?![^>]*rel=\"(?:canonical|next|prev|author)\"))\b[^>]*?"
    r"(?:src|href)=[\"']((?:https?:)?//[^\"']+)"
)
_IMPORTED = re.compile(r"(?:url\(|@import\s+)[\"']?((?:https?:)?//[^\"')]+)")


# What people type into the search; each must find the page of questions.
_SEARCHED = (
    "spend jump",
    "country SMS voice",
    "verified journey application",
    "WhatsApp or SMS",
    "CSV BI tool",
    "compare two periods",
    "still open",
    "send monthly",
    "one subaccount",
    "how long 90 days",
    "what is column",
    "delete person",
    "GDPR",
    "Excel",
    "invoice",
    "compare",
)


def setup(app: Any) -> None:
    """Look at every page when all are written."""
    app.connect("build-finished", refuse_requests)
    app.connect("build-finished", search_for_questions)


def search_for_questions(app: Any, exception: Exception | None) -> None:
    """Fail where a search for what people ask does not find the page of questions.

    Like the site's own search: a page is found where each word, but for the commonest, is in its
    text or its headings, whatever its ending.

    Raises:
        SphinxError: A search does not; the message names it.
    """
    if exception is not None:
        return
    written = (Path(app.outdir) / "searchindex.js").read_text(encoding="utf-8")
    index = json.loads(written[written.index("(") + 1 : written.rindex(")")])
    page, language = index["docnames"].index("docs/questions"), app.builder.indexer.lang

    def is_found(word: str) -> bool:
        stem = language.stem(word)
        places = (index[part].get(stem, []) for part in ("terms", "titleterms"))
        return any(page in (found if isinstance(found, list) else [found]) for found in places)

    lost = [
        words
        for words in _SEARCHED
        if not all(
            is_found(word) for word in language.split(words.lower()) if language.word_filter(word)
        )
    ]
    if lost:
        raise SphinxError(f"The search does not find docs/questions.md under: {'; '.join(lost)}")


def refuse_requests(app: Any, exception: Exception | None) -> None:
    """Fail where a page would ask another host for something.

    Raises:
        SphinxError: One would; the message names it.
    """
    if exception is not None:
        return
    asked = {
        f"{path.relative_to(app.outdir)}: {address}"
        for pattern, kind in ((_FETCHED, "*.html"), (_IMPORTED, "*.css"))
        for path in Path(app.outdir).rglob(kind)
        for address in pattern.findall(path.read_text(encoding="utf-8"))
    }
    if asked:
        raise SphinxError("Pages ask other hosts: " + "; ".join(sorted(asked)))
