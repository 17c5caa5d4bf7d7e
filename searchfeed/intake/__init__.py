"""Sources into the archive: read or fetched, looked up, parsed in other processes, stored.

``files`` takes in what lies on this machine, in the order in which it was named; ``web`` what
servers answer, as it comes, with ``fetching`` in another thread. ``subscriptions`` says which
feeds that is about.
"""

from __future__ import annotations

from searchfeed.intake.files import take_in
from searchfeed.intake.subscriptions import due, subscribe
from searchfeed.intake.web import fetch

__all__ = ("due", "fetch", "subscribe", "take_in")
