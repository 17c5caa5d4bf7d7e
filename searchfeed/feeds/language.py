"""Language tags."""

from __future__ import annotations

import re

_TAG = re.compile(r"(?:[a-z]{2,3}|[ix])(?:-[a-z0-9]{1,8}){0,5}")


def normalised(tag: object) -> str:
    """A BCP 47 tag in lower case; empty for what is none.

    >>> normalised("fr_CA")
    'fr-ca'
    >>> normalised("English")
    ''
    """
    if not isinstance(tag, str):
        return ""
    tag = tag.strip()[:64].casefold().replace("_", "-")
    return tag if _TAG.fullmatch(tag) and tag not in ("i", "x") else ""


def first(*tags: object) -> str:
    """The first of ``tags`` that is one, normalised; empty if none is."""
    return next((found for tag in tags if (found := normalised(tag))), "")
