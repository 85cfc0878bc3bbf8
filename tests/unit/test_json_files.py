"""JSON files: what is there twice is not taken for what is there once."""

from __future__ import annotations

from pathlib import Path

import pytest

from vatl_core.errors import InputError
from vatl_formats import read_json


@pytest.mark.parametrize("unread", [(), ("segmentation",)])
def test_a_key_that_stands_twice_in_an_object_is_refused(tmp_path: Path, unread: tuple[str, ...]) -> None:
    path = tmp_path / "a.json"
    path.write_text('{"images": [{"id": 1}, {"id": 2}], "annotations": [], "images": [{"id": 3}]}')
    with pytest.raises(InputError, match=r"a\.json is JSON that cannot be read \('images' stands twice in one object"):
        read_json(path, unread=unread)


def test_the_same_key_in_different_objects_is_none_of_these(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text('[{"id": 1, "part": {"id": 2, "segmentation": []}}, {"id": 1}]')
    assert read_json(path, unread=("segmentation",)) == [{"id": 1, "part": {"id": 2}}, {"id": 1}]
