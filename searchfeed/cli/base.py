"""What the commands share: the settings, the options that set them, and how words are read."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from searchfeed.cli import streams
from searchfeed.cli.configuration import Configuration, nearest
from searchfeed.engines import ENGINES
from searchfeed.errors import SearchfeedError
from searchfeed.models import Sort
from searchfeed.output import Renderers
from searchfeed.output.clean import clean, line

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    from searchfeed.index import Index

Function = TypeVar("Function", bound=Callable[..., Any])
Value = TypeVar("Value")


@dataclass(slots=True)
class Settings:
    """What the global options say; ``directory`` is None where no index was named.

    Whoever asks for the index of a ``configuration`` that cannot be used is told so; what needs no
    index goes on.
    """

    directory: str | None = None
    quiet: bool = False
    verbose: bool = False
    color: str = "auto"
    engine: str = ""
    engine_url: str = ""
    engine_shards: int | None = None
    engine_replicas: int | None = None
    configuration: Configuration | None = None

    def open(self) -> Index:
        """The index named, else the one in the user's data directory."""
        from searchfeed.engines import LOCAL, EngineOptions
        from searchfeed.index import Index

        options = EngineOptions(self.engine_url)
        if self.engine_shards is not None:
            options = replace(options, shards=self.engine_shards)
        if self.engine_replicas is not None:
            options = replace(options, replicas=self.engine_replicas)
        return Index(
            self.path,
            engine=self.engine or LOCAL,
            options=options,
            waiting=lambda holder: self.say(f"waiting for {holder}; it writes"),
        )

    @property
    def path(self) -> Path:
        """Where the index is.

        Raises:
            ConfigError: the config file, which may name it, cannot be used.
        """
        if self.configuration:
            self.configuration.check()
        if self.directory:
            return Path(self.directory)
        from platformdirs import user_data_path

        return user_data_path("searchfeed")

    def say(self, message: str) -> None:
        """Tell the user something they can do without: nothing is written if ``--quiet``."""
        if not self.quiet:
            streams.say(message)

    def write(
        self, renderers: Renderers[Value], value: Value, name: str | None, *, json: bool
    ) -> None:
        """Write a value to stdout in the format named, or in the one that suits stdout."""
        fitting = renderers.people if streams.is_terminal(sys.stdout) else renderers.programs
        chosen = "json" if json else name or fitting
        streams.write(renderers.render(value, chosen, streams.screen(self.color)))


class Group(click.Group):
    """Commands in the order they were written, with help for those that do not exist."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """The names, in the order of a first acquaintance."""
        return list(self.commands)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command, or say what may have been meant."""
        name = args[0]
        known = self.get_command(ctx, name) is not None
        if not known and not ctx.resilient_parsing and not name.startswith("-"):
            if near := nearest(name, self.commands):
                remedy = f"did you mean: {ctx.command_path} {near}"
            elif ctx.parent:
                remedy = f"there are: {', '.join(self.commands)}"
            else:
                remedy = f"to look for it: searchfeed search {' '.join(args)}"
            raise click.UsageError(f"no command {name!r}; {remedy}", ctx)
        return super().resolve_command(ctx, args)


class QueryCommand(click.Command):
    """A command whose arguments are a query: words need no quoting, ``-word`` is one of them.

    Long options are options, also where they are mistyped; of what starts with one dash only the
    command's own options are, and ``-n5``. Everything after ``--`` is query.
    """

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put the words behind the options, where click takes them as they are."""
        takes_value = {
            name: not getattr(parameter, "is_flag", False)
            for parameter in self.get_params(ctx)
            if isinstance(parameter, click.Option)
            for name in parameter.opts
        }
        options: list[str] = []
        words: list[str] = []
        rest = iter(args)
        for argument in rest:
            if argument == "--":
                words.extend(rest)
            elif argument in takes_value:
                options.append(argument)
                if takes_value[argument]:
                    options.extend(islice(rest, 1))
            elif argument.startswith("--") or re.fullmatch(r"-n\d+", argument):
                options.append(argument)
            else:
                words.append(argument)
        return super().parse_args(ctx, [*options, "--", *words])

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem[Any]]:
        """Options, and the words of a query: ``-tag:`` may become one."""
        found = super().shell_complete(ctx, incomplete)
        if re.match(r"-[^-]", incomplete):
            for parameter in self.params:
                if isinstance(parameter, click.Argument) and parameter.nargs == -1:
                    found += parameter.shell_complete(ctx, incomplete)
        return found


def complete_query(context: click.Context, _: click.Parameter, typed: str) -> list[str]:
    """What the last word of a query may become, for the shell; nothing where there is no index."""
    return ask_while_typing(context, lambda index: index.complete(typed))


def complete_feed(context: click.Context, _: click.Parameter, typed: str) -> list[str]:
    """The titles of feeds, of which a word begins so, for the shell."""
    wanted = typed.casefold()
    known = ask_while_typing(context, lambda index: index.feeds())
    titles = dict.fromkeys(line(feed.title).strip() for feed in known)
    return [title for title in titles if title and f" {wanted}" in f" {title.casefold()}"]


def complete_known_feed(
    context: click.Context, _: click.Parameter, typed: str
) -> list[CompletionItem]:
    """The feeds that are known, by their address, for the shell; their titles beside it."""
    return _feeds(context, typed, subscribed=False)


def complete_subscription(
    context: click.Context, _: click.Parameter, typed: str
) -> list[CompletionItem]:
    """The same of those that are subscribed to."""
    return _feeds(context, typed, subscribed=True)


def _feeds(context: click.Context, typed: str, *, subscribed: bool) -> list[CompletionItem]:
    from click.shell_completion import CompletionItem

    wanted = typed.casefold()
    items = []
    for feed in ask_while_typing(context, lambda index: index.feeds()):
        # A shell takes what stands before a colon for a word of its own, and the part is enough.
        whole = "://" in typed
        address = feed.url if whole else feed.url.partition("://")[2] or feed.url
        fits = address.casefold().startswith(wanted) or wanted in feed.title.casefold()
        if fits and (feed.subscription or not subscribed):
            items.append(CompletionItem(clean(address), help=line(feed.title)))
    return items


def ask_while_typing(
    context: click.Context, question: Callable[[Index], Iterable[Value]]
) -> list[Value]:
    """What the index answers, for the shell; nothing where there is none."""
    settings = context.find_root().ensure_object(Settings)
    try:
        with settings.open() as index:
            return list(question(index))
    except (SearchfeedError, click.ClickException):
        # There is nowhere to say it: the user is still typing.
        return []


query_argument = click.argument(
    "query", nargs=-1, type=click.UNPROCESSED, shell_complete=complete_query
)
"""The words of a query, for a ``QueryCommand``."""

feeds_option = click.option(
    "--feed",
    "feeds",
    metavar="TEXT",
    multiple=True,
    shell_complete=complete_feed,
    help="Only feeds whose title or URL holds this; may be given more than once.",
)
"""From which feeds alone."""


def global_options(*, hidden: bool) -> Callable[[Function], Function]:
    """The options of every command; hidden ones are those repeated behind the command's name."""

    def decorate(function: Function) -> Function:
        for option in reversed(_global_options(hidden=hidden)):
            function = option(function)
        return function

    return decorate


def network_options(function: Function) -> Function:
    """Whose servers may be asked."""
    return click.option(
        "--allow-private/--no-allow-private",
        default=False,
        help=(
            "Also fetch from your own network (localhost, 192.168.0.0/16 and the like).  "
            "[env: SEARCHFEED_ALLOW_PRIVATE]"
        ),
    )(function)


def given(name: str) -> bool:
    """Whether a parameter was given on the command line, not in the environment or a file."""
    source = click.get_current_context().get_parameter_source(name)
    return source is click.core.ParameterSource.COMMANDLINE


def format_options(renderers: Renderers[Any]) -> Callable[[Function], Function]:
    """``--format`` with the formats there are, and ``--json``."""
    default = f"{renderers.people} on a terminal, else {renderers.programs}"

    def decorate(function: Function) -> Function:
        function = click.option("--json", is_flag=True, help="Short for --format json.")(function)
        return click.option(
            "--format",
            type=click.Choice(renderers.formats),
            help=f"How to write it.  [default: {default}]",
        )(function)

    return decorate


def page_options(function: Function) -> Function:
    """Which of the hits, in which order, from which feeds."""
    for option in reversed(_PAGE_OPTIONS):
        function = option(function)
    return function


def epilog(*examples: str, notes: Iterable[str] = ()) -> str:
    """What stands below a command's options: paragraphs, and examples a line each."""
    # \b keeps click from wrapping the paragraph behind it.
    rows = "\n".join(f"  {example}" for example in examples)
    return "\n\n".join([*notes, f"\b\nExamples:\n{rows}"])


_PAGE_OPTIONS = [
    click.option(
        "-n",
        "--limit",
        metavar="N",
        type=click.IntRange(min=1),
        default=10,
        show_default=True,
        help="Hits at most.",
    ),
    click.option(
        "--offset",
        metavar="N",
        type=click.IntRange(min=0),
        default=0,
        show_default=True,
        help="Hits to pass over.",
    ),
    click.option(
        "--sort",
        type=click.Choice([order.value for order in Sort]),
        default=Sort.RELEVANCE.value,
        show_default=True,
        help="The order: the best, the oldest or (-date) the newest first.",
    ),
    feeds_option,
]


def _global_options(*, hidden: bool) -> list[Callable[[Function], Function]]:
    option = partial(click.option, callback=_keep, expose_value=False, hidden=hidden)
    return [
        option(
            "--index",
            # By its name a config file would take the options of the command "index" for it.
            "directory",
            metavar="DIR",
            help="Where the index is.  [env: SEARCHFEED_INDEX; default: your data directory]",
        ),
        option(
            "--engine",
            type=click.Choice(ENGINES),
            help="What searches: whoosh on this machine, or a cluster.  [default: whoosh]",
        ),
        option(
            "--engine-url",
            metavar="URL",
            help="Where the cluster is: https://HOST:9200/NAME; more hosts with commas before.",
        ),
        option(
            "--engine-shards",
            metavar="N",
            type=click.IntRange(min=1, max=1024),
            help="Parts that an index made in a cluster has.  [default: 2]",
        ),
        option(
            "--engine-replicas",
            metavar="N",
            type=click.IntRange(min=0, max=100),
            help="Further copies of each part in a cluster.  [default: 1]",
        ),
        option(
            "--color",
            type=click.Choice(["auto", "always", "never"]),
            help="When to use colours and links; auto heeds NO_COLOR.  [default: auto]",
        ),
        option(
            "-q",
            "--quiet",
            is_flag=True,
            help="Only data and errors.",
        ),
        option(
            "-v",
            "--verbose",
            is_flag=True,
            help="Every warning, and how long a search took.",
        ),
    ]


def _keep(context: click.Context, parameter: click.Parameter, value: object) -> None:
    settings = context.find_root().ensure_object(Settings)
    # An option that is not given behind the command must not undo the one before it.
    if value not in (None, "") and value is not False and parameter.name:
        setattr(settings, parameter.name, value)
