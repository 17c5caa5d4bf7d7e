"""Regular expressions that are compiled when they are first used.

Python compiles each anew in every process, and those of this package together take as long as a
search does, which uses but a few of them.
"""

from __future__ import annotations

import re
from typing import Any, cast


class _Later:
    """Stands for an expression, and from its first use on has the methods of the compiled one."""

    def __init__(self, written: str, flags: int) -> None:
        self._written = written
        self._flags = flags

    def __getattr__(self, name: str) -> Any:
        # The next time it is found without coming here; ``re`` keeps what it has compiled.
        found = getattr(re.compile(self._written, self._flags), name)
        setattr(self, name, found)
        return found


def deferred(written: str, flags: int = 0) -> re.Pattern[str]:
    """What ``re.compile`` makes of a regular expression, made when it is first used.

    >>> deferred("o+").sub("0", "oil pool")
    '0il p0l'
    """
    return cast("re.Pattern[str]", _Later(written, flags))
