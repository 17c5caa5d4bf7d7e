"""``searchfeed alerts``: what saved searches have found since the last time."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import click

from searchfeed.alerting import Alerts
from searchfeed.cli.base import Settings, epilog, format_options, global_options
from searchfeed.cli.execution import NOTES, Execution, exec_options
from searchfeed.cli.save import complete_search
from searchfeed.cli.streams import complain
from searchfeed.output import ALERTS
from searchfeed.output.human import count

_ENOUGH = 5
"""Failures in a row after which the others are left to the next time."""


@click.command(
    epilog=epilog(
        "searchfeed save ai 'llm -ad' --alert && searchfeed alerts",
        "searchfeed update -q; searchfeed alerts --exec notify-send",
        'searchfeed alerts --exec \'sh -c "echo \\"$SEARCHFEED_TITLE\\" >> found.txt"\' ai',
        notes=(
            *NOTES,
            (
                "The format plain is that of search, with the name of the saved search as one "
                "more column."
            ),
            "Exit code: 0 something was told, 1 nothing is new, 2 an error, or CMD failed.",
        ),
    )
)
@click.argument("names", metavar="[NAME]...", nargs=-1, shell_complete=complete_search)
@exec_options
@format_options(ALERTS)
@global_options(hidden=True)
@click.pass_obj
def alerts(
    settings: Settings,
    /,
    *,
    names: tuple[str, ...],
    command: tuple[str, ...] | None,
    timeout: timedelta,
    format: str | None,  # noqa: A002
    json: bool,
) -> int:
    """Tell what is new in saved searches, once.

    NAME is that of one that was saved with --alert; without names all of those are meant. An entry
    is told once: it is new if it was stored after the alert was made, and of the words of a query
    all have to match. Of an edited entry nothing is told again.
    """
    if command and (json or format):
        raise click.UsageError("--exec writes nothing, so it goes with no format")
    with settings.open() as index, index.alerts(tuple(map(_name, names))) as found:
        if command:
            execution = Execution(command, timeout, settings.path)
            told, failed = tell(found, execution, complain)
            return 2 if failed or found.failures else int(not told)
        settings.write(ALERTS, tuple(found), format, json=json)
        found.told(*found)
        _say_failures(found, complain)
        if found.waiting:
            settings.say(f"{found.waiting:,} more are waiting; run it again to see them")
        elif not found:
            any_alert = any(each.alert for each in index.searches())
            hint = "" if any_alert else "; make an alert with: searchfeed save NAME QUERY --alert"
            settings.say(f"nothing is new{hint}")
        if found.failures:
            return 2
        return 0 if found else 1


def tell(found: Alerts, execution: Execution, say: Callable[[str], None]) -> tuple[int, int]:
    """Run a command for each alert; how many were told, and how many failed or were left.

    Each is noted as told as soon as it is.
    """
    told = failed = row = 0
    _say_failures(found, say)
    for number, alert in enumerate(found):
        trouble = execution.run(alert)
        if not trouble:
            found.told(alert)
            told, row = told + 1, 0
            continue
        found.not_told(alert)
        failed, row = failed + 1, row + 1
        say(f"{execution.command[0]} failed for {alert.id}, which comes again: {trouble}")
        if row == _ENOUGH and (left := len(found) - number - 1):
            failed += left
            say(f"it failed {row} times in a row; {count(left, 'alert')} left to the next time")
            break
    return told, failed


def _say_failures(found: Alerts, say: Callable[[str], None]) -> None:
    for name, error in found.failures:
        say(f"@{name} cannot be read: {error}")


def _name(given: str) -> str:
    return given.removeprefix("@")
