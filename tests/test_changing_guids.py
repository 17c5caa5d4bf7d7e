"""A feed that makes its guids anew each time brings no entry twice; one that does not is let be."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from searchfeed import Index, keys
from searchfeed.archive import Archive, Changes
from searchfeed.errors import ArchiveError
from searchfeed.feeds import parse
from searchfeed.keys import entry_id, normalised_link
from searchfeed.models import Entry, Feed

ADDRESS = "https://made.example/feed"
NOON = datetime(2024, 5, 1, 12, tzinfo=UTC)


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    with Archive(tmp_path / "archive.sqlite") as opened:
        yield opened


def entry(number: int, guid: str, **values: object) -> Entry:
    made = Entry(
        entry_id(ADDRESS, f"guid:{guid}"),
        ADDRESS,
        "Made",
        f"Title {number}",
        f"Text of number {number}.",
        link=f"https://made.example/{number}",
        published=NOON + timedelta(days=number),
    )
    return replace(made, **values)  # type: ignore[arg-type]


def feed(entries: list[Entry]) -> Feed:
    return Feed(ADDRESS, "Made", entries=tuple(entries))


def build(name: str, numbers: range | list[int] = range(10)) -> list[Entry]:
    """A document whose guids are of this build alone."""
    return [entry(number, f"{name}-{number}") for number in numbers]


def counts(changes: Changes) -> tuple[int, int, int]:
    return changes.added, changes.updated, changes.unchanged


def noticed(changes: Changes) -> bool:
    return len(changes.warnings) == 1


def ids(archive: Archive) -> set[str]:
    return {each.id for _, each, _ in archive.changes(0)}


# Noticed, and known by links from then on


def test_the_second_build_adds_nothing_and_is_told(archive: Archive) -> None:
    assert archive.store(feed(build("a"))) == Changes(10, 0, 0)
    before = list(archive.changes(0))
    changes = archive.store(feed(build("b")))
    assert counts(changes) == (0, 0, 10)
    (warning,) = changes.warnings
    assert "guids" in warning
    assert "\n" not in warning
    assert list(archive.changes(0)) == before


def test_it_is_told_once(archive: Archive) -> None:
    told = [noticed(archive.store(feed(build(name)))) for name in "abcd"]
    assert told == [False, True, False, False]
    assert len(ids(archive)) == 10


def test_new_edited_and_gone_entries_in_any_order(archive: Archive) -> None:
    first = build("a")
    archive.store(feed(first))
    second = build("b", list(range(2, 13)))
    second[3] = replace(second[3], body="Edited.")
    random.Random(1).shuffle(second)
    changes = archive.store(feed(second))
    assert noticed(changes)
    assert counts(changes) == (3, 1, 7)
    assert {each.id for each in first} < ids(archive)
    assert [each.entry.body for each in archive.versions(first[5].id)] == [
        "Text of number 5.",
        "Edited.",
    ]
    third = build("c", list(range(5, 15)))[::-1]
    assert counts(archive.store(feed(third))) == (2, 1, 7)
    assert archive.find(first[5].id).body == "Text of number 5."
    assert len(ids(archive)) == 15


def test_once_known_a_link_is_enough(archive: Archive) -> None:
    archive.store(feed(build("a")))
    archive.store(feed(build("b")))
    rewritten = [replace(each, title="New", body="New.", published=None) for each in build("c")]
    assert counts(archive.store(feed(rewritten))) == (0, 10, 0)
    # A document of one entry, none of which the next one has.
    assert counts(archive.store(feed(build("d", [3])))) == (0, 1, 0)
    assert counts(archive.store(feed(build("e", [77])))) == (1, 0, 0)
    assert counts(archive.store(feed(build("f", [77])))) == (0, 0, 1)


def test_an_entry_that_comes_back_after_years_is_the_same(archive: Archive) -> None:
    archive.store(feed(build("a")))
    archive.store(feed(build("b")))
    for name in range(10):
        archive.store(feed(build(f"c{name}", range(1000 + 50 * name, 1050 + 50 * name))))
    assert counts(archive.store(feed(build("d")))) == (0, 0, 10)


def test_dates_of_the_build_do_not_hide_it(archive: Archive) -> None:
    dated = [[replace(each, published=NOON) for each in build("a")]]
    dated.append([replace(each, published=NOON + timedelta(hours=1)) for each in build("b")])
    archive.store(feed(dated[0]))
    changes = archive.store(feed(dated[1]))
    assert noticed(changes)
    assert counts(changes) == (0, 10, 0)


def test_texts_that_change_each_time_do_not_hide_it(archive: Archive) -> None:
    for name in "ab":
        noisy = [replace(each, body=f"{each.body} {name} comments") for each in build(name)]
        changes = archive.store(feed(noisy))
    assert noticed(changes)
    assert counts(changes) == (0, 10, 0)


def test_tracking_in_links_does_not_hide_it(archive: Archive) -> None:
    for name in "ab":
        tracked = [
            replace(each, link=f"{each.link}?utm_source=feed&utm_campaign={name}#{name}")
            for each in build(name)
        ]
        changes = archive.store(feed(tracked))
    assert noticed(changes)
    assert len(ids(archive)) == 10


def test_guids_that_are_places_in_the_document(archive: Archive) -> None:
    def numbered(numbers: list[int]) -> list[Entry]:
        return [entry(number, f"item-{place}") for place, number in enumerate(numbers)]

    archive.store(feed(numbered([9, 8, 7, 6, 5])))
    changes = archive.store(feed(numbered([10, 9, 8, 7, 6])))
    assert noticed(changes)
    assert counts(changes) == (1, 0, 4)
    assert counts(archive.store(feed(numbered([12, 11, 10, 9, 8])))) == (2, 0, 3)
    assert sorted(each.title for _, each, _ in archive.changes(0)) == sorted(
        f"Title {number}" for number in range(5, 13)
    )
    assert all(len(archive.versions(id)) == 1 for id in ids(archive))


def test_a_feed_that_changed_its_guids_once_goes_on_as_before(archive: Archive) -> None:
    archive.store(feed(build("old")))
    assert noticed(archive.store(feed(build("new"))))
    edited = [replace(each, title="Edited") for each in build("new", range(5, 15))]
    assert counts(archive.store(feed(edited))) == (5, 5, 0)
    assert counts(archive.store(feed(edited))) == (0, 0, 10)
    assert {each.id for each in build("old")} < ids(archive)


def test_a_feed_of_one_entry(archive: Archive) -> None:
    archive.store(feed(build("a", [1])))
    assert noticed(archive.store(feed(build("b", [1]))))
    assert len(ids(archive)) == 1


def test_duplicates_from_before_stay_and_become_no_more(archive: Archive, tmp_path: Path) -> None:
    # Read while there was no way to notice: each build as a feed of its own, then made one.
    for name in "ab":
        other = f"{ADDRESS}/{name}"
        archive.store(Feed(other, "Made", entries=tuple(build(name))))
    with closing(sqlite3.connect(tmp_path / "archive.sqlite")) as connection:
        connection.execute("UPDATE entry SET feed = 1")
        connection.execute("UPDATE feed SET url = ? WHERE number = 1", (ADDRESS,))
        connection.commit()
    assert noticed(archive.store(feed(build("c"))))
    assert ids(archive) == {each.id for name in "ab" for each in build(name)}


def test_an_entry_taken_out_for_good_stays_out(archive: Archive) -> None:
    archive.store(feed(build("a")))
    archive.store(feed(build("b")))
    archive.store(feed(build("c", range(20))))
    gone = next(each for _, each, _ in archive.changes(0) if each.title == "Title 15")
    archive.remove([gone.id])
    archive.store(feed(build("d", range(20))))
    assert len(ids(archive)) == 19


def test_it_is_noticed_again_where_storing_fails(archive: Archive, tmp_path: Path) -> None:
    archive.store(feed(build("a")))
    with closing(sqlite3.connect(tmp_path / "archive.sqlite")) as other:
        other.execute(
            "CREATE TRIGGER fail BEFORE INSERT ON version BEGIN SELECT RAISE(ABORT, 'no'); END"
        )
        with pytest.raises(ArchiveError):
            archive.store(feed(build("b", range(11))))
        assert other.execute("SELECT key FROM feed").fetchone() == ("guid",)
        other.execute("DROP TRIGGER fail")
    changes = archive.store(feed(build("b", range(11))))
    assert noticed(changes)
    assert counts(changes) == (1, 0, 10)


# Not noticed, because it is none


def unnoticed(archive: Archive, *documents: list[Entry]) -> None:
    """No document is taken for one with changed guids, and every entry is there."""
    for document in documents:
        assert archive.store(feed(document)).warnings == ()
    assert ids(archive) == {each.id for document in documents for each in document}


def test_links_that_all_lead_home_are_no_key(archive: Archive) -> None:
    unnoticed(
        archive,
        *([replace(each, link="https://made.example/") for each in build(name)] for name in "abc"),
    )


def test_entries_without_links_have_no_key(archive: Archive) -> None:
    unnoticed(archive, *([replace(each, link="") for each in build(name)] for name in "abc"))


def test_the_same_places_with_news_each_day(archive: Archive) -> None:
    unnoticed(
        archive,
        *(
            [
                replace(
                    each,
                    title=f"Weather in town {number}",
                    body=f"{day} degrees, {number} clouds.",
                    published=NOON + timedelta(days=day),
                )
                for number, each in enumerate(build(f"day{day}", range(5)))
            ]
            for day in range(4)
        ),
    )


def test_some_entries_published_again_under_new_guids(archive: Archive) -> None:
    unnoticed(archive, build("a"), [*build("b", range(4)), *build("a", range(4, 10))])


def test_some_old_entries_among_new_ones(archive: Archive) -> None:
    unnoticed(archive, build("a"), [*build("b", range(4)), *build("b", range(20, 30))])


def test_an_update_beside_what_it_updates(archive: Archive) -> None:
    unnoticed(archive, build("a"), [*build("a"), *build("b")], [*build("b"), *build("c")])


def test_a_picture_of_the_day(archive: Archive) -> None:
    unnoticed(
        archive,
        *(
            [entry(1, f"day{day}", title="Picture", body=f"No. {day}", published=None)]
            for day in range(5)
        ),
    )


def test_all_new_entries(archive: Archive) -> None:
    unnoticed(archive, *(build("a", range(start, start + 10)) for start in range(0, 50, 10)))


def test_another_feed_with_the_same_entries(archive: Archive) -> None:
    archive.store(feed(build("a")))
    copies = tuple(replace(each, feed_url="https://other.example") for each in build("b"))
    changes = archive.store(Feed("https://other.example", "Other", entries=copies))
    assert changes == Changes(10, 0, 0)


# Mixed entries of a feed that is known by links


def test_links_that_are_shared_need_the_text_too(archive: Archive) -> None:
    def mixed(name: str) -> list[Entry]:
        home = [
            replace(each, link="https://made.example/") for each in build(name, range(100, 103))
        ]
        bare = [replace(each, link="") for each in build(name, range(200, 203))]
        return [*build(name), *home, *bare]

    archive.store(feed(mixed("a")))
    changes = archive.store(feed(mixed("b")))
    assert noticed(changes)
    assert counts(changes) == (0, 0, 16)
    third = [each for each in mixed("c") if each.title != "Title 101"]
    third.append(entry(103, "c-103", link="https://made.example/"))
    third.append(entry(203, "c-203", link=""))
    assert counts(archive.store(feed(third[::-1]))) == (2, 0, 15)


def test_what_stands_twice_in_a_document_but_for_the_guid(archive: Archive) -> None:
    archive.store(feed(build("a")))
    archive.store(feed(build("b")))
    assert counts(archive.store(feed([*build("c"), *build("d")]))) == (10, 0, 10)
    assert counts(archive.store(feed([*build("e"), *build("f")]))) == (0, 0, 20)


# Through the index, from files


def test_three_builds_of_a_feed_in_files(fixtures: Path, tmp_path: Path) -> None:
    builds = [fixtures / "life" / f"build{number}.xml" for number in (1, 2, 3)]
    guids = [
        {each.id for each in parse(file.read_bytes(), url=str(file)).entries} for file in builds
    ]
    assert not guids[0] & guids[1]
    assert not guids[1] & guids[2]
    with Index(tmp_path / "index") as index:
        reports = [index.update(file) for file in builds]
        assert [(each.added, each.updated, each.unchanged) for each in reports] == [
            (4, 0, 0),
            (1, 4, 0),
            (1, 4, 0),
        ]
        assert [len(each.warnings) for each in reports] == [0, 1, 0]
        assert str(builds[1]) in reports[1].warnings[0]
        assert index.stats().entries == 6
        (hit,) = index.search("postponed")
        assert hit.entry.id in guids[0]
        assert index.search("buoy").total == 2


# Against a model


TEXTS = ["", "one", "two", "three"]


class Model:
    """What the archive has to hold, found by looking at everything each time."""

    def __init__(self) -> None:
        self.versions: dict[str, list[Entry]] = {}
        """By id, in the order in which the ids came; the feed's entries all have links."""
        self.read: set[bytes] = set()
        self.by_link = False

    def store(self, document: list[Entry], digest: bytes) -> tuple[int, int, int, bool]:
        """Do what is to be done; return the counts, and whether the guids are seen to change."""
        if digest in self.read:
            return 0, 0, len(document), False
        self.read.add(digest)
        news = not self.by_link and self.shows_change(document)
        self.by_link |= news
        added = updated = 0
        for each in document:
            id = self.name(each) if self.by_link else each.id
            said = self.versions.setdefault(id, [])
            new = replace(each, id=id)
            if said and said[-1] == new:
                continue
            added, updated = added + (not said), updated + bool(said)
            said.append(new)
        return added, updated, len(document) - added - updated, news

    def others(self, one: Entry) -> list[Entry]:
        """What the entries with its link said last."""
        link = normalised_link(one.link)
        newest = [said[-1] for said in self.versions.values()]
        return [each for each in newest if normalised_link(each.link) == link]

    def shows_change(self, document: list[Entry]) -> bool:
        if sum(each.id in self.versions for each in document) * 10 > len(document):
            return False
        new = [each for each in document if each.id not in self.versions]
        there = [one for one in new if self.others(one)]
        ranks = [min((rank(one, other) for other in self.others(one)), default=9) for one in new]
        alike = sum(each <= ALIKE for each in ranks)
        same = sum(each <= SAME for each in ranks)
        identical = sum(each == 0 for each in ranks)
        if not document or not (alike >= 3 or identical == len(document)):
            return False
        enough = alike * 2 >= len(document) and same * 2 >= alike
        return enough and (len(there) - alike) * 10 <= len(there)

    def name(self, one: Entry) -> str:
        others = self.others(one)
        if one.id in {each.id for each in others}:
            return one.id
        best = min(others, key=lambda other: rank(one, other), default=None)
        if best and (rank(one, best) <= ALIKE or len(others) == 1):
            return best.id
        return entry_id(ADDRESS, f"link:{normalised_link(one.link)}")


SAME, ALIKE = 3, 5


def rank(one: Entry, other: Entry) -> int:
    """How much two entries with one link have in common, 0 for all of it."""
    title = one.title == other.title
    body = one.body == other.body
    date = one.date == other.date
    agreements = [
        title and body and date and (one.title or one.body),
        title and body and (one.title or one.body),
        title and one.title and date and one.date,
        body and one.body and date and one.date,
        title and one.title,
        body and one.body,
    ]
    return next((place for place, holds in enumerate(agreements) if holds), 6)


class FeedMachine(RuleBasedStateMachine):
    """A publisher who adds, edits, drops and brings back entries, and now and then their guids."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = TemporaryDirectory()
        self.archive = Archive(Path(self.folder.name, "archive.sqlite"))
        self.model = Model()
        self.published: dict[int, Entry] = {}
        self.dropped: dict[int, Entry] = {}
        self.guids = 0
        self.documents: list[tuple[list[Entry], bytes]] = []

    @initialize(count=st.integers(1, 12))
    def begin(self, count: int) -> None:
        self.publish(count)

    @rule(count=st.integers(1, 4))
    def publish(self, count: int) -> None:
        start = len(self.published) + len(self.dropped)
        for number in range(start, start + count):
            self.published[number] = entry(number, "")

    @rule(data=st.data(), title=st.sampled_from(TEXTS), body=st.sampled_from([*TEXTS, None]))
    def edit(self, data: st.DataObject, title: str, body: str | None) -> None:
        for number in data.draw(st.sets(st.sampled_from(sorted(self.published) or [-1]))):
            if number in self.published:
                old = self.published[number]
                body = old.body if body is None else body
                self.published[number] = replace(old, title=title, body=body)

    @rule(data=st.data())
    def drop(self, data: st.DataObject) -> None:
        for number in data.draw(st.sets(st.sampled_from(sorted(self.published) or [-1]))):
            if number in self.published:
                self.dropped[number] = self.published.pop(number)

    @rule()
    def bring_back(self) -> None:
        self.published |= self.dropped
        self.dropped = {}

    @rule(
        anew=st.sampled_from([0, 1, 1, -1]),
        tracking=st.sampled_from(["", "?utm_source=a", "#top"]),
        seed=st.integers(0, 5),
        date=st.sampled_from([None, NOON]),
    )
    def read(self, anew: int, tracking: str, seed: int, date: datetime | None) -> None:
        self.guids = max(0, self.guids + anew)
        document = [
            replace(
                each,
                id=entry_id(ADDRESS, f"guid:{self.guids}-{number}"),
                link=each.link + tracking,
                published=date,
            )
            for number, each in self.published.items()
        ]
        random.Random(seed).shuffle(document)
        self.documents.append((document, b"%d" % len(self.documents)))
        self.store(self.documents[-1])

    @rule(data=st.data())
    def read_again(self, data: st.DataObject) -> None:
        if self.documents:
            self.store(data.draw(st.sampled_from(self.documents)))

    def store(self, document: tuple[list[Entry], bytes]) -> None:
        entries, digest = document
        changes = self.archive.store(feed(entries), source="file", digest=digest)
        assert (*counts(changes), noticed(changes)) == self.model.store(entries, digest)
        if self.model.by_link:
            # Whatever came, the last document has every link once.
            assert len(entries) == sum(counts(changes))

    @invariant()
    def everything_is_there(self) -> None:
        kept = {each.id: each for _, each, _ in self.archive.changes(0)}
        assert kept == {id: said[-1] for id, said in self.model.versions.items()}
        for id, said in self.model.versions.items():
            assert [each.entry for each in self.archive.versions(id)] == said

    def teardown(self) -> None:
        self.archive.close()
        self.folder.cleanup()


TestAgainstAModel = FeedMachine.TestCase
TestAgainstAModel.settings = settings(max_examples=60, stateful_step_count=20, deadline=None)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 30), min_size=1, max_size=25, unique=True), st.data())
def test_builds_of_any_kind_add_each_link_once(numbers: list[int], data: st.DataObject) -> None:
    """Once noticed, no document adds a link that is there, in whatever order it comes."""
    with TemporaryDirectory() as folder, Archive(Path(folder, "archive.sqlite")) as archive:
        archive.store(feed(build("a", range(6))))
        assert noticed(archive.store(feed(build("b", range(6)))))
        known = {each.id: each.link for each in build("a", range(6))}
        for name in ("c", "d", "e"):
            chosen = data.draw(st.permutations(numbers))[: data.draw(st.integers(0, 25))]
            edited = data.draw(st.sets(st.sampled_from(chosen))) if chosen else set()
            document = [
                replace(each, title="", body=name) if number in edited else each
                for number, each in zip(chosen, build(name, list(chosen)), strict=True)
            ]
            changes = archive.store(feed(document))
            new = {each.link for each in document} - set(known.values())
            assert changes.added == len(new)
            kept = {each.id: each.link for _, each, _ in archive.changes(0)}
            assert known.items() <= kept.items()
            assert len(set(kept.values())) == len(kept)
            known = kept


@given(st.from_regex(r"\Ahttps?://[ -~]{0,30}\Z"))
def test_a_link_taken_as_it_is_is_normal(link: str) -> None:
    """What is not taken apart would come out of that the same."""
    if keys._NORMAL.fullmatch(link):
        tail = normalised_link(f"{link}#fragment")
        assert tail == link
