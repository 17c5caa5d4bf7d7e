"""Text in lines of a given width, measured in cells."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from rich.cells import cell_len, chop_cells
from rich.text import Text

from searchfeed.patterns import deferred

# Ideographs and kana; Korean is written with spaces and needs no rule of its own.
_IDEOGRAPH = (
    "\u2e80-\u2fff\u3041-\u3096\u309f-\u30ff\u3105-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
    "\U00020000-\U0003ffff"
)
# What must not end a line, and what must not begin one (JIS X 4051, the common part).
_OPENING = "「『（【〔《〈［｛"
_CLOSING = (
    "、。，．：；？！」』）】〕》〉］｝…ー々〜・ぁぃぅぇぉっゃゅょゎァィゥェォッャュョヮ"
    "\u3099\u309a\ufe00-\ufe0f"
)
# What stays on one line.
_UNIT = deferred(
    rf"\s+|[{_OPENING}]{{0,8}}+[{_IDEOGRAPH}][{_CLOSING}]*|[^\s{_IDEOGRAPH}{_OPENING}]+[{_CLOSING}]*|\S"
)

# Text of which every character takes one cell and only spaces divide words: most of what there is.
_SIMPLE = deferred("[ -~\xa1-\xac\xae-\u02ff\u0370-\u0482\u2010-\u2027]*+")

# What html2text puts before a list's entry or a quotation: lines that follow align behind it.
_LEAD = deferred(r" *(?:(?:[*+-]|[0-9]{1,3}\.|>+) +)?")
_LEAD_MOST = 12


def lead(line: str) -> int:
    """How far the lines that follow the first of a paragraph are indented.

    >>> lead("plain"), lead("* of a list"), lead("12. of a list")
    (0, 2, 4)
    """
    match = _LEAD.match(line)
    return min(len(match[0]), _LEAD_MOST) if match else 0


def wrap(value: Text, width: int) -> Iterator[Text]:
    """The lines of the value, each at most ``width`` cells wide and without trailing spaces.

    rich breaks at spaces alone, which leaves Chinese and Japanese in rags: here a line may end
    behind each of their characters, unless the next one must not begin a line. A word that is
    wider than a line is cut between graphemes.
    """
    for row in value.divide(starts(value.plain, width)):
        row.rstrip()
        yield row


def behind(label: Text, rows: Iterable[Text]) -> Iterator[Text]:
    """The rows with a label before the first of them, and as much space before the others."""
    space = Text(" " * label.cell_len)
    for row in rows:
        yield Text.assemble(label, row)
        label = space


def starts(text: str, width: int) -> list[int]:
    """Where each line but the first begins, of text on one line.

    A line holds something, however narrow it should be.
    """
    width = max(width, 1)
    return _simple_starts(text, width) if _SIMPLE.fullmatch(text) else _starts(text, width)


def _starts(text: str, width: int) -> list[int]:
    begins: list[int] = []
    used = 0
    for match in _UNIT.finditer(text):
        unit = match[0]
        size = cell_len(unit)
        if used and used + size > width and not unit.isspace():
            begins.append(match.start())
            used = 0
        if size > width and not unit.isspace():
            position = match.start()
            pieces = chop_cells(unit, width)
            for piece in pieces[:-1]:
                position += len(piece)
                begins.append(position)
            size = cell_len(pieces[-1])
        used += size
    return begins


def _simple_starts(text: str, width: int) -> list[int]:
    """The same, without a look at each word."""
    begins: list[int] = []
    start, length = 0, len(text)
    while length - start > width:
        # The word that does not fit goes to the next line, unless it begins this one.
        cut = text.rfind(" ", start, start + width + 1) + 1
        if cut <= start:
            cut = start + width
        while cut < length and text[cut] == " ":
            cut += 1
        if cut == length:
            break
        begins.append(cut)
        start = cut
    return begins
