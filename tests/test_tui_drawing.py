"""Lines of pieces are cut, filled and broken as those of rich are."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console
from rich.style import Style
from rich.text import Text
from textual.strip import Strip

from searchfeed.output.wrapping import wrap
from searchfeed.tui.drawing import BARE, Pieces, cropped, fitted, laid, plain, wrapped

GROUND = Style(color="white", bgcolor="green")
STYLES = (BARE, Style(bold=True), Style(color="red"), Style(color="blue", underline=True))
WORDS = ("a", "b c", "漢字", "é", "word ", "   ", "long text ", "👍🏽", "…", "x" * 30, "한글 ", "-")

LINES = st.lists(
    st.tuples(st.lists(st.sampled_from(WORDS), max_size=4).map("".join), st.sampled_from(STYLES)),
    max_size=5,
)


@given(LINES, st.integers(2, 60))
def test_pieces_are_drawn_as_rich_draws_them(pieces: Pieces, width: int) -> None:
    text = Text.assemble(*pieces)
    cut = text.copy()
    cut.truncate(width, overflow="ellipsis")
    assert drawn(laid(pieces, GROUND, width)) == of_rich(cut, width)
    cut.truncate(width, overflow="ellipsis", pad=True)
    assert plain(fitted(pieces, width, BARE)) == cut.plain
    cut = text.copy()
    cut.truncate(width, overflow="crop")
    assert plain(cropped(pieces, width)) == cut.plain
    rows = [drawn(laid(row, GROUND, 80)) for row in wrapped(pieces, width)]
    assert rows == [of_rich(row, 80) for row in wrap(text, width)]


@pytest.mark.parametrize(
    ("width", "cut", "last"),
    [(9, "one and …", STYLES[2]), (3, "on…", STYLES[1]), (11, "one and two", STYLES[2])],
)
def test_dots_look_as_what_they_stand_for(width: int, cut: str, last: Style) -> None:
    pieces = [("one ", STYLES[1]), ("and two", STYLES[2])]
    assert plain(fitted(pieces, width)) == cut
    assert fitted(pieces, width)[-1 if width > 4 else 0][1] == last


def of_rich(text: Text, width: int) -> list[tuple[str, Style | None]]:
    text.end = ""
    return drawn(
        Strip(text.render(Console())).apply_style(GROUND).adjust_cell_length(width, GROUND)
    )


def drawn(strip: Strip) -> list[tuple[str, Style | None]]:
    """The characters, each with its style."""
    return [(each, segment.style) for segment in strip for each in segment.text]
