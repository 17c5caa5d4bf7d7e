"""The query language by example: ``searchfeed help query``. Every example is a test."""

from __future__ import annotations

GROUPS: tuple[tuple[str, tuple[tuple[str, str], ...]], ...] = (
    (
        "Words",
        (
            ("border management", "entries with both words first, then those with one"),
            ('"silk routes"', "these words, in this order"),
            ('"voluntary return"~2', "at most two other words between them"),
            ('"IBM"', "this very word, no other ending"),
            ("econom*", "words that begin so; also *ization and wom?n"),
            ("trafiking~", "one typing mistake; two with trafiking~2"),
            ("/colou?r/", "words that a regular expression fits whole"),
        ),
    ),
    (
        "Putting together",
        (
            ("border -ukraine", "without this word"),
            ("+border guards", "this word in any case, those with the other first"),
            ('ibm "silk routes"', "the quoted words in any case, those with ibm first"),
            ("turkey OR greece", "one of them at least"),
            ("visa AND (permit OR permission)", "both sides of AND"),
            ("visa NOT schengen", "the same as -schengen"),
            ("turkey OR (greece -crete)", "without that word on one side of OR alone"),
            ("@ai", "a saved search, as if in brackets: searchfeed save ai QUERY"),
        ),
    ),
    (
        "Fields",
        (
            ("title:ibm", "in the title; body: in the text"),
            ("title:(turkey OR ghana)", "one field for several words"),
            ("feed:icmpd", "a part of the feed's title or address"),
            ('author:"Jane Doe"', "words of an author's name"),
            ("tag:migration", "a whole tag"),
            ("link:icmpd.org", "a part of the link"),
            ("lang:en", "a language, its regions included"),
            ("is:updated", "changed after it was published"),
            ("has:enclosure", "comes with a file"),
        ),
    ),
    (
        "Dates, in your time zone",
        (
            ("date:2020-08", "a year, a month or a day"),
            ("date:2020-08-01..2020-08-20", "both days included; one side may be empty"),
            ("date:>2020", "later than all of it; also >= < <="),
            ("after:2020-08-15", "from the start of that day on; before: what is earlier"),
            ("since:last week", "also yesterday, monday, aug 2020, 3 days ago"),
            ("newer:3d", "at most so old: h d w m y, also 1y6m"),
            ("older:2y", "older than that"),
        ),
    ),
)
"""(title, rows of (example, what it finds))."""
