"""What the channels of published weights are, in their publishers' words and order."""

from __future__ import annotations

from typing import Final

AP_10K: Final = (
    "L_Eye", "R_Eye", "Nose", "Neck", "Root of tail", "L_Shoulder", "L_Elbow", "L_F_Paw", "R_Shoulder", "R_Elbow",
    "R_F_Paw", "L_Hip", "L_Knee", "L_B_Paw", "R_Hip", "R_Knee", "R_B_Paw",
)  # fmt: skip
"""Of mammals (Yu et al., 2021)."""
ANIMAL_POSE: Final = (
    "L_Eye", "R_Eye", "L_EarBase", "R_EarBase", "Nose", "Throat", "TailBase", "Withers", "L_F_Elbow", "R_F_Elbow",
    "L_B_Elbow", "R_B_Elbow", "L_F_Knee", "R_F_Knee", "L_B_Knee", "R_B_Knee", "L_F_Paw", "R_F_Paw", "L_B_Paw",
    "R_B_Paw",
)  # fmt: skip
"""Of cats, cows, dogs, horses and sheep (Cao et al., ICCV 2019)."""
FACE_68: Final = tuple(f"face-{number}" for number in range(68))
"""Of faces in COCO-WholeBody (Jin et al., ECCV 2020)."""
QUADRUPED_39: Final = (
    "nose", "upper_jaw", "lower_jaw", "mouth_end_right", "mouth_end_left", "right_eye", "right_earbase", "right_earend",
    "right_antler_base", "right_antler_end", "left_eye", "left_earbase", "left_earend", "left_antler_base",
    "left_antler_end", "neck_base", "neck_end", "throat_base", "throat_end", "back_base", "back_end", "back_middle",
    "tail_base", "tail_end", "front_left_thai", "front_left_knee", "front_left_paw", "front_right_thai",
    "front_right_knee", "front_right_paw", "back_left_paw", "back_left_thai", "back_right_thai", "back_left_knee",
    "back_right_knee", "back_right_paw", "belly_bottom", "body_middle_right", "body_middle_left",
)  # fmt: skip
"""Of DeepLabCut's SuperAnimal-Quadruped."""
TOP_VIEW_MOUSE_27: Final = (
    "nose", "left_ear", "right_ear", "left_ear_tip", "right_ear_tip", "left_eye", "right_eye", "neck", "mid_back",
    "mouse_center", "mid_backend", "mid_backend2", "mid_backend3", "tail_base", "tail1", "tail2", "tail3", "tail4",
    "tail5", "left_shoulder", "left_midside", "left_hip", "right_shoulder", "right_midside", "right_hip", "tail_end",
    "head_midpoint",
)  # fmt: skip
"""Of DeepLabCut's SuperAnimal-TopViewMouse."""
