"""The same query, for what cannot be undone: what it names has to be there."""

from __future__ import annotations

from dataclasses import replace

from searchfeed import tree


def demanding(node: tree.Node) -> tree.Node:
    """The query with every wanted word required; what it excludes stays as it is.

    >>> print(tree.outline(demanding(tree.Best((tree.Word("silk"), tree.Word("routes"))))))
    Best
      +Word silk
      +Word routes
    """
    match node:
        case tree.Best(children):
            wanted = tuple(map(demanding, children))
            return replace(node, children=wanted, required=len(wanted))
        case tree.And(children) | tree.Or(children):
            return replace(node, children=tuple(map(demanding, children)))
    return node
