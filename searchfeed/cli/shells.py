"""Completion in shells, where click's own is not enough for queries.

bash takes ``tag:economic`` for three words, and does not quote what a completion puts in. So here
the line is read as typed, and each completion is written as bash has to find it: only what stands
behind the last colon, in the quotes that are open.
"""

from __future__ import annotations

import os
import re
from typing import Any

import click
from click import shell_completion

from searchfeed.values import dataclass

_BASH = """\
# The completion of searchfeed in bash 4.4 and later.
%(complete_func)s() {
    local answer row
    COMPREPLY=()
    answer=$(env COMP_LINE="${COMP_LINE:0:COMP_POINT}" COMP_WORDBREAKS="$COMP_WORDBREAKS" \\
        %(complete_var)s=bash_complete "$1" 2>/dev/null)
    while IFS= read -r row; do
        case ${row%%%%,*} in
            dir) compopt -o dirnames ;;
            file) compopt -o default ;;
            plain) COMPREPLY+=("${row#*,}") ;;
        esac
    done <<< "$answer"
    # The value follows at once behind the name of a field.
    if [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == *[:=] ]]; then
        compopt -o nospace
    fi
}

complete -o nosort -F %(complete_func)s %(prog_name)s
"""

_PLAIN = re.compile(r"[^\w@%+=:,./-]")
_IN_DOUBLE_QUOTES = re.compile(r'["\\$`]')
_BREAKS = "\"'@><=;|&(:"


@dataclass(frozen=True, slots=True)
class Typed:
    """A command line up to the cursor, read as the shell reads it.

    Attributes:
        words: the whole words.
        word: the one that is being typed; may be empty.
        kept: how many of its characters stay, because for the shell a word begins behind them.
        quote: the quotes it stands in, or nothing.
    """

    words: tuple[str, ...]
    word: str = ""
    kept: int = 0
    quote: str = ""

    def written(self, completion: str) -> str | None:
        """What takes the place of the typed word for a completion of it; None if nothing can."""
        if not completion.startswith(self.word[: self.kept]):
            return None
        rest = completion[self.kept :]
        if self.quote == "'":
            written = rest.replace("'", r"'\''")
        else:
            written = (_IN_DOUBLE_QUOTES if self.quote else _PLAIN).sub(r"\\\g<0>", rest)
        # Readline closes the quotes, but takes a last character that is one for the closing one.
        return written + self.quote if self.quote and rest.endswith(self.quote) else written


def read(line: str, breaks: str = _BREAKS) -> Typed:
    r"""Read a command line up to the cursor.

    Args:
        line: what was typed.
        breaks: the characters behind which bash begins a word, quotes and spaces aside.

    >>> read("searchfeed search tag:eco")
    Typed(words=('searchfeed', 'search'), word='tag:eco', kept=4, quote='')
    >>> read("searchfeed search 'tag:\"economic po").word
    'tag:"economic po'
    """
    words: list[str] = []
    word: str | None = None
    kept = 0
    opened = 0
    quote = ""
    characters = iter(line)
    for character in characters:
        if character == quote:
            quote = ""
        elif character == "\\" and quote != "'":
            following = next(characters, "")
            stays = quote and not _IN_DOUBLE_QUOTES.match(following)
            word = (word or "") + (character if stays else "") + following
        elif quote:
            word = (word or "") + character
        elif character in "\"'":
            word = word or ""
            quote, opened = character, len(word)
        elif character.isspace():
            words += [word] if word is not None else []
            word, kept = None, 0
        else:
            word = (word or "") + character
            if character in breaks:
                # Readline lets a word begin with the @ itself.
                kept = len(word) - (character == "@")
    return Typed(tuple(words), word or "", opened if quote else kept, quote)


class Bash(shell_completion.BashComplete):
    """Completion in bash."""

    source_template = _BASH

    def get_completion_args(self) -> tuple[list[str], str]:
        """The arguments, and the one that is being typed."""
        if (typed := self._typed()) is None:
            return super().get_completion_args()
        # The shell has not put in the user's home yet.
        return [os.path.expanduser(each) for each in typed.words[1:]], typed.word  # noqa: PTH111

    def get_completions(
        self, args: list[str], incomplete: str
    ) -> list[shell_completion.CompletionItem[Any]]:
        """Whatever the argument may become, as it has to be written."""
        found = super().get_completions(args, incomplete)
        if (typed := self._typed()) is None:
            return found
        option, equals, _ = incomplete.partition("=")
        before = option + equals if equals and option.startswith("--") else ""
        written = []
        for item in found:
            value = typed.written(before + item.value) if item.type == "plain" else item.value
            if value is not None:
                written.append(shell_completion.CompletionItem(value, item.type))
        return written

    @staticmethod
    def _typed() -> Typed | None:
        """The line; None for a script of the first release, which tells words alone."""
        line = os.environ.get("COMP_LINE")
        return None if line is None else read(line, os.environ.get("COMP_WORDBREAKS", _BREAKS))


class Zsh(shell_completion.ZshComplete):
    """Completion in zsh; the value follows at once behind the name of a field."""

    source_template = shell_completion.ZshComplete.source_template.replace(
        "compadd -U -V unsorted -a completions",
        "compadd -U -V unsorted -- ${completions:#*:}\n"
        "        compadd -U -V unsorted -S '' -- ${(M)completions:#*:}",
    )


class Fish(shell_completion.FishComplete):
    """Completion in fish, for values with commas in them."""

    source_template = shell_completion.FishComplete.source_template.replace(
        'string split ","', 'string split --max 1 ","'
    )


SHELLS: dict[str, type[shell_completion.ShellComplete]] = {
    "bash": Bash,
    "zsh": Zsh,
    "fish": Fish,
}


def register() -> None:
    """Let click ask these when a shell asks for completions."""
    for name, shell in SHELLS.items():
        shell_completion.add_completion_class(shell, name)


def script(app: click.Command, shell: str, variable: str) -> str:
    """The script that makes a shell ask for completions, by that variable of the environment."""
    return SHELLS[shell](app, {}, "searchfeed", variable).source()
