"""The query language: text → tree, notes and errors."""

from __future__ import annotations

import json
import re
import time
import warnings
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import combinations
from pathlib import Path
from random import Random
from unicodedata import east_asian_width
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from searchfeed import tree
from searchfeed.errors import QueryError
from searchfeed.query import ALIASES, FIELDS, LONGEST, Parsed, caret, cheatsheet, fields, parse
from searchfeed.query.grammar import DEEPEST
from searchfeed.query.lexer import plain
from searchfeed.query.pointing import WIDEST
from searchfeed.query.spelling import loosened
from tests.engines import examples

NOW = datetime(2020, 9, 16, 12, tzinfo=UTC)
ZONE = ZoneInfo("Europe/Vienna")


def read(text: str) -> Parsed:
    return parse(text, now=NOW, zone=ZONE)


def error_of(text: str) -> QueryError | None:
    try:
        read(text)
    except QueryError as error:
        return error
    return None


def outline(node: tree.Node) -> str:
    """The outline in one line: a dot for each step down."""
    rows = tree.outline(node).split("\n")
    dotted = ["·" * ((len(row) - len(row.lstrip())) // 2) + row.lstrip() for row in rows]
    return " ".join(dotted).replace("+00:00", "Z")


CHEATSHEET = {
    "border management": "Best ·Word border ·Word management",
    '"silk routes"': 'Phrase "silk routes"',
    '"voluntary return"~2': 'Phrase "voluntary return"~2',
    '"IBM"': 'Word "IBM"',
    "econom*": "Wildcard econom*",
    "trafiking~": "Fuzzy trafiking~1",
    "/colou?r/": "Regex /colou?r/",
    "border -ukraine": "And ·Word border ·Not ··Word ukraine",
    "+border guards": "Best ·+Word border ·Word guards",
    'ibm "silk routes"': 'Best ·+Phrase "silk routes" ·Word ibm',
    "turkey OR greece": "Or ·Word turkey ·Word greece",
    "visa AND (permit OR permission)": "And ·Word visa ·Or ··Word permit ··Word permission",
    "visa NOT schengen": "And ·Word visa ·Not ··Word schengen",
    "turkey OR (greece -crete)": "Or ·Word turkey ·And ··Word greece ··Not ···Word crete",
    "@ai": "Word @ai",
    "title:ibm": "Word title:ibm",
    "title:(turkey OR ghana)": "Or ·Word title:turkey ·Word title:ghana",
    "feed:icmpd": "Word feed:icmpd",
    'author:"Jane Doe"': 'Phrase author:"Jane Doe"',
    "tag:migration": "Word tag:migration",
    "link:icmpd.org": "Word link:icmpd.org",
    "lang:en": "Word lang:en",
    "is:updated": "Flag updated",
    "has:enclosure": "Flag enclosure",
    "date:2020-08": "DateRange 2020-07-31T22:00:00Z .. 2020-08-31T22:00:00Z",
    "date:2020-08-01..2020-08-20": "DateRange 2020-07-31T22:00:00Z .. 2020-08-20T22:00:00Z",
    "date:>2020": "DateRange 2020-12-31T23:00:00Z .. …",
    "after:2020-08-15": "DateRange 2020-08-14T22:00:00Z .. …",
    "since:last week": "DateRange 2020-09-06T22:00:00Z .. …",
    "newer:3d": "DateRange 2020-09-13T12:00:00Z .. …",
    "older:2y": "DateRange … .. 2018-09-16T12:00:00Z",
}


def test_cheatsheet_is_expected_whole() -> None:
    examples = [example for _, rows in cheatsheet.GROUPS for example, _ in rows]
    assert examples == list(CHEATSHEET)


@pytest.mark.parametrize(("text", "expected"), CHEATSHEET.items())
def test_cheatsheet(text: str, expected: str) -> None:
    parsed = read(text)
    assert outline(parsed.node) == expected
    assert not parsed.notes


# Text, outline, and what each note has to say.
FORGIVEN: tuple[tuple[str, ...], ...] = (
    ("c++", "Word c++"),
    ("C#", "Word C#"),
    ("R", "Word R"),
    (".NET", "Word .NET"),
    ('"to be or not to be"', 'Phrase "to be or not to be"'),
    ("東京", "Word 東京"),
    ("-bereal", "Not ·Word bereal"),
    ("multi-agent", "Word multi-agent"),
    ("covid 19", "Best ·Word covid ·Word 19"),
    ("breeder's and", "Best ·Word breeder's ·Word and"),
    ("title:", "Word title:", "has nothing behind it"),
    ("title: ibm", "Best ·Word title: ·Word ibm", "has nothing behind it"),
    ("(", "Everything", "bracket is not closed", "nothing to search for"),
    (")", "Everything", "nothing to search for"),
    ("()", "Everything", "nothing to search for"),
    ('"unclosed', 'Word "unclosed"', "quote is not closed"),
    ("a AND", "Best ·Word a ·Word AND", "has nothing to join"),
    ("AND a", "Best ·Word AND ·Word a", "has nothing to join"),
    ("a AND OR b", "Or ·Best ··Word a ··Word AND ·Word b", "has nothing to join"),
    ("NOT", "Word NOT", "has nothing to join"),
    ("NOT NOT a", "And ·Word NOT ·Not ··Word a", "has nothing to join"),
    ("- a", "Word a"),
    ("--a", "Not ·Word a", "read as a minus"),
    ("*", "Everything", "stands for every entry"),
    ("**", "Everything", "stands for every entry"),
    ("?", "Everything", "nothing to search for"),
    ("what is ibm?", "Best ·Word what ·Word is ·Word ibm?"),
    ("10:30", "Word 10:30"),
    ("Note:this", "Word Note:this"),
    ("re: hello", "Best ·Word re: ·Word hello"),
    ("https://example.org/x?a=b", "Word https://example.org/x?a=b"),
    ("C:\\dir", "Word C:\\dir"),
    ("std::vector", "Word std::vector"),
    ("Project News:IBM", "Best ·Word Project ·Word News:IBM"),
    ("/etc/passwd", "Word /etc/passwd"),
    ("a/b", "Word a/b"),
    ("word~", "Fuzzy word~1"),
    ("word~2", "Fuzzy word~2"),
    ("word~9", "Fuzzy word~2", "two typing mistakes"),
    ("~/home", "Word ~/home"),
    ('"a b"~3', 'Phrase "a b"~3'),
    ('title:"x y"', 'Phrase title:"x y"'),
    ("title:(a OR -b)", "Or ·Word title:a ·Not ··Word title:b"),
    ("-title:x", "Not ·Word title:x"),
    ("+a b", "Best ·+Word a ·Word b"),
    ("a +b", "Best ·+Word b ·Word a"),
    ("+a +b", "And ·Word a ·Word b"),
    ("+a +b c", "Best ·+Word a ·+Word b ·Word c"),
    ("+(a b) c", "Best ·+Best ··Word a ··Word b ·Word c"),
    ("+a b -c", "And ·Best ··+Word a ··Word b ·Not ··Word c"),
    ("ibm title:x", "Best ·+Word title:x ·Word ibm"),
    ("ibm /x+/ econom*", "Best ·+Regex /x+/ ·Word ibm ·Wildcard econom*"),
    ("ibm feed:x", "And ·Word ibm ·Word feed:x"),
    ("ibm silk feed:x", "And ·Best ··Word ibm ··Word silk ·Word feed:x"),
    (
        'ibm "a b" is:updated -c',
        'And ·Best ··+Phrase "a b" ··Word ibm ·Flag updated ·Not ··Word c',
    ),
    ("&&", "Everything", "has nothing to join", "nothing to search for"),
    ("||", "Everything", "has nothing to join", "nothing to search for"),
    ("link:https://en.example/wiki/X_(y)", "Word link:https://en.example/wiki/X_(y)"),
    ("(feed:a OR feed:b)", "Or ·Word feed:a ·Word feed:b"),
    ("tag:c++", "Word tag:c++"),
    ("title:econom*", "Wildcard title:econom*"),
    ("title:word~", "Fuzzy title:word~1"),
    ("tag:mach*", "Wildcard tag:mach*"),
    ("“a b” „c d” «e f»", 'And ·Phrase "a b" ·Phrase "c d" ·Phrase "e f"'),
    (
        "a –b —c −d",
        "And ·Word a ·Not ··Word b ·Not ··Word c ·Not ··Word d",
        "–b: the dash is read as a minus",
        "—c: the dash is read as a minus",
    ),
    ("title:—(a b)", "Not ·Best ··Word title:a ··Word title:b", "—(a: the dash is read"),
    ("（ａ ＯＲ ｂ） title：ｘ", "And ·Or ··Word ａ ··Word ｂ ·Word title:ｘ"),
    ("＂ａ\u3000ｂ＂", 'Phrase "ａ\u3000ｂ"'),
    ("＋ａ ｂ", "Best ·+Word ａ ·Word ｂ"),
    ("－ａ ｂ～ ｃ＊", "And ·Best ··Fuzzy ｂ~1 ··Wildcard c* ·Not ··Word ａ"),
    ("a\u3000b", "Best ·Word a ·Word b"),
    ('foo"bar baz"qux', 'Best ·Word foo"bar ·Word baz"qux'),
    ('5"disk 3"', 'Best ·Word 5"disk ·Word 3"'),
    ('title:foo"bar', 'Word title:foo"bar'),
    ("date:>2020", "DateRange 2020-12-31T23:00:00Z .. …"),
    ("date:2020-08-15..", "DateRange 2020-08-14T22:00:00Z .. …"),
    ("after:2020", "DateRange 2019-12-31T23:00:00Z .. …"),
    ('"aug 2020"', 'Phrase "aug 2020"'),
    ("date:15.08.2020", "DateRange 2020-08-14T22:00:00Z .. 2020-08-15T22:00:00Z"),
    ("since:3d", "DateRange 2020-09-13T12:00:00Z .. …"),
    ("after:3d", "DateRange 2020-09-13T12:00:00Z .. …"),
    ("newer:2weeks", "DateRange 2020-09-02T12:00:00Z .. …"),
    ("older:1y6m", "DateRange … .. 2019-03-16T13:00:00Z"),
    ("-(a b)", "Not ·Best ··Word a ··Word b"),
    ("-(a OR b) c", "And ·Word c ·Not ··Or ···Word a ···Word b"),
    ("NOT (a b)", "Not ·Best ··Word a ··Word b"),
    ("title:-x", "Not ·Word title:x"),
    ("title:+x", "Word title:x"),
    ("title:NOT", "Word title:NOT"),
    ("a AND NOT b", "And ·Word a ·Not ··Word b"),
    ("a OR NOT b", "Or ·Word a ·Not ··Word b"),
    ("a OR -b", "Or ·Word a ·Not ··Word b"),
    ("-a OR -b", "Or ·Not ··Word a ·Not ··Word b"),
    ("a and b or c", "Best ·Word a ·Word and ·Word b ·Word or ·Word c"),
    ("title:(a b", "Best ·Word title:a ·Word title:b", "bracket is not closed"),
    ("title:(a b) c)", "Best ·+Best ··Word title:a ··Word title:b ·Word c"),
    ("title:(a -b) c", "And ·Best ··+Word title:a ··Word c ·Not ··Word title:b"),
    ("tag:(a b) c", "And ·Word c ·Best ··Word tag:a ··Word tag:b"),
    ("tag:(a AND b) c", "And ·Word c ·Word tag:a ·Word tag:b"),
    ('tag:("a b" c)', 'Best ·Phrase tag:"a b" ·Word tag:c'),
    ("tag:(a -b) c", "And ·Word c ·Word tag:a ·Not ··Word tag:b"),
    ("lang:(en de) x", "And ·Word x ·Best ··Word lang:en ··Word lang:de"),
    ("title:(a AND b c)", "Best ·+Word title:a ·+Word title:b ·Word title:c"),
    ("tag:(a AND b c) d", "And ·Word d ·Best ··+Word tag:a ··+Word tag:b ··Word tag:c"),
    ("(a) (b)", "Best ·Word a ·Word b"),
    ("((((a))))", "Word a"),
    ('-"a b"', 'Not ·Phrase "a b"'),
    ('+"a b"', 'Phrase "a b"'),
    ("a AND b c", "Best ·+Word a ·+Word b ·Word c"),
    ("a b AND c d", "Best ·+Word b ·+Word c ·Word a ·Word d"),
    ("a AND b AND c", "And ·Word a ·Word b ·Word c"),
    ("a AND b c AND d e", "Best ·+Word a ·+Word b ·+Word c ·+Word d ·Word e"),
    ("(a b) AND c d", "Best ·+Best ··Word a ··Word b ·+Word c ·Word d"),
    ("a AND feed:x b", "And ·Best ··+Word a ··Word b ·Word feed:x"),
    ("a AND -b c", "And ·Best ··+Word a ··Word c ·Not ··Word b"),
    ("a AND () b", "Best ·+Word a ·Word b"),
    ("a AND * b", "Best ·+Word a ·Word b", "stands for every entry"),
    ("(a AND b) c", "Best ·+Word a ·+Word b ·Word c"),
    ("a OR b AND c", "Or ·Word a ·And ··Word b ··Word c"),
    ("a OR b c AND d", "Or ·Word a ·Best ··+Word c ··+Word d ··Word b"),
    ("a OR (b OR (c OR d))", "Or ·Word a ·Word b ·Word c ·Word d"),
    ("(migrant OR refugee) camp", "Best ·+Or ··Word migrant ··Word refugee ·Word camp"),
    ("(a OR b) AND (c OR d)", "And ·Or ··Word a ··Word b ·Or ··Word c ··Word d"),
    ("ibm (business machines) news", "Best ·Word ibm ·Word business ·Word machines ·Word news"),
    ("a OR b -c", "And ·Or ··Word a ··Word b ·Not ··Word c", "-c: left out on both sides"),
    ("-c a OR b", "And ·Or ··Word a ··Word b ·Not ··Word c", "-c: left out"),
    (
        "a NOT (c d) OR b",
        "And ·Or ··Word a ··Word b ·Not ··Best ···Word c ···Word d",
        "NOT (c d): left out on both sides",
    ),
    (
        "a -c OR b -c -d",
        "And ·Or ··Word a ··Word b ·Not ··Word c ·Not ··Word c ·Not ··Word d",
        "-c, -d: left out on both sides",
    ),
    ("a OR -b -c", "Or ·Word a ·And ··Not ···Word b ··Not ···Word c"),
    ("a OR (b -c)", "Or ·Word a ·And ··Word b ··Not ···Word c"),
    ("a OR (-b)", "Or ·Word a ·Not ··Word b"),
    ("a OR b (-c)", "And ·Or ··Word a ··Word b ·Not ··Word c", "-c: left out"),
    (
        "a OR b (c -d)",
        "And ·Or ··Word a ··Best ···Word b ···Word c ·Not ··Word d",
        "-d: left out",
    ),
    ("* -b OR a", "And ·Or ··Everything ··Word a ·Not ··Word b", "every entry", "-b: left out"),
    (
        "(a OR b -c) d",
        "And ·Best ··+Or ···Word a ···Word b ··Word d ·Not ··Word c",
        "-c: left out",
    ),
    (
        "(a OR b -c) OR d",
        "Or ·And ··Or ···Word a ···Word b ··Not ···Word c ·Word d",
        "-c: left out",
    ),
    (
        "title:(a OR b -c)",
        "And ·Or ··Word title:a ··Word title:b ·Not ··Word title:c",
        "-c: left out",
    ),
    (
        "a date:2020 OR b",
        "Or ·And ··Word a ··DateRange 2019-12-31T23:00:00Z .. 2020-12-31T23:00:00Z ·Word b",
    ),
    ("word ~", "Word word"),
    ('"a b"~', 'Phrase "a b"'),
    ('""', "Everything", "is left out", "every entry shows"),
    ('"" a', "Word a", '"": it is left out'),
    ('a -"?!"', "Word a", '"?!": it is left out'),
    ('title:""', "Everything", "is left out", "every entry shows"),
    ('tag:"" a', "Word a", '"": it is left out'),
    ("title:()", "Everything", "nothing to search for"),
    ("NOT ()", "Everything", "nothing to search for"),
    ("-()", "Everything", "nothing to search for"),
    ("+()", "Everything", "nothing to search for"),
    ("- ", "Everything", "nothing to search for"),
    ("a -", "Word a"),
    ("a - b", "Best ·Word a ·Word b"),
    ("-*", "Not ·Everything", "stands for every entry"),
    ("title:*", "Everything", "stands for every entry"),
    ("tag:*", "Wildcard tag:*"),
    ("author:/x/", "Regex author:/x/"),
    (
        "date:(>2020 OR <2019)",
        "Or ·DateRange 2020-12-31T23:00:00Z .. … ·DateRange … .. 2018-12-31T23:00:00Z",
    ),
    ('date:"last week"', "DateRange 2020-09-06T22:00:00Z .. 2020-09-13T22:00:00Z"),
    ("since:last week", "DateRange 2020-09-06T22:00:00Z .. …"),
    ("id:abc", "Word id:abc"),
    ("lang:en_US", "Word lang:en-us"),
    ("lang:German", "Word lang:de"),
    ("a&b", "Word a&b"),
    ("AT&T", "Word AT&T"),
    ('is:"updated"', "Flag updated"),
    ("is:(updated)", "Flag updated"),
    ("title:is:updated", "Word title:is:updated"),
    ("title:author:x", "Word title:author:x"),
    ("-title:", "Not ·Word title:", "has nothing behind it"),
    ("+", "Everything", "nothing to search for"),
    ("++", "Everything", "nothing to search for"),
    ("c++ -c++", "And ·Word c++ ·Not ··Word c++"),
    ('"a" b', 'Best ·+Word "a" ·Word b'),
    ("'a b'", "Best ·Word 'a ·Word b'"),
    ("‘a b’", "Best ·Word ‘a ·Word b’"),
    ("/colou?r/", "Regex /colou?r/"),
    ("title:/x/", "Regex title:/x/"),
    ("/a b/", "Best ·Word /a ·Word b/"),
    ("/a b c/ d", "Best ·Word /a ·Word b ·Word c/ ·Word d"),
    ("a/b/ c", "Best ·Word a/b/ ·Word c"),
    ("link:/x/", "Regex link:/x/"),
    ("(a OR b)c", "Best ·+Or ··Word a ··Word b ·Word c"),
    ("a(b)", "Best ·Word a ·Word b"),
    ("f(x)", "Best ·Word f ·Word x"),
    ("foo) bar", "Best ·Word foo ·Word bar"),
    ("a OR", "Best ·Word a ·Word OR", "has nothing to join"),
    ("OR", "Word OR", "has nothing to join"),
    ("or", "Word or"),
    ("title:a OR b", "Or ·Word title:a ·Word b"),
    ("feed:a feed:b", "And ·Word feed:a ·Word feed:b"),
    ("date:2020-01-01T10:00", "DateRange 2020-01-01T09:00:00Z .. 2020-01-01T09:01:00Z"),
    ("😀", "Word 😀"),
    ("!!!", "Everything", "nothing to search for"),
    ("a,b", "Best ·Word a ·Word b"),
    ("one, two;three、四。", "Best ·Word one ·Word two ·Word three ·Word 四"),
    ("3,000 a,1", "Best ·Word 3,000 ·Word a ·Word 1"),
    ("-a,b", "Not ·Word a,b"),
    ("title:a,b", "Word title:a,b"),
    ("tag:a,", "Word tag:a"),
    ("https://example.org/a,b;c", "Word https://example.org/a,b;c"),
    (",", "Everything", "nothing to search for"),
    ("tag:,", "Word tag:,"),
    ("since:15 aug, 2020, ibm", "And ·Word ibm ·DateRange 2020-08-14T22:00:00Z .. …"),
    ("after:2020-08-15, ibm", "And ·Word ibm ·DateRange 2020-08-14T22:00:00Z .. …"),
    ("site:icmpd.org", "Word link:icmpd.org"),
    ("e-mail", "Word e-mail"),
    ("x -- y", "Best ·Word x ·Word y"),
    ('"x" -- y', 'Best ·+Word "x" ·Word y'),
    ("foo:-bar", "Word foo:-bar"),
    ("foo:bar", "Word foo:bar"),
    ("author:jane doe", "And ·Word doe ·Word author:jane"),
    ('since:"3 days', "DateRange 2020-09-13T12:00:00Z .. …", "quote is not closed"),
    ("word~0", 'Word "word"'),
    ("「東京 大阪」", 'Phrase "東京 大阪"'),
    ("(date:2020) ibm", "And ·Word ibm ·DateRange 2019-12-31T23:00:00Z .. 2020-12-31T23:00:00Z"),
    ("(feed:a OR feed:b) ibm", "And ·Word ibm ·Or ··Word feed:a ··Word feed:b"),
    ('("x" OR "y") z', 'Best ·+Or ··Word "x" ··Word "y" ·Word z'),
    ("(a -b) c", "And ·Best ··Word a ··Word c ·Not ··Word b"),
    ("(-b) c", "And ·Word c ·Not ··Word b"),
    ("title:(a (b c))", "Best ·Word title:a ·Word title:b ·Word title:c"),
    ("a * b", "Best ·Word a ·Word b", "stands for every entry"),
    ("* *", "Everything", "stands for every entry"),
    ("* -b", "Not ·Word b", "stands for every entry"),
    (
        "date:2020-08-15 10:30",
        "DateRange 2020-08-15T08:30:00Z .. 2020-08-15T08:31:00Z",
        "is read as one date",
    ),
    (
        "date:1 aug 2020 .. 20 aug 2020 ibm",
        "And ·Word ibm ·DateRange 2020-07-31T22:00:00Z .. 2020-08-20T22:00:00Z",
    ),
    ("since:last week ibm", "And ·Word ibm ·DateRange 2020-09-06T22:00:00Z .. …"),
    ("newer:3 days ibm", "And ·Word ibm ·DateRange 2020-09-13T12:00:00Z .. …"),
    (
        "after:2020 may elections",
        "And ·Word elections ·DateRange 2020-04-30T22:00:00Z .. …",
        "is read as one date",
    ),
    ("example.org/x?a=b", "Word example.org/x?a=b"),
    ("/*", "Everything", "nothing to search for"),
    ("(link:https://x/X_(y))", "Word link:https://x/X_(y)"),
    ("feed:a) b", "And ·Word b ·Word feed:a"),
    ("\u200btitle:ibm", "Word title:ibm"),
    ("tag:-x", "Not ·Word tag:x"),
    ("title:-(a b)", "Not ·Best ··Word title:a ··Word title:b"),
    ("id:ab*", "Word id:ab"),
    ("lang:en*", "Word lang:en"),
    ("author:doe~", "Fuzzy author:doe~1"),
    ("test:foo", "Word test:foo"),
    ("data:x", "Word data:x"),
    (":-)", "Everything", "nothing to search for"),
    ("x  (", "Word x", "bracket is not closed"),
    ("wom?n", "Wildcard wom?n"),
    ("**bold**", "Wildcard **bold**"),
    ("R&D", "Word R&D"),
    ('the "quick" fox', 'Best ·+Word "quick" ·Word the ·Word fox'),
    ("-title:-x", "Not ·Word title:x"),
    ("+title:-x", "Not ·Word title:x"),
    ("NOT -a", "Word a"),
    ("feed：ｉｃｍｐｄ", "Word feed:icmpd"),
    ("", "Everything"),
    (" \n ", "Everything"),
)


@pytest.mark.parametrize(("text", "expected", "notes"), [(a, b, c) for a, b, *c in FORGIVEN])
def test_forgiving(text: str, expected: str, notes: list[str]) -> None:
    parsed = read(text)
    assert outline(parsed.node) == expected
    assert len(parsed.notes) == len(notes)
    for said, wanted in zip(parsed.notes, notes, strict=True):
        assert wanted in said
    check_spans(text, parsed.node)


@pytest.mark.parametrize(
    "text", ["order:5", "never:again", "form:x", "hash:ab12", "ext:pdf", "folder:inbox", "data:x"]
)
def test_words_that_look_like_fields_are_natural_text(text: str) -> None:
    assert read(text) == read(f"{text} ")
    assert outline(read(text).node) == f"Word {text}"


@pytest.mark.parametrize("text", ["東京？大阪", "東京?大阪", "どこ？ここ"])
def test_a_question_mark_between_sentences_is_no_pattern(text: str) -> None:
    assert outline(read(text).node) == f"Word {text}"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("link:https://x.example/*", "Word link:https://x.example/"),
        ("link:*/news/*", "Word link:/news/"),
        ("feed:https://x.example*", "Word feed:https://x.example"),
        ("feed:icm*", "Wildcard feed:icm*"),
        ("link:icm*", "Wildcard link:icm*"),
    ],
)
def test_a_part_of_an_address_needs_no_star(text: str, expected: str) -> None:
    assert outline(read(text).node) == expected


def test_an_expression_that_python_finds_doubtful_warns_nobody() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert outline(read("/[[a]x+/").node) == "Regex /[[a]x+/"


@pytest.mark.parametrize("name", [*FIELDS, *ALIASES, "Title", "DATE", "ｔｉｔｌｅ"])
def test_every_field_name_is_known(name: str) -> None:
    values = {"is": "updated", "has": "enclosure", "lang": "en", "language": "en"}
    field = fields.resolve(plain(name))
    dated = field in fields.DATES
    text = f"{name}:{'2020' if dated else values.get(name, 'x')}"
    (leaf, negated), *rest = tree.leaves(read(text).node)
    assert not rest
    assert not negated
    if dated:
        assert isinstance(leaf, tree.DateRange)
    elif name in ("is", "has"):
        assert isinstance(leaf, tree.Flag)
    else:
        assert isinstance(leaf, tree.Word)
        assert leaf.field == field


@pytest.mark.parametrize(
    ("text", "wrong", "reason", "suggestion"),
    [
        ("date:garbage", "garbage", "is neither a date nor an age", ""),
        ("x date:2020-13 y", "2020-13", "no month 13", "2020-12"),
        ("date:2021-02-30", "2021-02-30", "February 2021 has no day 30", "2021-02-28"),
        ("date:2020-10..2020-08", "2020-10..2020-08", "ends before", "2020-08..2020-10"),
        ("date:2020-09..2020-08", "2020-09..2020-08", "ends before", "2020-08..2020-09"),
        (
            "date:2020-08-02..2020-08-01",
            "2020-08-02..2020-08-01",
            "ends before",
            "2020-08-01..2020-08-02",
        ),
        (
            "date:2020-08-15T10:00Z..2020-08-15T11",
            "2020-08-15T10:00Z..2020-08-15T11",
            "ends before",
            "2020-08-15T11..2020-08-15T10:00Z",
        ),
        ("date:..", "..", "one side", ""),
        ("date:15/08/2020", "15/08/2020", "neither a date", "2020-08-15"),
        ("date:2020-2021", "2020-2021", "neither a date", "2020..2021"),
        ("since:yesterdya", "yesterdya", "neither a date", "yesterday"),
        ("since:last weak", "last", "neither a date", "last year"),
        ('until:"last weak"', '"last weak"', "neither a date", "last week"),
        ("newer:soon", "soon", "neither a date nor an age", ""),
        ("newer:3", "3", "neither a date nor an age", "3d"),
        ("date:/x/", "/x/", "neither a date", ""),
        ("date:2020-Q5", "2020-Q5", "no quarter 5", "2020-Q4"),
        ("date:9999-w52", "9999-w52", "out of range", ""),
        ("date:9999-q4", "9999-q4", "out of range", ""),
        ("date:0000", "0000", "out of range", ""),
        ("date:0001-w01", "0001-w01", "out of range", ""),
        ("older:9999y", "9999y", "out of range", ""),
        ("border tilte:ibm", "tilte", "no field 'tilte'", "title"),
        ("-tilte:ibm", "tilte", "no field 'tilte'", "title"),
        ("ｔｉｌｔｅ：ibm", "ｔｉｌｔｅ", "no field 'tilte'", "title"),
        ("autor:x", "autor", "no field 'autor'", "author"),
        ("/[/", "/[/", "not a regular expression", ""),
        ("title:/(?L)x/", "/(?L)x/", "not a regular expression", ""),
        (f"/{'a' * 201}/", f"/{'a' * 201}/", "at most 200", ""),
        ("lang:klingon!", "klingon!", "is not a language", ""),
        ("lang:englisch", "englisch", "is not a language", "english"),
        ("is:foo", "foo", "no is:foo", "updated"),
        ("-has:updated", "updated", "no has:updated", "enclosure"),
        ("date:2020-13..2021", "2020-13", "no month 13", "2020-12"),
        ("date:2020..2021-02-30 x", "2021-02-30", "has no day 30", "2021-02-28"),
        ('date:"2020 .. yesterdya"', "yesterdya", "neither a date", "yesterday"),
        ("date:>yesterdya", "yesterdya", "neither a date", "yesterday"),
        ("date:>", ">", "neither a date", ""),
        ("date:202008", "202008", "neither a date", "2020-08"),
        ("date:20200230", "20200230", "has no day 30", "2020-02-29"),
        ("a -(b " * 60, "b a", "brackets nest too deep", ""),
    ],
)
def test_errors(text: str, wrong: str, reason: str, suggestion: str) -> None:
    with pytest.raises(QueryError) as caught:
        read(text)
    error = caught.value
    assert error.query == text
    assert text[error.start : error.end] == wrong
    assert reason in error.reason
    assert error.suggestion == suggestion


@pytest.mark.parametrize(
    ("text", "carets"),
    [
        ("ibm date:garbage", "         ^^^^^^^"),
        ("東京 date:garbage x", "          ^^^^^^^"),
        ("ｔｉｌｔｅ：ibm", "^^^^^^^^^^"),
        ("cafe\u0301 tilte:x", "     ^^^^^"),
        ("❤\ufe0f tilte:x", "  ^^^^^"),
        ('date:""', "     ^^"),
        ("date:昨日", "     ^^^^"),
    ],
)
def test_caret(text: str, carets: str) -> None:
    with pytest.raises(QueryError) as caught:
        read(text)
    assert caret(caught.value).split("\n") == [text, carets]


@pytest.mark.parametrize("before", [0, 30, 500])
@pytest.mark.parametrize("wrong", [1, 100])
@pytest.mark.parametrize("behind", [0, 30, 500])
def test_caret_shows_the_surroundings_in_a_long_query(before: int, wrong: int, behind: int) -> None:
    query = "東" * before + "date:" + "x" * wrong + "京" * behind
    error = QueryError(query, before + 5, before + 5 + wrong, "wrong")
    first, second = caret(error).splitlines()
    widths = [2 if east_asian_width(each) == "W" else 1 for each in first]
    assert sum(widths) <= WIDEST
    assert "…" in first or first == query
    columns = [sum(widths[:at]) for at in range(len(first))]
    marked = "".join(
        each
        for each, column in zip(first, columns, strict=True)
        if second[column : column + 1] == "^"
    )
    assert marked in ("x" * wrong, "x" * (WIDEST // 2 - 1) + "…")


def test_caret_keeps_to_two_lines_without_controls() -> None:
    text = "a\n\x1b[31m\u2028\u202e\x85 tilte:x"
    with pytest.raises(QueryError) as caught:
        read(text)
    query, carets = caret(caught.value).splitlines()
    assert query == "a  [31m    tilte:x"
    assert carets == " " * query.index("tilte") + "^^^^^"


def test_suggestions_are_right() -> None:
    """What an error suggests can be put in the place that is wrong."""
    for text in ("date:2020-13", "date:2020-10..2020-08", "tilte:ibm", "lang:englisch", "is:foo",
                 "newer:3", "date:15/08/2020", "date:2020-2021", "since:yesterdya"):  # fmt: skip
        with pytest.raises(QueryError) as caught:
            read(text)
        error = caught.value
        assert error.suggestion
        assert not read(text[: error.start] + error.suggestion + text[error.end :]).notes


def test_titles_of_feeds_are_natural_text(fixtures: Path) -> None:
    titles = {
        entry["title"]
        for file in fixtures.glob("*.expected.json")
        for entry in json.loads(file.read_text("utf-8"))["entries"]
        if entry.get("title")
    }
    assert len(titles) > 20
    for title in titles:
        assert any(isinstance(leaf, tree.Word) for leaf, _ in tree.leaves(read(title).node))


def test_only_the_beginning_of_a_long_text_is_read() -> None:
    parsed = read("a " * LONGEST)
    assert len(list(tree.leaves(parsed.node))) == LONGEST // 2
    assert parsed.notes == ("Only the first 10,000 characters of the query are read.",)


@pytest.mark.parametrize(
    "piece",
    ["(", ")", "()", '"', "-", "+", "--(", "title:", "title:-", "title:(", "a AND ", "NOT ", "OR ",
     "a", "a ", "a~", "~", "?", "a?", "*", "/", "/(", "/a", "\\", "link:(", "link:(a ", "tag:a*",
     "date:1d a a a a a a ", "date:1d ", "date:2020..", "&&", "a OR ", '"a" ', "(a ", "x:", "東",
     "東 ", "é", "’", "。", "1h", "-(a) ", "a" + "\u0301" * 3, ",", "a,", "+(a", "-(a ", "(a -b ",
     "(a OR b -c ", "a OR (", "a AND (", "(a OR ", "-(", "+(tag:a ", "tag:(a ", "—a "],
)  # fmt: skip
@pytest.mark.parametrize("before", ["", "date:"])
def test_time_and_depth_are_bounded(piece: str, before: str) -> None:
    for length in (LONGEST, 100_000):
        text = (before + piece * length)[:length] + "!"
        # Far above what it takes (0.3 s at most): what grows faster than the text takes minutes.
        start = time.process_time()
        try:
            node = read(text).node
        except QueryError:
            continue
        finally:
            assert time.process_time() - start < 5
        rows = tree.outline(node).split("\n")
        assert max(len(row) - len(row.lstrip()) for row in rows) < 2 * DEEPEST


# Properties

NAMES = [*FIELDS, "Title", "tilte", "note", "http"]
PIECES = st.sampled_from(
    [*(f"{name}:" for name in NAMES), *'()"-+~*?/:.,\'“”–—（：＂　', " ", "  ", "AND", "OR", "NOT",
     "&&", "||", "a", "b", "c++", "東京", "2020", "2020-08", "..", "3d", "last week", "updated",
     "enclosure", "en", "/x/", '"a b"', "~2", "https://x.org/(y)?z", "and", "\u0301", "\n"]
)  # fmt: skip
TEXTS = st.one_of(
    st.text(st.characters(exclude_categories=())),
    st.lists(PIECES, max_size=14).map("".join),
    st.lists(PIECES, max_size=14).map(" ".join),
)


def check_spans(text: str, node: tree.Node) -> None:
    for leaf, _ in tree.leaves(node):
        assert 0 <= leaf.span.start <= leaf.span.end <= len(text)
        source = plain(text[leaf.span.start : leaf.span.end])
        match leaf:
            case tree.Word(said, "lang"):
                names = [name for name, tag in fields.LANGUAGES.items() if tag == said]
                written = source.casefold().replace("_", "-")
                assert any(each in written for each in [said, *names])
            case tree.Word(said) | tree.Phrase(said) | tree.Fuzzy(said):
                assert plain(said) in source
            case tree.Wildcard(said) | tree.Regex(said):
                assert said in source
            case tree.DateRange() | tree.Flag():
                assert source.strip()


@given(TEXTS)
@settings(max_examples=examples(300, long=1500), deadline=None)
def test_any_text(text: str) -> None:
    error = error_of(text)
    if error is not None:
        assert error.query == text
        assert 0 <= error.start < error.end <= len(text)
        assert error.reason
        assert len(caret(error).splitlines()) == 2
        assert repr(error_of(text)) == repr(error)
        return
    parsed = read(text)
    assert parsed == read(text)
    check_spans(text, parsed.node)
    for leaf, _ in tree.leaves(parsed.node):
        assert not isinstance(leaf, tree.Word) or leaf.text
    if not text.strip():
        assert parsed == Parsed(tree.Everything(parsed.node.span))


@given(st.text(), st.text())
@settings(max_examples=200, deadline=None)
def test_typographic_forms_are_as_long_as_plain_ones(one: str, other: str) -> None:
    assert len(plain(one)) == len(one)
    assert plain(one + other) == plain(one) + plain(other)
    assert plain(plain(one)) == plain(one)


PLAIN_WORDS = st.lists(
    st.text(st.characters(categories=("L", "M", "N")), min_size=1), min_size=1, max_size=8
)


@given(PLAIN_WORDS)
@settings(max_examples=300, deadline=None)
def test_plain_words_are_words(words: list[str]) -> None:
    text = " ".join(words)
    assume(not {"AND", "OR", "NOT"} & set(plain(text).split()))
    node = read(text).node
    found = [leaf.text for leaf, _ in tree.leaves(node) if isinstance(leaf, tree.Word)]
    # A mark that stands on no letter is no word.
    assert [word for word in words if word in found] == found
    assert all(word in found for word in words if word[0].isalnum() and word.isascii())
    if len(found) > 1:
        assert isinstance(node, tree.Best)


def matches(node: tree.Node, words: AbstractSet[str]) -> bool:
    """Whether an entry that is a set of words matches."""
    match node:
        case tree.Not(child):
            return not matches(child, words)
        case tree.And(children):
            return all(matches(child, words) for child in children)
        case tree.Best(children, required) if required:
            return all(matches(child, words) for child in children[:required])
        case tree.Best(children) | tree.Or(children):
            return any(matches(child, words) for child in children)
        case tree.Everything():
            return True
        case tree.Word(text):
            return text in words
        case tree.Phrase(text):
            return set(text.split()) <= words
    raise AssertionError(node)


@pytest.mark.parametrize("text", ["(", "((a ", "(a ", "a (b c) (", "+(a ", "a OR ("])
def test_brackets_that_say_nothing_nest_as_deep_as_one_likes(text: str) -> None:
    words = {leaf.text for leaf, _ in tree.leaves(read(text).node) if isinstance(leaf, tree.Word)}
    parsed = read(text * 1000 + "x")
    assert {
        leaf.text for leaf, _ in tree.leaves(parsed.node) if isinstance(leaf, tree.Word)
    } == words | {"x"}
    assert parsed.notes == ("A bracket is not closed, so the group runs to the end.",)


def test_what_is_required_stays_so_with_typing_mistakes() -> None:
    node = loosened(read("+border guards -ukraine").node)
    assert outline(node) == (
        "And ·Best ··+Or ···Word border ···Fuzzy border~2 "
        "··Or ···Word guards ···Fuzzy guards~2 ·Not ··Word ukraine"
    )


EXCLUDED = [
    "-{}", "--{}", "–{}", "－{}", "NOT {}", "-({})", "NOT ({} OR a)", '-"{}"', 'NOT "{}"', "(-{})",
    "-(a {})", "(NOT {})", "((-{}))", "-body:{}", "body:-{}", "-body:({})", "body:(-{})",
]  # fmt: skip
WANTED = [
    "a",
    "b",
    "c",
    "+d",
    '"a"',
    '"a b"',
    "(a OR b)",
    "(a b)",
    "AND",
    "(",
    ")",
    "",
    "*",
    "body:a",
]


@given(
    st.lists(st.sampled_from(WANTED), max_size=5),
    st.lists(st.sampled_from(EXCLUDED), min_size=1, max_size=3),
    st.randoms(use_true_random=False),
    st.sets(st.sampled_from("abcd")),
)
@settings(max_examples=examples(150, long=500), deadline=None)
def test_what_is_excluded_never_matches(
    wanted: list[str], excluded: list[str], random: Random, words: set[str]
) -> None:
    pieces = [*wanted, *(form.format(f"x{at}") for at, form in enumerate(excluded))]
    random.shuffle(pieces)
    node = read(" ".join(pieces)).node
    held = {(leaf.text, negated) for leaf, negated in tree.leaves(node)
            if isinstance(leaf, tree.Word | tree.Phrase)}  # fmt: skip
    for at in range(len(excluded)):
        assert (f"x{at}", True) in held
        assert (f"x{at}", False) not in held
        if "(" not in wanted:  # one that is left open takes what follows into its group
            assert not matches(node, {*words, f"x{at}"})


@dataclass(frozen=True)
class Piece:
    """A part of a query that is made up, and what it excludes; ``bare`` if it is nothing else."""

    text: str
    excludes: bool = False
    bare: bool = False


VOCABULARY = "abcd"
"""Of these words a query of the next test is made."""

INNER = [
    *(Piece(sign + word) for word in VOCABULARY for sign in ("", "", "+")),
    *(Piece(f"-{word}", excludes=True, bare=True) for word in VOCABULARY),
    *(Piece(f"NOT {word}", excludes=True, bare=True) for word in VOCABULARY),
]


@st.composite
def bracketed(draw: st.DrawFn, within: st.SearchStrategy[Piece]) -> Piece:
    """A query of ``within`` in brackets, no exclusion of which is what an OR is given to choose."""
    clauses = st.lists(within, min_size=1, max_size=4)
    pieces = draw(st.lists(clauses, min_size=1, max_size=3))
    if len(pieces) > 1:
        pieces = [
            branch
            for branch in pieces
            if not (
                all(piece.bare for piece in branch) or (len(branch) == 1 and branch[0].excludes)
            )
        ] or pieces[:1]
    branches: list[str] = []
    for branch in pieces:
        text = branch[0].text
        for piece in branch[1:]:
            text += draw(st.sampled_from([" ", " ", " AND "])) + piece.text
        branches.append(text)
    flat = [piece for branch in pieces for piece in branch]
    return Piece(
        f"({' OR '.join(branches)})",
        any(piece.excludes for piece in flat),
        all(piece.bare for piece in flat),
    )


QUERIES = bracketed(st.recursive(st.sampled_from(INNER), bracketed, max_leaves=8))
ENTRIES = [{*held, "x"} for count in range(5) for held in combinations(VOCABULARY, count)]


@given(QUERIES)
@settings(max_examples=examples(150, long=500), deadline=None)
def test_no_branch_lets_in_what_another_excludes(query: Piece) -> None:
    text = query.text[1:-1]
    node = read(text).node
    excluded = set(re.findall(r"(?:-|NOT )(\w)", text))
    for held in ENTRIES:
        assert not (matches(node, held) and excluded & held)


@given(
    st.lists(st.sampled_from("abc"), max_size=4), st.lists(st.sampled_from("abc"), max_size=4)
)  # fmt: skip
@settings(max_examples=100, deadline=None)
def test_and_requires_its_two_neighbours_and_no_other(before: list[str], behind: list[str]) -> None:
    node = read(" ".join([*before, "x", "AND", "y", *behind])).node
    for held in ENTRIES:
        assert not matches(node, held)
    assert matches(node, {"x", "y"})


@given(st.sets(st.sampled_from("abcde")), st.sets(st.sampled_from("abcde")))
def test_bare_words_match_any(wanted: set[str], words: set[str]) -> None:
    assume(wanted)
    assert matches(read(" ".join(sorted(wanted))).node, words) == bool(wanted & words)


def test_a_sentence_in_capitals_has_no_operators() -> None:
    text = "MATHEMATICAL ANALYSIS AND DESIGN DETAILS OF WAVEGUIDES"
    parsed = parse(text)
    assert type(parsed.node).__name__ == "Best"
    assert "Word AND" in outline(parsed.node)
    assert parsed.notes == ("All of it is in capitals, so AND is read as a word.",)
    assert type(parse("IBM AND TURKEY").node).__name__ == "And"
    assert "Not" in outline(parse("migration and integration in turkey NOT syria at all").node)


def test_quotes_in_pairs_hold_other_quotes() -> None:
    assert (
        outline(parse('「マイ・ヘヴン("My Heaven")」').node) == 'Phrase "マイ・ヘヴン("My Heaven")"'
    )
    assert outline(parse("“silk routes“").node) == 'Phrase "silk routes"'
