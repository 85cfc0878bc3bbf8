"""What this distribution brings; nothing heavy is imported here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vatl_core.hookspecs import hookimpl

if TYPE_CHECKING:
    import torch

    from vatl_core.video import Frames

vatl_contract = ">=2.0,<3"


@hookimpl
def vatl_decoded(decoder: str, frames: Frames, device: torch.device) -> Frames | None:
    """Decode video and picture files by torchcodec."""
    if decoder != "torchcodec":
        return None
    from vatl_frames.by_torchcodec import by_torchcodec

    return by_torchcodec(frames, device)
