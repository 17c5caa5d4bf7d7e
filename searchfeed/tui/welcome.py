"""The first screen of somebody who has no entries yet, and the way to add feeds later."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from rich.text import Text
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.message import Message
from textual.widgets import Input, Static

SAMPLE = Path(__file__).parents[1] / "sample.xml"
"""A small feed of our own, to try everything with."""

_NEW = """Nothing is here yet.
searchfeed keeps every entry that your feeds publish, and finds it again.

Type where your feeds are, and press Enter:
  a URL        https://example.org/feed.xml, or a page that announces one
  an OPML file subscriptions.opml, as other readers export it
  a folder     ~/feeds, with all the feeds below it

Or press Enter alone to try it with a small sample.
"""

_NEW_SHORT = (
    "Nothing is here yet. Type a URL, a file or a folder of feeds and press Enter, "
    "or Enter alone for a small sample."
)
# Where there is no room for more, so that the field is in sight.

_MORE = """Type where more feeds are, and press Enter: a URL, an OPML file, or a folder.
Esc goes back.
"""

_COMMANDS = """The same from the command line:
  searchfeed index https://example.org/feed.xml
  searchfeed index subscriptions.opml
  searchfeed index ~/feeds
  searchfeed update
"""

_SHORT = (60, 20)
"""With fewer columns or rows than these less is said."""


class Welcome(VerticalScroll):
    """Says what to do, and does it."""

    @dataclass
    class Named(Message):
        """A source was named."""

        source: str

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self._new = True

    def compose(self) -> ComposeResult:
        """What to do, the field, and what is being done."""
        yield Static(Text(_NEW), id="welcome-text", markup=False)
        yield Input(id="source", compact=True, placeholder="URL, file or folder")
        yield Static("", id="welcome-progress", markup=False)
        yield Static(Text(_COMMANDS), id="welcome-commands", markup=False)

    def greet(self, *, new: bool) -> None:
        """Say it to somebody who has nothing yet, or who wants more."""
        self._new = new
        self._write()
        field = self.query_one("#source", Input)
        field.placeholder = "URL, file or folder" + (", or Enter for the sample" if new else "")
        field.value = ""
        field.focus()
        self.tell("")

    def on_resize(self) -> None:
        """Say as much as there is room for."""
        self._write()

    def _write(self) -> None:
        width, height = self.app.size
        short = width < _SHORT[0] or height < _SHORT[1]
        text = (_NEW_SHORT if short else _NEW) if self._new else _MORE
        self.query_one("#welcome-text", Static).update(Text(text))

    def tell(self, text: str) -> None:
        """Show what is being done, or what came of it."""
        self.query_one("#welcome-progress", Static).update(Text(text))

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Take it in."""
        event.stop()
        source = event.value.strip()
        if source:
            expanded = source if "://" in source else str(Path(source).expanduser())
            self.post_message(self.Named(expanded))
        elif self._new:
            self.post_message(self.Named(str(SAMPLE)))
