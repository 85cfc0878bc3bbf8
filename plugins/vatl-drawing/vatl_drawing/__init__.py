"""Drawing: poses over pictures, charts, and pictures written as a video file."""

from __future__ import annotations

from vatl_drawing.charts import COLOURS, DASHES, INK, Plot, plotted, plotted_png
from vatl_drawing.films import write_video
from vatl_drawing.poses import PALETTE, SIDES, Colour, Picture, draw_pose, track_colour

__all__ = [
    "COLOURS", "DASHES", "INK", "PALETTE", "SIDES", "Colour", "Picture", "Plot", "draw_pose", "plotted", "plotted_png",
    "track_colour", "write_video",
]  # fmt: skip
