"""Parts of a query in words, for a person: what keeps an entry out, and what is looked for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TypeAlias

from searchfeed import tree

Sequences: TypeAlias = Sequence[Sequence[Mapping[str, float]]]
"""The ways in which a field can hold words, each word as the terms that it stands for."""

SHOWN = 20
"""Terms of a family that a person is shown."""


def failing(node: tree.Node, matches: Callable[[tree.Node], bool]) -> Iterator[str]:
    """The clauses that keep an entry out, as a person would type them.

    Args:
        node: the query tree.
        matches: whether the entry matches a part of it.
    """
    if matches(node):
        return
    match node:
        case tree.Best(children, required) if required:
            for child in children[:required]:
                yield from failing(child, matches)
        case tree.And(children):
            for child in children:
                yield from failing(child, matches)
        case tree.Or(children) | tree.Best(children):
            # One of them would have been enough, so all of them are missing.
            yield " or ".join(each for child in children for each in failing(child, matches))
        case tree.Not(child):
            yield f"-({typed(child)})"
        case _:
            yield typed(node)


def typed(node: tree.Node) -> str:
    """A part of a query as a person would type it."""
    match node:
        case tree.Not(child):
            return f"-{typed(child)}"
        case tree.Best(children, required):
            words = [*map(typed, children)]
            return " ".join([*(f"+{each}" for each in words[:required]), *words[required:]])
        case tree.And(children):
            return " ".join(map(typed, children))
        case tree.Or(children):
            return " OR ".join(map(typed, children))
        case tree.Everything():
            return "*"
        case tree.DateRange():
            return f"date:{tree.label(node)}"
        case tree.Flag(name):
            return f"is:{name}"
    return tree.label(node)


def described(
    node: tree.Node, meaning: Callable[[tree.Words], Iterable[tuple[str, Sequences]]]
) -> str:
    """Each leaf of a query as it is typed, and below it what it stands for in an index.

    Args:
        node: the query tree.
        meaning: by field the ways in which it can hold what a leaf asks for.
    """
    lines: list[str] = []
    for leaf, excluded in tree.leaves(node):
        sign = "-" if excluded else ""
        if isinstance(leaf, tree.Flag | tree.DateRange | tree.Everything):
            lines.append(f"{sign}{typed(leaf)}")
            continue
        lines.append(f"{sign}{tree.label(leaf)}")
        lines += [f"  {field}: {_written(options)}" for field, options in meaning(leaf)]
    return "\n".join(lines)


def _written(sequences: Sequences) -> str:
    options = [" ".join(map(_family, sequence)) for sequence in sequences]
    return " | ".join(options) or "(nothing)"


def _family(family: Mapping[str, float]) -> str:
    terms = sorted(family.items(), key=lambda item: (-item[1], item[0]))
    shown = [term if worth == 1 else f"{term}^{worth:g}" for term, worth in terms[:SHOWN]]
    more = [f"… {len(terms) - SHOWN} more"] if len(terms) > SHOWN else []
    return f"({' '.join(shown + more)})"
