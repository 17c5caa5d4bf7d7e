"""How it looks: three themes of our own, each readable in all its parts.

Text on its ground has a contrast of at least 7 to 1 (WCAG AAA) where it is to be read, of 4.5 to 1
where it is an aside.
"""

from __future__ import annotations

from textual.theme import Theme

DARK, LIGHT, CONTRAST = "searchfeed-dark", "searchfeed-light", "searchfeed-contrast"

DEFAULTS = {"match-style": "bold"}
"""What our style sheet asks a theme for that is no colour."""

_COLOURS = {
    "match": "accent",
    "aside": "foreground-muted",
    "feed": "secondary",
    "chosen": "surface",
}
# The colours that it asks for, beside Textual's own, and which of those stand in for them.

THEMES = (
    Theme(
        name=DARK,
        dark=True,
        primary="#5fb3d9",
        secondary="#7cc4b2",
        accent="#ffc66d",
        warning="#ffc66d",
        error="#ff8a80",
        success="#9ccc7c",
        foreground="#d9dee7",
        background="#11151c",
        surface="#1b222d",
        panel="#161c25",
        boost="#222b38",
        variables={
            "match": "#ffc66d",
            "aside": "#8d99ab",
            "feed": "#7cc4b2",
            "chosen": "#253041",
            "footer-background": "#161c25",
            "footer-key-foreground": "#ffc66d",
            "footer-description-foreground": "#a9b4c4",
            "input-selection-background": "#5fb3d9 35%",
            "scrollbar": "#334155",
            "scrollbar-background": "#11151c",
            "scrollbar-background-hover": "#11151c",
            "scrollbar-background-active": "#11151c",
        },
    ),
    Theme(
        name=LIGHT,
        dark=False,
        primary="#0b61a4",
        secondary="#0f6b5c",
        accent="#9c3d00",
        warning="#8a5300",
        error="#b3261e",
        success="#2e6b1f",
        foreground="#1f2630",
        background="#fcfbf8",
        surface="#f1eee7",
        panel="#f5f2ec",
        boost="#e9e5db",
        variables={
            "match": "#9c3d00",
            "aside": "#5d6673",
            "feed": "#0f6b5c",
            "chosen": "#e4edf5",
            "footer-background": "#f1eee7",
            "footer-key-foreground": "#9c3d00",
            "footer-description-foreground": "#4a5360",
            "input-selection-background": "#0b61a4 25%",
            "scrollbar": "#c9c3b5",
            "scrollbar-background": "#fcfbf8",
            "scrollbar-background-hover": "#fcfbf8",
            "scrollbar-background-active": "#fcfbf8",
        },
    ),
    Theme(
        name=CONTRAST,
        dark=True,
        primary="#00ffff",
        secondary="#00ffff",
        accent="#ffff00",
        warning="#ffff00",
        error="#ff9999",
        success="#00ff00",
        foreground="#ffffff",
        background="#000000",
        surface="#000000",
        panel="#000000",
        boost="#000000",
        luminosity_spread=0,
        text_alpha=1.0,
        variables={
            "match": "#ffff00",
            "match-style": "bold underline",
            "aside": "#ffffff",
            "feed": "#00ffff",
            "chosen": "#000060",
            "text": "#ffffff",
            "text-muted": "#ffffff",
            "text-disabled": "#dddddd",
            "footer-key-foreground": "#ffff00",
            "footer-description-foreground": "#ffffff",
            "footer-background": "#000000",
            "scrollbar": "#ffffff",
            "scrollbar-background": "#000000",
            "scrollbar-background-hover": "#000000",
            "scrollbar-background-active": "#000000",
        },
    ),
)

SHORT = {"dark": DARK, "light": LIGHT, "contrast": CONTRAST}
"""What a user may call them."""


def defaults(theme: Theme) -> dict[str, str]:
    """What our style sheet needs, from a theme that does not have it."""
    colours = theme.to_color_system().generate()
    return DEFAULTS | {ours: colours[theirs] for ours, theirs in _COLOURS.items()}
