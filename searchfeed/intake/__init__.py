"""Sources into the archive: read or fetched, looked up, parsed in other processes, stored.

``files`` takes in what lies on this machine, in the order in which it was named; ``web`` what
servers answer, as it comes.
"""

from __future__ import annotations

from searchfeed.intake.files import take_in
from searchfeed.intake.web import due, fetch, subscribe

__all__ = ("due", "fetch", "subscribe", "take_in")
