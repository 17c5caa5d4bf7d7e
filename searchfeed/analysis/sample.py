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
    "Don't tell AT&T's U.S.-led state-of-the-art C++ and .NET user@host.example: 1,000.50 or "
    "10.000, 3.11, A+, rock'n'roll; l’Europe https://www.icmpd.org/news-centre/x snake_case "
    "Straße İstanbul Łódź ﬁ cafe\u0301 soft\u00adhyphen 3½ ｶﾞ iPhone充電器 東京都 한국어 ภาษา "
    "हिन्दी ארה״ב שָׁלוֹם عـربي می‌خواهم ёж 🇩🇪 👩‍🚒 col·lecció"
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
