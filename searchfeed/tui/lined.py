"""Widgets that are quick to paint again."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Self

from rich.style import Style
from textual.filter import ANSIToTruecolor
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget


class Lined(Widget):
    """Draws its lines itself, and has neither border nor padding.

    Textual looks up some thirty styles for each line, and about as many for each widget that only
    lies in the same box as what has changed: with each letter that takes longer than to find and
    draw what it brings. Here lines are kept as they are sent, until the widget is refreshed or
    has another size or other colours.

    A class that also has another widget to its parent names that one first: Textual takes styles
    from the first parent alone.
    """

    def __init__(self, *args: Any, **more: Any) -> None:
        self._lines: dict[int, Strip] = {}
        self._lines_for: tuple[object, ...] = ()
        self._inks: dict[str, Style] = {}
        self._ground: Style | None = None
        super().__init__(*args, **more)

    def render_lines(self, crop: Region) -> list[Strip]:
        """The lines of a part of the widget."""
        seen = self.width
        lines = [
            line if line.cell_length >= seen else line.adjust_cell_length(seen)
            for line in self._kept(crop.line_range)
        ]
        start, end = crop.column_span
        whole = (start, end) == (0, self.outer_size.width)
        return lines if whole else [each.crop(start, end) for each in lines]

    @property
    def width(self) -> int:
        """How many cells of a line are seen: not those behind a scroll bar."""
        return self.size.width - self.scrollbar_size_vertical

    def changed(self) -> list[tuple[int, Strip]]:
        """The lines that have to be painted anew, with their places; they then count as painted."""
        width, height = self.width, self.size.height
        regions = self._exchange_repaint_regions()
        self._repaint_required = False
        changed = {y for region in regions for y in region.line_range}
        rows = [y for y in range(height) if y in changed]
        return [(y, line.crop(0, width)) for y, line in zip(rows, self._kept(rows), strict=True)]

    @property
    def setting(self) -> tuple[object, ...]:
        """What every line depends on."""
        return self.outer_size, self.app.theme

    def forget(self) -> None:
        """Forget what was drawn in another setting."""
        self._lines.clear()
        self._inks.clear()
        self._ground = None

    def ink(self, name: str) -> Style:
        """See ``drawing.ink``; Textual works a style out anew after each refresh."""
        if name not in self._inks:
            self._inks[name] = self.get_component_rich_style(name, partial=True)
        return self._inks[name]

    @property
    def ground_style(self) -> Style:
        """What lines stand on."""
        if self._ground is None:
            self._ground = self.rich_style
        return self._ground

    def _kept(self, rows: Iterable[int]) -> list[Strip]:
        filters = [
            each for each in self.get_line_filters() if not isinstance(each, ANSIToTruecolor)
        ]
        key = (*self.setting, *filters)
        if key != self._lines_for:
            self.forget()
            self._lines_for = key
            self._under = self.background_colors[1]
        known = self._lines
        lines = []
        for y in rows:
            line = known.get(y)
            if line is None:
                line = self.render_line(y)
                for each in filters:
                    line = line.apply_filter(each, self._under)
                known[y] = line
            lines.append(line)
        return lines

    def refresh(
        self, *regions: Region, repaint: bool = True, layout: bool = False, recompose: bool = False
    ) -> Self:
        """Draw everything anew, or these parts of it."""
        if repaint and not regions:
            self._lines.clear()
        for region in regions:
            for y in region.line_range:
                self._lines.pop(y, None)
        return super().refresh(*regions, repaint=repaint, layout=layout, recompose=recompose)

    def notify_style_update(self) -> None:
        """Colours have changed."""
        super().notify_style_update()
        self._lines_for = ()


class Ground(Lined):
    """Nothing but what other widgets stand on."""

    def render_line(self, y: int) -> Strip:  # noqa: ARG002
        """An empty line."""
        return Strip.blank(self.outer_size.width, self.rich_style)


class Covered(Widget):
    """What other widgets stand on without a gap, so that nothing of it is ever seen."""

    def render_lines(self, crop: Region) -> list[Strip]:  # noqa: ARG002
        """No line at all, each of which would be cut to the pieces that are not covered."""
        return []
