"""A version in which one byte has changed, as it was before: its hash tells when it is found."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from hashlib import blake2b
from typing import Any

from searchfeed.archive import records

EVERY_VALUE = 4_096
"""Up to so many bytes each one is tried with every value, which takes some seconds."""

EVERY_BIT = 40_000
"""Up to so many bytes each one is tried with every bit turned, which takes some seconds."""

_NUMBERS = 4, 5

_CHARACTER = re.compile(rb"\\u....|\\.|.", re.DOTALL)
_WRITTEN = [
    json.dumps(chr(byte))[1:-1].encode() if byte < 0x7F else bytes((byte,)) for byte in range(256)
]
"""How JSON writes a text that has this byte in its UTF-8."""

_READ = {written: byte for byte, written in enumerate(_WRITTEN)}


def restore(content: Sequence[Any], stored: bytes) -> Sequence[Any] | None:
    """The values of ``CONTENT`` that a hash was made of, if these differ in one byte at most.

    That byte may also be in the hash itself. Text that is no UTF-8 is to be given with surrogates
    in the place of its bytes.
    """
    raw = records.hashed(content)
    size = len(stored)
    made = blake2b(raw, digest_size=size).digest()
    if sum(one != other for one, other in zip(made, stored, strict=True)) <= 1:
        return content
    for place in _NUMBERS:
        if content[place] is not None:
            for bit in range(63):
                values = [*content[:place], content[place] ^ 1 << bit, *content[place + 1 :]]
                other = records.hashed(values)
                if blake2b(other, digest_size=size).digest() == stored:
                    return values
    return next(_tried(raw, stored), None)


def _tried(raw: bytes, stored: bytes) -> Iterator[Sequence[Any]]:
    turned: Sequence[int] = range(1, 256)
    if len(raw) > EVERY_VALUE:
        turned = [1 << bit for bit in range(8)] if len(raw) <= EVERY_BIT else ()
    before = blake2b(digest_size=len(stored))
    for found in _CHARACTER.finditer(raw):
        written = found[0]
        value = _READ.get(written)
        start, rest = raw[: found.start()], raw[found.end() :]
        # The quotation marks around a text stand for none of its bytes.
        others = () if value is None else [_WRITTEN[value ^ bits] for bits in turned]
        for other in others:
            state = before.copy()
            state.update(other)
            state.update(rest)
            if state.digest() == stored:
                yield json.loads(start + other + rest)
        before.update(written)


__all__ = ("restore",)
