"""The names that may stand before a colon in a query."""

from __future__ import annotations

FIELDS: dict[str, str] = {
    "title": "words of the title",
    "body": "words of the text",
    "feed": "a part of the feed's title or address",
    "author": "words of an author's name",
    "tag": "a whole tag",
    "link": "a part of the link",
    "lang": "a language: en, pt-br",
    "id": "the start of an entry's id",
    "date": "a day, month or year, or a range: 2020-08..2020-10, >2020",
    "after": "from the start of a date on: 2020-08-15, monday, 3d",
    "before": "before the start of a date",
    "since": "from the start of a date on",
    "until": "to the end of a date",
    "newer": "at most so old: 3d, 2w, 6m, 1y",
    "older": "older than so much: 2y",
    "is": "updated: its text was changed after it was published",
    "has": "enclosure: it comes with a file",
}
"""Field → what stands behind its colon, in a line."""

ALIASES: dict[str, str] = {
    "subject": "title",
    "text": "body",
    "content": "body",
    "by": "author",
    "authors": "author",
    "from": "feed",
    "feeds": "feed",
    "tags": "tag",
    "category": "tag",
    "label": "tag",
    "url": "link",
    "links": "link",
    "site": "link",
    "language": "lang",
    "published": "date",
    "on": "date",
}
"""Another name for a field → the field."""

DATES = ("date", "after", "before", "since", "until", "newer", "older")
"""Fields whose value is a date or a length of time."""

LANGUAGES: dict[str, str] = {
    "arabic": "ar",
    "bulgarian": "bg",
    "catalan": "ca",
    "chinese": "zh",
    "czech": "cs",
    "danish": "da",
    "dutch": "nl",
    "english": "en",
    "finnish": "fi",
    "french": "fr",
    "german": "de",
    "greek": "el",
    "hebrew": "he",
    "hindi": "hi",
    "hungarian": "hu",
    "indonesian": "id",
    "italian": "it",
    "japanese": "ja",
    "korean": "ko",
    "norwegian": "no",
    "persian": "fa",
    "polish": "pl",
    "portuguese": "pt",
    "romanian": "ro",
    "russian": "ru",
    "spanish": "es",
    "swedish": "sv",
    "thai": "th",
    "turkish": "tr",
    "ukrainian": "uk",
    "vietnamese": "vi",
}
"""A language's name → its tag, which is the other way to write it."""

FLAGS: dict[tuple[str, str], str] = {
    ("is", "updated"): "updated",
    ("is", "edited"): "updated",
    ("has", "enclosure"): "enclosure",
    ("has", "enclosures"): "enclosure",
    ("has", "attachment"): "enclosure",
}
"""(field, value) → the flag of the query tree."""


ORDINARY = frozenset(
    (
        *("alter", "aster", "context", "dated", "dates", "form", "frog", "hash", "never", "neuer"),
        *("oder", "order", "sine", "singe", "side", "sites", "sources", "texts", "tile", "titled"),
    )
)
"""Words one slip away from a field that people write before a colon: ``order:5``."""


def resolve(name: str) -> str | None:
    """The field that a name before a colon stands for, or None.

    >>> resolve("Subject")
    'title'
    """
    name = name.casefold()
    return ALIASES.get(name, name if name in FIELDS else None)


def nearest(name: str) -> str | None:
    """The field that a name was probably meant to be: one slip away, or none.

    A letter changed in a short name makes another word of the language: text, test; date, data.
    So does another first letter, on which hardly anybody slips: text, ext; older, folder.

    >>> nearest("tilte"), nearest("note"), nearest("test"), nearest("ext"), nearest("order")
    ('title', None, None, None, None)
    """
    if len(name) < 3 or name in ORDINARY:
        return None
    for known in (*FIELDS, *ALIASES):
        if len(known) > 2 and name[0] == known[0] and _one_slip(name, known):
            return known
    return None


def _one_slip(one: str, other: str) -> bool:
    """Whether a letter was added, left out, changed, or swapped with its neighbour."""
    head = 0
    while head < min(len(one), len(other)) and one[head] == other[head]:
        head += 1
    rest, other_rest = one[head:], other[head:]
    return (
        rest[1:] == other_rest
        or rest == other_rest[1:]
        or (rest[1:] == other_rest[1:] and head > 0 and len(other) > 4)
        or (rest[1::-1] == other_rest[:2] and rest[2:] == other_rest[2:])
    )
