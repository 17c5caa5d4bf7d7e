"""The addresses that stand in a text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from searchfeed.output.clean import hyperlink
from searchfeed.patterns import deferred

# What ends an address in running text: space, quotation marks, angle brackets, CJK punctuation.
_ADDRESS = deferred(r"\bhttps?://[^\s<>\"“”„«»‹›｢｣「」『』（）、。，]{1,2000}+", re.IGNORECASE)
_BEHIND = ".,;:!?'’…*"
_PAIRS = {")": "(", "]": "[", "}": "{"}


class Address(NamedTuple):
    """A half-open range of a text, and the address in it, in ASCII."""

    start: int
    end: int
    url: str


def addresses(text: str) -> Iterator[Address]:
    """The http(s) addresses in a text, in order.

    What punctuation follows is the sentence's, and a closing bracket is the sentence's unless it
    was opened inside the address.

    >>> [each.url for each in addresses("See (https://x.example/a_(b)), or HTTP://y.example.")]
    ['https://x.example/a_(b)', 'HTTP://y.example']
    """
    for match in _ADDRESS.finditer(text):
        address = match[0]
        unopened = {end: address.count(end) - address.count(begin) for end, begin in _PAIRS.items()}
        length = len(address)
        while (last := address[length - 1]) in _BEHIND or unopened.get(last, 0) > 0:
            unopened[last] = unopened.get(last, 0) - 1
            length -= 1
        if url := hyperlink(address[:length]):
            yield Address(match.start(), match.start() + length, url)
