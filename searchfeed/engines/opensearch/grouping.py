"""Which entries of the cluster are one story, kept up as entries come and go.

Each entry of a group has the id of the group's first in its field ``story``, so that a search can
fold and count stories without looking at anything else. Only what shares a band of its sketch with
what changed is looked at again: the changes, their old groups, and what is like any of those.

Two machines that write near duplicates in the same second do not see each other's; the groups come
right when one of those entries, or another one like them, is next written, and with a rebuild.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from searchfeed.analysis.sketch import Sketches
from searchfeed.engines.opensearch.cluster import Cluster
from searchfeed.engines.opensearch.documents import Story, read_story
from searchfeed.engines.stories import NO_DATE, WINDOW, Texts, find_stories
from searchfeed.values import dataclass

LOOKED_UP = 400
"""Texts whose bands are looked up at once."""

PAGE = 1_000

_WINDOW = WINDOW.days * 86_400_000_000


@dataclass(frozen=True, slots=True)
class Told:
    """What an entry says in short, and the group that it is in so far."""

    story: Story
    group: str = ""


def regroup(
    cluster: Cluster,
    index: str,
    new: Mapping[str, Told],
    old: Mapping[str, Told],
    gone: Iterable[str],
) -> dict[str, str]:
    """The groups of what changed and of all that is near to it.

    Args:
        cluster: is searched as it shows now: without the changes.
        index: the alias of the entries.
        new: the entries that are about to be written.
        old: what they and those that go said before.
        gone: the ids of those that go.

    Returns:
        The id of an entry → the id of the first of its group, or an empty string. Those that are
        not among the new are here only if that changes.
    """
    out = {*new, *gone}
    known: dict[str, Told] = {}
    unread = [*new.values(), *old.values()]
    while unread:
        found = _near(cluster, index, unread)
        fresh = {id: told for id, told in found.items() if id not in out and id not in known}
        known |= fresh
        unread = list(fresh.values())
    everything = {**known, **new}
    groups = _grouped(everything)
    changed = {id: groups.get(id, "") for id in known if groups.get(id, "") != known[id].group}
    return changed | {id: groups[id] for id in new if id in groups}


def _grouped(told: Mapping[str, Told]) -> dict[str, str]:
    ids = [id for id, each in told.items() if each.story.sketch.any()]
    if not ids:
        return {}
    stories = [told[id].story for id in ids]
    dates = np.array([story.moment for story in stories], dtype=np.uint64)
    keys = np.array([int(id, 16) for id in ids], dtype=np.uint64)
    places, leaders = find_stories(Texts(_sketches(stories), dates, keys))
    return {
        ids[place]: ids[leader]
        for place, leader in zip(places.tolist(), leaders.tolist(), strict=True)
    }


def _near(cluster: Cluster, index: str, texts: Iterable[Told]) -> dict[str, Told]:
    """The entries that tell the story of one of some texts, or might but for their dates."""
    found: dict[str, Told] = {}
    # Those of one time are looked up together, so that their range of dates is narrow.
    ordered = sorted(texts, key=lambda told: told.story.moment)
    for at in range(0, len(ordered), LOOKED_UP):
        stories = [told.story for told in ordered[at : at + LOOKED_UP]]
        bands = {band for story in stories for band in story.bands}
        if bands:
            held = _holding(cluster, index, sorted(bands), _time(stories))
            found |= _alike(held, stories)
    return found


def _alike(held: Mapping[str, Told], stories: list[Story]) -> dict[str, Told]:
    """Those that are like one of the stories that they share a band with."""
    sharing: dict[str, list[int]] = {}
    for at, story in enumerate(stories):
        for band in story.bands:
            sharing.setdefault(band, []).append(at)
    pairs = [
        (number, at)
        for number, told in enumerate(held.values())
        for at in sorted({at for band in told.story.bands for at in sharing.get(band, ())})
    ]
    if not pairs:
        return {}
    numbers, ats = np.array(pairs, dtype=np.int64).T
    ones = _sketches([told.story for told in held.values()])
    alike = ones.only(numbers).alike(_sketches(stories).only(ats))
    wanted = set(numbers[alike].tolist())
    return {id: told for number, (id, told) in enumerate(held.items()) if number in wanted}


def _sketches(stories: list[Story]) -> Sketches:
    return Sketches(
        np.stack([story.sketch for story in stories]),
        np.array([story.length for story in stories], dtype=np.int64),
    )


def _time(stories: list[Story]) -> dict[str, Any] | None:
    """The condition on the dates of what can be the same story; None for any date."""
    moments = [story.moment for story in stories]
    if NO_DATE in moments:
        return None
    span = {"gte": min(moments) - _WINDOW, "lte": max(moments) + _WINDOW}
    undated = {"bool": {"must_not": {"exists": {"field": "moment"}}}}
    return {"bool": {"should": [{"range": {"moment": span}}, undated]}}


def _holding(
    cluster: Cluster, index: str, bands: list[str], time: dict[str, Any] | None
) -> dict[str, Told]:
    conditions: list[dict[str, Any]] = [{"terms": {"band": bands}}]
    if time is not None:
        conditions.append(time)
    body = {
        "size": PAGE,
        "query": {"bool": {"filter": conditions}},
        "sort": [{"id": "asc"}],
        "_source": ["entry.sketch", "entry.length", "entry.published", "entry.updated"],
        "docvalue_fields": ["story"],
        "track_total_hits": False,
    }
    found: dict[str, Told] = {}
    for hit in cluster.hits(index, body):
        group = hit.get("fields", {}).get("story", [""])[0]
        found[hit["_id"]] = Told(read_story(hit["_source"]["entry"]), group)
    return found
