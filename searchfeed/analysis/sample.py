"""What tells one analyzer from another: an index made by another one has to be rebuilt."""

from __future__ import annotations

import zlib
from functools import cache
from unicodedata import unidata_version

from searchfeed.analysis.analyzer import tokens
from searchfeed.analysis.forms import fold

_VERSION = 1
"""To be raised with a change of the analyzer that the sample does not show."""

_SAMPLE = (
    "Don't breeder’s AT&T's U.S.-led C++ .NET user@host.example 1,000.50 10.000 A+ rock'n'roll "
    "l’Europe https://www.icmpd.org/a-b c_d ßİłﬁé so­ft 3½ ｶﾞ iPhone東京 한국 ที่ हिन् "
    "צה״ל שָׁ عـب می‌خ ёж 🇩🇪 👩‍🚒 l·l"
)


@cache
def fingerprint() -> str:
    """Sixteen hexadecimal digits that change when texts are analysed in another way.

    They are made from a version number, the version of Unicode that Python brings, and what
    the analyzer makes of a sample.
    """
    found = tokens(_SAMPLE)
    seen = repr((_VERSION, unidata_version, found, [fold(token.term) for token in found]))
    data = seen.encode()
    return f"{zlib.crc32(data):08x}{zlib.adler32(data):08x}"
