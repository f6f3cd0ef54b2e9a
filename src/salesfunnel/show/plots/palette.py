"""Colours: those that colour-blind people tell apart, on light and on dark ground."""

from __future__ import annotations

from typing import Any

import attrs

from salesfunnel.errors import DefinitionError
from salesfunnel.wording import Listed


@attrs.frozen
class Palette:
    """The colours of one theme; hexadecimal, but for the veils, which let through what is below.

    Each theme has its own for every name, and within a theme no two names share one: so a figure
    of one theme can be recoloured for the other (see `recolouring`).

    Attributes
    ----------
    ground, text, quiet, grid : str
        Paper, letters, letters of less weight, lines behind the data.
    won, lost, still_open : str
        What outcomes have everywhere.
    others : tuple of str
        For what has no meaning of its own, beside the three above.
    faint, strong : str
        The ends of the scale of a heat map; `text` can be read on all that lies between.
    won_veil, lost_veil, open_veil, back_veil : str
        Flows and bands.
    """

    ground: str
    text: str
    quiet: str
    grid: str
    won: str
    lost: str
    still_open: str
    others: tuple[str, ...]
    faint: str
    strong: str
    won_veil: str
    lost_veil: str
    open_veil: str
    back_veil: str

    @property
    def series(self) -> tuple[str, ...]:
        """The colours of series that are told apart, in the order of their use."""
        return (self.won, self.lost, *self.others)

    def colours(self) -> list[str]:
        """Return every colour, in the order of the attributes."""
        found: list[str] = []
        for value in attrs.astuple(self, recurse=False):
            found += [value] if isinstance(value, str) else value
        return found


# The series were chosen such that any two of a theme, and the grey of what is open, stay at least
# 0.08 apart in Oklab for normal vision and for the three colour blindnesses that Machado, Oliveira
# and Fernandes simulate (IEEE Transactions on Visualization and Computer Graphics 15, 2009, pages
# 1291 to 1298), with a contrast of 3:1 to the ground (WCAG 2.2, 1.4.11). A test computes both.
LIGHT = Palette(
    ground="#ffffff",
    text="#1c2430",
    quiet="#5b6673",
    grid="#e3e7ec",
    won="#0065a8",
    lost="#d0540f",
    still_open="#7b8794",
    others=("#0daa68", "#cf68dd", "#071a90", "#4e311c"),
    faint="#eef4fa",
    strong="#4d93cf",
    won_veil="rgba(0, 101, 168, 0.35)",
    lost_veil="rgba(208, 84, 15, 0.35)",
    open_veil="rgba(123, 135, 148, 0.25)",
    back_veil="rgba(207, 104, 221, 0.45)",
)
DARK = Palette(
    ground="#14171b",
    text="#e8ecf1",
    quiet="#a3adb8",
    grid="#2c333b",
    won="#4da3e8",
    lost="#f0883e",
    still_open="#8b96a3",
    others=("#92d7cc", "#6753cb", "#ecd47e", "#c44117"),
    faint="#1d2a37",
    strong="#2668a8",
    won_veil="rgba(77, 163, 232, 0.4)",
    lost_veil="rgba(240, 136, 62, 0.4)",
    open_veil="rgba(139, 150, 163, 0.3)",
    back_veil="rgba(103, 83, 203, 0.6)",
)
PALETTES = {"light": LIGHT, "dark": DARK}
FONT = (
    "system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', 'PingFang SC', 'Microsoft YaHei', "
    "'Noto Sans CJK SC', sans-serif"
)


def palette(theme: str) -> Palette:
    """Return the colours of a theme.

    Raises
    ------
    DefinitionError
        If there is no such theme.
    """
    if theme not in PALETTES:
        raise DefinitionError(
            "theme= is one of {known}, not {theme!r}", known=Listed(PALETTES), theme=theme
        )
    return PALETTES[theme]


def recolouring() -> dict[str, str]:
    """Return the dark colour of each light one."""
    return dict(zip(LIGHT.colours(), DARK.colours(), strict=True))


def template(theme: str) -> dict[str, Any]:
    """Return the plotly template of a theme: everything about a figure but what is in it."""
    colours = palette(theme)
    axis = {
        "gridcolor": colours.grid,
        "linecolor": colours.grid,
        "zerolinecolor": colours.grid,
        "tickcolor": colours.grid,
        "automargin": True,
        "title": {"standoff": 8},
    }
    return {
        "layout": {
            "paper_bgcolor": colours.ground,
            "plot_bgcolor": colours.ground,
            "colorway": list(colours.series),
            "font": {"family": FONT, "size": 13, "color": colours.text},
            "title": {"font": {"size": 16}, "x": 0, "xanchor": "left", "xref": "container"},
            "hoverlabel": {
                "bgcolor": colours.ground,
                "bordercolor": colours.quiet,
                "font": {"color": colours.text, "family": FONT},
                "align": "left",
                "namelength": -1,
            },
            "legend": {
                "orientation": "h",
                "x": 0,
                "y": 0,
                "yref": "container",
                "yanchor": "bottom",
            },
            "margin": {"l": 16, "r": 16, "t": 48, "b": 16},
            "xaxis": axis,
            "yaxis": axis,
            "hovermode": "closest",
            "dragmode": False,
        }
    }
