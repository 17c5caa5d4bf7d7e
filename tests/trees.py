"""Query trees of any shape, for hypothesis."""

from __future__ import annotations

from hypothesis import strategies as st

from searchfeed import tree


def trees(leaves: st.SearchStrategy[tree.Node]) -> st.SearchStrategy[tree.Node]:
    """Trees with these leaves; what people type is most often a ``Best``."""

    def grown(children: st.SearchStrategy[tree.Node]) -> st.SearchStrategy[tree.Node]:
        several = st.lists(children, min_size=1, max_size=4).map(tuple)
        best = several.flatmap(
            lambda found: st.builds(tree.Best, st.just(found), st.integers(0, len(found)))
        )
        return st.one_of(
            best,
            best,
            st.builds(tree.Or, several),
            st.builds(tree.And, several),
            st.builds(tree.Not, children),
        )

    return st.recursive(leaves, grown, max_leaves=8)
