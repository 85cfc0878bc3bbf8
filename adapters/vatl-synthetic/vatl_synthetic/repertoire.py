"""What people can do: every motion's angles in degrees."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from vatl_synthetic.motions import Motion

_WALKING: Final = {
    "hip_flex": (26, 20, 8, -5, -15, -9, 15, 28),
    "knee": (4, 16, 10, 5, 10, 42, 62, 26),
    "ankle": (2, -6, 4, 9, 8, -20, -4, 3),
    "shoulder_flex": (-22, -17, -2, 12, 20, 15, 2, -12),
    "elbow": (16, 18, 24, 32, 38, 34, 26, 18),
}
_SWAY: Final = {"pelvis_roll": (2, 0, -2, 0), "pelvis_yaw": (5, 0, -5, 0), "spine_yaw": (-10, 0, 10, 0)}

MOTIONS: Final[Mapping[str, Motion]] = {
    "stand": Motion(
        seconds=4.0,
        trunk={"spine_yaw": (0, 8, 0, -8), "neck_yaw": (0, 20, 5, -25), "pelvis_roll": (3, 0, -3, 0)},
        both={"shoulder_abduct": (8,), "hip_abduct": (5,)},
        alternate={
            "elbow": (15, 35, 25, 10),
            "shoulder_flex": (0, 12, 4, -4),
            "knee": (4, 10, 4, 2),
            "hip_flex": (3, 6, 3, 2),
        },
    ),
    "walk": Motion(seconds=1.1, trunk=_SWAY, both={"shoulder_abduct": (7,)}, alternate=_WALKING, travels=True),
    "wave": Motion(
        seconds=0.9,
        trunk={"spine_roll": (4, 6), "neck_roll": (-4, 3), "pelvis_roll": (2, -2)},
        both={"hip_abduct": (6,), "knee": (5,)},
        left={"shoulder_abduct": (10,), "elbow": (14, 18), "shoulder_flex": (0, 5)},
        right={"shoulder_abduct": (95, 105), "shoulder_twist": (80,), "shoulder_flex": (5,), "elbow": (60, 105)},
    ),
    "greet": Motion(
        seconds=1.3,
        trunk={"spine_pitch": (0, 5), "neck_pitch": (0, 8)},
        both={"hip_abduct": (6,)},
        left={"shoulder_flex": (70, 95), "shoulder_abduct": (15,), "elbow": (40, 75)},
        right={"shoulder_abduct": (30, 38), "elbow": (95, 85), "shoulder_twist": (-60,)},
    ),
    "talk": Motion(
        seconds=1.9,
        trunk={"spine_yaw": (6, 0, -6, 0), "neck_yaw": (10, 0, -15, 0), "neck_pitch": (0, 6)},
        both={"shoulder_abduct": (12, 18), "hip_abduct": (6,)},
        alternate={"shoulder_flex": (15, 32, 20), "elbow": (80, 60, 95), "shoulder_twist": (-10, -35)},
    ),
    "turn": Motion(
        seconds=3.2,
        trunk={"pelvis_yaw": (-50, 0, 50, 0), "spine_yaw": (-10, 12, 10, -12), "neck_yaw": (-10, 20, 10, -20)},
        both={"shoulder_abduct": (12,), "elbow": (20, 40), "hip_abduct": (6,)},
        alternate={"hip_flex": (2, 18, 2, 4, 18, 4), "knee": (4, 34, 4, 6, 34, 6), "shoulder_flex": (-8, 15)},
    ),
    "squat": Motion(
        seconds=1.8,
        trunk={"pelvis_pitch": (4, 22, 38, 22), "spine_pitch": (0, 8, 14, 8), "neck_pitch": (0, -12, -25, -12)},
        both={
            "hip_flex": (4, 62, 105, 62),
            "knee": (6, 72, 118, 72),
            "ankle": (2, 20, 28, 20),
            "hip_abduct": (12, 20, 24, 20),
            "hip_twist": (14,),
            "shoulder_flex": (10, 60, 92, 60),
            "elbow": (10, 14, 20, 14),
            "shoulder_abduct": (8,),
        },
    ),
    "press": Motion(
        seconds=1.6,
        trunk={"spine_pitch": (0, -5), "pelvis_pitch": (3, 0)},
        both={
            "shoulder_abduct": (62, 110, 160, 110),
            "shoulder_twist": (85,),
            "elbow": (118, 84, 18, 84),
            "hip_abduct": (9,),
            "knee": (22, 8, 3, 8),
            "hip_flex": (20, 8, 3, 8),
        },
    ),
    "jack": Motion(
        seconds=1.0,
        both={
            "shoulder_abduct": (8, 85, 165, 85),
            "shoulder_twist": (20, 60, 90, 60),
            "elbow": (14, 18, 14, 18),
            "hip_abduct": (3, 17, 30, 17),
            "knee": (22, 6, 22, 6),
            "hip_flex": (16, 4, 14, 4),
            "ankle": (8, -25, 8, -25),
        },
        lift=(-0.02, 0.07, -0.02, 0.07),
    ),
    "lunge": Motion(
        seconds=2.2,
        trunk={"pelvis_pitch": (4, 10, 4, 10), "spine_pitch": (4,), "pelvis_yaw": (8, 0, -8, 0)},
        both={"shoulder_abduct": (20,), "elbow": (70,)},
        alternate={
            "hip_flex": (88, 34, -18, 34),
            "knee": (92, 26, 82, 26),
            "ankle": (4, 6, -20, 6),
            "shoulder_flex": (-25, 15, 60, 15),
        },
    ),
    "bend": Motion(
        seconds=2.4,
        trunk={"pelvis_pitch": (-8, 25, 52, 25), "spine_pitch": (-18, 35, 66, 35), "neck_pitch": (-15, 5, 20, 5)},
        both={
            "hip_flex": (-6, 26, 50, 26),
            "knee": (4, 8, 12, 8),
            "hip_abduct": (10,),
            "shoulder_flex": (168, 125, 62, 125),
            "elbow": (14, 10, 8, 10),
            "shoulder_abduct": (12,),
        },
        left={"shoulder_abduct": (20, 12, 4, 12)},
    ),
    "side_lunge": Motion(
        seconds=2.0,
        trunk={
            "pelvis_roll": (-34, 0, 34, 0),
            "spine_roll": (-26, 0, 26, 0),
            "pelvis_pitch": (16, 4, 16, 4),
            "neck_roll": (18, 0, -18, 0),
        },
        alternate={
            "hip_abduct": (22, 14, 66, 14),
            "hip_flex": (70, 10, 2, 10),
            "knee": (88, 10, 4, 10),
            "ankle": (16, 2, -6, 2),
            "shoulder_abduct": (42, 80, 160, 80),
            "elbow": (12, 40, 16, 40),
            "shoulder_twist": (20, 50, 80, 50),
        },
    ),
    "kick": Motion(
        seconds=1.7,
        trunk={
            "pelvis_pitch": (2, -8, -26, -8, 2, 4),
            "pelvis_yaw": (-12, 0, 20, 8, -12, -16),
            "spine_pitch": (6, 10, 20, 10, 6, 8),
            "spine_yaw": (12, 0, -18, -6, 10, 14),
        },
        left={
            "hip_flex": (8, -10, -24, -8, 6, 12),
            "knee": (14, 10, 8, 10, 14, 20),
            "hip_abduct": (6,),
            "shoulder_flex": (40, 60, 75, 50, 42, 40),
            "elbow": (100, 60, 20, 60, 95, 105),
            "shoulder_abduct": (22, 30, 40, 30, 22, 20),
        },
        right={
            "hip_flex": (-14, 60, 112, 60, 10, -18),
            "knee": (18, 92, 8, 80, 34, 16),
            "hip_abduct": (6, 12, 16, 12, 6, 6),
            "shoulder_flex": (40, -10, -48, -10, 36, 44),
            "elbow": (105, 80, 25, 60, 100, 110),
            "shoulder_abduct": (20, 30, 46, 30, 20, 18),
            "ankle": (0, -10, -30, -10, 0, 0),
        },
    ),
    "throw": Motion(
        seconds=1.7,
        trunk={
            "pelvis_yaw": (-30, -38, 10, 36, 20, -5),
            "spine_yaw": (-22, -30, 12, 30, 16, 0),
            "spine_pitch": (-4, -10, 8, 26, 16, 4),
        },
        left={
            "shoulder_flex": (70, 92, 40, -20, 10, 40),
            "shoulder_abduct": (25, 30, 30, 25, 16, 18),
            "elbow": (20, 12, 60, 75, 40, 30),
            "hip_flex": (10, 44, 36, 26, 18, 8),
            "knee": (12, 34, 22, 26, 20, 12),
        },
        right={
            "shoulder_abduct": (70, 96, 105, 50, 25, 40),
            "shoulder_flex": (-30, -24, 40, 95, 60, 10),
            "shoulder_twist": (60, 90, 80, 10, 0, 30),
            "elbow": (90, 112, 60, 12, 30, 60),
            "hip_flex": (-2, 4, -14, -20, -4, 2),
            "knee": (16, 26, 16, 40, 24, 14),
        },
    ),
    "jump": Motion(
        seconds=1.25,
        trunk={
            "pelvis_pitch": (26, 8, -4, 4, 22, 30),
            "spine_pitch": (18, 4, -10, 2, 16, 22),
            "neck_pitch": (-18, -4, 4, -2, -14, -18),
        },
        both={
            "hip_flex": (78, 10, 12, 16, 48, 84),
            "knee": (92, 6, 24, 20, 58, 98),
            "ankle": (24, -32, -34, -10, 18, 26),
            "hip_abduct": (10, 8, 16, 10, 10, 10),
            "shoulder_flex": (-42, 80, 150, 110, 20, -38),
            "elbow": (22, 40, 18, 26, 30, 20),
            "shoulder_abduct": (14, 24, 38, 30, 18, 14),
        },
        lift=(-0.05, 0.04, 0.34, 0.18, -0.05, -0.05),
    ),
    "groove": Motion(
        seconds=1.3,
        trunk={
            "pelvis_roll": (12, 0, -12, 0),
            "spine_roll": (-18, 0, 18, 0),
            "pelvis_yaw": (22, 30, -22, -30),
            "spine_yaw": (-28, 0, 28, 0),
            "neck_roll": (12, 0, -12, 0),
            "pelvis_pitch": (6, 12, 6, 12),
        },
        both={"hip_abduct": (14,), "ankle": (8, 14, 8, 14)},
        alternate={
            "shoulder_abduct": (35, 70, 120, 70),
            "shoulder_flex": (20, 50, 30, -10),
            "shoulder_twist": (10, 40, 80, 40),
            "elbow": (100, 70, 35, 80),
            "hip_flex": (40, 22, 14, 30),
            "knee": (58, 34, 22, 40),
        },
    ),
    "windmill": Motion(
        seconds=2.0,
        trunk={
            "spine_roll": (-38, -8, 38, 8),
            "pelvis_roll": (-16, 0, 16, 0),
            "spine_pitch": (20, 40, 20, 40),
            "pelvis_pitch": (14, 28, 14, 28),
            "spine_yaw": (26, 0, -26, 0),
        },
        both={"hip_abduct": (26,), "hip_twist": (14,), "elbow": (10,)},
        alternate={
            "shoulder_abduct": (60, 95, 150, 105),
            "hip_flex": (46, 30, 24, 30),
            "knee": (54, 20, 12, 20),
            "shoulder_twist": (20, 60, 80, 60),
        },
    ),
    "star": Motion(
        seconds=1.5,
        trunk={
            "pelvis_yaw": (-30, 0, 30, 0),
            "spine_roll": (12, -16, -12, 16),
            "pelvis_roll": (-24, 0, 24, 0),
            "neck_pitch": (-8, 4),
        },
        alternate={
            "hip_abduct": (72, 30, 8, 20),
            "hip_flex": (26, 20, 6, 30),
            "knee": (10, 60, 16, 50),
            "ankle": (-30, -6, 2, -6),
            "shoulder_abduct": (130, 90, 100, 60),
            "elbow": (15, 60, 15, 60),
            "shoulder_twist": (70, 50, 70, 50),
        },
        lift=(0.02, -0.03, 0.02, -0.03),
    ),
    "run": Motion(
        seconds=0.72,
        trunk={"pelvis_pitch": (14,), "spine_yaw": (-16, 0, 16, 0), "pelvis_yaw": (8, 0, -8, 0)},
        both={"shoulder_abduct": (12,)},
        alternate={
            "hip_flex": (42, 22, -2, -24, -28, 4, 48, 58),
            "knee": (18, 34, 22, 14, 52, 98, 104, 56),
            "ankle": (4, 12, 10, -24, -26, -8, 2, 4),
            "shoulder_flex": (-42, -26, 0, 28, 44, 30, 0, -28),
            "elbow": (82, 84, 92, 104, 108, 100, 90, 84),
        },
        lift=(0.0, -0.04, -0.04, 0.04, 0.0, -0.04, -0.04, 0.04),
        travels=True,
    ),
    "box": Motion(
        seconds=1.0,
        trunk={
            "pelvis_pitch": (8, 12),
            "spine_yaw": (-32, 0, 32, 0),
            "pelvis_yaw": (-18, 0, 18, 0),
            "neck_yaw": (18, 0, -18, 0),
            "spine_pitch": (12,),
        },
        both={"hip_abduct": (14,)},
        alternate={
            "shoulder_flex": (90, 50, 38, 52),
            "elbow": (12, 100, 132, 100),
            "shoulder_abduct": (4, 22, 14, 24),
            "shoulder_twist": (-10, -30, -30, -30),
            "hip_flex": (34, 22, 10, 22),
            "knee": (40, 30, 30, 32),
            "ankle": (10, 6, -4, 6),
        },
    ),
}
"""Every motion, by name."""
