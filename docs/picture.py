"""Make docs/search.svg, the README's picture, from what the program really prints.

Run by ``make picture`` after ``make demo``.
"""

from __future__ import annotations

import io
import os
import subprocess
import sys
from pathlib import Path

from rich.console import Console
from rich.text import Text

QUERY = ["search", "migrant", "resource", "centre", "-n", "3"]
WIDTH = 92
ROOT = Path(__file__).parents[1]


def main() -> None:
    """Search the demo's index, and draw what is printed."""
    command = [sys.executable, "-m", "searchfeed", "--index", "index", "--color", "always"]
    shown = subprocess.run(
        [*command, *QUERY, "--format", "table"],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
        env={**os.environ, "COLUMNS": str(WIDTH), "TERM": "xterm-256color"},
    ).stdout
    console = Console(record=True, width=WIDTH, file=io.StringIO(), force_terminal=True)
    console.print(Text(f"$ searchfeed {' '.join(QUERY)}", style="bold"))
    console.print(Text.from_ansi(shown))
    svg = console.export_svg(title="searchfeed")
    (ROOT / "docs" / "search.svg").write_text(svg, encoding="utf-8")


if __name__ == "__main__":
    main()
