"""Explanations add up to the score, and a preference for newer entries is what it says."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from searchfeed import Index, Query
from searchfeed.cli import run
from searchfeed.engines import Change, Engine, open_engine
from searchfeed.errors import EntryNotFoundError
from searchfeed.models import Entry
from searchfeed.query import parse
from tests.engines import NAMES, open_at

DAY = timedelta(days=1)
QUERIES = (
    "border management",
    "border management turkey absent",
    '"border management"',
    "multi-agent covid-19",
    "bordr~ gua*",
    "border OR (turkey guards)",
    "title:border guards after:2020",
    "+border guards -nothing",
    "日本の首都はどこですか",
    "running /gu.*/",
    "",
)
TEXTS = (
    ("Border management in Turkey", "The guards of the border run a multi-agent system."),
    ("Guards", "Border guards, border runs, and management of COVID-19 at the border."),
    ("Turkey", "Running a guard on the border; management elsewhere."),
    ("東京", "日本の首都は東京です。"),
    ("Nothing", "A text about other matters altogether."),
)


@pytest.fixture(params=NAMES)
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    opened = open_at(request.param, tmp_path / "engine")
    now = datetime.now(UTC)
    opened.write(
        [
            Change(
                at, Entry(f"{at:016x}", "https://f.example/", "F", *texts, published=now - at * DAY)
            )
            for at, texts in enumerate(TEXTS, start=1)
        ],
        reached=len(TEXTS),
    )
    yield opened
    opened.close()


@pytest.mark.parametrize("recency", [None, 2 * DAY])
@pytest.mark.parametrize("query", QUERIES)
def test_contributions_add_up_to_the_score(
    engine: Engine, query: str, recency: timedelta | None
) -> None:
    node = parse(query).node
    answer = engine.search(node, limit=10, recency=recency)
    found = {match.id: match.score for match in answer.matches}
    for at in range(1, len(TEXTS) + 1):
        explanation = engine.explain(node, f"{at:016x}", recency=recency)
        assert explanation.matches == (f"{at:016x}" in found)
        if explanation.matches:
            # Between two calls the clock goes on, and with it the age of an entry.
            assert explanation.score == pytest.approx(found[f"{at:016x}"], abs=1e-4)
            total = sum(each.score for each in explanation.contributions)
            assert total == pytest.approx(explanation.score, abs=1e-6)
            assert not explanation.missing
        else:
            assert explanation.missing
            assert all(explanation.missing)


def test_what_is_missing_is_named_as_it_was_typed(engine: Engine) -> None:
    node = parse("title:guards -border after:2020 absent").node
    assert "-(border)" in engine.explain(node, f"{2:016x}").missing
    assert "title:guards" in engine.explain(node, f"{3:016x}").missing
    with pytest.raises(EntryNotFoundError):
        engine.explain(node, "f" * 16)


def test_the_engine_tells_what_a_word_stands_for(engine: Engine) -> None:
    described = engine.describe(parse("run -turkey is:updated").node)
    assert "running" in described
    assert "runs" in described
    assert "-turkey" in described
    assert "updated" in described


def test_recency_is_the_half_life_it_says(tmp_path: Path) -> None:
    engine = open_engine("whoosh", tmp_path / "engine")
    now = datetime.now(UTC)
    ages = (0, 10, 20, 10_000)
    entries = [
        Entry(f"{at:016x}", "f", "", "same words", "", published=now - age * DAY)
        for at, age in enumerate(ages, start=1)
    ]
    entries.append(Entry(f"{9:016x}", "f", "", "same words", ""))
    changes = [Change(at, entry) for at, entry in enumerate(entries, start=1)]
    engine.write(changes, reached=len(entries))
    node = parse("same").node
    (plain, *_) = engine.search(node, limit=1).matches
    ratios = [
        match.score / plain.score
        for match in engine.search(node, limit=9, recency=10 * DAY).matches
    ]
    assert ratios == pytest.approx([2.0, 1.5, 1.25, 1.0, 1.0], abs=1e-3)


def test_recency_never_lifts_an_entry_with_some_words_above_one_with_all(engine: Engine) -> None:
    node = parse("guards management covid-19").node
    plain = engine.search(node, limit=1).matches[0].id
    assert engine.search(node, limit=1, recency=timedelta(minutes=1)).matches[0].id == plain


def test_a_recency_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="recency"):
        Query("x", recency=timedelta(0))


@pytest.fixture
def index(tmp_path: Path, fixtures: Path) -> Path:
    path = tmp_path / "index"
    with Index(path) as opened:
        opened.update([fixtures / "rss-2.0-typo3-migration.rss"])
    return path


def test_the_commands(index: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with Index(index) as opened:
        best = opened.search("migrant resource centre")[0]
    at = ["--index", str(index)]
    assert run([*at, "explain", best.entry.id[:8], "migrant", "resource", "centre"]) == 0
    shown = capsys.readouterr().out
    assert f"{best.score:.6f}  " in shown
    assert "centre in title" in shown
    assert run([*at, "explain", best.entry.id[:8], "--json", "migrant", "-resource"]) == 1
    assert json.loads(capsys.readouterr().out)["missing"] == ["-(resource)"]
    assert run([*at, "explain", "ffffffff", "migrant"]) == 2
    capsys.readouterr()
    assert run([*at, "explain-query", "a OR -b"]) == 0
    shown = capsys.readouterr().out
    assert "Or" in shown
    assert "Not" in shown
    assert run([*at, "search", "migrant", "--recency", "30d"]) == 0
    assert run([*at, "search", "migrant", "--recency", "soon"]) == 2
    assert "30d" in capsys.readouterr().err
