"""Which options can be set once and for all, in the environment or in the config file.

To make a setting of an option, write a ``Key`` for it; nothing else is needed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import click

from searchfeed.values import dataclass

KEYMAP = "keys"
"""The table whose keys are actions of the terminal app, and whose values are the keys for them."""


@dataclass(frozen=True, slots=True)
class Key:
    """A setting.

    Attributes:
        name: as in the file, behind the name of its table and a dot where it is in one.
        option: the name of the parameters that it sets.
        commands: whose they are; the empty name is the program itself.
        meaning: what it is, in a sentence for the example.
        default: what holds where nobody says otherwise, as the file would have it; None: nothing.
        sample: what the example shows where there is no default.
    """

    name: str
    option: str
    commands: tuple[str, ...]
    meaning: str
    default: bool | int | str | tuple[str, ...] | None = None
    sample: str = ""

    @property
    def variable(self) -> str:
        """The environment variable that sets it."""
        return f"SEARCHFEED_{self.name.rpartition('.')[2].upper()}"

    def options(self, app: click.Group) -> Iterator[click.Option]:
        """The options that it sets."""
        for path in self.commands:
            yield from self._options_of(app, path.split())

    def take_from_environment(self, name: str, command: click.Command) -> None:
        """Let the variable set the options of a command, or of the program, whose name is empty."""
        for path in self.commands:
            first, *rest = path.split() or [""]
            if first == name:
                for option in self._options_of(command, rest):
                    option.envvar = self.variable

    def _options_of(self, command: click.Command, path: Iterable[str]) -> Iterator[click.Option]:
        for name in path:
            assert isinstance(command, click.Group)
            command = command.commands[name]
        yield from (
            each
            for each in command.params
            if isinstance(each, click.Option) and each.name == self.option
        )


_PAGES = ("search", "like")
_FETCHES = ("browse", "index", "update", "watch", "feeds add")

KEYS = (
    Key("index", "directory", ("",), "Where the index is.", sample="~/feeds"),
    Key("color", "color", ("",), "When to use colours: auto, always or never.", "auto"),
    Key(
        "engine", "engine", ("",), "What searches: whoosh on this machine, or opensearch.", "whoosh"
    ),
    Key(
        "engine_url",
        "engine_url",
        ("",),
        "Where the cluster is: its servers divided by commas, and the name of the index.",
        sample="https://search.example:9200/news",
    ),
    Key("engine_shards", "engine_shards", ("",), "Parts of an index made in a cluster.", 2),
    Key("engine_replicas", "engine_replicas", ("",), "Further copies of each part.", 1),
    Key("search.limit", "limit", _PAGES, "Hits at most.", 10),
    Key("search.sort", "sort", _PAGES, "The order: relevance, date or -date.", "relevance"),
    Key(
        "search.format",
        "format",
        _PAGES,
        "How to write hits; without it, a table on a terminal and plain elsewhere.",
        sample="table",
    ),
    Key("search.feeds", "feeds", _PAGES, "Only feeds whose title or URL holds one of these.", ()),
    Key(
        "search.recency",
        "recency",
        ("search",),
        "Prefer newer entries: one so old counts half as much more as one of today.",
        sample="30d",
    ),
    Key(
        "search.fuzzy", "fuzzy", ("search",), "Find words with typing mistakes too.", default=False
    ),
    Key(
        "search.dedupe",
        "dedupe",
        ("search",),
        "Show the same story once, and not as often as feeds have it.",
        default=True,
    ),
    Key(
        "network.allow_private",
        "allow_private",
        _FETCHES,
        "Fetch from your own network.",
        default=False,
    ),
    Key("network.every", "every", ("watch",), "From one round of watch to the next.", "15m"),
    Key("app.theme", "theme", ("browse",), "Its colours: dark, light or contrast.", "dark"),
)
"""Every setting there is, in the order of the example."""
