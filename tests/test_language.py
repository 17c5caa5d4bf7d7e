"""What a person types and what comes back: the query language on every engine, end to end."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from searchfeed.engines import Change, Engine
from searchfeed.errors import QueryError
from searchfeed.models import Entry
from searchfeed.query import parse
from searchfeed.tree import Everything, Node, Not, leaves
from tests import engines

TEXTS = {
    "cpp": "Modern C++ in twelve lessons",
    "csharp": "A short tour of C# for the impatient",
    "r": "Statistics with R, from the start",
    "dotnet": "What is new in .NET this autumn",
    "hamlet": "To be or not to be, that is the question",
    "hamlet backwards": "Be not to or be to",
    "tokyo": "東京で展覧会が開かれました",
    "quake": "昨夜の地震で電車が止まりました",
    "café": "The café on the corner",
    "cafe": "The cafe by the river",
    "bereal": "BeReal is an app for photographs",
    "agent": "A multi-agent system for harbours",
    "covid": "COVID-19 and the harvest",
    "breeder": "The breeder's and the farmer's handbook",
    "title": "Every title of the house of lords",
    "and": "Alpha and omega: not a letter missing",
    "unclosed": "The unclosed gate",
}
IDS = {name: f"{at:016x}" for at, name in enumerate(TEXTS, start=1)}
NAMES = {id: name for name, id in IDS.items()}


@pytest.fixture(scope="module", params=engines.NAMES)
def engine(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Engine]:
    opened = engines.open_at(
        request.param, tmp_path_factory.mktemp("language") / "engine", keep=True
    )
    day = datetime(2024, 1, 1, tzinfo=UTC)
    opened.write(
        [
            Change(
                at, Entry(IDS[name], "https://f.example/", "", text, "", published=day + at * DAY)
            )
            for at, (name, text) in enumerate(TEXTS.items(), start=1)
        ],
        reached=len(TEXTS),
    )
    yield opened
    opened.close()


DAY = timedelta(days=1)


def found(engine: Engine, query: str) -> list[str]:
    answer = engine.search(parse(query).node, limit=100)
    return [NAMES[match.id] for match in answer.matches]


@pytest.mark.parametrize(
    ("query", "first", "others"),
    [
        ("c++", "cpp", []),
        ("C#", "csharp", []),
        ("R", "r", []),
        (".NET", "dotnet", []),
        ('"to be or not to be"', "hamlet", []),
        ("東京", "tokyo", []),
        ("地震", "quake", []),
        ("cafe", "cafe", ["café"]),
        ("café", "café", ["cafe"]),
        ("multi-agent", "agent", []),
        ("covid 19", "covid", []),
        ("breeder's and", "breeder", ["and", "covid"]),
        ("title:", "title", []),
        ('"unclosed', "unclosed", []),
        ("alpha AND", "and", None),
        ("NOT", "hamlet backwards", ["hamlet", "and"]),
    ],
)
def test_what_a_person_expects_comes_first(
    engine: Engine, query: str, first: str, others: list[str] | None
) -> None:
    names = found(engine, query)
    assert names[0] == first
    if others is not None:
        assert sorted(names[1:]) == sorted(others)


def test_an_excluded_word_alone_leaves_all_others(engine: Engine) -> None:
    assert set(found(engine, "-bereal")) == set(TEXTS) - {"bereal"}


@pytest.mark.parametrize("query", ["title:", "(", '"unclosed', "a AND", "NOT", "*"])
def test_what_had_to_be_guessed_is_said(engine: Engine, query: str) -> None:
    assert parse(query).notes
    assert found(engine, query)


@pytest.mark.parametrize("query", ["(", "*", ""])
def test_what_asks_for_nothing_shows_everything_newest_first(engine: Engine, query: str) -> None:
    assert found(engine, query) == list(reversed(TEXTS))


def test_a_date_that_is_none_is_refused_with_its_place() -> None:
    with pytest.raises(QueryError) as caught:
        parse("ibm date:garbage")
    assert (caught.value.start, caught.value.end) == (9, 16)


words = st.sampled_from(
    [word.strip(",:").lower() for text in TEXTS.values() for word in text.split()]
)
pieces = st.one_of(
    words,
    words.map(lambda word: f"-{word}"),
    words.map(lambda word: f"title:{word}"),
    words.map(lambda word: f'"{word}"'),
    words.map(lambda word: f"{word[:3]}*"),
    words.map(lambda word: f"{word}~"),
    st.sampled_from(
        ["AND", "OR", "NOT", "(", ")", "-(", "title:(", '"', "+", "~2", "/a.*/", "date:"]
    ),
    st.text(max_size=8),
)


@settings(max_examples=engines.examples(500, long=10_000), deadline=None)
@given(text=st.lists(pieces, max_size=8).map(" ".join) | st.text(max_size=40))
def test_no_text_fails_and_nothing_excluded_comes_back(engine: Engine, text: str) -> None:
    try:
        node = parse(text).node
    except QueryError:
        return
    answer = engine.search(node, limit=100)
    assert answer.total == len(answer.matches)
    every = {match.id for match in answer.matches}
    for excluded in _left_out(node):
        # What is excluded is meant as it stands; asked for, its parts would do.
        strictly = Not(Not(excluded))
        out = {match.id for match in engine.search(strictly, limit=100).matches}
        assert not every & out, (text, excluded)


def _left_out(node: Node) -> Iterator[Node]:
    """What the whole query excludes: its own ``Not``, or those among its conditions."""
    if isinstance(node, Not):
        yield node.child
    elif type(node).__name__ == "And":
        for child in node.children:  # type: ignore[union-attr]
            yield from _left_out(child)


def test_excluded_leaves_are_known_as_such() -> None:
    node = parse("harbour -photographs").node
    assert [(leaf.text, out) for leaf, out in leaves(node) if not isinstance(leaf, Everything)] == [  # type: ignore[union-attr]
        ("harbour", False),
        ("photographs", True),
    ]
