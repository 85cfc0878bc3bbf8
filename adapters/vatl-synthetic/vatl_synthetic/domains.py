"""The domains: one to train on, and several videos that differ from it in looks, camera and motion."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import attrs
import numpy as np

from vatl_synthetic.camera import Shot
from vatl_synthetic.people import Wardrobe
from vatl_synthetic.shading import Lamp, Lighting


@attrs.frozen
class Film:
    """What the sensor makes of the light.

    Attributes:
        exposure: factor on the brightness.
        contrast: factor around middle grey.
        saturation: of the colours, 1 leaves them.
        tint: factors on red, green, blue.
        grain: standard deviation of the noise, grey levels.
        blur: standard deviation of the lens' softness, pixels.
        vignette: how much darker the corners are, 0 to 1.
        pulse: share by which the light swells and fades.
    """

    exposure: float = 1.0
    contrast: float = 1.0
    saturation: float = 1.0
    tint: tuple[float, float, float] = (1.0, 1.0, 1.0)
    grain: float = 2.0
    blur: float = 0.35
    vignette: float = 0.0
    pulse: float = 0.0


@attrs.frozen
class Domain:
    """Where, who, what and how it is filmed.

    Attributes:
        places: names of (:data:`~vatl_synthetic.grounds.GROUNDS`, :data:`~vatl_synthetic.walls.WALLS`) to choose from.
        wardrobe: what people wear.
        motions: what they do; each person does ``acts`` of them.
        acts: how many motions a person does in a video.
        speed, amplitude: ranges of the factors on the motions' tempo and swing.
        yaw: how far people turn away from the camera, radians to either side.
        lighting: of the place.
        shot: the camera.
        varied: how much the shot differs from video to video, 0 to 1.
        film: the sensor.
        spread: distance between neighbours, metres.
    """

    places: Sequence[tuple[str, str]]
    wardrobe: Wardrobe
    motions: Sequence[str]
    lighting: Lighting
    acts: int = 1
    speed: tuple[float, float] = (0.85, 1.1)
    amplitude: tuple[float, float] = (0.85, 1.1)
    yaw: float = 0.5
    shot: Shot = attrs.field(factory=Shot)
    varied: float = 0.0
    film: Film = attrs.field(factory=Film)
    spread: float = 0.95

    def filmed(self, rng: np.random.Generator) -> Shot:
        """One video's shot."""
        if not self.varied:
            return self.shot
        return attrs.evolve(
            self.shot,
            size=self.shot.size * (1 + self.varied * rng.uniform(-0.14, 0.1)),
            height=self.shot.height + self.varied * rng.uniform(-0.3, 0.4),
            side=self.shot.side + self.varied * rng.uniform(-12, 12),
        )


_DAYLIGHT: Final = Lighting((0.52, 0.56, 0.62), (0.36, 0.34, 0.3), (Lamp((0.5, 0.85, 0.6), (0.62, 0.58, 0.5)),))

SOURCE: Final = Domain(
    places=(("grass", "park"), ("asphalt", "street"), ("paving", "street"), ("paving", "wall"), ("paving", "park")),
    wardrobe=Wardrobe(
        cloths=("plain", "plain", "print", "stripes"),
        tops=(
            (196, 60, 54),
            (52, 90, 160),
            (232, 228, 220),
            (66, 128, 84),
            (222, 184, 74),
            (60, 60, 66),
            (150, 158, 168),
        ),
        bottoms=((58, 72, 112), (44, 44, 50), (148, 126, 92), (104, 108, 112), (76, 84, 66)),
        shoes=((52, 44, 40), (214, 210, 204), (120, 52, 44), (40, 44, 60)),
        sleeves=(0.5, 0.55, 2.0),
        trousers=(2.0, 2.0, 1.95, 0.9),
    ),
    motions=("walk", "walk", "stand", "wave", "talk", "greet", "turn"),
    lighting=_DAYLIGHT,
    yaw=0.6,
    shot=Shot(shake=0.05, follow=0.5),
    varied=1.0,
    film=Film(grain=2.0),
)
"""Upright people by daylight, seen from the front at eye level."""

TARGETS: Final[dict[str, Domain]] = {
    "dance": Domain(
        places=(("planks", "stage"),),
        wardrobe=Wardrobe(
            cloths=("stripes", "dots", "blotches", "plaid"),
            tops=((255, 60, 150), (40, 220, 220), (250, 220, 50), (150, 70, 240), (245, 245, 245), (20, 20, 26)),
            bottoms=((240, 200, 40), (150, 40, 200), (30, 190, 180), (235, 235, 240)),
            shoes=((240, 60, 60), (245, 245, 245), (40, 220, 120)),
            sleeves=(0.0, 0.5, 1.6),
            trousers=(0.7, 1.4, 2.0),
            patterned_bottoms=True,
            caps=0.3,
        ),
        motions=("groove", "star", "windmill", "side_lunge", "jump"),
        acts=3,
        speed=(0.85, 1.05),
        amplitude=(0.95, 1.15),
        yaw=0.9,
        lighting=Lighting(
            (0.3, 0.24, 0.42),
            (0.28, 0.2, 0.26),
            (Lamp((-0.5, 1.0, 0.7), (0.85, 0.4, 0.7)), Lamp((0.9, 0.5, 0.3), (0.2, 0.5, 0.75))),
            shadow=0.45,
        ),
        shot=Shot(size=138, height=0.75, orbit=16, roll=6, shake=0.15, zoom=0.09, follow=0.6),
        film=Film(contrast=1.18, saturation=1.25, grain=3.5, vignette=0.35, pulse=0.12),
        spread=1.0,
    ),
    "gym": Domain(
        places=(("mats", "gymhall"),),
        wardrobe=Wardrobe(
            cloths=("pinstripes", "plain", "blotches"),
            tops=((40, 42, 48), (212, 255, 60), (255, 110, 60), (90, 96, 108)),
            bottoms=((28, 28, 34), (70, 40, 90), (40, 80, 96)),
            shoes=((255, 90, 40), (210, 255, 60), (240, 240, 240)),
            sleeves=(0.0, 0.0, 0.4),
            trousers=(0.5, 0.75, 1.9),
            caps=0.05,
        ),
        motions=("squat", "lunge", "bend", "jack", "press", "side_lunge"),
        acts=2,
        yaw=1.25,
        lighting=Lighting((0.62, 0.66, 0.6), (0.34, 0.36, 0.36), (Lamp((-0.2, 1.0, 0.25), (0.5, 0.52, 0.46)),), 0.35),
        shot=Shot(size=140, height=2.9, side=-14, tilt=7, roll=2, shake=0.08, zoom=0.05, follow=0.4, aim=0.8),
        film=Film(contrast=0.86, saturation=0.72, tint=(0.94, 1.04, 0.98), grain=4.0, blur=0.6),
        spread=1.05,
    ),
    "beach": Domain(
        places=(("sand", "shore"),),
        wardrobe=Wardrobe(
            cloths=("dots", "blotches", "stripes"),
            tops=((255, 120, 90), (255, 255, 255), (50, 180, 220), (255, 220, 90)),
            bottoms=((250, 90, 70), (40, 150, 200), (250, 210, 70), (60, 180, 120)),
            shoes=((200, 160, 120),),
            sleeves=(0.0, 0.35),
            trousers=(0.35, 0.6),
            patterned_bottoms=True,
            caps=0.4,
            barefoot=True,
        ),
        motions=("throw", "jump", "side_lunge", "run", "star"),
        acts=2,
        speed=(0.8, 1.0),
        yaw=1.5,
        lighting=Lighting((0.62, 0.6, 0.6), (0.62, 0.52, 0.4), (Lamp((-0.9, 0.75, -0.35), (0.95, 0.85, 0.6)),), 0.55),
        shot=Shot(size=130, height=1.9, side=10, orbit=8, shake=0.3, zoom=0.14, roll=3, follow=0.8),
        film=Film(exposure=1.12, contrast=1.2, saturation=1.1, tint=(1.06, 1.0, 0.9), grain=2.5, vignette=0.15),
    ),
    "night": Domain(
        places=(("wet street", "night street"),),
        wardrobe=Wardrobe(
            cloths=("plain", "plaid", "pinstripes"),
            tops=((60, 62, 74), (110, 40, 44), (48, 70, 60), (120, 112, 100)),
            bottoms=((40, 42, 52), (66, 56, 50), (54, 60, 84)),
            shoes=((200, 200, 200), (60, 50, 46)),
            sleeves=(2.0, 1.9, 0.5),
            trousers=(2.0,),
            caps=0.35,
        ),
        motions=("kick", "box", "side_lunge", "run", "kick"),
        acts=2,
        speed=(0.85, 1.1),
        yaw=1.4,
        lighting=Lighting(
            (0.26, 0.28, 0.42),
            (0.24, 0.2, 0.2),
            (Lamp((0.8, 0.9, 0.1), (0.7, 0.48, 0.26)), Lamp((-0.9, 0.4, 0.4), (0.12, 0.3, 0.46))),
            shadow=0.4,
        ),
        shot=Shot(size=142, height=1.1, side=8, orbit=9, roll=4, tilt=-5, shake=0.5, zoom=0.06, follow=0.9),
        film=Film(
            exposure=1.05, contrast=1.1, saturation=0.9, tint=(0.96, 0.98, 1.12), grain=8.0, blur=0.85, vignette=0.3
        ),
    ),
}
"""The videos to adapt to, by name, the first being the one to begin with."""
