"""Colours: told apart by everybody, on light and on dark ground."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from numpy.typing import NDArray

from salesfunnel.errors import DefinitionError
from salesfunnel.show.plots.palette import DARK, LIGHT, Palette, palette, recolouring, template

Colour = NDArray[np.float64]

# Machado, Oliveira and Fernandes (2009), severity 1.0, on linear RGB.
VISIONS = {
    "normal": np.eye(3),
    "protanopia": np.array(
        [
            [0.152286, 1.052583, -0.204868],
            [0.114503, 0.786281, 0.099216],
            [-0.003882, -0.048116, 1.051998],
        ]
    ),
    "deuteranopia": np.array(
        [
            [0.367322, 0.860646, -0.227968],
            [0.280085, 0.672501, 0.047413],
            [-0.011820, 0.042940, 0.968881],
        ]
    ),
    "tritanopia": np.array(
        [
            [1.255528, -0.076749, -0.178779],
            [-0.078411, 0.930809, 0.147602],
            [0.004733, 0.691367, 0.303900],
        ]
    ),
}
themes = pytest.mark.parametrize("colours", [LIGHT, DARK], ids=["light", "dark"])


def linear(colour: str) -> Colour:
    """The linear RGB of a hexadecimal colour (IEC 61966-2-1)."""
    part = np.array([int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)])
    return np.where(part <= 0.04045, part / 12.92, ((part + 0.055) / 1.055) ** 2.4)


def oklab(rgb: Colour) -> Colour:
    """B. Ottosson (2020), A perceptual color space for image processing."""
    to_lms = np.array(
        [
            [0.4122214708, 0.5363325363, 0.0514459929],
            [0.2119034982, 0.6806995451, 0.1073969566],
            [0.0883024619, 0.2817188376, 0.6299787005],
        ]
    )
    to_lab = np.array(
        [
            [0.2104542553, 0.7936177850, -0.0040720468],
            [1.9779984951, -2.4285922050, 0.4505937099],
            [0.0259040371, 0.7827717662, -0.8086757660],
        ]
    )
    return np.asarray(to_lab @ np.cbrt(to_lms @ np.clip(rgb, 0, 1)))


def contrast(one: str, other: str) -> float:
    """WCAG 2.2, contrast ratio."""
    low, high = sorted(float(linear(colour) @ [0.2126, 0.7152, 0.0722]) for colour in (one, other))
    return (high + 0.05) / (low + 0.05)


@themes
@pytest.mark.parametrize("vision", VISIONS)
def test_series_are_told_apart_whatever_eyes_one_has(colours: Palette, vision: str) -> None:
    seen = [
        oklab(VISIONS[vision] @ linear(colour)) for colour in (*colours.series, colours.still_open)
    ]

    assert min(float(np.linalg.norm(a - b)) for a, b in combinations(seen, 2)) > 0.08


@themes
def test_they_stand_out_from_the_ground(colours: Palette) -> None:
    assert all(contrast(colour, colours.ground) >= 3 for colour in colours.series)
    assert contrast(colours.still_open, colours.ground) >= 3
    assert contrast(colours.text, colours.ground) >= 7
    assert contrast(colours.quiet, colours.ground) >= 4.5


@themes
def test_text_can_be_read_on_every_tone_of_a_heat_map(colours: Palette) -> None:
    faint, strong = (
        np.array([int(end[i : i + 2], 16) for i in (1, 3, 5)])
        for end in (colours.faint, colours.strong)
    )
    tones = [(faint + (strong - faint) * part / 100).round().astype(int) for part in range(101)]

    assert min(contrast(colours.text, "#" + bytes(tone.tolist()).hex()) for tone in tones) >= 4.5


def test_each_colour_of_one_theme_has_one_of_the_other() -> None:
    assert len(recolouring()) == len(LIGHT.colours()) == len(set(DARK.colours()))
    assert set(LIGHT.colours()).isdisjoint(DARK.colours())
    assert recolouring()[LIGHT.lost] == DARK.lost


def test_a_theme_has_its_template() -> None:
    assert template("dark")["layout"]["paper_bgcolor"] == DARK.ground
    assert palette("light") is LIGHT
    with pytest.raises(DefinitionError, match="theme="):
        template("blue")
