"""The plot of the README: one row a class of questions, one dot a system, on a logarithmic axis."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from math import ceil, floor, log10

COLOURS = ("#d9480f", "#1971c2", "#2f9e44", "#9c36b5", "#868e96", "#e8a200")
"""The first is ours. All are told apart on white and on black."""

WIDTH, LEFT, RIGHT = 860, 170, 30
TOP, ROW = 84, 26
OURS, OTHERS = 7, 5
"""Radius of a dot."""

STYLE = """
text { font: 13px system-ui, sans-serif; fill: #212529; }
.title { font-size: 16px; font-weight: 600; }
.small { font-size: 11px; fill: #868e96; }
line { stroke: #ced4da; stroke-width: 1; }
@media (prefers-color-scheme: dark) {
  text { fill: #e9ecef; }
  line { stroke: #495057; }
}
"""


def dots(
    title: str,
    unit: str,
    rows: Mapping[str, Mapping[str, float]],
    systems: Sequence[str],
) -> str:
    """An SVG document.

    Args:
        unit: of the values, for the axis.
        rows: label of a row → label of a system → its value, above 0; a system may be missing.
        systems: their labels in the order of the legend, ours first.
    """
    values = [value for row in rows.values() for value in row.values() if value > 0] or [1.0]
    low, high = floor(log10(min(values))), ceil(log10(max(values)))
    high = max(high, low + 1)

    def across(value: float) -> float:
        share = (log10(max(value, 10**low)) - low) / (high - low)
        return LEFT + share * (WIDTH - LEFT - RIGHT)

    height = TOP + ROW * len(rows) + 40
    bottom = TOP + ROW * len(rows)
    parts = [
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" '
            f'width="{WIDTH}" height="{height}" role="img" aria-label="{escape(title)}">'
        ),
        f"<style>{STYLE}</style>",
        _text(16, 26, title, "title"),
    ]
    colours = dict(zip(systems, COLOURS * (len(systems) // len(COLOURS) + 1), strict=False))
    at = 16.0
    for number, system in enumerate(systems):
        parts.append(_dot(at + 6, 50, colours[system], system, first=number == 0))
        parts.append(_text(at + 18, 54, system))
        at += 40 + 7.2 * len(system)
    for power in range(low, high + 1):
        place = across(10**power)
        parts.append(f'<line x1="{place:.1f}" y1="{TOP - 12}" x2="{place:.1f}" y2="{bottom}"/>')
        parts.append(_text(place, bottom + 16, f"{10.0**power:g}", "small", "middle"))
    parts.append(_text(WIDTH - RIGHT, bottom + 32, f"{unit}, logarithmic", "small", "end"))
    for number, (label, row) in enumerate(rows.items()):
        middle = TOP + ROW * number + ROW / 2 - 6
        parts.append(_text(LEFT - 14, middle + 4, label, anchor="end"))
        # Ours last, so that no other dot covers it.
        for system in reversed(systems):
            if system in row:
                told = f"{label}, {system}: {row[system]:.3g} {unit}"
                first = system == systems[0]
                parts.append(_dot(across(row[system]), middle, colours[system], told, first=first))
    return "\n".join([*parts, "</svg>", ""])


def _text(x: float, y: float, text: str, style: str = "", anchor: str = "start") -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" class="{style}" text-anchor="{anchor}">'
        f"{escape(text)}</text>"
    )


def _dot(x: float, y: float, colour: str, told: str, *, first: bool) -> str:
    return (
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{OURS if first else OTHERS}" fill="{colour}" '
        f'fill-opacity="{1 if first else 0.85}"><title>{escape(told)}</title></circle>'
    )
