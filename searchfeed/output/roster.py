"""The feeds for people: what each holds, and how it stands with its server."""

from __future__ import annotations

from collections.abc import Iterator

from rich.text import Text

from searchfeed.models import FeedState, Subscription, SubscriptionState
from searchfeed.output import Screen
from searchfeed.output.human import ago, count, until
from searchfeed.output.ink import FAINT, FEED, PLAIN, TITLE, WRONG, Paper, linked, render, text
from searchfeed.output.wrapping import behind, wrap

_GAP = 2


def feeds(feeds: tuple[FeedState, ...], screen: Screen) -> Iterator[str]:
    """Each feed with its number of entries, the date of the newest, and its address below.

    Behind the address stands when it was read and will be, and below it what is wrong.
    """
    paper = Paper.of(screen)
    counts = [f"{feed.entries:,}" for feed in feeds]
    count_width = max(map(len, counts), default=0)
    width = paper.width - count_width - _GAP
    for feed, entries in zip(feeds, counts, strict=True):
        label = Text(f"{entries:>{count_width}}{' ' * _GAP}")
        rows = (row for part in _parts(feed, screen, width) for row in wrap(part, width))
        yield render(behind(label, rows), paper)
    total = sum(feed.entries for feed in feeds)
    yield render([Text(f"{count(len(feeds), 'feed')}, {count(total, 'entry')}", FAINT)], paper)


def _parts(feed: FeedState, screen: Screen, width: int) -> Iterator[Text]:
    """Whatever is told of a feed, one thing after the other, not wrapped yet."""
    head = text(feed.title or feed.url, linked(TITLE, feed.link or feed.url))
    newest = ago(feed.newest, screen.now, screen.zone) if feed.newest else "no dates"
    if not feed.entries:
        newest = "no entries yet" if feed.subscription else "no entries"
    if head.cell_len + _GAP + len(newest) <= width:
        head.append(f"{' ' * _GAP}{newest}", PLAIN)
    yield head
    below = [text(feed.url, FAINT)] if feed.title else []
    if feed.tags:
        below.append(text(" ".join(f"#{tag}" for tag in feed.tags), FEED))
    if feed.subscription:
        below.append(text(_times(feed.subscription, screen), FAINT))
    if below:
        yield Text(" · ", FAINT).join(below)
    if feed.subscription and (trouble := _trouble(feed.subscription, screen)):
        yield text(trouble, WRONG)


def _times(subscription: Subscription, screen: Screen) -> str:
    """When it was read and will be."""
    read = subscription.last_success
    times = f"read {ago(read, screen.now, screen.zone)}" if read else "never read"
    if subscription.state is SubscriptionState.GONE:
        return times
    if subscription.next_fetch:
        return f"{times}, due {until(subscription.next_fetch, screen.now)}"
    return f"{times}, due now"


def _trouble(subscription: Subscription, screen: Screen) -> str:
    """What is wrong with it, or nothing."""
    if subscription.state is SubscriptionState.GONE:
        return "gone: its server says that it will not be back; it is not asked again"
    if not subscription.last_error:
        return ""
    when = ago(subscription.last_fetch, screen.now, screen.zone) if subscription.last_fetch else ""
    times = f", {subscription.failures:,} times in a row" if subscription.failures > 1 else ""
    return f"failed {when}{times}: {subscription.last_error}"
