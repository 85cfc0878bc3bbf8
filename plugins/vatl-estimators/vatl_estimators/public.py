"""Public weights that fit the published forms of the networks here."""

from __future__ import annotations

from typing import Final

import torchvision

from vatl_core.video import PERSON_17
from vatl_estimators.keypoints import ANIMAL_POSE, AP_10K, FACE_68, QUADRUPED_39, TOP_VIEW_MOUSE_27
from vatl_weights import IMAGENET, Download

_MMPOSE: Final = "https://download.openmmlab.com/mmpose/"
_PEOPLE: Final = "v1/body_2d_keypoint/topdown_heatmap/coco/td-hm_"
_POSES: Final = {
    "hrnet-w32": {
        "coco": f"{_PEOPLE}hrnet-w32_8xb64-210e_coco-256x192-81c58e40_20220909.pth",
        "ap10k": "animal/hrnet/hrnet_w32_ap10k_256x256-18aac840_20211029.pth",
        "animalpose": "animal/hrnet/hrnet_w32_animalpose_256x256-1aa7f075_20210426.pth",
    },
    "hrnet-w48": {
        "coco": f"{_PEOPLE}hrnet-w48_8xb32-210e_coco-256x192-0e67c616_20220913.pth",
        "ap10k": "animal/hrnet/hrnet_w48_ap10k_256x256-d95ab412_20211029.pth",
        "animalpose": "animal/hrnet/hrnet_w48_animalpose_256x256-34644726_20210426.pth",
    },
    "resnet50": {
        "coco": f"{_PEOPLE}res50_8xb64-210e_coco-256x192-04af38ce_20220923.pth",
        "ap10k": "animal/resnet/res50_ap10k_256x256-35760eb8_20211029.pth",
        "animalpose": "animal/resnet/res50_animalpose_256x256-e1f30bff_20210426.pth",
        "wholebody-face": "face/resnet/res50_coco_wholebody_face_256x256-5128edf5_20210909.pth",
    },
    "resnet101": {
        "coco": f"{_PEOPLE}res101_8xb64-210e_coco-256x192-065d3625_20220926.pth",
        "ap10k": "animal/resnet/res101_ap10k_256x256-9edfafb9_20211029.pth",
        "animalpose": "animal/resnet/res101_animalpose_256x256-85563f4a_20210426.pth",
    },
    "resnet152": {
        "coco": f"{_PEOPLE}res152_8xb32-210e_coco-256x192-0345f330_20220928.pth",
        "animalpose": "animal/resnet/res152_animalpose_256x256-a0a7506c_20210426.pth",
    },
    "vitpose-small-classic": {"coco": f"{_PEOPLE}ViTPose-small_8xb64-210e_coco-256x192-62d7a712_20230314.pth"},
    "vitpose-small-simple": {"coco": f"{_PEOPLE}ViTPose-small-simple_8xb64-210e_coco-256x192-4c101a76_20230314.pth"},
    "vitpose-base-classic": {"coco": f"{_PEOPLE}ViTPose-base_8xb64-210e_coco-256x192-216eae50_20230314.pth"},
    "vitpose-base-simple": {"coco": f"{_PEOPLE}ViTPose-base-simple_8xb64-210e_coco-256x192-0b8234ea_20230407.pth"},
    "vitpose-large-classic": {"coco": f"{_PEOPLE}ViTPose-large_8xb64-210e_coco-256x192-53609f55_20230314.pth"},
    "vitpose-large-simple": {"coco": f"{_PEOPLE}ViTPose-large-simple_8xb64-210e_coco-256x192-3a7ee9e1_20230314.pth"},
    "vitpose-huge-classic": {"coco": f"{_PEOPLE}ViTPose-huge_8xb64-210e_coco-256x192-e32adcd4_20230314.pth"},
    "vitpose-huge-simple": {"coco": f"{_PEOPLE}ViTPose-huge-simple_8xb64-210e_coco-256x192-ffd48c05_20230314.pth"},
}
"""MMPose's files by network and what they were trained on. The last eight digits before a date begin the SHA-256."""
_KEYPOINTS: Final = {
    "coco": PERSON_17.keypoints, "ap10k": AP_10K, "animalpose": ANIMAL_POSE, "wholebody-face": FACE_68,
}  # fmt: skip
_MEGABYTES: Final = {
    "hrnet-w32": 114, "hrnet-w48": 255, "resnet50": 136, "resnet101": 212, "resnet152": 275,
    "vitpose-small-classic": 97, "vitpose-small-simple": 87, "vitpose-base-classic": 360, "vitpose-base-simple": 344,
    "vitpose-large-classic": 1234, "vitpose-large-simple": 1214, "vitpose-huge-classic": 2549,
    "vitpose-huge-simple": 2524,
}  # fmt: skip
"""What a network's parameters have in float32, and so about its file."""
_DEEPLABCUT: Final = "https://huggingface.co/mwmathis/DeepLabCutModelZoo-SuperAnimal-"


def mmpose(network: str) -> dict[str, Download]:
    """Weights that MMPose trained, by what on; nothing for a network that it did not train."""
    return {name: _of_mmpose(network, file, _KEYPOINTS[name]) for name, file in _POSES.get(network, {}).items()}


def _of_mmpose(network: str, file: str, keypoints: tuple[str, ...]) -> Download:
    digits = file.rpartition("_")[0].rpartition("-")[2]
    return Download(_MMPOSE + file, digits, keypoints=keypoints, megabytes=_MEGABYTES[network])


def superanimal() -> dict[str, Download]:
    """DeepLabCut's weights of an HRNet of width 32 for many species (Ye et al., 2024), which come without a hash."""
    quadruped = f"{_DEEPLABCUT}Quadruped/resolve/main/superanimal_quadruped_hrnet_w32.pt"
    mouse = f"{_DEEPLABCUT}TopViewMouse/resolve/main/superanimal_topviewmouse_hrnet_w32.pt"
    return {
        "superanimal-quadruped": Download(quadruped, sha256="", keypoints=QUADRUPED_39, megabytes=118),
        "superanimal-topviewmouse": Download(mouse, sha256="", keypoints=TOP_VIEW_MOUSE_27, megabytes=118),
    }


def imagenet(backbone: str) -> dict[str, Download]:
    """A backbone trained on ImageNet by torchvision, in its first version, as the papers used its ResNets."""
    first = torchvision.models.get_model_weights(backbone).IMAGENET1K_V1
    digits = first.url.removesuffix(".pth").rpartition("-")[2]
    return {IMAGENET: Download(first.url, digits, backbone=True, megabytes=round(first.meta["_file_size"]))}
