"""Text into the clipboard, by every way there is."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from searchfeed.output.human import size

if TYPE_CHECKING:
    from textual.app import App

LONGEST = 74_994
"""Bytes of text that terminals take in one sequence: xterm's limit, in base64, is the lowest."""

PATIENCE = 2.0
"""Seconds for which a command that sets the clipboard is waited for."""

_WAYLAND = (("wl-copy",),)
_X11 = (("xclip", "-selection", "clipboard", "-in"), ("xsel", "--clipboard", "--input"))
_MACOS = (("pbcopy",),)


async def copy(app: App[Any], text: str, what: str) -> str:
    """Copy a text; nothing waits for it but the caller.

    It goes to the terminal (OSC 52, which also works over SSH, but which terminals may ignore),
    and to the clipboard of this computer where it has a command for that.

    Args:
        app: the program whose terminal it is.
        text: what to copy.
        what: what it is, as it begins a sentence: ``Link``.

    Returns:
        A line that says what was done.
    """
    length = len(text.encode("utf-8", "replace"))
    fits = length <= LONGEST
    if fits:
        app.copy_to_clipboard(text.encode("utf-8", "replace").decode("utf-8"))
    argv = command(os.environ)
    copied = await asyncio.to_thread(_run, argv, text) if argv else False
    if copied:
        return f"{what} copied"
    if fits:
        return f"{what} copied, if the terminal allows it"
    return f"{what} not copied: {size(length)} are too much for the terminal"


def command(environment: Mapping[str, str], platform: str = sys.platform) -> tuple[str, ...]:
    """What sets the clipboard of the screen that the program runs on; empty where nothing does."""
    choices: list[tuple[str, ...]] = []
    if platform == "darwin":
        choices += _MACOS
    if environment.get("WAYLAND_DISPLAY"):
        choices += _WAYLAND
    if environment.get("DISPLAY"):
        choices += _X11
    for name, *arguments in choices:
        if path := shutil.which(name, path=environment.get("PATH")):
            return (path, *arguments)
    return ()


def _run(argv: tuple[str, ...], text: str) -> bool:
    """Whether the command took the text. Its output goes nowhere: the screen is ours.

    In a thread, which the program waits for when it quits: what was copied is in the clipboard.
    """
    try:
        ended = subprocess.run(  # noqa: S603 - a command of ours, by its full path
            argv,
            input=text.encode("utf-8", "replace"),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            timeout=PATIENCE,
            check=False,
        )
    except (subprocess.TimeoutExpired, OSError):
        return False
    return ended.returncode == 0
