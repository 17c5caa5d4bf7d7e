"""A screen of the app as a picture: an SVG that anybody can open, each row on a line of its own."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.app import App
from textual.strip import Strip

WIDTH, HEIGHT = 12, 24
"""Of a cell, in pixels: letters of 20 pixels are 0.6 of that wide in most fonts of a terminal."""

_MARGIN, _BAR = 15, 50
_BASELINE = 18
_STYLE = (
    # Not ``font``, which would take what is bold back.
    "text { font-size: 20px; font-family: 'Fira Code', 'JetBrains Mono', 'DejaVu Sans Mono', "
    "Menlo, Consolas, monospace; white-space: pre } rect { shape-rendering: crispEdges }"
)

# Blocks are drawn, for in most fonts they leave gaps; stretches of spaces need no drawing.
_PIECES = re.compile(r"(?P<block>([▁-█▌▔])\2*)| {2,}|(?P<text>(?:(?! {2})[^▁-█▌▔])+)")


def draw(app: App[Any]) -> str:
    """What is on the screen of an app that runs."""
    strips = app.screen._compositor.render_strips()  # noqa: SLF001 - there is no other way
    columns, rows = app.size
    width, height = columns * WIDTH + 2 * _MARGIN, rows * HEIGHT + _BAR + _MARGIN
    ground, ink = (app.theme_variables[name].lower() for name in ("background", "foreground"))
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}">',
        f"<style>{_STYLE}</style>",
        f'<rect width="{width}" height="{height}" rx="10" fill="{ground}"/>',
        *(
            f'<circle cx="{26 * number + 27}" cy="25" r="8" fill="{colour}"/>'
            for number, colour in enumerate(("#ff5f57", "#febc2e", "#28c840"))
        ),
        f'<g transform="translate({_MARGIN},{_BAR})" fill="{ink}">',
        *(
            f'<g transform="translate(0,{number * HEIGHT})">{"".join(_row(row, ground, ink))}</g>'
            for number, row in enumerate(strips)
        ),
        "</g>",
        "</svg>",
    ]
    return "".join(f"{line}\n" for line in lines)


def _row(row: Strip, ground: str, ink: str) -> Iterator[str]:
    column = 0
    for text, given, _ in Segment.simplify(row):
        style = given or Style()
        colours = _colour(style.color, ink), _colour(style.bgcolor, ground)
        fill, behind = reversed(colours) if style.reverse else colours
        cells = cell_len(text)
        if behind != ground:
            yield f'<rect{_place(column, cells)} height="{HEIGHT}" fill="{behind}"/>'
        attributes = _attributes(style, "" if fill == ink else fill)
        for piece in _PIECES.finditer(text):
            start = column + cell_len(text[: piece.start()])
            if block := piece["block"]:
                yield _block(start, block, fill)
            elif (written := (piece["text"] or "").rstrip()).strip():
                start += len(written) - len(written.lstrip())
                written = written.lstrip()
                length = f"{cell_len(written) * WIDTH}"
                yield (
                    f'<text x="{start * WIDTH}" y="{_BASELINE}" textLength="{length}"'
                    f"{attributes}>{_escaped(written)}</text>"
                )
        column += cells


def _place(column: int, cells: float) -> str:
    return f' x="{column * WIDTH}" width="{cells * WIDTH:g}"'


def _block(column: int, block: str, fill: str) -> str:
    character, cells = block[0], float(len(block))
    top, high = 0.0, float(HEIGHT)
    if character == "▌":
        cells /= 2
    elif character == "▔":
        high /= 8
    else:
        high *= (ord(character) - ord("▁") + 1) / 8
        top = HEIGHT - high
    return (
        f'<rect data-text="{block}"{_place(column, cells)} y="{top:g}" height="{high:g}" '
        f'fill="{fill}"/>'
    )


def _attributes(style: Style, fill: str) -> str:
    lines = [
        name
        for name, drawn in (("underline", style.underline), ("line-through", style.strike))
        if drawn
    ]
    named = {
        "fill": fill,
        "fill-opacity": "0.6" if style.dim else "",
        "font-weight": "bold" if style.bold else "",
        "font-style": "italic" if style.italic else "",
        "text-decoration": " ".join(lines),
    }
    return "".join(f' {name}="{value}"' for name, value in named.items() if value)


def _colour(colour: Any, default: str) -> str:
    if colour is None or colour.is_default:
        return default
    return str(colour.get_truecolor().hex)


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
