"""Every key of the app that is not a list's, the search line's or the timeline's own.

A binding's ``id`` is its name in a keymap.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from textual.binding import ActiveBinding, Binding

SCREEN: tuple[Binding, ...] = (
    Binding("slash", "search", "Search", id="search"),
    Binding("enter", "read", "Read", id="read"),
    Binding("o", "open", "Open in the browser", id="open", show=False),
    Binding("y", "copy_link", "Copy the link", id="copy-link", show=False),
    Binding("Y", "copy_markdown", "Copy as Markdown", id="copy-markdown", show=False),
    Binding("m", "mark", "Mark", id="mark"),
    Binding("e", "export", "Export what is marked", id="export", show=False),
    Binding("L", "like", "More like this", id="like", show=False),
    Binding("ctrl+s", "save", "Save the search", id="save", show=False),
    Binding("s", "sort", "Sort", id="sort"),
    Binding("f", "facets", "Facets", id="facets"),
    Binding("t", "timeline", "Timeline", id="timeline"),
    Binding("u", "update", "Update", id="update"),
    Binding("a", "add", "Add feeds", id="add", show=False),
    Binding("question_mark,f1", "help", "Help", id="help"),
    Binding("escape", "back", "Back", id="back", show=False),
    Binding("q", "quit", "Quit", id="quit"),
)

FACETS = tuple(
    Binding(str(number), f"facet({number})", "Narrow, by number", id=f"facet-{number}", show=False)
    for number in range(1, 10)
)
"""Keys for the first values of the facets, while these are in sight."""

TITLES = {
    "SearchLine": "In the search line",
    "NameField": "While a search gets its name",
    "FacetBar": "In the facets",
    "Timeline": "In the timeline",
    "Reading": "While reading",
    "SearchScreen": "Anywhere",
    "ResultList": "In the results",
    "SearchfeedApp": "Always",
}
"""What stands above the keys of a part of the screen, in this order."""


def told(
    active: Iterable[ActiveBinding], display: Callable[[Binding], str]
) -> list[tuple[str, list[tuple[str, str]]]]:
    """What works now: for each part of the screen its title, and rows of keys and what they do.

    ``display`` says how a key is shown.
    """
    parts: dict[str, dict[str, list[str]]] = {}
    for node, binding, enabled, _ in active:
        title = TITLES.get(type(node).__name__)
        # Those without an id are Textual's own, and as one would expect them.
        if title and enabled and binding.id:
            keys = parts.setdefault(title, {}).setdefault(binding.description, [])
            if (shown := display(binding)) not in keys:
                keys.append(shown)
    return [
        (title, [(" ".join(sorted(keys, key=len)), what) for what, keys in parts[title].items()])
        for title in TITLES.values()
        if title in parts
    ]
