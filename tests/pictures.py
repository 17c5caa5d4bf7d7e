"""Pictures of the app's screen (docs/drawing.py), read again as text and styles, and compared."""

from __future__ import annotations

import os
from collections.abc import Iterator
from difflib import unified_diff
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from rich.cells import cell_len
from textual.app import App
from textual.widgets import Input

from docs.drawing import WIDTH, draw

SCREENS = Path(__file__).with_name("screens")

_PLACES = {"x", "y", "width", "height", "textLength", "data-text"}


def compare(name: str, app: App[None]) -> None:
    """Fail where the screen is not as the picture of that name, with what has changed."""
    for field in app.screen.query(Input):
        field.cursor_blink = False
    drawn = draw(app)
    file = SCREENS / f"{name}.svg"
    if os.environ.get("SEARCHFEED_SCREENS") == "write":
        SCREENS.mkdir(exist_ok=True)
        file.write_text(drawn, "utf-8")
    if changes := difference(file.read_text("utf-8"), drawn):
        pytest.fail(f"the screen is not as in {file}:\n{changes}", pytrace=False)


def difference(kept: str, drawn: str) -> str:
    """What is on one picture and not on the other, as a diff; empty where they show the same."""
    return "\n".join(unified_diff([*told(kept)], [*told(drawn)], "kept", "now", n=2, lineterm=""))


def told(picture: str) -> Iterator[str]:
    """Each row of the screen, and below it where its parts begin and how they look."""
    (*_, screen) = ET.fromstring(picture)
    for number, row in enumerate(screen):
        parts = [(round(float(part.get("x", 0)) / WIDTH), part) for part in row]
        text = ""
        for column, part in sorted(parts, key=lambda each: each[0]):
            written = part.text or part.get("data-text") or ""
            text += " " * (column - cell_len(text) if written else 0) + written
        yield f"{number + 1:>2} |{text}"
        for column, part in parts:
            style = " ".join(
                f"{name}={value}" for name, value in part.items() if name not in _PLACES
            )
            written = part.text or part.get("data-text") or ""
            cells = f"{float(part.get('width', 0)) / WIDTH:g} cells"
            if style:
                yield f"     {column + 1:>3}: {written or cells} {style}"
