"""What the indices in the cluster are called, and what they are like.

An index NAME is three indices: NAME-000001 holds the entries and NAME-terms-000001 the distinct
terms of their texts, both behind the aliases NAME and NAME-terms; a rebuild makes those of the next
number and turns the aliases over to them. NAME-state, which stays, holds how far each archive has
been taken in. Each is made from the index template of the same name, so that one which the cluster
makes by itself (a rollover) is like the others.

Texts come as terms that are ready-made: one place of the text after the other, divided by spaces,
and the spellings at one place by bars. So nothing depends on what the server makes of a language,
and both engines find the same.
"""

from __future__ import annotations

from typing import Any

from searchfeed import analysis
from searchfeed.engines import EngineOptions
from searchfeed.engines.whoosh.formulas import FIELDS, SATURATION

FORMAT = 1
"""Raised when documents are laid out in another way than before: older indices are rebuilt."""

SPELLING = "|"
"""Divides the spellings at one place of a text; no term has it."""

VALUE_GAP = 100
"""Places left free between two values of a field, so that no phrase spans them."""

WORDS = "words"
"""The field that bare words are looked for in: all that weighs 1 or more, by weight."""

WORDS_LENGTH = FIELDS["body"][1]
"""Its b of BM25: how much a long text counts less."""

ANALYZER = "terms"

PRIORITY = 500
"""Of the templates, above those that clusters come with (which have 100 to 200)."""

PAGE = 10_000
"""Hits that a server gives at once at most (its ``max_result_window``)."""

_LONGEST_PLACE = 1_000_000


def entries_alias(name: str) -> str:
    """The alias of the entries."""
    return name


def terms_alias(name: str) -> str:
    """The alias of the terms."""
    return f"{name}-terms"


def state_index(name: str) -> str:
    """The index of how far archives have been taken in."""
    return f"{name}-state"


def generation_of(index: str) -> int:
    """The number of an index: ``searchfeed-000012`` → 12; 0 of one that is not numbered."""
    number = index.rpartition("-")[2]
    return int(number) if number.isdecimal() else 0


def all_numbered(alias: str) -> str:
    """The pattern of the indices of an alias; it is not that of what else begins so."""
    return f"{alias}-0*"


def numbered(alias: str, generation: int) -> str:
    """The index that an alias stands for in some generation."""
    return f"{alias}-{generation:06}"


def building(alias: str, generation: int) -> str:
    """The alias of an index that is being built: it is gone when somebody takes that away."""
    return f"{alias}-building-{generation:06}"


def fingerprint() -> str:
    """What an index has to be made with to be searched by this release."""
    return f"{FORMAT}-{analysis.FINGERPRINT}"


def own_saturation(field: str) -> float:
    """k1 of a field that is searched alone: of BM25F what is left where there is one field."""
    return SATURATION / FIELDS[field][0]


def _similarities() -> dict[str, Any]:
    found = {
        field: {"type": "BM25", "k1": own_saturation(field), "b": b, "discount_overlaps": False}
        for field, (_, b) in FIELDS.items()
    }
    return found | {
        WORDS: {
            "type": "BM25",
            "k1": SATURATION,
            "b": WORDS_LENGTH,
            "discount_overlaps": False,
        }
    }


def _settings(options: EngineOptions) -> dict[str, Any]:
    return {
        "number_of_shards": options.shards,
        "number_of_replicas": options.replicas,
        # What is written shows when the writer says so, all of a batch at once.
        "refresh_interval": "-1",
        "codec": "best_compression",
    }


def templates(name: str, options: EngineOptions) -> dict[str, dict[str, Any]]:
    """The index templates of a name, by what they are called."""
    entries, terms, state = entries_alias(name), terms_alias(name), state_index(name)
    return {
        entries: _template(all_numbered(entries), options, _entries_body(options)),
        terms: _template(all_numbered(terms), options, _terms_body(options)),
        state: _template(state, options, _state_body(options)),
    }


def _template(pattern: str, options: EngineOptions, body: dict[str, Any]) -> dict[str, Any]:
    return {
        "index_patterns": [pattern],
        # Where one name begins with another, the longer one is meant.
        "priority": PRIORITY + len(pattern),
        "version": FORMAT,
        "_meta": {
            "fingerprint": fingerprint(),
            "shards": options.shards,
            "replicas": options.replicas,
        },
        "template": body,
    }


def _entries_body(options: EngineOptions) -> dict[str, Any]:
    """Settings and mapping of the entries."""
    text = {
        "type": "text",
        "analyzer": ANALYZER,
        "position_increment_gap": VALUE_GAP,
    }
    scored = {field: text | {"similarity": field} for field in FIELDS}
    silent = text | {"norms": False}
    keyword = {"type": "keyword"}
    searched = {"type": "keyword", "doc_values": False}
    settings = _settings(options) | {
        "similarity": _similarities(),
        "analysis": {
            "tokenizer": {
                "places": {"type": "whitespace", "max_token_length": _LONGEST_PLACE},
            },
            "filter": {
                "spellings": {
                    "type": "pattern_capture",
                    "preserve_original": False,
                    "patterns": [f"([^{SPELLING}]+)"],
                },
            },
            "analyzer": {
                ANALYZER: {"type": "custom", "tokenizer": "places", "filter": ["spellings"]},
            },
        },
    }
    properties = {
        "id": keyword,
        "moment": {"type": "long"},
        "date": {"type": "date", "format": "epoch_millis"},
        **scored,
        WORDS: {
            "type": "text",
            "analyzer": ANALYZER,
            "index_options": "freqs",
            "similarity": WORDS,
        },
        "link": silent,
        "authors": silent,
        "feed": keyword,
        "feed_key": searched,
        "author": keyword,
        "author_name": keyword,
        "tag": keyword,
        "tag_name": keyword,
        "language": keyword,
        "flag": searched,
        "band": searched,
        "story": keyword,
        "entry": {"type": "object", "enabled": False},
    }
    mappings = {
        "dynamic": "strict",
        "_meta": {"fingerprint": fingerprint()},
        # The rest can be made from the entry again.
        "_source": {"includes": ["entry"]},
        "properties": properties,
    }
    return {"settings": {"index": settings}, "mappings": mappings}


def _terms_body(options: EngineOptions) -> dict[str, Any]:
    """Settings and mapping of the distinct terms."""
    searched = {"type": "keyword", "doc_values": False}
    properties = {
        "term": {"type": "keyword"},
        "fold": searched,
        "stem": searched,
        "group": searched,
    }
    mappings = {
        "dynamic": "strict",
        "_meta": {"fingerprint": fingerprint()},
        "properties": properties,
    }
    return {"settings": {"index": _settings(options)}, "mappings": mappings}


def _state_body(options: EngineOptions) -> dict[str, Any]:
    """Settings and mapping of the state."""
    properties = {
        "generation": {"type": "integer"},
        "reached": {"type": "long"},
        "languages": {"type": "keyword"},
    }
    return {
        "settings": {"index": {"number_of_shards": 1, "number_of_replicas": options.replicas}},
        "mappings": {"dynamic": "strict", "properties": properties},
    }
