"""``searchfeed doctor``: is everything as it was stored?"""

from __future__ import annotations

from time import perf_counter

import click

from searchfeed.cli.base import Settings, epilog, global_options
from searchfeed.cli.progress import Bars
from searchfeed.cli.streams import write
from searchfeed.output.clean import clean
from searchfeed.output.human import count, duration


@click.command(
    epilog=epilog(
        "searchfeed doctor",
        "searchfeed doctor --repair",
        notes=(
            (
                "Exit code: 0 all is well, or all that was wrong was repaired and nothing was "
                "lost; 1 something is wrong, or was lost; 2 it could not be looked at."
            ),
        ),
    ),
)
@click.option("--repair", is_flag=True, help="Mend what is wrong.")
@global_options(hidden=True)
@click.pass_obj
def doctor(settings: Settings, /, *, repair: bool) -> int:
    """Look for damage in the archive and the search index.

    Everything is read and compared with its checksums, and the two with each other. With --repair
    the search index is made anew from the archive, and of a damaged archive all is saved that can
    still be read; the damaged file stays beside it under another name.
    """
    start = perf_counter()
    with settings.open() as opened, Bars(settings) as bars:
        found = opened.check(repair=repair, progress=bars)
    lines = [
        *(f"damaged: the archive: {each}" for each in found.archive),
        *(f"damaged: the search index: {each}" for each in found.index),
        *(f"repaired: {each}" for each in found.repairs),
        *(f"lost: {each}" for each in found.losses),
    ]
    write(f"{clean(line)}\n" for line in lines)
    if found.waiting:
        settings.say(
            f"{count(found.waiting, 'change')} of the archive will be searchable with the next "
            "search"
        )
    looked = f"{count(found.entries, 'entry')} in {count(found.versions, 'version')}"
    settings.say(f"looked at {looked} in {duration(perf_counter() - start)}")
    if found.sound:
        settings.say("all is well" if not lines else "all is well again")
    elif not repair:
        settings.say("to mend it: searchfeed doctor --repair")
    return 0 if found.sound else 1
