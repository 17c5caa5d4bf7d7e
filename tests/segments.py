"""Documents for the builder of segments, one at a time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from searchfeed.engines.whoosh.columnar.builder import Documents


def single(
    texts: Mapping[str, tuple[Sequence[str], Sequence[int]]] | None = None,
    keywords: Mapping[str, Sequence[str | bytes]] | None = None,
    columns: Mapping[str, float | bytes] | None = None,
    stored: Mapping[str, object] | None = None,
    values: Mapping[str, Sequence[str]] | None = None,
) -> Documents:
    """One document, of which each argument has what stands in its fields."""
    return Documents(
        [stored or {}],
        values={name: [each] for name, each in (values or {}).items()},
        texts={name: [each] for name, each in (texts or {}).items()},
        keywords={name: [each] for name, each in (keywords or {}).items()},
        columns={name: [each] for name, each in (columns or {}).items()},
    )
