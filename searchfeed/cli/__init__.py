"""The command line: ``searchfeed``.

Data goes to stdout and everything else to stderr. Exit codes: 0 done or found, 1 nothing found, 2
an error, 130 interrupted.
"""

from __future__ import annotations

import os
from collections.abc import Sequence

import click

from searchfeed import __version__
from searchfeed.cli.base import Group, Settings, epilog, global_options
from searchfeed.cli.commands import COMPLETE, PLACES, Commands
from searchfeed.cli.configurable import KEYS
from searchfeed.cli.configuration import read
from searchfeed.cli.streams import complain, prepare, say, write
from searchfeed.errors import QueryError, SearchfeedError

DEBUG = "SEARCHFEED_DEBUG"
"""The environment variable that asks for tracebacks."""


@click.group(
    cls=Group,
    commands=Commands(PLACES),
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=epilog(
        "searchfeed index feeds/                   take in a folder of feeds",
        "searchfeed search migrant resource centre find something",
        "searchfeed help query                     how to ask",
    ),
)
@global_options(hidden=False)
@click.version_option(__version__, "-V", "--version", message="%(prog)s %(version)s")
@click.pass_context
def app(context: click.Context, /) -> None:
    """Keep every entry that your feeds ever published, and find it again.

    Without a command it is browsed on a terminal. The options below may stand before or behind the
    command.
    """
    context.ensure_object(Settings)
    if context.invoked_subcommand is not None:
        return
    from searchfeed.cli import browse

    if browse.can_browse():
        with browse.browse.make_context("browse", [], parent=context) as opened:
            browse.browse.invoke(opened)
    else:
        write([f"{context.get_help()}\n"])


for key in KEYS:
    key.take_from_environment("", app)


def run(arguments: Sequence[str]) -> int:
    """Run the program with these arguments, and return its exit code.

    Whatever goes wrong becomes a line on stderr; only ``SEARCHFEED_DEBUG`` lets a traceback out.
    """
    prepare()
    if COMPLETE in os.environ:
        from searchfeed.cli import shells

        shells.register()
    configuration = read(app)
    try:
        code = app.main(
            list(arguments),
            prog_name="searchfeed",
            standalone_mode=False,
            obj=Settings(configuration=configuration),
            default_map=configuration.defaults(),
        )
    except click.Abort:
        return 130
    except click.UsageError as error:
        complain(f"{error.format_message()}{_variable(error)}")
        if error.ctx:
            say(f"how to use it: {error.ctx.command_path} --help")
        return 2
    except click.ClickException as error:
        complain(error.format_message())
        return 2
    except SearchfeedError as error:
        if os.environ.get(DEBUG):
            raise
        complain(str(error))
        if isinstance(error, QueryError):
            _point_out(error)
        return 2
    except Exception as error:
        if os.environ.get(DEBUG):
            raise
        kind = type(error).__name__
        complain(f"this is a bug in searchfeed: {kind}: {error}; {DEBUG}=1 shows where it is")
        return 2
    return code if isinstance(code, int) else 0


def _variable(error: click.UsageError) -> str:
    """Which variable of the environment a wrong value is from, where it is from one."""
    option = error.param if isinstance(error, click.BadParameter) else None
    if not error.ctx or not option or not option.name or not isinstance(option.envvar, str):
        return ""
    environment = click.core.ParameterSource.ENVIRONMENT
    if error.ctx.get_parameter_source(option.name) is not environment:
        return ""
    return f" ({option.envvar} says so)"


def _point_out(error: QueryError) -> None:
    from searchfeed.query import caret

    for row in caret(error).splitlines():
        say(f"  {row}")
