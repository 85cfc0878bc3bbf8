"""Public weights that fit the published forms of the networks here."""

from __future__ import annotations

from typing import Final

import torchvision

from vatl_weights import Download

_MMPOSE: Final = "https://download.openmmlab.com/mmpose/v1/body_2d_keypoint/topdown_heatmap/coco/"
_COCO: Final = {
    "hrnet-w32": "td-hm_hrnet-w32_8xb64-210e_coco-256x192-81c58e40_20220909.pth",
    "hrnet-w48": "td-hm_hrnet-w48_8xb32-210e_coco-256x192-0e67c616_20220913.pth",
    "resnet50": "td-hm_res50_8xb64-210e_coco-256x192-04af38ce_20220923.pth",
    "resnet101": "td-hm_res101_8xb64-210e_coco-256x192-065d3625_20220926.pth",
    "resnet152": "td-hm_res152_8xb32-210e_coco-256x192-0345f330_20220928.pth",
}
"""MMPose's files by network. The last eight digits before a file's date begin its SHA-256."""


def coco(network: str) -> dict[str, Download]:
    """Weights for COCO's 17 keypoints of people, trained by MMPose; nothing for a network it did not train."""
    if network not in _COCO:
        return {}
    file = _COCO[network]
    return {"coco": Download(_MMPOSE + file, file.rpartition("_")[0].rpartition("-")[2])}


def imagenet(resnet: str) -> dict[str, Download]:
    """A ResNet's backbone trained on ImageNet by torchvision, in its first version, as the papers used it."""
    url = torchvision.models.get_model_weights(resnet).IMAGENET1K_V1.url
    return {"imagenet": Download(url, url.removesuffix(".pth").rpartition("-")[2], backbone=True)}
