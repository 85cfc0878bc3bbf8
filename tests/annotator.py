"""Somebody who labels through the page's HTTP interface as a person would: moves only what is wrong, not exactly.

By hand, on a run that waits at the address it printed; the truth is in the file that its data set is read from:

    python -m tests.annotator 'http://127.0.0.1:8000/?token=…' annotations.json
"""

from __future__ import annotations

import json
import random
import re
import sys
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import attrs
import httpx

from tests.processes import Command

WRITES: Final = {"X-Vatl": "1"}
"""Header of every request that is not GET."""
LINK: Final = re.compile(r"label at (http://\S+)\s")
"""The line in which a run says where to label."""
Pose = Sequence[tuple[float, float, int]]
"""K times x, y in pixels and 0 (not annotated), 1 (hidden), 2 (visible)."""


def truth_of(annotations: Path) -> dict[str, Pose]:
    """The annotated poses of a COCO keypoints file, by the instances' names."""
    content = json.loads(annotations.read_text())
    return {str(a["id"]): triples(a["keypoints"]) for a in content["annotations"] if any(a.get("keypoints", ()))}


def triples(flat: Sequence[float]) -> Pose:
    """A COCO annotation's ``keypoints`` as x, y, v."""
    return [(flat[i], flat[i + 1], int(flat[i + 2])) for i in range(0, len(flat), 3)]


def enter(link: str, timeout: float = 60) -> httpx.Client:
    """A browser that has opened the link."""
    place = urlsplit(link)
    address = f"{place.scheme}://{place.netloc}"
    client = httpx.Client(base_url=address, timeout=timeout, verify=False)  # certificates take longer to read than all
    response = client.get(f"/?{place.query}", follow_redirects=True)
    response.raise_for_status()
    return client


@attrs.define
class Annotator:
    """A person with a steady, but not a perfect hand.

    Attributes:
        client: the browser.
        truth: what the person sees, by the instances' names.
        wrong: pixels beyond which a keypoint is seen to be wrong; those nearer are left as they are proposed.
        noise: standard deviation of where a moved keypoint is let go, pixels.
        name: of the person.
        tab: of the window.
        chance: what makes the hand unsteady.
        given: the answered labels as they were sent, by instance; the last one of each.
        moved: how many keypoints were moved, of how many.
        told: the last state that was heard; whoever was told the end need not find the server there any more.
        wishes: how the person has a review go on after each queue of it, the next one first; then it ends.
    """

    client: httpx.Client
    truth: Mapping[str, Pose]
    wrong: float = 3.0
    noise: float = 2.0
    name: str = "scripted"
    tab: str = attrs.field(factory=lambda: uuid.uuid4().hex)
    chance: random.Random = attrs.field(factory=lambda: random.Random(0))
    given: dict[int, list[list[float]]] = attrs.field(factory=dict)
    moved: list[int] = attrs.field(factory=lambda: [0, 0])
    told: dict[str, Any] = attrs.field(factory=dict)
    wishes: list[str] = attrs.field(factory=list)

    def pose(self, task: Mapping[str, Any]) -> list[list[float]]:
        """What the person makes of a proposal."""
        return [
            [0, 0, 0] if not v else [*self._placed(proposed[:2], (x, y)), v]
            for proposed, (x, y, v) in zip(task["proposal"], self.truth[task["id"]], strict=True)
        ]

    def _placed(self, proposed: Sequence[float], true: tuple[float, float]) -> tuple[float, float]:
        self.moved[1] += 1
        if (proposed[0] - true[0]) ** 2 + (proposed[1] - true[1]) ** 2 <= self.wrong**2:
            return proposed[0], proposed[1]
        self.moved[0] += 1
        return self.chance.gauss(true[0], self.noise), self.chance.gauss(true[1], self.noise)

    def body(self, task: Mapping[str, Any], **changes: Any) -> dict[str, Any]:
        """A label as it is sent."""
        return {
            "tab": self.tab,
            "submission": str(uuid.uuid4()),
            "instance": task["instance"],
            "cycle": task["cycle"],
            "keypoints": changes["keypoints"] if "keypoints" in changes else self.pose(task),
            "seconds": 1.5,
            "annotator": self.name,
            "correction": False,
        } | changes

    def write(self, path: str, body: Mapping[str, Any]) -> httpx.Response:
        """POST /api/PATH."""
        return self.client.post(f"/api/{path}", json=body, headers=WRITES)

    def label(self, task: Mapping[str, Any], **changes: Any) -> httpx.Response:
        """Accept a pose, and remember it if that was heard."""
        body = self.body(task, **changes)
        response = self.write("labels", body)
        if response.status_code == 200:
            self.given[body["instance"]] = body["keypoints"]
        return response

    def state(self) -> dict[str, Any]:
        """GET /api/state."""
        response = self.client.get("/api/state", params={"tab": self.tab})
        response.raise_for_status()
        self.told = response.json()
        return self.told

    def task(self) -> dict[str, Any] | None:
        """The next instance, or None if there is none at present."""
        response = self.client.get("/api/task", params={"tab": self.tab})
        response.raise_for_status()
        task: dict[str, Any] | None = response.json()["task"]
        return task

    def tasks(self, patience: float = 0.1) -> Iterator[dict[str, Any]]:
        """Instances as they are asked for, until the run has ended; each must be answered before the next is drawn."""
        while True:
            if (task := self.task()) is not None:
                yield task
            elif (state := self.state())["phase"] in ("finished", "failed"):
                return
            elif state["review"] and state["phase"] == "labelling" and _waits(state["queue"]):
                self.wish(self.wishes.pop(0) if self.wishes else "end")
            elif state["phase"] != "labelling" or not state["queue"]["left"]:
                time.sleep(patience)

    def wish(self, wish: str) -> httpx.Response:
        """Say how a review goes on."""
        return self.write("review", {"tab": self.tab, "annotator": self.name, "wish": wish})

    def work(self) -> int:
        """Label until the run has ended; how many labels it took."""
        count = 0
        for task in self.tasks():
            self.label(task).raise_for_status()
            count += 1
        return count


def _waits(queue: Mapping[str, Any]) -> bool:
    """Whether nothing is left in it, and it does not go on by itself."""
    return not queue["left"] and queue["pause"] is None


@attrs.define
class Process:
    """A run in a process of its own, and the place where it is labelled.

    Attributes:
        process: of the command.
    """

    process: Command

    @classmethod
    def begin(cls, words: Sequence[str | Path], folder: Path, environment: Mapping[str, str]) -> Process:
        """Call ``vatl`` with these words."""
        return cls(Command(words, folder, environment))

    def link(self) -> str:
        """Wait until it says where to label."""
        while not (found := LINK.search(self.process.err.read_text())):
            assert self.process.poll() is None, f"the command ended without a link: {self.end()}"
            time.sleep(0.01)
        return found[1]

    def end(self, timeout: float = 60) -> tuple[int, str, str]:
        """Wait for it: its exit code, standard output and standard error."""
        out, err = self.process.communicate(timeout=timeout)
        return self.process.wait(), out, err


def main(link: str, annotations: str) -> None:
    """Label until the run has ended."""
    person = Annotator(enter(link), truth_of(Path(annotations)))
    count = person.work()
    print(f"{count} labels, {person.moved[0]} of {person.moved[1]} keypoints moved; {person.told['closing']}")


if __name__ == "__main__":
    main(*sys.argv[1:])
