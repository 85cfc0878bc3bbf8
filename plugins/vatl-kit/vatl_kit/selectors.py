"""What a selector promises."""

from __future__ import annotations

from typing import Any

import attrs
import torch
from torch import Tensor

from vatl_core.contracts import Pool, Selector
from vatl_kit.broken import going_on, promise
from vatl_kit.contract import quick, untouched_randomness
from vatl_kit.material import devices, farthest, generator, same, stick_video
from vatl_kit.truth import UnknowingContract
from vatl_kit.watching import watches_what_is_there


class SelectorContract(UnknowingContract):
    """``component`` is a selector: as many different unlabelled instances as are asked for, or as remain."""

    kind = "selector"
    component: Selector | type[Selector]

    @quick
    def test_watches_criteria_that_are_there(self) -> None:
        watches_what_is_there(self.called, self.fresh().watches)

    @quick
    def test_picks_what_is_asked_for(self) -> None:
        for device in devices():
            for count in (0, 1, 5, 17, 100):
                self._picks(self._pool(device), count, f"{count} of 18 unlabelled")

    def test_picks_in_the_first_cycle_and_the_last(self) -> None:
        pool = self._pool(torch.device("cpu"))
        nobody = attrs.evolve(pool, labelled=torch.zeros_like(pool.labelled), query_oks=None)
        self._picks(nobody, 4, "4 where nothing is labelled yet")
        everybody = attrs.evolve(pool, labelled=torch.ones_like(pool.labelled))
        self._picks(everybody, 4, "4 where everything is labelled")
        last = torch.ones_like(pool.labelled)
        last[7] = False
        self._picks(attrs.evolve(pool, labelled=last), 4, "4 where one remains")

    @quick
    def test_picks_only_what_the_oracle_can_answer(self) -> None:
        pool = self._pool(torch.device("cpu"))
        for labelled in (pool.labelled, torch.zeros_like(pool.labelled)):
            partly = attrs.evolve(pool, labelled=labelled, answerable=torch.arange(24) % 3 == 0)
            for count in (2, 100):
                self._picks(partly, count, f"{count} where the oracle can answer for 8 of 24")

    def test_picks_among_equals(self) -> None:
        pool = self._pool(torch.device("cpu"))
        flat = attrs.evolve(pool, scores=torch.zeros_like(pool.scores), features=torch.ones_like(pool.features))
        self._picks(flat, 6, "6 where all scores and features are the same")

    @quick
    def test_chance_comes_from_the_generator_alone(self) -> None:
        pool = self._pool(torch.device("cpu"))
        first, second = (untouched_randomness(lambda: self._select(pool, 6)) for _ in range(2))
        promise(
            torch.equal(first, second),
            f"{self.called}: the same seed picks the same instances",
            first.tolist(),
            second.tolist(),
            "draw from the generator that select is given, never from torch's own",
        )

    def test_remembers_nothing_of_earlier_cycles(self) -> None:
        pool, selector = self._pool(torch.device("cpu")), self.fresh()
        with going_on(f"{self.called}: select twice"):
            selector.select(pool, 3, generator(8))
            second = selector.select(pool, 6, generator())
        promise(
            torch.equal(second, self._select(pool, 6)),
            f"{self.called}: a run that is taken up again picks what it would have picked",
            "the same as by a new object",
            second.tolist(),
            "keep nothing on self: everything there is to know stands in the pool",
        )

    def test_leaves_the_pool_as_it_is(self) -> None:
        pool, kept = self._pool(torch.device("cpu")), self._pool(torch.device("cpu"))
        self._select(pool, 5)
        for name in ("scores", "features", "labelled"):
            before, after = getattr(kept, name), getattr(pool, name)
            promise(
                same(before, after),
                f"{self.called} leaves the pool as it is",
                f"the same {name}",
                farthest(before, after),
                "do not use operations that end in an underscore, or assign into it",
            )

    def _select(self, pool: Pool, count: int) -> Any:
        __tracebackhide__ = True
        with going_on(f"{self.called}: select {count} of {len(pool.unlabelled)} unlabelled"):
            return self.fresh().select(pool, count, generator())

    def _picks(self, pool: Pool, count: int, what: str) -> None:
        __tracebackhide__ = True
        picks, left = self._select(pool, count), len(pool.unlabelled)
        promise(
            isinstance(picks, Tensor) and picks.ndim == 1 and picks.dtype == torch.int64,
            f"{self.called} picks by indices ({what})",
            "a row of int64",
            f"{picks.dtype} of shape {tuple(picks.shape)}" if isinstance(picks, Tensor) else type(picks).__name__,
            "index pool.unlabelled: pool.unlabelled[order[:count]]",
        )
        promise(
            len(picks) == min(count, left),
            f"{self.called} picks what is asked for or what remains ({what})",
            f"{min(count, left)} picks",
            len(picks),
            "slice by [:count]; more than remain cannot be picked",
        )
        inside = bool(((picks >= 0) & (picks < len(pool.labelled))).all())
        promise(
            inside and bool(pool.askable[picks.to(pool.labelled.device)].all()),
            f"{self.called} picks nothing that is labelled, or that cannot be ({what})",
            "unlabelled instances",
            picks.tolist(),
            "choose among pool.unlabelled",
        )
        promise(
            len(picks.unique()) == len(picks),
            f"{self.called} picks nobody twice ({what})",
            "different instances",
            picks.tolist(),
            "take each out of the choice once it is picked",
        )

    def _pool(self, device: torch.device) -> Pool:
        """24 instances, 6 of them labelled."""
        draw = generator(3)
        labelled = torch.arange(24) % 4 == 2
        scores = torch.rand(24, generator=draw).masked_fill(labelled, 0.0)
        features = torch.randn(24, 8, generator=draw)
        watched = {name: torch.rand(24, generator=draw).to(device) for name in self.fresh().watches}
        tracks = stick_video(12, 2).instances
        columns = {n: getattr(tracks, n).to(device) for n in ("frame", "track", "previous", "next", "boxes")}
        return Pool(
            scores.to(device),
            features.to(device),
            labelled.to(device),
            0.6,
            watched,
            keypoints=torch.rand(24, 5, 2, generator=draw).to(device) * 100,
            keypoint_scores=torch.rand(24, 5, generator=draw).to(device),
            time=columns["frame"].double() / 25,
            **columns,
        )
