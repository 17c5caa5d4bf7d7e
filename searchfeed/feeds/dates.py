"""The dates that feeds publish, in the many ways that they write them.

RSS asks for RFC 822, Atom for RFC 3339; what arrives are also unix timestamps, other languages,
zone names and days that do not exist. Reading them here, and not with feedparser, is what keeps
CEST from being UTC, 1598954400 from being the year 1598, and 30 February from being 1 March.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone

EARLIEST = datetime(1970, 1, 2, tzinfo=UTC)
"""Nothing before this is believed. The unix epoch in any zone stands for a date that is missing;
a later floor would lose archives that were put into feeds with their first dates."""

AHEAD = timedelta(days=1)
"""How far in the future a date may lie: clocks differ, and zones are left out."""

_LENGTH_LIMIT = 100

_ZONES: dict[str, float] = {
    "ut": 0, "utc": 0, "gmt": 0, "z": 0, "wet": 0, "west": 1, "bst": 1,
    "cet": 1, "cest": 2, "met": 1, "mest": 2, "mez": 1, "mesz": 2,
    "eet": 2, "eest": 3, "msk": 3, "msd": 4, "sast": 2, "trt": 3, "ist": 5.5, "pkt": 5,
    "ict": 7, "wib": 7, "hkt": 8, "sgt": 8, "awst": 8, "pht": 8, "jst": 9, "kst": 9,
    "acst": 9.5, "acdt": 10.5, "aest": 10, "aedt": 11, "nzst": 12, "nzdt": 13,
    "nst": -3.5, "ndt": -2.5, "ast": -4, "adt": -3, "art": -3, "brt": -3, "brst": -2,
    "est": -5, "edt": -4, "cst": -6, "cdt": -5, "mst": -7, "mdt": -6, "pst": -8, "pdt": -7,
    "akst": -9, "akdt": -8, "hst": -10,
}  # fmt: skip

# By month: English, French, German, Spanish, Portuguese, Italian, Dutch, Polish, Russian,
# Ukrainian, Swedish, Danish, Greek, Hungarian, Czech, Turkish. The first three letters are not
# enough to tell them apart (mai, mar, juin, juil), so a name is matched by its longest prefix.
_MONTHS = {
    prefix: month
    for month, prefixes in enumerate(
        (
            "jan jän janv ene gen sty янв січ ιαν ιανουαρ led oca ianuar leden",
            "feb fév fev febr lut фев лют φεβ úno şub",
            "mar mär mrz mrt maa märz março marzo мар бер μαρ μάρ már bře",
            "apr avr abr kwi апр кві απρ ápr dub nis",
            "may mai mag maj maio mayo mei май мая тра μαϊ μαι μάι μάϊ máj kvě",
            "jun juin giu cze июн чер ιουν ιούν jún červn haz",
            "jul juil lug lip июл лип ιουλ ιούλ júl července červenc tem",
            "aug aoû aou ago sie авг сер αυγ αύγ srp ağu",
            "sep set wrz сен вер σεπ szept zář eyl",
            "oct okt out ott paź paz окт жов οκτ říj eki",
            "nov lis ноя лис νοε νοέ listopad kas",
            "dec dez déc dic gru grd дек гру δεκ pro ara",
        ),
        start=1,
    )
    for prefix in prefixes.split()
}
_MONTHS_LONGEST = max(map(len, _MONTHS))

_ISO = re.compile(
    r"([12]\d{3})(?:-?([01]\d)(?:-?([0-3]\d))?)?"
    r"(?:[Tt_ ]+(\d{1,2})(?::?(\d{2})(?::?(\d{2})(?:[.,]\d+)?)?)?)?"
    r"\s*(?:([zZ])|([A-Za-z]{2,4})|([+-]\d{2}):?(\d{2})?)?$"
)
_ISO_WEEK = re.compile(r"(\d{4})-?W(\d{2})(?:-?([1-7]))?$")
_ISO_DAY = re.compile(r"(\d{4})-?(\d{3})(?:T(\d{2}):?(\d{2}):?(\d{2})(?:Z|$))?$")
_TIME = re.compile(
    r"(?P<before>am|pm|오전|오후|午前|午後|上午|下午)?\s*"
    r"(?<!\d)(\d{1,2})(?:[:時시点时]\s?|[.h](?=\d\d(?:\D|$)))(\d{2})[분分]?"
    r"(?:[:.]?\s?(\d{2})[초秒]?(?:[.,]\d+)?)?"
    r"\s*(?P<after>[ap]\.?m\b\.?)?"
)
_OFFSET = re.compile(r"(?:(?:gmt|utc)\s*)?([+-])(\d{1,2}):?(\d{2})?\)?\s*(?:\([\w ]*\))?$")
# Where the time of day stood: in `Fri Sep 11 10:00:17 UTC 2020` the zone follows it.
_CLOCK = "\0"
_MIDDLE_ZONE = re.compile(r"\0\s*(?:(?P<name>[a-z]{1,4})|([+-])(\d{2}):?(\d{2}))\s+(?=\d{4}$)")
_YEAR_FIRST = re.compile(r"([12]\d{3})[-/.年년]\s?(\d{1,2})[-/.月월]\s?(\d{1,2})[日일.]?")
_YEAR_LAST = re.compile(r"(?<!\d)(\d{1,2})[-/.](\d{1,2})[-/.](\d{4}|\d{2})(?!\d)")
_WORD = re.compile(r"[^\W\d_]+")
_NUMBER = re.compile(r"\d+")


def parse(text: str, now: datetime | None = None) -> datetime | None:
    """The moment that ``text`` stands for, in UTC; None where it cannot be meant.

    A text without a zone is taken as UTC, and a date alone as its first moment.

    Args:
        text: a date as published.
        now: aware; dates more than a day after it are refused. The present, by default.

    >>> parse("Fri, 11 Sep 2020 10:00:17 CEST").isoformat()
    '2020-09-11T08:00:17+00:00'
    >>> parse("30 Feb 2020") is None
    True
    """
    text = " ".join(text.split())
    if not text or len(text) > _LENGTH_LIMIT:
        return None
    try:
        moment = _timestamp(text) or _iso(text) or _written(text.casefold())
        moment = moment.astimezone(UTC) if moment else None
    except (ValueError, OverflowError):
        return None
    if moment is None or moment < EARLIEST or moment > (now or datetime.now(UTC)) + AHEAD:
        return None
    return moment


def _timestamp(text: str) -> datetime | None:
    if not (text.isascii() and text.isdigit()):
        return None
    if len(text) in (9, 10):
        return datetime.fromtimestamp(int(text), UTC)
    if len(text) == 13:
        return datetime.fromtimestamp(int(text) // 1000, UTC)
    if len(text) in (12, 14):
        return datetime.strptime(text.ljust(14, "0"), "%Y%m%d%H%M%S").replace(tzinfo=UTC)
    return None


def _moment(
    year: int, month: int, day: int, clock: tuple[int, int, int] = (0, 0, 0), hours: float = 0
) -> datetime:
    hour, minute, second = clock
    # 24:00 is the next midnight, and a leap second has no place in a datetime.
    extra = timedelta(days=1) if hour == 24 and not minute and not second else timedelta(0)
    zone = timezone(timedelta(hours=hours))
    moment = datetime(year, month, day, 0 if extra else hour, minute, min(second, 59), tzinfo=zone)
    return moment + extra


def _iso(text: str) -> datetime | None:
    if match := _ISO.match(text):
        year, month, day, hour, minute, second, _, name, hours, minutes = match.groups()
        if name and name.casefold() not in _ZONES:
            return None
        offset = _ZONES[name.casefold()] if name else 0.0
        if hours:
            offset = _offset(hours[0], hours[1:], minutes)
        clock = (int(hour or 0), int(minute or 0), int(second or 0))
        return _moment(int(year), int(month or 1), int(day or 1), clock, offset)
    if match := _ISO_WEEK.match(text):
        week_day = datetime.fromisocalendar(int(match[1]), int(match[2]), int(match[3] or 1))
        return week_day.replace(tzinfo=UTC)
    if match := _ISO_DAY.match(text):
        first = _moment(
            int(match[1]), 1, 1, (int(match[3] or 0), int(match[4] or 0), int(match[5] or 0))
        )
        return first + timedelta(days=int(match[2]) - 1) if 1 <= int(match[2]) <= 366 else None
    return None


def _offset(sign: str, hours: str, minutes: str | None) -> float:
    value = int(hours) + int(minutes or 0) / 60
    # No zone lies further out; `-2400` is a clock gone wrong, and 24 h is what timezone() refuses.
    if value > 15:
        raise ValueError("no such zone")
    return -value if sign == "-" else value


def _written(text: str) -> datetime | None:
    """A date written out, in any order that can be told apart."""
    clock, text = _take_clock(text)
    hours, text = _take_zone(text)
    if match := _YEAR_FIRST.search(text):
        year, month, day = (int(part) for part in match.groups())
    elif match := _YEAR_LAST.search(text):
        # Day first, as most of the world writes it, unless it can only be the other way round.
        day, month, year = (int(part) for part in match.groups())
        if month > 12:
            day, month = month, day
    else:
        found = _take_names(text)
        if found is None:
            return None
        year, month, day = found
    if year < 100:
        year += 2000 if year < 69 else 1900
    return _moment(year, month, day, clock, hours)


def _take_clock(text: str) -> tuple[tuple[int, int, int], str]:
    match = next((found for found in _TIME.finditer(text) if not _inside_date(text, found)), None)
    if match is None:
        return (0, 0, 0), text
    hour, minute, second = int(match[2]), int(match[3]), int(match[4] or 0)
    half = (match["before"] or match["after"] or "").replace(".", "")
    if half in ("pm", "오후", "午後", "下午") and hour < 12:
        hour += 12
    elif half in ("am", "오전", "午前", "上午") and hour == 12:
        hour = 0
    return (hour, minute, second), f"{text[: match.start()]}{_CLOCK}{text[match.end() :]}"


def _inside_date(text: str, match: re.Match[str]) -> bool:
    # `25.12.2020` holds `25.12`, which is no time of day.
    return "." in match[0] and ":" not in match[0] and bool(_YEAR_LAST.search(text))


def _take_zone(text: str) -> tuple[float, str]:
    if match := _MIDDLE_ZONE.search(text):
        name = match["name"]
        if name is None or name in _ZONES:
            hours = _ZONES[name] if name else _offset(match[2], match[3], match[4])
            return hours, f"{text[: match.start()]} {text[match.end() :]}"
    text = text.replace(_CLOCK, " ").strip()
    match = _OFFSET.search(text)
    # `11-09-2020` ends in what looks like an offset.
    if match and (match.start() == 0 or text[match.start() - 1] == " " or match[0][0].isalpha()):
        return _offset(match[1], match[2], match[3]), text[: match.start()]
    words = _WORD.findall(text)
    if words and words[-1] in _ZONES:
        return _ZONES[words[-1]], text[: text.rindex(words[-1])]
    return 0.0, text


def _take_names(text: str) -> tuple[int, int, int] | None:
    # The last one: `mar., 5 mai` is a Tuesday.
    months = [month for word in _WORD.findall(text) if (month := _month(word))]
    numbers = _NUMBER.findall(text)
    if not months or len(numbers) < 2:
        return None
    month = months[-1]
    first, second = numbers[0], numbers[1]
    if len(first) == 4:
        return int(first), month, int(second)
    return int(second), month, int(first)


def _month(word: str) -> int | None:
    for length in range(min(len(word), _MONTHS_LONGEST), 2, -1):
        if month := _MONTHS.get(word[:length]):
            return month
    return None
