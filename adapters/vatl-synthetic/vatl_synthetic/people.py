"""What somebody looks like: bones, clothes, colours."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import attrs
import numpy as np

from vatl_synthetic.anatomy import Proportions
from vatl_synthetic.body import Part, Style, parts
from vatl_synthetic.faces import face
from vatl_synthetic.textures import CLOTHS, Colour, Picture, denim, speckled, strands

_SKINS: Final[tuple[Colour, ...]] = (
    (244, 206, 178), (232, 186, 154), (216, 168, 132), (192, 140, 104), (156, 106, 76), (114, 76, 54), (88, 58, 44),
)  # fmt: skip
_HAIRS: Final[tuple[Colour, ...]] = (
    (34, 26, 22),
    (58, 38, 26),
    (104, 68, 38),
    (186, 142, 80),
    (150, 70, 34),
    (150, 148, 146),
)
_IRISES: Final[tuple[Colour, ...]] = ((74, 48, 28), (62, 96, 128), (70, 104, 66))


@attrs.frozen
class Wardrobe:
    """What people of a domain wear.

    Attributes:
        cloths: names of :data:`vatl_synthetic.textures.CLOTHS` for the tops.
        tops, bottoms, shoes: colours to choose from; a top takes two.
        sleeves, trousers: lengths to choose from, as in :class:`~vatl_synthetic.body.Style`.
        patterned_bottoms: whether the trousers have a pattern too.
        caps: how often somebody wears one, 0 to 1.
        barefoot: whether they go without shoes.
    """

    cloths: Sequence[str]
    tops: Sequence[Colour]
    bottoms: Sequence[Colour]
    shoes: Sequence[Colour]
    sleeves: Sequence[float]
    trousers: Sequence[float]
    patterned_bottoms: bool = False
    caps: float = 0.15
    barefoot: bool = False


@attrs.frozen
class Person:
    """Somebody.

    Attributes:
        proportions: the bones.
        body: the parts.
        textures: (8, TILE, TILE, 3) one for each of :data:`vatl_synthetic.body.MATERIALS`.
    """

    proportions: Proportions
    body: Sequence[Part]
    textures: Picture


def somebody(rng: np.random.Generator, wardrobe: Wardrobe) -> Person:
    """A person dressed from a wardrobe."""
    proportions = Proportions.random(rng)
    style = Style(
        sleeves=float(rng.choice(wardrobe.sleeves)),
        trousers=float(rng.choice(wardrobe.trousers)),
        hair=rng.choice(["short", "short", "long", "bun", "curly", "bald"]),
        cap=bool(rng.uniform() < wardrobe.caps),
        loose=rng.uniform(0.003, 0.009),
    )
    return Person(proportions, parts(proportions, style), _textures(rng, wardrobe, style))


def _textures(rng: np.random.Generator, wardrobe: Wardrobe, style: Style) -> Picture:
    skin, hair = _pick(rng, _SKINS), _pick(rng, _HAIRS)
    first, second = _pick(rng, wardrobe.tops), _pick(rng, wardrobe.tops)
    bottom, shoe = _pick(rng, wardrobe.bottoms), _pick(rng, wardrobe.shoes)
    beard = float(rng.uniform(0.3, 1.0)) if style.hair in ("short", "bald") and rng.uniform() < 0.4 else 0.0
    top = CLOTHS[str(rng.choice(wardrobe.cloths))](rng, first, second)
    legs = (
        CLOTHS[str(rng.choice(wardrobe.cloths))](rng, bottom, second)
        if wardrobe.patterned_bottoms
        else denim(rng, bottom)
    )
    bare = speckled(rng, skin, 0.04, 4)
    sole: Colour = (226, 222, 214)
    feet = (bare, bare) if wardrobe.barefoot else (speckled(rng, shoe, 0.06), speckled(rng, sole, 0.04))
    looks = [bare, face(rng, skin, hair, _pick(rng, _IRISES), beard), strands(rng, hair), top, legs, *feet]
    return np.stack([*looks, speckled(rng, _pick(rng, wardrobe.tops), 0.06)])


def _pick(rng: np.random.Generator, colours: Sequence[Colour]) -> Colour:
    """One of the colours, a little off, above all in brightness."""
    off = rng.uniform(0.88, 1.1) * rng.uniform(0.97, 1.03, 3)
    red, green, blue = np.clip(np.array(colours[int(rng.integers(len(colours)))]) * off, 0, 255)
    return float(red), float(green), float(blue)
