"""Properties of crops, targets, decoding and augmentation."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from tests.conftest import STICK, stick_video
from vatl_augmentation import CropAugmentation
from vatl_core.estimation import Crops, ahead
from vatl_core.video import (
    compose,
    crop_boxes,
    crop_matrices,
    decode,
    gaussian_targets,
    invert,
    peaks,
    transform,
    warp,
)
from vatl_train.joined_crops import JoinedCrops

SIZE = (64, 48)


@given(st.floats(-50, 200), st.floats(-50, 200), st.floats(5, 300), st.floats(5, 300))
def test_a_crop_box_has_the_inputs_aspect_and_holds_the_box(x: float, y: float, w: float, h: float) -> None:
    x1, y1, x2, y2 = crop_boxes(torch.tensor([[x, y, w, h]], dtype=torch.float64), SIZE)[0].tolist()
    assert (x2 - x1) / (y2 - y1) == pytest.approx(48 / 64)
    assert x1 < x < x + w < x2
    assert y1 < y < y + h < y2


@settings(deadline=None)
@given(st.floats(3, 44), st.floats(3, 60))
def test_decoding_a_target_gives_the_keypoint_back_to_half_a_heatmap_pixel(x: float, y: float) -> None:
    box = torch.tensor([[10.0, 20.0, 30.0, 60.0]])
    crops = crop_boxes(box, SIZE)
    point = torch.tensor([[[x, y]]])
    targets, weights = gaussian_targets(point, torch.ones(1, 1) > 0, (16, 12), 4)
    found, score = decode(targets, crops)
    back = transform(found, invert(crop_matrices(crops, SIZE)))
    assert weights.item() == 1
    assert score.item() == 1
    assert (back - point).abs().max() <= 2.0 + 1e-4


def test_a_gaussian_outside_the_map_has_no_weight() -> None:
    points = torch.tensor([[[-60.0, 10.0], [500.0, 10.0], [10.0, 10.0], [10.0, 10.0]]])
    visible = torch.tensor([[True, True, True, False]])
    targets, weights = gaussian_targets(points, visible, (16, 12), 4)
    assert weights.tolist() == [[0, 0, 1, 0]]
    assert targets[0, [0, 1, 3]].abs().sum() == 0


def test_decoding_at_the_border_moves_along_it_only() -> None:
    heatmaps = torch.zeros(1, 1, 8, 8)
    heatmaps[0, 0, 0, 3], heatmaps[0, 0, 0, 4] = 1.0, 0.5
    found, _ = decode(heatmaps, torch.tensor([[0.0, 0.0, 8.0, 8.0]]))
    assert found[0, 0].tolist() == [3.25, 0.0]


def vertex(line: Tensor, at: int) -> float:
    """Where the parabola through a local maximum of a line and its neighbours peaks; itself at the border."""
    if not 0 < at < len(line) - 1:
        return at
    square, linear, _ = np.polyfit([-1, 0, 1], line[at - 1 : at + 2].double(), 2)
    return at - linear / (2 * square) if square else at


def highest(single: Tensor, count: int) -> Tensor:
    """(C, 3) x, y and value of the maxima of one map (h, w), by each pixel and its neighbours, the first repeated."""
    height, width = single.shape
    around = [single[max(y - 1, 0) : y + 2, max(x - 1, 0) : x + 2].max() for y in range(height) for x in range(width)]
    places = torch.nonzero(single.flatten() == torch.stack(around)).flatten()
    places = places[single.flatten()[places].argsort(descending=True)]
    places = torch.cat([places, places[:1].repeat(count)])[:count].tolist()
    found = [(divmod(place, width), single.flatten()[place]) for place in places]
    return single.new_tensor([[vertex(single[y], x), vertex(single[:, x], y), value] for (y, x), value in found])


@settings(deadline=None, max_examples=30)
@given(
    st.tuples(st.integers(0, 20), st.integers(1, 2), st.integers(1, 7), st.integers(5, 7)),
    st.sampled_from([torch.float32, torch.float64]),
    st.sampled_from([1.0, 1e-12, 1e12]),
    st.sampled_from([0.0, -5.0, 3.0]),
)
def test_peaks_are_what_no_neighbour_is_higher_than(
    shape: tuple[int, int, int, int], kind: torch.dtype, scale: float, shift: float
) -> None:
    maps = (torch.randn(shape, generator=torch.Generator().manual_seed(sum(shape)), dtype=kind) + shift) * scale
    found = peaks(maps, torch.tensor([[0.0, 0, shape[3], shape[2]]], dtype=kind).repeat(len(maps), 1), 4)
    expected = [highest(single, 4) for single in maps.flatten(0, 1)]
    expected = torch.stack(expected) if expected else found.flatten(0, 1)
    torch.testing.assert_close(found.flatten(0, 1), expected, rtol=1e-4, atol=1e-4)
    assert torch.equal(found.flatten(0, 1)[..., 2], expected[..., 2])


@given(st.tuples(st.floats(4, 40), st.floats(4, 52)), st.integers(1, 4))
def test_targets_about_the_keypoint_are_found_again_to_a_hundredth_of_a_pixel(
    place: tuple[float, float], stride: int
) -> None:
    point = torch.tensor([[place]]) * stride
    targets, weights = gaussian_targets(point, torch.ones(1, 1) > 0, (56, 44), stride, subpixel=True)
    found = peaks(targets, torch.tensor([[0.0, 0, 44, 56]]) * stride, 1)
    assert weights.item() == 1
    assert (found[0, 0, 0, :2] / stride - point[0, 0] / stride).abs().max() < 0.015


def test_a_map_of_one_value_has_peaks_within_itself() -> None:
    found = peaks(torch.zeros(9, 2, 6, 5), torch.tensor([[0.0, 0, 5, 6]]).repeat(9, 1), 30)
    assert (found[..., 2] == 0).all()
    assert [sorted(map(tuple, places.tolist())) for places in found[..., :2].flatten(0, 1)] == [
        [(x, y) for x in range(5) for y in range(6)]
    ] * 18


def test_maps_compose_and_invert() -> None:
    first = torch.randn(5, 2, 3, dtype=torch.float64)
    second = torch.randn(5, 2, 3, dtype=torch.float64)
    points = torch.randn(5, 7, 2, dtype=torch.float64)
    torch.testing.assert_close(transform(transform(points, first), second), transform(points, compose(first, second)))
    torch.testing.assert_close(transform(transform(points, first), invert(first)), points)


def test_warping_many_boxes_at_once_equals_one_at_a_time() -> None:
    picture = torch.randint(0, 255, (1, 3, 50, 70), dtype=torch.uint8)
    crops = crop_matrices(torch.tensor([[0.0, 0.0, 40.0, 50.0], [30.0, -10.0, 90.0, 40.0]]), SIZE)
    together = warp(picture, crops, SIZE)
    assert torch.equal(together, torch.cat([warp(picture, c[None], SIZE) for c in crops]))
    assert torch.equal(together, warp(picture.expand(2, -1, -1, -1), crops, SIZE))


@given(st.lists(st.integers(0, 6), min_size=1, max_size=9), st.integers(0, 99))
def test_a_picture_among_others_is_sampled_as_if_it_were_alone(which: list[int], seed: int) -> None:
    torch.manual_seed(seed)
    pictures = torch.randint(0, 256, (max(which) + 1, 3, 20, 30), dtype=torch.uint8)
    boxes = torch.rand(len(which), 2) * 40 - 20
    crops = crop_matrices(torch.cat([boxes, boxes + 5 + 20 * torch.rand(len(which), 2)], 1), SIZE)
    together = warp(pictures, crops, SIZE, torch.tensor(which))
    only = torch.zeros(1, dtype=torch.int64)
    alone = [warp(pictures[w][None], crop[None], SIZE, only) for w, crop in zip(which, crops, strict=True)]
    assert torch.equal(together, torch.cat(alone))
    flat = torch.cat([warp(pictures[w][None], crop[None], SIZE) for w, crop in zip(which, crops, strict=True)])
    assert (together.int() - flat.int()).abs().max() <= 1


class TestCrops:
    def test_the_cache_changes_nothing_but_the_reading(self) -> None:
        video = stick_video()
        index = torch.tensor([5, 0, 17, 3])
        none, some, all_ = (Crops(video, SIZE, torch.device("cpu"), b) for b in (0, 5 * 64 * 48 * 3, 10**9))
        expected = none.get(index)
        for crops in (some, all_):
            crops.get(torch.arange(6))
            assert torch.equal(crops.get(index), expected)
            assert torch.equal(crops.get(index), expected)

    def test_the_cache_keeps_to_its_budget(self) -> None:
        crops = Crops(stick_video(), SIZE, torch.device("cpu"), 5 * 64 * 48 * 3)
        crops.get(torch.arange(24))
        assert crops._used == crops.capacity == 5

    def test_the_margins_centre_is_the_plain_crop(self) -> None:
        video = stick_video()
        index = torch.tensor([4, 9])
        plain = Crops(video, SIZE, torch.device("cpu"), 0).get(index)
        wide = Crops(video, SIZE, torch.device("cpu"), 0, margin=1.5).get(index)
        assert (wide[:, :, 16:80, 12:60].int() - plain.int()).abs().max() <= 1

    def test_joined_videos_answer_in_the_order_asked(self) -> None:
        videos = [stick_video(seed=s) for s in range(3)]
        parts = [Crops(v, SIZE, torch.device("cpu"), 0) for v in videos]
        joined = JoinedCrops(parts)
        got = joined.get(torch.tensor([50, 3, 25]))
        expected = torch.cat(
            [parts[2].get(torch.tensor([2])), parts[0].get(torch.tensor([3])), parts[1].get(torch.tensor([1]))]
        )
        assert torch.equal(got, expected)
        joined.fill(torch.arange(72))
        assert torch.equal(joined.get(torch.tensor([50, 3, 25])), expected)

    def test_working_ahead_keeps_order_and_errors(self) -> None:
        def items() -> Iterator[int]:
            yield 1
            yield 2
            raise ValueError("third")

        seen = ahead(items())
        assert [next(seen), next(seen)] == [1, 2]
        with pytest.raises(ValueError, match="third"):
            next(seen)


def changed(count: int, *how: float, seed: int = 0) -> Tensor:
    """Maps (B, 2, 3) of crops that were changed so."""
    augmentation, crops = CropAugmentation(*how), torch.zeros(count, len(STICK), 2)
    drawn = augmentation.draw(count, torch.Generator().manual_seed(seed))
    return augmentation.place(drawn, crops, crops[..., 0] == 0, STICK, SIZE)


class TestAugmentation:
    def test_nothing_to_change_changes_nothing(self) -> None:
        torch.testing.assert_close(changed(4, 0, 0, 0, 0), torch.eye(2, 3).expand(4, 2, 3))

    def test_mirroring_twice_is_the_identity(self) -> None:
        maps = changed(3, 0, 0, 0, 1)
        assert (torch.det(maps[:, :, :2]) < 0).all()
        torch.testing.assert_close(compose(maps, maps), torch.eye(2, 3).expand(3, 2, 3))

    def test_rotation_and_scale_keep_to_their_bounds(self) -> None:
        maps = changed(2000, 40, 1, 0.3, 0)
        scale = torch.linalg.det(maps[:, :, :2]).sqrt()
        angle = torch.rad2deg(torch.atan2(maps[:, 1, 0], maps[:, 0, 0])).abs()
        assert 0.7 - 1e-4 <= scale.min() <= 0.75
        assert 1.25 <= scale.max() <= 1.3 + 1e-4
        assert 70 < angle.max() <= 80 + 1e-3

    def test_a_shift_keeps_to_its_share_of_the_crop(self) -> None:
        shift = changed(2000, 0, 0, 0, 0, 0, 0.1)[:, :, 2]
        bound = 0.1 * torch.tensor([SIZE[1], SIZE[0]])
        assert ((shift.abs().amax(0) / bound - 1).abs() < 0.02).all()
        assert (shift.mean(0).abs() < bound / 10).all()

    def test_light_changes_each_crop_as_a_whole_and_keeps_to_its_share(self) -> None:
        how = CropAugmentation(colour=0.2)
        crops = torch.full((500, 3, 4, 4), 100, dtype=torch.uint8)
        lit = how.light(how.draw(500, torch.Generator().manual_seed(0)), crops)
        assert lit.dtype == torch.uint8
        assert (lit == lit[:, :1, :1, :1]).all()
        assert 79 <= int(lit.min()) <= 82
        assert 118 <= int(lit.max()) <= 120
        assert torch.equal(CropAugmentation().light(how.draw(500, torch.Generator()), crops), crops)
