"""The terminal app: search as you type, in full screen.

``screen`` puts the parts together and ``searcher`` asks the index for it, in threads; each other
module is one part. Text from feeds comes to the screen as rich ``Text`` or as strips, cleaned by
``searchfeed.output``, and never as markup: a feed could write ``[@click=app.quit]`` in it.

Textual takes a third of a second to load, so nothing but this package imports it, and this
package is imported when the app is started.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from searchfeed.index import Index

FRAMES = 1000
"""Times in a second that the screen is painted at most."""


def browse(
    index: Index,
    query: str = "",
    *,
    theme: str = "dark",
    keymap: Mapping[str, str] | None = None,
    allow_private: bool = False,
) -> bool:
    """Run the app until the user leaves it.

    Args:
        index: what is searched; it need not exist yet.
        query: what is looked for at first.
        theme: ``dark``, ``light``, ``contrast`` or one of Textual's own.
        keymap: the id of a binding → keys, divided by commas, in the place of its own.
        allow_private: whether addresses inside the user's own network may be fetched.

    Returns:
        Whether nothing uses the index any more; an update may, if the user left in the middle.
    """
    # Textual paints at most so often; what is ready just after a letter is painted would wait for
    # up to a sixtieth of a second. It is read when Textual is imported.
    os.environ.setdefault("TEXTUAL_FPS", str(FRAMES))
    from searchfeed.tui.heap import keep

    # Before there is a second thread, which would get a heap of its own.
    keep()
    from searchfeed.tui import stalls
    from searchfeed.tui.app import SearchfeedApp
    from searchfeed.tui.queries import default_file

    app = SearchfeedApp(
        index,
        query,
        theme=theme,
        keymap=keymap,
        history=default_file(),
        allow_private=allow_private,
    )
    with stalls.short():
        app.run()
    return app.main.close()
