"""What the documentation promises about the package as a whole."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import searchfeed

ROOT = Path(__file__).parents[1]

HEAVY = (
    "whoosh",
    "feedparser",
    "html2text",
    "rich",
    "textual",
    "numpy",
    "Stemmer",
    "click",
    "urllib3",
)


def python(code: str, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *options, "-c", code], capture_output=True, text=True, cwd=ROOT
    )


def test_importing_the_library_loads_nothing_heavy() -> None:
    done = python(
        f"import searchfeed, sys; print([name for name in {HEAVY} if name in sys.modules])"
    )
    assert done.stdout.strip() == "[]", done.stderr


def test_a_search_without_a_terminal_does_not_load_what_draws(tmp_path: Path) -> None:
    code = (
        "import sys, searchfeed\n"
        f"with searchfeed.Index({str(tmp_path / 'index')!r}) as index:\n"
        f"    index.update([{str(ROOT / 'fixtures')!r}])\n"
        "    index.search('migrant')\n"
        "print([name for name in ('rich', 'textual', 'click') if name in sys.modules])"
    )
    done = python(code)
    assert done.stdout.strip() == "[]", done.stderr


def test_every_public_name_is_there_and_no_other() -> None:
    public = {name for name in vars(searchfeed) if not name.startswith("_")}
    submodules = {name for name in public if isinstance(vars(searchfeed)[name], type(searchfeed))}
    assert public - submodules | {"__version__"} == set(searchfeed.__all__)


def test_the_version_is_said_once() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["version"] == searchfeed.__version__
    changes = (ROOT / "CHANGELOG.md").read_text()
    assert f"## {searchfeed.__version__}" in changes or "## Unreleased" in changes


def samples() -> list[tuple[str, str]]:
    """The Python in the README, and the example in the package's own docstring."""
    readme = (ROOT / "README.md").read_text()
    blocks = re.findall(r"```python\n(.*?)```", readme, re.DOTALL)
    assert blocks, "the README shows no Python"
    return [(f"README {number}", block) for number, block in enumerate(blocks, 1)]


@pytest.mark.parametrize(("name", "sample"), samples())
def test_samples_are_typed_and_run(name: str, sample: str, tmp_path: Path) -> None:
    ast.parse(sample)
    file = tmp_path / "sample.py"
    file.write_text(sample.replace('"index/"', repr(str(tmp_path / "index"))))
    typed = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--cache-dir", str(tmp_path), str(file)],
        capture_output=True,
        text=True,
        cwd=ROOT,
    )
    assert typed.returncode == 0, typed.stdout
    done = subprocess.run([sys.executable, str(file)], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip(), f"{name} prints nothing"


def test_every_file_named_in_the_documents_is_there() -> None:
    for document in ("README.md", "ARCHITECTURE.md", "CONTRIBUTING.md"):
        text = (ROOT / document).read_text()
        for link in re.findall(r"\]\((?!https?:|#)([^)#]+)", text):
            assert (ROOT / link).exists(), f"{document} points at {link}"


def test_commands_are_called_as_the_table_says() -> None:
    from searchfeed.cli.commands import PLACES, Commands

    commands = Commands(PLACES)
    assert {name: command.name for name, command in commands.items()} == {
        name: name for name in PLACES
    }
    assert "nonsense" not in commands
    assert commands.get("nonsense") is None


def test_a_command_loads_no_other(tmp_path: Path) -> None:
    code = (
        "import sys\n"
        "from searchfeed.cli import run\n"
        f"run(['stats', '--index', {str(tmp_path)!r}])\n"
        "print([name for name in sys.modules if name.startswith('searchfeed.cli.')])"
    )
    done = python(code)
    loaded = set(ast.literal_eval(done.stdout.splitlines()[-1]))
    shared = {"base", "commands", "configurable", "configuration", "streams"}
    assert loaded == {f"searchfeed.cli.{name}" for name in (*shared, "look")}, done.stderr


FIRST_CALLS = """
import sys, threading
sys.setswitchinterval(1e-5)
from searchfeed import Facet, Index
index = Index(sys.argv[1])
calls = [
    lambda: index.search("ferry"), lambda: index.search("", sort="-date"),
    lambda: index.search('"night bus" after:2019 econom* fery~'), lambda: index.complete("fe"),
    lambda: index.facets("ferry", [Facet.FEED]), lambda: index.trend("ferry"),
    lambda: index.explain_query("ferry"), lambda: index.stats(),
]
together = threading.Barrier(len(calls))
def call(each):
    together.wait()
    each()
threads = [threading.Thread(target=call, args=(each,)) for each in calls]
for thread in threads: thread.start()
for thread in threads: thread.join()
"""


def test_threads_may_be_the_first_to_ask(tmp_path: Path) -> None:
    """What is loaded late is loaded by several threads at once."""
    with searchfeed.Index(tmp_path / "index") as index:
        index.update([ROOT / "fixtures"])
    for _ in range(5):
        done = subprocess.run(
            [sys.executable, "-c", FIRST_CALLS, str(tmp_path / "index")],
            capture_output=True,
            text=True,
            cwd=ROOT,
        )
        assert done.stderr == ""
        assert done.returncode == 0


NOT_FOR_A_SEARCH = (
    "base64",
    "decimal",
    "difflib",
    "feedparser",
    "hashlib",
    "html2text",
    "numpy.ma",
    "platformdirs",
    "random",
    "rich",
    "tempfile",
    "textual",
    "tomllib",
    "urllib3",
    "whoosh",
    "searchfeed.archive.examining",
    "searchfeed.archive.exporting",
    "searchfeed.archive.lines",
    "searchfeed.archive.merging",
    "searchfeed.archive.rekeying",
    "searchfeed.doctor",
    "searchfeed.engines.whoosh.building",
    "searchfeed.engines.whoosh.explaining",
    "searchfeed.engines.whoosh.facets",
    "searchfeed.engines.whoosh.schema",
    "searchfeed.feeds",
    "searchfeed.intake",
    "searchfeed.output.table",
    "searchfeed.periods",
    "searchfeed.query.likeness",
    "searchfeed.sources",
)
"""Modules whose loading would be a part of what every search takes."""


def test_a_search_loads_nothing_that_it_does_not_use(tmp_path: Path) -> None:
    index = str(tmp_path / "index")
    with searchfeed.Index(index) as made:
        made.update([str(ROOT / "fixtures")])
    code = (
        "import sys\n"
        "from searchfeed.__main__ import main\n"
        f"sys.argv = ['searchfeed', 'search', '--index', {index!r}, '--json', 'migrant']\n"
        "code = main()\n"
        f"print([name for name in {NOT_FOR_A_SEARCH} if name in sys.modules], file=sys.stderr)\n"
        "sys.exit(code)"
    )
    done = python(code)
    assert done.returncode == 0, done.stderr
    assert done.stderr.splitlines()[-1] == "[]"
