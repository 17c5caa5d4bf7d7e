"""Wrapping: the quick way of plain text is the way of all text."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from searchfeed.output import wrapping

PIECES = (" ", "  ", "a", "word", "“longer”", "—", "Ελλάδα", "вести", "x" * 25, "10,000.5", "é")


@settings(max_examples=300, deadline=None)
@given(
    text=st.lists(st.sampled_from(PIECES), max_size=40).map("".join),
    width=st.integers(1, 30),
)
def test_simple_text_is_wrapped_as_any_text_is(text: str, width: int) -> None:
    assert wrapping._SIMPLE.fullmatch(text)
    begins = wrapping.starts(text, width)
    assert begins == wrapping._starts(text, width)
    rows = [
        text[start:end].rstrip() for start, end in zip([0, *begins], [*begins, None], strict=True)
    ]
    assert all(len(row) <= width for row in rows)
    assert "".join(rows).replace(" ", "") == text.replace(" ", "")


@settings(deadline=None)
@given(st.text(max_size=60), st.integers(-4, 0))
def test_no_width_is_too_narrow(text: str, width: int) -> None:
    assert wrapping.starts(text, width) == wrapping.starts(text, 1)
