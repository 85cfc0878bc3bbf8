"""From arguments and files to what a run is made of."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import attrs
import pytest
import tomli_w
from torch import Tensor

from tests.conftest import Registered
from vatl_core.config import path_component
from vatl_core.config_files import configure
from vatl_core.contracts import Criterion, Window
from vatl_core.discovery import discover
from vatl_core.errors import InputError
from vatl_core.plugins import Component, build
from vatl_core.run.running import config_of
from vatl_core.store import RunFolder


@attrs.frozen
class Choosy(Criterion):
    """A criterion with an option that is called ``options``."""

    options: tuple[int, ...] = ()

    def score(self, window: Window) -> Tensor:
        return window.scores.mean(1)


def test_an_option_called_options_is_converted_like_any_other(registered: Registered) -> None:
    registry = registered(Component("criterion", "choosy", "Choosy", "tests.unit.test_configure:Choosy"))
    config = configure(registry, {"query": "choosy"}, options=["choosy.options=1,2"])
    assert build(registry, "criterion", "choosy", config.of("query", "choosy")) == Choosy((1, 2))
    with pytest.raises(InputError, match=r"criterion 'choosy': options = 'one' does not fit: tuple\[int, \.\.\.\]"):
        build(registry, "criterion", "choosy", {"options": "one"})


def test_a_configuration_owns_its_options() -> None:
    tables: dict[str, Any] = {"retrain": {"continual": {"alpha": 7}}}
    registry = discover()
    config = configure(registry, {}, tables, ["continual.lr=0.2"])
    assert config.of("retrain", "continual") == {"alpha": 7, "lr": "0.2"}
    assert tables == {"retrain": {"continual": {"alpha": 7}}}
    tables["retrain"]["continual"]["alpha"] = 8
    other = attrs.evolve(config, seed=1)
    other.options["retrain"]["continual"]["alpha"] = 9
    assert config.of("retrain", "continual")["alpha"] == 7


def test_what_is_above_wins(tmp_path: Path) -> None:
    file = tmp_path / "run.toml"
    file.write_text('[run]\nseed = 3\nselect = "top"\nquery = "lc"\n[retrain.continual]\nalpha = 9\nlr = 0.1\n')
    registry, tables = discover(), {"retrain": {"continual": {"alpha": 8, "decay": 0.5}}}
    config = configure(registry, {"preset": "vatl4pose", "seed": 4}, tables, {"retrain": {"decay": 0.6}}, file)
    assert (config.seed, config.select, config.query, config.query_weights) == (4, "top", "lc", "dynamic")
    told = config.of("retrain", "continual")
    assert (told["alpha"], told["lr"], told["decay"]) == (8, 0.1, 0.6)
    assert told["batch"] == 120, "of the preset"


@pytest.mark.parametrize("schedule", ["4, 8", ["4", "8"], (4, 8)])
def test_a_list_may_be_text(schedule: Any) -> None:
    assert configure(discover(), {"schedule": schedule}).schedule == ("4", "8")


def test_names_of_keypoints_may_be_text() -> None:
    config = configure(discover(), {"weights_keypoints": "nose, left_eye"})
    assert config.weights_keypoints == ("nose", "left_eye")


def test_what_says_nothing_gets_its_default() -> None:
    config = configure(discover(), {"query": None, "stop": (), "seed": None})
    assert (config.query, config.stop, config.refine, config.advise, config.seed) == (
        "eoks",
        ("sc-expected",),
        "tracks",
        (),
        0,
    )


def test_every_name_is_checked() -> None:
    for setting, kind in {"advise": "stopping", "refine": "refinement", "query": "criterion"}.items():
        with pytest.raises(InputError, match=f"no {kind} is called 'nothing-like-it'"):
            configure(discover(), {setting: "nothing-like-it"})
    with pytest.raises(InputError, match=r"-o alpha=3: the form is PART.OPTION=VALUE"):
        configure(discover(), {}, options=["alpha=3"])
    with pytest.raises(InputError, match=r"-o query\.…: this run has several of these: name one of thc, wpu"):
        configure(discover(), {"query": "thc+wpu"}, options=["query.z_dim=3"])


BAD_NAMES = (
    "../../x",
    "/x",
    "a/b",
    "..",
    ".",
    "a\\b",
    "a\nb",
    "\x1b[2Jx",
    "a\0",
    "\u202egpj",
    "\udcff",
    "a:b",
    "why?",
    "*",
    '"a"',
    "<a",
    "a>",
    "a|b",
    "a.",
    "a ",
    "a. .",
)


@pytest.mark.parametrize("name", BAD_NAMES)
def test_the_name_of_a_run_is_one_printable_part_of_a_path(name: str, tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        configure(discover(), {"name": name})
    assert str(caught.value).startswith(f"name {name!r}: a run's name is one printable part")
    file = tmp_path / "run.toml"
    file.write_text(tomli_w.dumps({"run": {"name": "../x"}, "made_with": {}}))
    with pytest.raises(InputError, match="one printable part"):
        configure(discover(), {}, file=file)


@pytest.mark.parametrize("name", ["first", "..x", "ärger 2", "a.b-c+d", "-x"])
def test_any_other_name_is_taken_as_it_is(name: str) -> None:
    config = configure(discover(), {"name": name})
    assert (config.run_name, config.path) == (name, Path("runs") / name)


@pytest.mark.parametrize("video", BAD_NAMES)
def test_a_name_made_of_a_videos_is_one_printable_part_of_a_path(video: str) -> None:
    config = attrs.evolve(configure(discover(), {}), video=video)
    assert config.path.parent == Path("runs")
    assert config.run_name.isprintable()
    assert not set('/\\:*?"<>|') & set(config.run_name)
    assert config.run_name[-1] not in ". "
    alone = path_component(video)
    assert alone == path_component(alone) != ".."


def test_a_run_is_taken_up_whatever_its_file_calls_it(tmp_path: Path) -> None:
    config = attrs.evolve(configure(discover(), {}), name="../elsewhere")
    folder = RunFolder.create(tmp_path / "here", config.to_toml())
    assert config_of(folder, discover()).path == tmp_path / "here"
