"""What a criterion promises."""

from __future__ import annotations

import copy
from typing import Any, ClassVar, Final

import attrs
import torch
from torch import Tensor

from vatl_core.contracts import Criterion, Panel, Poses, Window
from vatl_kit.broken import going_on, promise
from vatl_kit.contract import quick, untouched_randomness
from vatl_kit.material import STICK, as_asked, devices, each, farthest, generator, needed, poses, rows, same, window
from vatl_kit.truth import UnknowingContract

NEEDS: Final = frozenset({"heatmaps", "neighbours", "poses", "features", "extra", "network", "pool"})


class CriterionContract(UnknowingContract):
    """``component`` is a criterion: finite scores, one an instance, whatever the batch, the order and chance."""

    kind = "criterion"
    component: Criterion | type[Criterion]
    _kept: ClassVar[dict[tuple[str, int, int | None], Any]]

    @quick
    def test_needs_are_known(self) -> None:
        needs = self.fresh().needs
        promise(
            needs <= NEEDS,
            f"{self.called} declares what it reads of a window",
            f"any of {', '.join(sorted(NEEDS))}",
            ", ".join(sorted(needs)),
            "correct its needs",
        )

    @quick
    def test_keeps_only_what_it_condenses(self) -> None:
        criterion = self.fresh()
        promise(
            not criterion.keeps or {"heatmaps", "pool"} <= criterion.needs,
            f"{self.called}: what stays on disk is what condense made of the heatmaps",
            'needs that hold "heatmaps" and "pool" where it keeps',
            ", ".join(sorted(criterion.needs)),
            "need both, or keep nothing",
        )

    @quick
    def test_gives_one_finite_score_for_each_instance(self) -> None:
        for device in devices():
            whole = window(device)
            for labels in (0, 1, 12):
                scores = self._scores(whole, labels)
                self._is_a_score(scores, whole, f"after {labels} labels")

    def test_survives_maps_and_poses_that_say_nothing(self) -> None:
        plain = window(torch.device("cpu"))
        flat = attrs.evolve(
            plain,
            heatmaps=torch.zeros_like(plain.heatmaps),
            previous=torch.zeros_like(plain.previous),
            next=torch.zeros_like(plain.next),
            scores=torch.zeros_like(plain.scores),
            keypoints=plain.keypoints[:, :1].expand_as(plain.keypoints).clone(),
            features=torch.zeros_like(plain.features),
        )
        self._is_a_score(self._scores(flat, 12), flat, "where all maps are zero and all keypoints in one place")

    def test_does_without_source_poses_and_with_them(self) -> None:
        whole = window(torch.device("cpu"))
        for source in (None, poses(1), poses(60)):
            scores = self._scores(whole, 12, source)
            self._is_a_score(scores, whole, f"with {len(source) if source else 'no'} source poses")

    def test_scores_do_not_depend_on_the_batch(self) -> None:
        whole = window(torch.device("cpu"))
        if "pool" in self.fresh().needs:  # which it sees whole; but all of it may be one instance
            lone = rows(whole, torch.tensor([0]))
            self._is_a_score(self._scores(lone, 0), lone, "of a pool of one instance")
            return
        criterion = self._ready(whole, 12)
        together = self._score(criterion, whole)
        for sizes in ([1] * len(together), [3, len(together) - 3]):
            parts = torch.arange(len(together)).split(sizes)
            apart = torch.cat([self._score(criterion, rows(whole, part)) for part in parts])
            promise(
                same(apart, together),
                f"{self.called}: an instance's score does not depend on its batch",
                f"the same in batches of {', '.join(map(str, sizes[:3]))}",
                farthest(apart, together),
                "compute each row from that row alone, without statistics of the batch; or need the pool",
            )

    def test_scores_follow_the_instances(self) -> None:
        whole = window(torch.device("cpu"))
        order = torch.randperm(len(whole), generator=generator())
        plain, mixed = self._scores(whole, 12), self._scores(rows(whole, order), 12)
        promise(
            same(plain[order], mixed),
            f"{self.called}: scores follow their instances",
            "the same scores in another order",
            farthest(plain[order], mixed),
            "do not read places in the batch; window.index says who is who",
        )

    def test_an_instance_that_is_not_a_number_stays_alone(self) -> None:
        whole = window(torch.device("cpu"))
        if "pool" in self.fresh().needs:
            return
        spoilt = each(whole, torch.clone)
        for column in (spoilt.heatmaps, spoilt.keypoints, spoilt.scores, spoilt.features):
            column[3] = torch.nan
        others = torch.arange(len(whole)) != 3
        criterion = self._ready(whole, 12)
        scores, expected = self._score(criterion, spoilt), self._score(criterion, whole)
        promise(
            same(scores[others], expected[others]),
            f"{self.called}: an instance whose maps are NaN does not change the others' scores",
            "the same scores",
            farthest(scores[others], expected[others]),
            "compute each row from that row alone",
        )

    def test_chance_comes_from_the_generator_alone(self) -> None:
        whole = window(torch.device("cpu"))
        first, second = (
            untouched_randomness(lambda: self._score(self._made_ready(whole, 12), whole)) for _ in range(2)
        )
        promise(
            same(first, second),
            f"{self.called}: the same seed gives the same scores",
            "the same twice",
            farthest(first, second),
            "draw from the generator that prepare and fit are given, never from torch's own",
        )

    def test_leaves_the_window_as_it_is(self) -> None:
        whole = window(torch.device("cpu"))
        kept = each(whole, torch.clone)
        self._scores(whole, 12)
        for field in attrs.fields(Window):
            before, after = getattr(kept, field.name), getattr(whole, field.name)
            promise(
                not isinstance(before, Tensor) or same(before, after),
                f"{self.called} leaves the window as it is: its neighbours and other criteria read it too",
                f"the same {field.name}",
                "others",
                "do not use operations that end in an underscore, or assign into it",
            )

    @quick
    def test_explains_itself_by_panels(self) -> None:
        whole = window(torch.device("cpu"))
        criterion = self._ready(whole, 12)
        shown = rows(self._shown(criterion, whole), torch.arange(3))
        with going_on(f"{self.called}: explain of 3 instances"), torch.inference_mode():
            panels = criterion.explain(shown)
        for panel in panels:
            fits = isinstance(panel, Panel) and all(
                content is None or len(content) == 3 for content in (panel.heatmaps, panel.keypoints, panel.there)
            )
            promise(
                fits,
                f"{self.called}: explain gives Panels with a row an instance",
                "3 rows",
                panel,
                "return [Panel(title, heatmaps=…)] or [Panel(title, keypoints=…)]",
            )

    def test_begins_with_what_it_learnt_before(self) -> None:
        criterion = self.fresh()
        if type(criterion).pretrain is Criterion.pretrain:
            return  # it has nothing to learn before a run
        with going_on(f"{self.called}: pretrain on 40 poses"):
            learnt = criterion.pretrain(STICK, poses(40, 3), poses(12, 4), generator(), lambda *_: None)
        promise(
            isinstance(learnt, dict) and learnt and all(isinstance(t, Tensor) for t in learnt.values()),
            f"{self.called}: pretrain returns what it learnt",
            "a dictionary of tensors",
            type(learnt).__name__,
            "return what begin_with needs, by name",
        )
        whole, other = window(torch.device("cpu")), self.fresh()
        with going_on(f"{self.called}: begin_with what pretrain returned"):
            other.begin_with(STICK, learnt)
            other.prepare(STICK, None, generator(), torch.device("cpu"))
            other.fit(poses(0), generator(1))
        self._is_a_score(self._score(other, whole), whole, "after pretrain and begin_with")

    # ------------------------------------------------------------------------------------------------------- as a run
    def _scores(self, whole: Window, labels: int, source: Poses | None = None) -> Tensor:
        """(B,) scores of a criterion that is asked what a run would ask of it, with so many labelled poses."""
        __tracebackhide__ = True
        criterion = self._ready(whole, labels, source)
        return self._score(criterion, whole)

    def _ready(self, whole: Window, labels: int, source: Poses | None = None) -> Any:
        """A criterion as it is when a cycle scores; what it takes long to learn is learnt once."""
        __tracebackhide__ = True
        kept = type(self).__dict__.get("_kept")
        if kept is None:
            type(self)._kept = kept = {}
        key = (str(whole.index.device), labels, None if source is None else len(source))
        if key not in kept:
            kept[key] = self._made_ready(whole, labels, source)
        return copy.deepcopy(kept[key])

    def _made_ready(self, whole: Window, labels: int, source: Poses | None = None) -> Any:
        __tracebackhide__ = True
        criterion, device = self.fresh(), whole.index.device
        if source is not None:
            source = Poses(source.keypoints.to(device), source.visible.to(device), source.boxes.to(device))
        with going_on(f"{self.called}: prepare"):
            criterion.prepare(STICK, source if criterion.wants_source else None, generator(5), device)
        with torch.inference_mode():
            shown = self._condensed(criterion, whole)
        known = as_asked(poses(labels, 6, device, "pool" in criterion.needs))
        if {"heatmaps", "pool"} <= criterion.needs:
            now = shown.condensed[torch.arange(labels, device=device) % len(whole)]
            known = attrs.evolve(known, condensed=now, kept=now if criterion.keeps else None)
        with going_on(f"{self.called}: fit on {labels} labelled poses"):
            criterion.fit(known, generator(7))
        return criterion

    def _score(self, criterion: Any, whole: Window) -> Tensor:
        __tracebackhide__ = True
        with torch.inference_mode():
            shown = self._condensed(criterion, whole)
            with going_on(
                f"{self.called}: score a window of {len(whole)}", "read no more of a window than needs declares"
            ):
                scores: Tensor = criterion.score(shown)
        return scores

    def _shown(self, criterion: Any, whole: Window) -> Window:
        return needed(whole, criterion.needs)

    def _condensed(self, criterion: Any, whole: Window) -> Window:
        """What score is handed: a criterion of the pool has what it condensed in place of heatmaps."""
        __tracebackhide__ = True
        shown = self._shown(criterion, whole)
        if "pool" not in criterion.needs:
            return shown
        nothing = shown.heatmaps[:0]
        bare = attrs.evolve(shown, heatmaps=nothing, previous=nothing, next=nothing)
        if "heatmaps" not in criterion.needs:
            return bare
        with going_on(f"{self.called}: condense a window of {len(whole)}"):
            kept = criterion.condense(shown)
        promise(
            isinstance(kept, Tensor) and len(kept) == len(whole) and kept.device == whole.index.device,
            f"{self.called}: condense keeps a row an instance, on the device",
            f"({len(whole)}, …) on {whole.index.device}",
            f"{tuple(kept.shape)} on {kept.device}" if isinstance(kept, Tensor) else type(kept).__name__,
            "return a tensor with as many rows as the window has",
        )
        return attrs.evolve(bare, condensed=kept)

    def _is_a_score(self, scores: Any, whole: Window, when: str) -> None:
        __tracebackhide__ = True
        promise(
            isinstance(scores, Tensor),
            f"{self.called} gives scores as a tensor",
            "a tensor",
            type(scores).__name__,
            "stay with torch: torch.stack makes a tensor of several",
        )
        promise(
            scores.shape == (len(whole),),
            f"{self.called} gives one score for each instance {when}",
            f"shape ({len(whole)},)",
            f"shape {tuple(scores.shape)}",
            "reduce over the keypoints, by .mean(1) or .sum(1)",
        )
        promise(
            scores.device == whole.index.device,
            f"{self.called} keeps scores on the window's device {when}",
            whole.index.device,
            scores.device,
            "make tensors by window.scores.new_zeros(…) or with device=window.index.device; never .cpu() or .numpy()",
        )
        promise(
            scores.is_floating_point(),
            f"{self.called} gives numbers with a point {when}",
            "float32",
            scores.dtype,
            "end with .float()",
        )
        bad = int((~torch.isfinite(scores)).sum())
        promise(
            not bad,
            f"{self.called} gives finite scores {when}",
            "numbers",
            f"{bad} of {len(scores)} that are NaN or infinite",
            "clamp what is divided by and what a logarithm is taken of; use torch.where(window.has_previous, …) where "
            "there may be no neighbour, and keypoints only where they are visible",
        )
