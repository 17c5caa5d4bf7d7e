"""HTML → plain text that reads well and splits into the right words.

html2text lays the text out (blocks, lists, blank lines), but is not shown what feeds send:
`reducer` first leaves only a handful of bare tags. That keeps html2text quick (it takes 0.6 ms a
KB on raw HTML), spares it the input that makes it or Python's HTML parser slow or raise, and,
with the text's special characters swapped for noncharacters, lets all of its Markdown escapes be
taken back out.
"""

from __future__ import annotations

import re
from typing import Any, Final

import html2text

from searchfeed.feeds import text as plain_text
from searchfeed.feeds.reducer import BLOCK, CELL, RESTORE, reduce

LAYOUT_LIMIT: Final = 20_000
"""Layout tags in one text above which html2text is not asked: it would take seconds."""


def _lay_out(pieces: list[str]) -> str:
    maker: Any = html2text.HTML2Text(bodywidth=0)
    maker.unicode_snob = True
    return str(maker.handle("".join(pieces))).replace("\\", "")


def _strip(pieces: list[str], block: str, row: str) -> str:
    return "".join(
        [
            (block if piece == BLOCK else row if piece[1] != "/" or piece == "</dt>" else "")
            if piece.startswith("<")
            else piece
            for piece in pieces
        ]
    )


_EMPTY_CELLS = re.compile(rf"{CELL}(?: *{CELL})+")
_EMPTY_ITEM = re.compile(r" +(?:\*|\d+\.)")


def _tidy(row: str) -> str:
    row = row.rstrip()
    if CELL in row:
        row = row.rstrip(f" {CELL}")
        inner = row.lstrip(f" {CELL}")
        if CELL in row[: len(row) - len(inner)]:
            row = inner
        row = re.sub(r" {2,}", " ", _EMPTY_CELLS.sub(CELL, row))
    if row.startswith("  "):  # list items; those of an inner list keep what is left
        row = "" if _EMPTY_ITEM.fullmatch(row) else row[2:]
    return row


def to_text(source: str) -> str:
    r"""The text of a piece of HTML, in paragraphs divided by one blank line.

    >>> to_text("<h2>Routes</h2><p>Silk <b>roads</b>:<ul><li>Marv<li>Herat</ul>")
    'Routes\n\nSilk roads:\n\n* Marv\n* Herat'
    """
    if "<" not in source:
        return plain_text.paragraphs(plain_text.unescape(source))
    reducer = reduce(source)
    if reducer.layout > LAYOUT_LIMIT:
        laid_out = _strip(reducer.pieces, "\n\n", "\n")
    else:
        try:
            laid_out = _lay_out(reducer.pieces)
        except Exception:  # noqa: BLE001 - whatever html2text trips over, the words are kept
            laid_out = _strip(reducer.pieces, "\n\n", "\n")
    rows = [_tidy(row) for row in laid_out.split("\n")]
    text = plain_text.clean("\n".join(rows).translate(RESTORE))
    return re.sub(r"\n(?:[^\S\n]*\n){2,}", "\n\n", text).strip()


def to_line(source: str) -> str:
    """The text of a piece of HTML on one line.

    >>> to_line("Silk <em>roads</em> &amp; C++ <vector>")
    'Silk roads & C++ <vector>'
    """
    if "<" not in source:
        return plain_text.line(plain_text.unescape(source))
    return plain_text.line(_strip(reduce(source).pieces, " ", " ").translate(RESTORE))
