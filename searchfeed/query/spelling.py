"""The words of a query as their writer may have mistyped them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from searchfeed import analysis, tree
from searchfeed.models import Span
from searchfeed.query.references import SIGN
from searchfeed.values import dataclass

SHORTEST = 4
"""Letters of a word that is also looked for with typing mistakes."""


@dataclass(frozen=True, slots=True)
class Typed:
    """A word of a query, and the characters of the query's text that it stands at."""

    word: str
    span: Span


def typed_words(node: tree.Node, text: str) -> Iterator[Typed]:
    """The words of ``text`` that titles and bodies are searched for, from left to right.

    >>> from searchfeed.query import parse
    >>> text = 'title:Silk -ibm "two, words" feed:x'
    >>> [typed.word for typed in typed_words(parse(text).node, text)]
    ['Silk', 'two', 'words']
    """
    for leaf, negated in tree.leaves(node):
        if negated or not isinstance(leaf, tree.Word | tree.Phrase):
            continue
        # What a saved search stands for is not in the text, though its name may look like it.
        if text[leaf.span.start : leaf.span.end].lstrip("-+").startswith(SIGN):
            continue
        # What the leaf looks for stands behind its sign and the name of its field.
        place = text.rfind(leaf.text, leaf.span.start, leaf.span.end)
        if place < 0 or leaf.field not in (None, *tree.TEXT_FIELDS):
            continue
        for stretch in re.finditer(r"\S+", leaf.text):
            start = place + stretch.start()
            end = 0
            for token in analysis.tokens(stretch[0]):
                # The first of those that overlap is the whole.
                if token.start < end:
                    continue
                end = token.end
                # With another word before it, a sign behind it could become a part of it: c++.
                if stretch[0][end : end + 1] not in ("+", "#"):
                    word = stretch[0][token.start : end]
                    yield Typed(word, Span(start + token.start, start + end))


def loosened(node: tree.Node) -> tree.Node:
    """The same query, but each word may also stand there with typing mistakes.

    Words that are excluded, exact, short or numbers, and those of conditions, stay as they are.

    >>> print(tree.outline(loosened(tree.Best((tree.Word("oil"), tree.Word("Kuberntes,"))))))
    Best
      Word oil
      Or
        Word Kuberntes,
        Fuzzy kuberntes~2
    """
    match node:
        case tree.Best(children) | tree.And(children) | tree.Or(children):
            return replace(node, children=tuple(map(loosened, children)))
        case tree.Word(text, field, exact=False, span=span) if field in (None, *tree.TEXT_FIELDS):
            options = analysis.query_words(text).alternatives
            if options and len(options[0]) == 1:
                word = options[0][0]
                if len(word) >= SHORTEST and not any(map(str.isdigit, word)):
                    fuzzy = tree.Fuzzy(word, analysis.typing_mistakes(word), field, span)
                    return tree.Or((node, fuzzy), span)
    return node
