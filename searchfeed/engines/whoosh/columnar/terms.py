"""Writes terms and their second keys, which ``dictionary`` and ``keys`` read."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from searchfeed.engines.whoosh.columnar.packing import narrow

if TYPE_CHECKING:
    from searchfeed.engines.whoosh.columnar.container import Array, Sink

LONGEST = 255
"""A longer beginning of a term is written out."""


def write_dictionary(writer: Sink, name: str, part: str, words: Sequence[bytes]) -> None:
    """Write byte strings end to end, and where each starts (or the one length they all have)."""
    lengths = np.fromiter(map(len, words), np.int64, len(words))
    writer.add(name, part, np.frombuffer(b"".join(words), np.uint8))
    if len(words) > 1 and lengths[0] and (lengths == lengths[0]).all():
        writer.add(name, f"{part}.starts", narrow(lengths[:1]))
    else:
        writer.add(name, f"{part}.starts", narrow(np.concatenate(([0], np.cumsum(lengths)))))


def write_keys(
    writer: Sink,
    name: str,
    part: str,
    words: Sequence[bytes],
    make: Callable[[Sequence[str]], Sequence[str | None]],
) -> None:
    """Write the second key that ``make`` has for each term, if it has one.

    Args:
        writer: the file.
        name: the field's name.
        part: what the names of the sections begin with.
        words: the terms, sorted.
        make: tells the keys of terms.
    """
    texts = make(list(map(bytes.decode, words)))
    keys = [b"" if text is None else text.encode() for text in texts]
    cut: list[int] = []
    written: dict[bytes, list[int]] = {}
    for number, (word, text, key) in enumerate(zip(words, texts, keys, strict=True)):
        if text is None:
            continue
        if word.startswith(key) and len(key) <= LONGEST:
            cut.append(number)
        else:
            written.setdefault(key, []).append(number)
    # Those with the same key stay in their order.
    cut.sort(key=keys.__getitem__)
    numbers = np.array(cut, dtype=np.int64)
    lengths = np.array([len(keys[number]) for number in cut], dtype=np.uint8)
    writer.add(name, f"{part}.shifts", _narrow_signed(numbers - np.arange(len(numbers))))
    writer.add(name, f"{part}.lengths", lengths)
    ordered = sorted(written)
    amounts = [len(written[key]) for key in ordered]
    rest = [number for key in ordered for number in written[key]]
    write_dictionary(writer, name, part, ordered)
    starts = np.cumsum([0, *amounts], dtype=np.int64)
    writer.add(name, f"{part}.terms.starts", narrow(starts))
    writer.add(name, f"{part}.terms", narrow(np.array(rest, np.int64)))


def _narrow_signed(values: Array) -> Array:
    furthest = int(np.abs(values).max(initial=0))
    code = next(code for code in ("i1", "i2", "i4", "i8") if furthest <= np.iinfo(code).max)
    return values.astype(f"<{code}")
