"""Entries whose guids change whenever their feed is made: noticed, and then known by their links.

Such a feed would bring all of its entries again with each document. It is noticed by the first
one in which next to no guid is known while the links are, with the titles and texts or dates that
the feed's entries have in the archive. From then on an entry keeps the id that it had first,
whatever guid it comes with: what the user noted and what the engine indexed stays right.

A link that several entries share is no key: they may all link to the home page. It tells entries
apart only together with what they say. So it is for entries without a link.

What is not taken for it: the same links with other texts and dates each time (the weather of five
towns), some entries that are published again under new guids, and an entry that stands in one
document with both.
"""

from __future__ import annotations

import json
import sqlite3
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple, TypeAlias

from searchfeed.archive import records
from searchfeed.archive.records import Content
from searchfeed.keys import entry_id, link_key, normalised_link

NOTICE = (
    "the guids of its entries change whenever it is made: they are known by their links from now on"
)
"""What the user is told when it is noticed."""

_NEARLY_NONE = 10
"""One entry of so many may be what the others are not."""

_ENOUGH = 3
"""Entries that have to be there under another guid. Fewer prove nothing, unless they are all that
there is and the same in everything: today's picture has yesterday's title and link."""

_MORE = 100
"""To notice it, only the newest entries are looked through, so many more than the document has:
what a feed has today it mostly had when it was last read."""


class _Item(NamedTuple):
    """An entry of a document, or the newest state of one in the archive; the link is normalised."""

    id: str
    link: str
    title: str
    body: str
    date: int | None


_Key: TypeAlias = "tuple[object, ...] | str | bool"
_Agreement: TypeAlias = Callable[[_Item], _Key]
"""What two items have in common that are one entry; a false value agrees with none."""

_SAME: tuple[_Agreement, ...] = (
    lambda item: (item.title or item.body) and item[1:],
    lambda item: (item.title or item.body) and (item.link, item.title, item.body),
    lambda item: item.title and item.date is not None and (item.link, item.title, item.date),
    lambda item: item.body and item.date is not None and (item.link, item.body, item.date),
)
"""Enough for any link; the best first, so that twins are not mistaken for each other."""

_ALIKE: tuple[_Agreement, ...] = (
    lambda item: item.title and (item.link, item.title),
    lambda item: item.body and (item.link, item.body),
)
"""Enough for a link that stands once in the document: one of them was edited."""

_LINK: tuple[_Agreement, ...] = (lambda item: item.link,)
"""Enough once the feed is known for it, where the link stands once in the archive too."""

_GUID: tuple[_Agreement, ...] = (lambda item: item.link and (item.id, item.link),)
"""An entry that is as before. A guid alone proves nothing: it may be its place in the document."""

_MOVED: tuple[_Agreement, ...] = (
    lambda item: item.title and (item.id, item.title),
    lambda item: item.body and (item.id, item.body),
)
"""An entry whose guid has stayed and whose link has changed."""


def notice(
    connection: sqlite3.Connection,
    feed: int,
    contents: Mapping[str, Content],
    unchanged: int,
) -> bool:
    """See whether the guids of a feed change; if so, it is known by links from here on.

    Args:
        connection: inside a transaction that writes.
        feed: the number of the feed.
        contents: of the entries in its document, by the id that their guids give them.
        unchanged: how many of them are in the archive just so.

    Returns:
        Whether it is news.
    """
    if not contents or unchanged * _NEARLY_NONE > len(contents) or _by_link(connection, feed):
        return False
    numbers = _having_links(connection, feed, len(contents) + _MORE, contents.values())
    if not numbers:
        return False
    if not _do_change(_items(contents), _stored(connection, feed, numbers, contents)):
        return False
    connection.execute("UPDATE feed SET key = 'link' WHERE number = ?", (feed,))
    return True


def renamed(
    connection: sqlite3.Connection, feed: int, url: str, contents: Mapping[str, Content]
) -> dict[str, str]:
    """The ids under which the entries of a document are kept, by those that their guids give them.

    Empty where these are the same, as with every feed that is known by guids. An entry that is not
    there yet gets the id that stands for its link. What stands twice in the document, alike in all
    but the guid, is left out the second time.

    Args:
        connection: inside a transaction.
        feed: the number of the feed.
        url: its identity.
        contents: of the entries in its document.
    """
    if not _by_link(connection, feed):
        return {}
    new = _items(contents)
    old = _stored(connection, feed, (), contents)
    own = {item.id for item in old}
    found = _paired(new, old, _GUID, {})
    if len(found) == len(new):
        return {}
    numbers = _having_links(connection, feed, -1, contents.values())
    old = _stored(connection, feed, numbers, contents)
    lone = _lone(new)
    found = _paired(new, old, _SAME, found)
    found = _paired(lone, old, _ALIKE, found)
    found = _paired(lone, _lone(old), _LINK, found)
    found = _paired(new, old, _MOVED, found)
    links = {item.id: item.link for item in lone}
    used = set(found.values())
    names: dict[str, str] = {}
    for item in new:
        name = found.get(item.id)
        if name is None:
            name = _new_name(item, url, links.get(item.id, ""), own, used)
            if name in used:
                continue
            used.add(name)
        names[item.id] = name
    return names


def _new_name(item: _Item, url: str, link: str, own: set[str], used: set[str]) -> str:
    by_link = entry_id(url, link_key(link))
    if link and by_link not in used:
        return by_link
    if item.id not in own and item.id not in used:
        return item.id
    # Its guid is another entry's by now.
    return entry_id(url, f"twin:{item.id}\0{item.title}\0{item.body}")


def _do_change(new: Sequence[_Item], old: Sequence[_Item]) -> bool:
    """Whether what the archive has shows that the guids of a document are new and nothing else."""
    before = {item.id: item for item in old}
    kept = {item.id for item in new if item.id in before and _is_one(item, before[item.id])}
    if len(kept) * _NEARLY_NONE > len(new):
        return False
    others = [item for item in old if item.id not in kept]
    lone = [item for item in _lone(new) if item.id not in kept]
    there = len({item.link for item in lone} & {item.link for item in others})
    identical = _paired(lone, others, _SAME[:1], {})
    same = _paired(lone, others, _SAME[1:], identical)
    alike = _paired(lone, others, _ALIKE, same)
    return (
        (len(alike) >= _ENOUGH or len(identical) == len(new))
        and (there - len(alike)) * _NEARLY_NONE <= there
        and len(alike) * 2 >= len(new)
        and len(same) * 2 >= len(alike)
    )


def _is_one(one: _Item, other: _Item) -> bool:
    """Whether two items with one guid are one entry."""
    return any(
        agreement(one) and agreement(one) == agreement(other) for agreement in _GUID + _MOVED
    )


def _paired(
    new: Iterable[_Item],
    old: Sequence[_Item],
    agreements: Iterable[_Agreement],
    found: Mapping[str, str],
) -> dict[str, str]:
    """What was found and more: the id in the archive of items that agree, each at most once.

    An entry that the archive has several times, from before it was noticed, is the first of them.
    """
    found = dict(found)
    taken = set(found.values())
    for agreement in agreements:
        free: defaultdict[_Key, list[str]] = defaultdict(list)
        for item in reversed(old):
            if item.id not in taken and (key := agreement(item)):
                free[key].append(item.id)
        for item in new:
            if item.id not in found and (ids := free.get(agreement(item))):
                found[item.id] = ids.pop()
                taken.add(found[item.id])
    return found


def _lone(items: Sequence[_Item]) -> list[_Item]:
    """Those that share their link with no other."""
    counts = Counter(item.link for item in items)
    return [item for item in items if item.link and counts[item.link] == 1]


def _item(id: str, values: Content) -> _Item:
    title, link, body = values[0], values[1], values[-1]
    return _Item(id, normalised_link(link), title, body, records.content_date(values))


def _items(contents: Mapping[str, Content]) -> list[_Item]:
    return [_item(id, values) for id, values in contents.items()]


def _by_link(connection: sqlite3.Connection, feed: int) -> bool:
    row = connection.execute("SELECT key FROM feed WHERE number = ?", (feed,)).fetchone()
    return bool(row[0] == "link")


def _having_links(
    connection: sqlite3.Connection, feed: int, limit: int, contents: Iterable[Content]
) -> list[int]:
    """The numbers of the feed's newest entries that have a link of the document, be it none.

    So many entries are looked at, or all of them with the limit -1.
    """
    rows = connection.execute(
        """
        SELECT number, link FROM (
            SELECT number, versions FROM entry WHERE feed = ? ORDER BY number DESC LIMIT ?
        ) CROSS JOIN version ON version.entry = number AND version.ordinal = versions
        """,
        (feed, limit),
    ).fetchall()
    wanted = {normalised_link(values[1]) for values in contents} if rows else set()
    return [number for number, link in rows if normalised_link(link) in wanted]


def _stored(
    connection: sqlite3.Connection, feed: int, numbers: Iterable[int], ids: Iterable[str]
) -> list[_Item]:
    """The entries of a feed that have one of the numbers or ids, in the order they came first."""
    rows = connection.execute(
        f"SELECT id, {', '.join(records.CONTENT)} FROM entry "  # noqa: S608
        "CROSS JOIN version ON version.entry = number AND version.ordinal = versions "
        "WHERE number IN (SELECT value FROM json_each(?) UNION "
        "SELECT number FROM json_each(?) CROSS JOIN entry ON entry.id = value) "
        "AND feed = ? ORDER BY number",
        (json.dumps(list(numbers)), json.dumps(list(ids)), feed),
    )
    return [_item(id, tuple(values)) for id, *values in rows]
