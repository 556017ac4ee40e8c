"""The code line on the screen, with the button that copies it.

The button works in the browser alone: no request, no message to the kernel, and it copies
while another cell is running. Telephone numbers are masked on the screen; what is copied has
them, since it has to run.
"""

from __future__ import annotations

import re

from plivo_analysis.explorer.html import Markup, join, tag

_STRING = re.compile(r'("(?:[^"\\]|\\.)*")')
# Where the page is no secure context there is no clipboard; a selected text can be copied there.
_COPY = """
const said = () => {
  this.textContent = 'Copied';
  setTimeout(() => { this.textContent = 'Copy'; }, 1500);
};
const selected = () => {
  const text = document.createElement('textarea');
  text.value = this.dataset.code;
  document.body.append(text);
  text.select();
  document.execCommand('copy');
  text.remove();
  said();
};
navigator.clipboard
  ? navigator.clipboard.writeText(this.dataset.code).then(said, selected)
  : selected();
"""


def code_line(shown: str, copied: str) -> Markup:
    """The code and its button.

    Args:
        shown: What is read on the screen.
        copied: What the button copies.

    Example:
        >>> line = code_line('x = "<b>"', 'x = "<b>"')
        >>> "<b>" in line, '<span class="pva-string">&quot;&lt;b&gt;&quot;</span>' in line
        (False, True)
    """
    parts = _STRING.split(shown)
    coloured = (
        tag("span", part, class_="pva-string") if number % 2 else part
        for number, part in enumerate(parts)
    )
    button = tag(
        "button",
        "Copy",
        type="button",
        class_="pva-copy",
        title="Copy the code that gives these numbers",
        data_code=copied,
        onclick=" ".join(_COPY.split()),
    )
    return join((tag("pre", *coloured, class_="pva-code"), button))
