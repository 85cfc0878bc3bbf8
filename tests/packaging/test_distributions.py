"""Every distribution can be published: its files, its metadata, and that what it declares is what it needs."""

from __future__ import annotations

import email
import json
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from email.message import Message
from importlib.metadata import EntryPoints
from pathlib import Path
from typing import Any

import pytest
from packaging.metadata import Metadata
from readme_renderer import markdown

from tests.conftest import once
from tests.packaging import __main__ as making
from tests.packaging.distributions import ROOT, Source, closure, link, sources, unpack, whose
from vatl_core.cli import main

SOURCES = sources()
OURS = {source.name: source for source in SOURCES}
WHOLE = OURS["vatl"]
"""All of them as one thing to install."""
each = pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.name)


def wheel(source: Source, built: Path) -> Path:
    (found,) = built.glob(f"{source.package.name}-{source.project['version']}-py3-none-any.whl")
    return found


def metadata(source: Source, built: Path) -> Message:
    with zipfile.ZipFile(wheel(source, built)) as file:
        return email.message_from_bytes(file.read(f"{_info(source)}/METADATA"))


def _info(source: Source) -> str:
    return f"{source.package.name}-{source.project['version']}.dist-info"


def with_libraries(source: Source) -> list[Source]:
    """A distribution, and what it declares of ours beside vatl-core."""
    declared = [OURS[name] for name in source.dependencies if name in OURS and name != SOURCES[0].name]
    return [source, *(part for library in declared for part in with_libraries(library))]


@each
def test_the_wheel_holds_the_package_and_nothing_else(source: Source, built: Path) -> None:
    with zipfile.ZipFile(wheel(source, built)) as file:
        names = file.namelist()
    assert {name.partition("/")[0] for name in names} == {source.package.name, _info(source)}
    inside = {name for name in names if name.startswith(f"{source.package.name}/")}
    ours = {str(path.relative_to(source.folder)) for path in source.package.rglob("*") if _ships(path, source)}
    assert inside == ours
    assert f"{source.package.name}/py.typed" in inside
    assert f"{_info(source)}/licenses/LICENSE" in names


def _ships(path: Path, source: Source) -> bool:
    """Whether a file of the package's folder is to be in its wheel: all but what Python makes and the core's page."""
    readme = source.folder / source.project["readme"]
    return path.is_file() and "__pycache__" not in path.parts and path.suffix != ".pyc" and path != readme


@each
def test_the_sdist_can_be_built_from_and_read(source: Source, built: Path) -> None:
    stem = f"{source.package.name}-{source.project['version']}"
    with tarfile.open(built / f"{stem}.tar.gz") as file:
        names = {name.removeprefix(f"{stem}/") for name in file.getnames()}
    assert {"LICENSE", "pyproject.toml", source.project["readme"], f"{source.package.name}/py.typed"} <= names
    strange = {name for name in names if name.startswith(("plugins", "adapters", "docs", "shared", ".", "build"))}
    assert not strange


@each
def test_an_index_would_show_it_well(source: Source, built: Path) -> None:
    with zipfile.ZipFile(wheel(source, built)) as file:
        told = Metadata.from_email(file.read(f"{_info(source)}/METADATA"), validate=True)
    assert told.summary
    assert len(told.summary) < 120
    assert told.license_expression == "MIT"
    assert told.license_files == ["LICENSE"]
    assert told.description_content_type == "text/markdown"
    assert told.keywords
    assert {"Programming Language :: Python :: 3", "Typing :: Typed"} <= set(told.classifiers or ())
    assert str(told.requires_python) == SOURCES[0].project["requires-python"]
    assert told.project_urls in (None, {}), "there is no address yet: do not make one up"
    assert (source.folder / "LICENSE").read_bytes() == (ROOT / "LICENSE").read_bytes()


@each
def test_its_page_renders_and_leads_nowhere_that_an_index_lacks(source: Source, built: Path) -> None:
    text = metadata(source, built).get_payload()
    assert isinstance(text, str)
    page = markdown.render(text)
    assert page is not None
    assert f'">{source.name}' in page
    assert len(page) > 200
    targets = re.findall(r'(?:href|src)="([^"]+)"', page)
    assert [target for target in targets if not target.startswith(("https://", "#"))] == []


@each
def test_it_declares_what_it_imports(source: Source) -> None:
    needed = {whose(module): files for module, files in source.imports().items()}
    undeclared = {name: sorted(files)[:3] for name, files in needed.items() if name not in _declared(source)}
    assert undeclared == {}
    if source is not WHOLE:
        assert set(source.dependencies) - set(needed) == set(), "declared, and never imported"


def _declared(source: Source) -> set[str]:
    return {*source.dependencies, *source.optional}


def test_all_are_of_one_version() -> None:
    (version,) = {source.project["version"] for source in SOURCES}
    for source in SOURCES:
        wanted = [need for need in source.all_needs if need.name in OURS]
        assert source is SOURCES[0] or "vatl-core" in {need.name for need in wanted}
        assert {str(need.specifier) for need in wanted} <= {f"=={version}"}, source.name


def test_vatl_asks_for_every_distribution_and_its_extras_for_theirs() -> None:
    others = set(OURS) - {WHOLE.name}
    assert {name for name in WHOLE.dependencies if name in OURS} == others - {"vatl-ray"}
    assert {need.name for need in WHOLE.all_needs} == others
    offered = {(need.name, extra) for need in WHOLE.all_needs for extra in need.extras}
    there = {(source.name, extra) for source in SOURCES for extra in source.project.get("optional-dependencies", {})}
    assert offered == {(name, extra) for name, extra in there if name != WHOLE.name and extra != "test"}


def test_wheels_take_the_place_of_older_ones(built: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def copied(_: object, out: Path) -> Path:
        return Path(shutil.copytree(built, out / "built", ignore=shutil.ignore_patterns("sources", "unpacked")))

    monkeypatch.setattr(making, "build", copied)
    (tmp_path / "vatl_gone-0.0.1-py3-none-any.whl").touch()
    making.main(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(path.name for path in built.glob("*.whl"))
    assert len(list(tmp_path.iterdir())) == len(SOURCES)


def test_one_distribution_alone_owns_the_command(built: Path) -> None:
    """uv and pipx make the commands of the distribution that they are asked for, so it is that one."""
    owners = {}
    for source in SOURCES:
        with zipfile.ZipFile(wheel(source, built)) as file:
            points = EntryPoints(EntryPoints._from_text(_text(file, f"{_info(source)}/entry_points.txt")))
        owners |= {(source.name, point.name): point for point in points.select(group="console_scripts")}
    assert list(owners) == [("vatl", "vatl")]
    assert owners["vatl", "vatl"].load() is main


def _text(file: zipfile.ZipFile, name: str) -> str:
    return file.read(name).decode() if name in file.namelist() else ""


@pytest.mark.parametrize(("file", "left"), [("requirements.txt", {"vatl-ray"}), ("requirements-test.txt", set())])
def test_a_checkout_is_set_up_with_every_distribution(file: str, left: set[str]) -> None:
    both = (ROOT / "requirements.txt").read_text() + (ROOT / file).read_text()
    folders = re.findall(r"^-e ([\w./-]+)", both, re.MULTILINE)
    assert {source.name for source in SOURCES if (ROOT / source.folder) not in {ROOT / f for f in folders}} == left


@pytest.fixture(scope="session")
def alone(built: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, str]]:
    """What came of importing each distribution where only what it declares can be imported."""
    folder = once(tmp_path_factory, "alone", lambda folder: _import_each(built, folder))
    results: dict[str, dict[str, str]] = json.loads((folder / "results.json").read_text())
    return results


def _import_each(built: Path, folder: Path) -> None:
    core, *others = SOURCES
    base = closure(list(core.dependencies))
    link(base, folder / "core")
    unpack(wheel(core, built), folder / "core")
    spec: dict[str, Any] = {"core": str(folder / "core"), "modules": core.modules(), "others": {core.name: ("", [])}}
    for source in others:
        site = folder / source.name
        needed = with_libraries(source)
        link(closure([name for part in needed for name in part.dependencies if name not in OURS]) - base, site)
        for part in needed:
            unpack(wheel(part, built), site)
        spec["others"][source.name] = (str(site), source.modules())
    command = [sys.executable, "-I", "-S", str(Path(__file__).with_name("probe.py"))]
    done = subprocess.run(command, input=json.dumps(spec), capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-3000:]
    (folder / "results.json").write_text(done.stdout.strip().splitlines()[-1])


@each
def test_what_it_declares_is_all_it_needs(source: Source, alone: dict[str, dict[str, str]]) -> None:
    told = alone[source.name]
    assert "error" not in told, told["error"]
    label = f"{source.name} {source.project['version']}"
    if source.project.get("entry-points", {}).get("vatl"):
        assert label in told["listed"] or _brings_no_component(source)
    others = [other.name for other in SOURCES[1:] if other is not WHOLE and other not in with_libraries(source)]
    assert not [name for name in others if f"{name} " in told["listed"]]
    assert "failed" not in told["listed"]


def _brings_no_component(source: Source) -> bool:
    text = (source.package / "plugin.py").read_text()
    return "vatl_components" not in text and "vatl_presets" not in text
