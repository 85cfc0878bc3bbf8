"""Files of and for other programs: columns that are checked, pictures that are numbered, tables for spreadsheets."""

from __future__ import annotations

from vatl_formats.broken_frames import Covered, broken_frames, without_broken
from vatl_formats.by_hand import OnPictures
from vatl_formats.category import described, of_another, skeleton_of
from vatl_formats.extent import at_least, extent_of
from vatl_formats.folders import real_folder
from vatl_formats.identities import IdentitySwap, read_swaps, swapped, with_identities, write_swaps
from vatl_formats.inside import refuse_outside
from vatl_formats.json_files import read_json
from vatl_formats.numbered_pictures import (
    Annotations,
    Pictures,
    Reading,
    frame_numbers,
    images_and_annotations,
    keypoints_of,
    missing_files,
    on_pictures,
)
from vatl_formats.picture_times import NumberedPictures, frames_of_names, neighbours_in_time, times_of_names
from vatl_formats.positions import by_position
from vatl_formats.recognition import recognised
from vatl_formats.rows import LARGEST, Id, Indices, Mask, Numbers, Rows
from vatl_formats.sides import flip_pairs_from_names, named_pairs
from vatl_formats.sieve import Sieve, again, alike, clipped, kinds, numbered
from vatl_formats.sigmas import SIGMA_SETS, Sigmas, ospa_sigmas_of, sigmas_of, with_sigmas
from vatl_formats.spreadsheets import csv_text
from vatl_formats.tracks import with_tracks

__all__ = [
    "LARGEST", "SIGMA_SETS", "Annotations", "Covered", "Id", "IdentitySwap",
    "Indices", "Mask", "NumberedPictures", "Numbers", "OnPictures", "Pictures", "Reading", "Rows",
    "Sieve", "Sigmas", "again", "alike", "at_least", "broken_frames", "by_position", "clipped", "csv_text", "described",
    "extent_of", "flip_pairs_from_names", "frame_numbers", "frames_of_names", "images_and_annotations",
    "keypoints_of", "kinds", "missing_files", "named_pairs", "neighbours_in_time", "numbered", "of_another",
    "on_pictures", "ospa_sigmas_of", "read_json", "read_swaps", "real_folder", "recognised",
    "refuse_outside", "sigmas_of", "skeleton_of", "swapped", "times_of_names", "with_identities", "with_sigmas",
    "with_tracks", "without_broken", "write_swaps",
]  # fmt: skip
