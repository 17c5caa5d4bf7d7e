"""Tantivy through tantivy-py, with one thread: Snowball stems, accents folded, title twice."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import tantivy

from benchmarks.peers.engine import LIMIT, Ask
from benchmarks.questions import Kind, Question
from searchfeed.models import Entry

TITLE_WEIGHT = 2.0
FIELDS = {"title": TITLE_WEIGHT, "body": 1.0}
ANALYZER = "folded_stems"
MEMORY = 256_000_000
"""Bytes that the writer may keep in memory."""


class Tantivy:
    """One index. Hits are not counted, so that it can pass over what cannot be on the page."""

    def __init__(self, directory: Path) -> None:
        builder = tantivy.SchemaBuilder()
        for name in FIELDS:
            builder.add_text_field(name, stored=True, tokenizer_name=ANALYZER)
        # A number in a column costs less to read than a stored text.
        builder.add_unsigned_field("key", indexed=True, fast=True)
        builder.add_date_field("date", indexed=True, fast=True)
        # Its histogram knows days but not months.
        builder.add_unsigned_field("month", fast=True)
        self._schema = builder.build()
        self._directory = directory
        self._index = tantivy.Index(self._schema, path=str(directory))
        self._analyzer = (
            tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.simple())
            .filter(tantivy.Filter.lowercase())
            .filter(tantivy.Filter.ascii_fold())
            .filter(tantivy.Filter.stemmer("english"))
            .build()
        )
        self._index.register_tokenizer(ANALYZER, self._analyzer)
        self._searcher: Any = None

    def keep(self, entries: Iterable[Entry]) -> None:
        """See ``Peer.keep``: its document store keeps them."""

    def build(self, entries: Iterable[Entry], count: int) -> None:
        """See ``Peer.build``."""
        del count
        self._write(entries)

    def open(self) -> None:
        """See ``Peer.open``."""
        self._index.reload()
        self._searcher = self._index.searcher()

    def add(self, entries: Sequence[Entry]) -> None:
        """See ``Peer.add``."""
        self._write(entries)
        self.open()

    def prepare(self, question: Question, *, snippets: bool) -> Ask | None:
        """See ``Peer.prepare``."""
        asked = self._query(question)
        if question.kind is Kind.MONTHS:
            months = {"months": {"terms": {"field": "month", "size": 10_000}}}
            return lambda: [
                str(bucket["key"])
                for bucket in self._searcher.aggregate(asked, months)["months"]["buckets"]
            ]
        order = {"order_by_field": "date"} if question.kind is Kind.NEWEST else {}

        def ask() -> list[str]:
            found = self._searcher.search(asked, limit=LIMIT, count=False, **order)
            places = [place for _, place in found.hits]
            if snippets:
                makers = [
                    tantivy.SnippetGenerator.create(self._searcher, asked, self._schema, name)
                    for name in FIELDS
                ]
                for place in places:
                    document = self._searcher.doc(place)
                    for maker in makers:
                        maker.snippet_from_doc(document).fragment()
            return [f"{key:016x}" for key in self._searcher.fast_field_values("key", places)]

        return ask

    def texts_size(self) -> int | None:
        """See ``Peer.texts_size``."""
        return sum(path.stat().st_size for path in self._directory.glob("*.store"))

    def close(self) -> None:
        """See ``Peer.close``."""

    def _write(self, entries: Iterable[Entry]) -> None:
        writer = self._index.writer(heap_size=MEMORY, num_threads=1)
        for entry in entries:
            document = tantivy.Document()
            document.add_text("title", entry.title)
            document.add_text("body", entry.body)
            document.add_unsigned("key", int(entry.id, 16))
            if entry.date is not None:
                document.add_date("date", entry.date)
                document.add_unsigned("month", entry.date.year * 100 + entry.date.month)
            writer.add_document(document)
        writer.commit()
        writer.wait_merging_threads()

    def _query(self, question: Question) -> Any:
        words: list[Any] = [self._analyzer.analyze(word)[0] for word in question.words]
        make = tantivy.Query
        match question.kind:
            case Kind.PHRASE:
                return self._in_fields(lambda name: make.phrase_query(self._schema, name, words))
            case Kind.PREFIX:
                pattern = f"{question.words[0]}.*"
                return self._in_fields(lambda name: make.regex_query(self._schema, name, pattern))
            case Kind.FUZZY:
                return self._in_fields(
                    lambda name: make.fuzzy_term_query(self._schema, name, words[0])
                )
        parts = [
            self._in_fields(lambda name, word=word: make.term_query(self._schema, name, word))
            for word in words
        ]
        if question.kind is Kind.DATED:
            parts.append(
                make.const_score_query(
                    make.range_query(
                        self._schema,
                        "date",
                        tantivy.FieldType.Date,
                        question.start,
                        question.end,
                        include_upper=False,
                    ),
                    0.0,
                )
            )
        if len(parts) == 1:
            return parts[0]
        some = question.kind in (Kind.ANY, Kind.TYPED)
        occur = tantivy.Occur.Should if some else tantivy.Occur.Must
        return make.boolean_query([(occur, part) for part in parts])

    def _in_fields(self, make: Any) -> Any:
        return tantivy.Query.boolean_query(
            [
                (tantivy.Occur.Should, tantivy.Query.boost_query(make(name), weight))
                for name, weight in FIELDS.items()
            ]
        )
