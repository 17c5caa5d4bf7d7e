"""Where the benchmarks find feeds, print their tables and keep what they measured."""

from __future__ import annotations

import json
from pathlib import Path

from rich.console import Console

ROOT = Path(__file__).parents[1]
REUTERS = ROOT.parent / "shared" / "feeds" / "reuters"
FIXTURES = ROOT / "fixtures"
RESULTS = Path(__file__).parent / "results"

PIPED_WIDTH = 110
"""Columns of the tables where there is no terminal to fit them to."""


def default_folder() -> Path:
    """Where feeds are taken from if none are named."""
    return REUTERS if REUTERS.is_dir() else FIXTURES


def consoles() -> tuple[Console, Console]:
    """What tables are printed on, and what is said beside them."""
    console = Console()
    if not console.is_terminal:
        console = Console(width=PIPED_WIDTH)
    return console, Console(stderr=True)


def write(record: object, file: Path, talk: Console) -> None:
    """Write what was measured as JSON, and say where it is."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(record, indent=1) + "\n", "utf-8")
    talk.print(f"written to {file}")
