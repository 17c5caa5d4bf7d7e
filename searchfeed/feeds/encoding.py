"""Bytes → text, in an encoding that it is safe to decode."""

from __future__ import annotations

import codecs
import re
from collections.abc import Mapping
from typing import Final

# By the name that codecs.lookup() gives; what is read instead is what those who declare it mean.
# Codecs that run code of their own kind (idna, unicode_escape, zlib) or can be made slow stay out.
_CODECS: Final = {
    "utf-8": "utf-8", "utf-8-sig": "utf-8", "ascii": "utf-8",
    "utf-16": "utf-16", "utf-16-le": "utf-16-le", "utf-16-be": "utf-16-be",
    "utf-32": "utf-32", "utf-32-le": "utf-32-le", "utf-32-be": "utf-32-be",
    "iso8859-1": "cp1252", "cp1252": "cp1252", "iso8859-9": "cp1254",
    "gb2312": "gb18030", "gbk": "gb18030", "gb18030": "gb18030", "hz": "hz",
    "big5": "big5hkscs", "big5hkscs": "big5hkscs", "cp950": "cp950",
    "shift_jis": "cp932", "cp932": "cp932", "euc_jp": "euc_jp", "iso2022_jp": "iso2022_jp",
    "euc_kr": "cp949", "cp949": "cp949", "johab": "johab", "iso2022_kr": "iso2022_kr",
    "tis-620": "cp874", "iso8859-11": "cp874", "cp874": "cp874",
    "mac-roman": "mac-roman", "mac-cyrillic": "mac-cyrillic",
    "koi8-r": "koi8-r", "koi8-u": "koi8-u", "ptcp154": "ptcp154",
} | {
    name: name
    for name in (
        *(f"iso8859-{part}" for part in (2, 3, 4, 5, 6, 7, 8, 10, 13, 14, 15, 16)),
        *(f"cp125{page}" for page in (0, 1, 3, 4, 5, 6, 7, 8)),
        *(f"cp{page}" for page in (37, 437, 500, 850, 852, 855, 857, 858, 862, 866, 1140)),
    )
}  # fmt: skip

_BYTE_ORDER_MARKS: Final = (
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_UNMARKED: Final = (
    (b"<\0\0\0", "utf-32-le"),
    (b"\0\0\0<", "utf-32-be"),
    (b"<\0", "utf-16-le"),
    (b"\0<", "utf-16-be"),
    (b"{\0", "utf-16-le"),
    (b"\0{", "utf-16-be"),
    (b"\x4c\x6f\xa7\x94", "cp037"),
)
_DECLARED = re.compile(r"<\?xml[^>]{0,400}?encoding\s*=\s*[\"']([\w.:-]{1,40})[\"']", re.A)
_CHARSET = re.compile(r"charset\s*=\s*[\"']?([\w.:-]{1,40})", re.A | re.I)
_UNDECODED = re.compile("[\udc80-\udcff]")


def _codec(name: str) -> str:
    """The codec to read ``name`` with; empty for one that is unknown or not let in."""
    try:
        return _CODECS.get(codecs.lookup(name).name, "")
    except (LookupError, ValueError):
        return ""


def read(data: bytes, headers: Mapping[str, str]) -> tuple[str, str]:
    """The text of ``data``, and what was wrong with its encoding (empty if nothing).

    The order is that of RFC 7303: a byte order mark, then the server, then the document. UTF-8
    that decodes stands above a declaration that does not.

    Args:
        data: the document.
        headers: of the response, with names in lower case.
    """
    for mark, codec in _BYTE_ORDER_MARKS:
        if data.startswith(mark):
            return _decode(data[len(mark) :], [codec])
    data = data.lstrip(b" \t\r\n")
    sniffed = next((codec for mark, codec in _UNMARKED if data.startswith(mark)), "")
    candidates = [sniffed]
    if charset := _CHARSET.search(headers.get("content-type", "")):
        candidates.append(_codec(charset[1]))
    head = data[:2048].decode(sniffed or "latin-1", "replace")
    problem = ""
    if declared := _DECLARED.match(head):
        codec = _codec(declared[1])
        # A declaration that could be read byte by byte is not in an encoding of two bytes.
        if not codec:
            problem = f"its encoding, {declared[1]}, is not known"
        elif sniffed or not codec.startswith(("utf-16", "utf-32")):
            candidates.append(codec)
    text, undecoded = _decode(data, [codec for codec in candidates if codec])
    return text, undecoded or problem


def _decode(data: bytes, candidates: list[str]) -> tuple[str, str]:
    for codec in [*candidates, "utf-8"]:
        try:
            return data.decode(codec), ""
        except UnicodeError:
            continue
    if candidates and candidates[0] not in ("utf-8", "cp1252"):
        return data.decode(candidates[0], "replace"), "some bytes are not in its encoding"
    # Byte by byte, so that a Latin-1 document is read whole and a stray byte harms nothing else.
    text = data.decode("utf-8", "surrogateescape")
    text = _UNDECODED.sub(
        lambda match: bytes([ord(match[0]) - 0xDC00]).decode("cp1252", "replace"), text
    )
    return text, "some bytes are not in its encoding"
