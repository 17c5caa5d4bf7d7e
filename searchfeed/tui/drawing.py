"""Lines as the screen takes them."""

from __future__ import annotations

from rich.style import Style
from rich.text import Text
from textual.strip import Strip
from textual.widget import Widget

from searchfeed.tui.themes import CONTRAST


def strip(widget: Widget, text: Text, ground: Style | None = None) -> Strip:
    """The text as a line of a widget, as wide as it is; what is too long is cut with dots.

    ``ground`` is what the text stands on, the widget's own by default.
    """
    width = widget.size.width
    ground = widget.rich_style if ground is None else ground
    text.truncate(width, overflow="ellipsis")
    text.no_wrap = True
    text.end = ""
    console = widget.app.console
    # rich leaves the style of a text out where no part of it has one of its own.
    segments = Strip(text.render(console)).apply_style(ground + console.get_style(text.style))
    return segments.adjust_cell_length(width, ground)


def ink(widget: Widget, name: str) -> Style:
    """The style of a part of a widget, without what it stands on."""
    return widget.get_component_rich_style(name, partial=True)


def spoken(widget: Widget) -> bool:
    """Whether signs that a screen reader stumbles over are left out."""
    return widget.app.theme == CONTRAST
