"""Several segments to one: their arrays renumbered, sorted and joined, deleted documents left out.

Nothing here is done posting by posting. Terms are taken in batches, so that memory stays bounded
however large the segments are.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from searchfeed.engines.whoosh.columnar.documents import spread
from searchfeed.engines.whoosh.columnar.packing import counts
from searchfeed.engines.whoosh.columnar.segment import Keys, MakeKeys, Postings, SegmentFile
from searchfeed.engines.whoosh.columnar.stored import StoredWriter

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from searchfeed.engines.whoosh.columnar.container import Array
    from searchfeed.engines.whoosh.columnar.field import FieldReader
    from searchfeed.engines.whoosh.columnar.reader import SegmentReader

    Integers = NDArray[np.int32]

BATCH = 500_000
"""About so many occurrences are taken through memory at once."""

FACTOR = 8
"""So many segments of one tier become one of the next."""

SMALLEST, FEW = 1_000, 4
"""Segments of fewer documents than this share the lowest tier, where so many are enough: a search
takes as long in a small one as in one of a thousand, and to merge them takes no longer."""

LARGEST = 8_000_000
"""A merge never makes a segment of more documents than this."""


def plan_merges(
    live: Sequence[int], every: Sequence[int], *, factor: int = FACTOR
) -> list[list[int]]:
    """Which segments to merge after a commit, each group into one.

    A tier holds segments of sizes within a factor of ``factor``; when ``factor`` of them have come
    together they are merged into the next tier. So a document is copied at most once a tier (three
    times in the lowest), and a small commit never pays for a large merge before its turn. A segment
    half of whose documents are deleted is written anew by itself, and one with none left goes.

    Args:
        live: for each segment how many of its documents are there.
        every: for each segment how many it holds, deleted ones included.
        factor: how many segments make a merge, at least 2.

    Returns:
        Groups of places in ``live``; no place is in two of them.
    """
    tiers: dict[int, list[int]] = {}
    for place, count in enumerate(live):
        tier, size = 0, SMALLEST
        while count >= size:
            tier, size = tier + 1, size * factor
        tiers.setdefault(tier, []).append(place)
    groups: list[list[int]] = []
    for tier, places in sorted(tiers.items()):
        enough = factor if tier else min(factor, FEW)
        if len(places) >= enough and sum(live[place] for place in places) <= LARGEST:
            groups.append(places)
        else:
            groups.extend([place] for place in places if live[place] * 2 <= every[place])
    return groups


def merge_segments(path: Path, segments: Sequence[SegmentReader], keys: Keys | None = None) -> int:
    """Write the live documents of ``segments``, in their order, as one segment.

    Args:
        path: the file to write.
        segments: what to merge.
        keys: how to make second keys for the terms; those of other names are taken over where all
            segments have them.

    Returns:
        How many documents it holds; where that is 0 no file is written.

    Raises:
        OSError: it could not be written; nothing is left of it.
        CorruptFileError: a segment turned out to be damaged.
    """
    doc_count = sum(segment.live_count for segment in segments)
    if not doc_count:
        return 0
    numbers = _renumber(segments)
    with SegmentFile(path, doc_count) as file:
        steps: dict[str, int] = {}
        for name in sorted({name for segment in segments for name in segment.fields()}):
            found = {segment.terms_step(name) for segment in segments if name in segment.fields()}
            if found != {0} and len(found) == 1:
                steps[name] = found.pop()
                continue
            fields = [segment.field(name) for segment in segments]
            merge = _FieldMerge(fields, numbers)
            lengths = None
            if any(len(field.lengths) for field in fields):
                lengths = np.concatenate([_live(s, s.lengths(name)) for s in segments])
            made = dict((keys or {}).get(name, {}))
            made |= _kept_keys(segments, name, set(made))
            file.field(name, merge.words, merge.batches(), lengths, made)
        for name in sorted({name for segment in segments for name in segment.columns()}):
            _merge_column(file, name, segments, steps.get(name, 0))
        stored = StoredWriter()
        for segment in segments:
            segment.all_stored().copy(stored, segment.live)
        file.finish(stored)
    return doc_count


def _live(segment: SegmentReader, values: Array) -> Array:
    return values if segment.live is None else values[segment.live]


def _renumber(segments: Sequence[SegmentReader]) -> list[Integers]:
    """For each segment the new number of each document; -1 for those deleted."""
    numbers = []
    base = 0
    for segment in segments:
        live = np.ones(segment.doc_count, bool) if segment.live is None else segment.live
        new = np.cumsum(live, dtype=np.int32) + np.int32(base - 1)
        new[~live] = -1
        numbers.append(new)
        base += segment.live_count
    return numbers


def _kept_keys(
    segments: Sequence[SegmentReader], field: str, made: set[str]
) -> dict[str, MakeKeys]:
    """The second keys that the terms of all segments have, as they are, but for those ``made``."""
    segments = [segment for segment in segments if segment.term_count(field)]
    every = [set(segment.attributes(field)["keys"]) for segment in segments]
    kept: dict[str, MakeKeys] = {}
    for name in set.intersection(*every) - made:
        known: dict[str, str] = {}
        for segment in segments:
            known.update(segment.keys(field, name).texts())
        kept[name] = _looked_up(known)
    return kept


def _looked_up(known: dict[str, str]) -> MakeKeys:
    return lambda terms: list(map(known.get, terms))


def _merge_column(
    file: SegmentFile, name: str, segments: Sequence[SegmentReader], step: int
) -> None:
    kind = next(s.columns()[name] for s in segments if name in s.columns())
    if kind["kind"] == "numbers":
        parts = [
            s.column(name)
            if name in s.columns()
            else np.full(s.doc_count, kind["default"], dtype=f"<{kind['type']}")
            for s in segments
        ]
        values = [_live(s, part) for s, part in zip(segments, parts, strict=True)]
        file.numbers(name, np.concatenate(values), kind["default"], step)
        return
    columns = [s.text_column(name) if name in s.columns() else None for s in segments]
    texts = sorted({b"", *(text for column in columns if column for text in column[1][:])})
    numbers = {text: number for number, text in enumerate(texts)}
    codes = []
    for segment, column in zip(segments, columns, strict=True):
        if column is None:
            codes.append(np.zeros(segment.live_count, dtype=np.int64))
        else:
            new = np.array([numbers[text] for text in column[1][:]], dtype=np.int64)
            codes.append(_live(segment, new[column[0]]))
    file.texts(name, np.concatenate(codes), texts)


class _FieldMerge:
    """Merges one field of several segments."""

    def __init__(self, fields: Sequence[FieldReader], numbers: Sequence[Integers]) -> None:
        self._fields = fields
        self._numbers = numbers
        lists = [field.terms[:] for field in fields]
        self._words = sorted(set().union(*lists))
        new = {word: number for number, word in enumerate(self._words)}
        # Both sides are sorted, so each of these ascends.
        self._terms = [np.array([new[word] for word in words], np.int64) for words in lists]
        self._kept: list[NDArray[np.bool_]] = []
        self._positions = any(field.has_positions for field in fields)
        self._weights = any(len(field.weights) for field in fields)

    def words(self) -> list[bytes]:
        """The terms that are left; known once all batches have been asked for."""
        kept = np.concatenate(self._kept) if self._kept else np.zeros(0, bool)
        return [word for word, keep in zip(self._words, kept.tolist(), strict=True) if keep]

    def batches(self) -> Iterator[Postings]:
        """The postings of all terms, batch by batch."""
        sizes = np.zeros(len(self._words), dtype=np.int64)
        for field, terms in zip(self._fields, self._terms, strict=True):
            if len(terms):
                amounts = counts(field.starts.range(0, len(terms) + 1))
                mean = len(field.gaps) // len(field.documents) if field.has_positions else 1
                sizes[terms] += amounts * (mean + 1)
        # A batch ends where the sum of sizes enters the next multiple of BATCH.
        ends = np.flatnonzero(np.diff(np.cumsum(sizes) // BATCH, append=-1))
        low = 0
        for high in (ends + 1).tolist():
            yield self._batch(low, high)
            low = high

    def _batch(self, low: int, high: int) -> Postings:
        parts = [
            self._part(field, terms, numbers, low, high)
            for field, terms, numbers in zip(self._fields, self._terms, self._numbers, strict=True)
        ]
        terms = np.concatenate([part[0] for part in parts])
        documents = np.concatenate([part[1].documents for part in parts])
        frequencies = np.concatenate([part[1].frequencies for part in parts])
        # The segments follow each other, so documents ascend within a term after a stable sort.
        order = np.argsort(terms, kind="stable")
        amounts = np.bincount(terms, minlength=high - low)
        self._kept.append(amounts > 0)
        gaps = weights = None
        if self._positions:
            gaps = rearranged(_joined([part[1].gaps for part in parts]), frequencies, order)
        if self._weights:
            weights = _joined([part[1].weights for part in parts])[order]
        amounts = amounts[amounts > 0]
        return Postings(amounts, documents[order], frequencies[order], gaps, weights)

    def _part(
        self, field: FieldReader, terms: Array, numbers: Integers, low: int, high: int
    ) -> tuple[Array, Postings]:
        """One segment's share of a batch: for each posting its term, from ``low``, and the rest."""
        first, last = np.searchsorted(terms, (low, high)).tolist()
        if first == last:
            empty = np.zeros(0, dtype=np.int32)
            return empty, Postings(empty.astype(np.int64), empty, empty, empty, empty.astype("f4"))
        starts = field.starts.range(first, last + 1)
        start, stop = int(starts[0]), int(starts[-1])
        amounts = counts(starts)
        owners = np.repeat((terms[first:last] - low).astype(np.int32), amounts)
        documents = numbers[field.documents.neighbours(first, last)]
        frequencies = field.counted(start, stop)
        gaps = np.zeros(0, dtype=np.int32)
        if field.has_positions:
            gaps = field.gaps.range(field.position_start(start), field.position_start(stop))
        elif self._positions:
            gaps = np.zeros(int(frequencies.sum()), dtype=np.int32)
        weights = frequencies.astype(np.float32)
        if len(field.weights):
            weights = field.weights[start:stop]
        keep = documents >= 0
        if not keep.all():
            gaps = gaps[np.repeat(keep, frequencies)] if self._positions else gaps
            owners, documents = owners[keep], documents[keep]
            frequencies, weights = frequencies[keep], weights[keep]
        return owners, Postings(amounts, documents, frequencies, gaps, weights)


def _joined(parts: Sequence[Array | None]) -> Array:
    return np.concatenate([part for part in parts if part is not None])


def rearranged(gaps: Integers, frequencies: Integers, order: Array) -> Integers:
    """The gaps of all postings, posting by posting in another order."""
    starts = np.cumsum(frequencies, dtype=np.int64) - frequencies
    return gaps[spread(starts[order], frequencies[order])]
