"""What the leaves of a query ask for, before it is looked for on arrays or one by one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, TypeAlias

from searchfeed import tree
from searchfeed.engines.whoosh.formulas import BORDER, SENTENCE, WHOLE
from searchfeed.engines.whoosh.values import whole_term
from searchfeed.models import Pattern

if TYPE_CHECKING:
    from searchfeed.analysis import WordQuery

Family: TypeAlias = Mapping[str, float]
"""Terms of one field, each with how well it stands for what was asked: 1 is the exact form."""

Pair = tuple[tree.Word, tree.Word]

TEXT_FIELDS = ("title", "body", "tags", "feed_title")
"""The fields that a word without a field name is looked for in."""

KEYWORDS = {
    "feed": ("feed", "feed_title"),
    "author": ("authors",),
    "link": ("link",),
    "tag": ("tag",),
    "lang": ("language",),
    "id": ("id",),
}
"""Condition → the fields of the schema whose terms it is compared with."""


def fields(leaf: tree.Words) -> tuple[str, ...]:
    """The fields that a leaf which scores is looked for in."""
    return (leaf.field,) if leaf.field else TEXT_FIELDS


def pieces(word: tree.Word, words: WordQuery) -> list[tuple[tree.Word, float]]:
    """A bare word whole, then, where it is made of several terms, also by each of them.

    Args:
        word: the word.
        words: what it stands for.

    Returns:
        Each with what it is worth.
    """
    options = words.alternatives or ((),)
    terms, compound = options[-1], len(options[0]) == 1
    if len(terms) < (2 if compound else SENTENCE):
        return [(word, 1.0)]
    found = [(word, WHOLE if compound else 1.0)]
    found += [(tree.Word(term), 1.0) for term in terms]
    if not compound:
        # Within a script a pair of characters is a term; where scripts meet it is made one.
        for one, other in pairwise(terms):
            if one.isascii() != other.isascii():
                found.append((tree.Word(one + (other if other.isascii() else other[0])), BORDER))
    return found


def neighbours(best: tree.Best) -> Iterator[Pair]:
    """The words of it that are neighbours in the query."""
    words = [child for child in best.children if isinstance(child, tree.Word)]
    # Required words stand first among the children, wherever they stand in the query.
    words.sort(key=lambda word: word.span.start)
    return pairwise(word for word in words if not word.field)


def united(sequences: Sequence[Sequence[Family]]) -> Family:
    """The terms of sequences of one word, each worth what it is worth in the first with it."""
    if len(sequences) == 1:
        return sequences[0][0]
    family: dict[str, float] = {}
    for sequence in reversed(sequences):
        family |= sequence[0]
    return family


def patterns(
    sequences: Sequence[Sequence[Sequence[Family]]], weight: float, field: str | None, slop: int
) -> Iterator[Pattern]:
    """What each way to match a leaf looks like, the fields' terms put together."""
    for options in zip(*sequences, strict=True):
        terms = tuple(frozenset().union(*families) for families in zip(*options, strict=True))
        if all(terms):
            yield Pattern(terms, weight, field, slop)


def condition(
    leaf: tree.Words,
    terms: Callable[[str], Iterable[str]],
    starting: Callable[[str, str], Iterable[str]],
) -> tuple[list[tuple[str, Iterable[str]]], list[tuple[str, tree.Words]]]:
    """What meets a condition on a keyword field: any of these terms, or any of these leaves.

    Args:
        leaf: the condition.
        terms: gives all terms of a field.
        starting: gives the terms of a field that start with a text.

    Returns:
        Fields with terms, and fields with what is to be looked for in them.
    """
    text = leaf.text.casefold() if isinstance(leaf, tree.Word | tree.Phrase) else None
    # A name is no word of a language: its ending is part of it, so it is matched as a phrase.
    words = tree.Phrase(leaf.text) if isinstance(leaf, tree.Word) else leaf
    match leaf.field:
        case "lang" if text is not None:
            start = text.replace("_", "-") + "-"
            return [
                ("language", [tag for tag in terms("language") if f"{tag}-".startswith(start)])
            ], []
        case "id" if text is not None:
            return [("id", starting("id", text))], []
        case "tag" if text is not None:
            return [("tag", [whole_term(text)])], []
        case "feed" if text is not None:
            urls = [url for url in terms("feed") if text in url.casefold()]
            return [("feed", urls)], [("feed_title", words)]
    return [], [(field, words) for field in KEYWORDS[leaf.field or ""]]
