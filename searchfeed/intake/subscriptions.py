"""Which feeds are subscribed to, and which of them are to be fetched now."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Protocol, TypeAlias

from searchfeed.errors import FetchError, SourceError
from searchfeed.models import Report, Subscription, SubscriptionState

if TYPE_CHECKING:
    from searchfeed.archive import Archive
    from searchfeed.sources import Outline

Progress: TypeAlias = Callable[[str, int, int], None]
"""Called with what is done, how much, of how much (see ``web.fetch``)."""


class Keeper(Protocol):
    """The directory of an index, as far as it matters here; ``searchfeed.store.Store`` is one."""

    def archive(self, *, create: bool = False) -> Archive:
        """The archive."""

    def writing(self) -> AbstractContextManager[None]:
        """The right to write to it. It is never held while the network is waited for."""

    def catch_up(self, progress: Progress | None) -> None:
        """Make searchable what the archive has; only while writing."""


def subscribe(
    keeper: Keeper, outlines: Iterable[Outline]
) -> tuple[list[Subscription], dict[str, Outline], Report]:
    """Subscribe to the feeds that are not yet subscribed to.

    Returns:
        The subscriptions, each once; of those that are new the outline, by the feed's identity;
        and what could not be subscribed to.
    """
    subscriptions: dict[str, Subscription] = {}
    new: dict[str, Outline] = {}
    failures: list[SourceError] = []
    with keeper.writing():
        archive = keeper.archive(create=True)
        known = {each.feed_url for each in archive.subscriptions()}
        for outline in outlines:
            try:
                made = archive.subscribe(outline.url, title=outline.title, tags=outline.tags)
            except FetchError as error:
                failures.append(error)
                continue
            if made.feed_url not in known:
                new.setdefault(made.feed_url, outline)
            subscriptions.setdefault(made.feed_url, made)
    return list(subscriptions.values()), new, Report(failures=tuple(failures))


def due(
    subscriptions: Iterable[Subscription], *, named: bool, force: bool
) -> tuple[list[Subscription], Report]:
    """The subscriptions to fetch now, and what to say of the others.

    Args:
        subscriptions: to choose from.
        named: somebody has asked for these and wants them all.
        force: also those whose time has not come; but of those that are gone, only named ones.
    """
    from searchfeed.archive import schedule

    now = datetime.now(UTC)
    chosen: list[Subscription] = []
    report = Report()
    for each in subscriptions:
        if each.state is SubscriptionState.GONE and not named:
            continue
        until = schedule.held_off(each, now)
        if until is not None and (named or force):
            moment = until.astimezone().strftime("%Y-%m-%d %H:%M")
            said = f"{each.feed_url}: not fetched; its server asked to be left alone until {moment}"
            report += Report(warnings=(said,), waiting=1, next_fetch=until)
        elif named or force or schedule.is_due(each, now):
            chosen.append(each)
        else:
            report += Report(waiting=1, next_fetch=each.next_fetch)
    return chosen, report
