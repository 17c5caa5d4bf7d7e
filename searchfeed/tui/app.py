"""The application: its themes, its keys, its palette."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual.app import App, SystemCommand
from textual.binding import Binding, BindingType
from textual.driver import Driver
from textual.screen import Screen

from searchfeed.tui import stalls
from searchfeed.tui.keys import SCREEN
from searchfeed.tui.painting import whole
from searchfeed.tui.queries import Queries
from searchfeed.tui.screen import SearchScreen
from searchfeed.tui.themes import DARK, SHORT, THEMES, defaults

if TYPE_CHECKING:
    from searchfeed.index import Index


class SearchfeedApp(App[None]):
    """Search as you type, in an index of feeds.

    Args:
        index: what is searched.
        query: what is looked for at first.
        theme: ``dark``, ``light``, ``contrast`` or one of Textual's own.
        keymap: the id of a binding → keys, divided by commas, in the place of its own.
        now: the time.
        history: the file of the queries that were asked; None: they are not kept.
        allow_private: whether addresses inside the user's own network may be fetched.
    """

    TITLE = "searchfeed"
    CSS_PATH = "app.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+p", "command_palette", "Commands", id="palette", priority=True),
        Binding("ctrl+c", "leave", "Copy what is selected, or quit", id="leave", show=False),
        Binding("ctrl+q", "quit", "Quit", id="quit-always", show=False, priority=True),
    ]
    ENABLE_COMMAND_PALETTE = True

    def __init__(
        self,
        index: Index,
        query: str = "",
        *,
        theme: str = "dark",
        keymap: Mapping[str, str] | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        history: Path | None = None,
        allow_private: bool = False,
    ) -> None:
        # Without colours the terminal's own are left alone, and Textual takes out all others.
        super().__init__(ansi_color=True if "NO_COLOR" in os.environ else None)
        for each in THEMES:
            self.register_theme(each)
        name = SHORT.get(theme, theme)
        self.theme = name if name in self.available_themes else DARK
        self.set_keymap(keymap or {})
        self.main = SearchScreen(
            index, query, now=now, queries=Queries(history), allow_private=allow_private
        )

    def get_driver_class(self) -> type[Driver]:
        """What writes to the terminal."""
        return whole(super().get_driver_class(), self._pressed)

    def _pressed(self) -> None:
        # Textual asks for the driver before there is a screen.
        self.main.searcher.hush()

    def get_default_screen(self) -> Screen[None]:
        """The screen to begin with."""
        return self.main

    def on_ready(self) -> None:
        """Keep what is there to stay out of the search for garbage."""
        self.call_after_refresh(stalls.keep)

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """What our style sheet needs of a theme that is not ours."""
        return defaults(self.current_theme)

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """All that a key of the screen does, and the themes."""
        if screen is self.main:
            for binding in SCREEN:
                if screen.check_action(binding.action, ()):
                    yield SystemCommand(
                        binding.description,
                        f"key: {self.get_key_display(binding)}",
                        getattr(screen, f"action_{binding.action}"),
                    )
        for name in SHORT:
            yield SystemCommand(f"Theme: {name}", "Change the colours", self._themed(name))

    def _themed(self, name: str) -> Callable[[], None]:
        def change() -> None:
            self.theme = SHORT[name]

        return change

    def action_leave(self) -> None:
        """Copy the text that is selected with the mouse; end the program if there is none."""
        selected = self.screen.get_selected_text()
        if selected:
            self.copy_to_clipboard(selected)
        else:
            self.exit()
