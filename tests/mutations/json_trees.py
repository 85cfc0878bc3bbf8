"""Mutations of what a JSON file holds: fields and rows dropped, twice, of another type, numbered anew, exchanged."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from typing import Any, Final

from hypothesis import strategies as st

Place = tuple[str | int, ...]
"""Keys and positions from the root."""

STRANGE: Final = (
    None, True, False, "", "x", "7", [], {}, [[]], float("nan"), float("inf"), -1, -1e9, 1e30, 2**70, 0, 0.5, 3.0,
    "../x", "/", "\x00", 10**400,
)  # fmt: skip


class Again(str):
    """A key that stands twice in an object, which JSON allows and no reader notices by itself."""

    __slots__ = ()
    __hash__ = object.__hash__

    def __eq__(self, other: object) -> bool:
        return self is other


@st.composite
def mutated_trees(draw: st.DrawFn, content: Any, most: int = 2) -> str:
    """The text of a JSON file whose content was mutated once or twice."""
    root = [copy.deepcopy(content)]  # so that the content itself has a place
    for _ in range(draw(st.integers(1, most))):
        draw(st.sampled_from(MUTATIONS))(draw, root)
    return json.dumps(root[0])


def _places(tree: Any, place: Place = ()) -> Iterator[Place]:
    """Every place below the root."""
    parts = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    for key, part in parts:
        yield (*place, key)
        yield from _places(part, (*place, key))


def _chosen(draw: st.DrawFn, root: list[Any], holds: Callable[[Any, Any], bool] = lambda parent, key: True) -> Any:
    """A container and a key in it; places that are alike but for positions are drawn as one, else rows outweigh all."""
    kinds: dict[Place, list[Place]] = {}
    for place in _places(root[0], (0,)):
        if holds(_at(root, place[:-1]), place[-1]):
            kinds.setdefault(tuple("" if isinstance(key, int) else key for key in place), []).append(place)
    if not kinds:
        return root, 0
    place = draw(st.sampled_from(draw(st.sampled_from(list(kinds.values())))))
    return _at(root, place[:-1]), place[-1]


def _at(root: Any, place: Place) -> Any:
    for key in place:
        root = root[key]
    return root


def _value(draw: st.DrawFn, *near: Any) -> Any:
    """One of these or a strange one; a copy, for a second mutation may change it."""
    return copy.deepcopy(draw(st.sampled_from([*near, *STRANGE])))


def drop(draw: st.DrawFn, root: list[Any]) -> None:
    parent, key = _chosen(draw, root)
    if parent is not root:
        del parent[key]


def duplicate(draw: st.DrawFn, root: list[Any]) -> None:
    """A row as it is, or under a new id and without one of its fields; a key twice in an object."""
    parent, key = _chosen(draw, root)
    if isinstance(parent, list) and parent is not root:
        row = copy.deepcopy(parent[key])
        if isinstance(row, dict) and "id" in row and draw(st.booleans()):
            row["id"] = 999
            row.pop(draw(st.sampled_from(sorted(row))))
        parent.insert(draw(st.integers(0, len(parent))), row)
    elif isinstance(parent, dict):
        parent[Again(key)] = _value(draw, parent[key])


def retype(draw: st.DrawFn, root: list[Any]) -> None:
    parent, key = _chosen(draw, root)
    value = parent[key]
    near = [str(value), [value], {"value": value}]
    near += [value + 1, value + 0.5, -value, value * 1000] if type(value) in (int, float) else []
    parent[key] = _value(draw, *near)


def exchange(draw: st.DrawFn, root: list[Any]) -> None:
    """Two rows, or what two rows have in the same field."""
    parent, key = _chosen(draw, root, lambda parent, key: isinstance(parent, list) and len(parent) > 1)
    if parent is root:
        return
    other = draw(st.integers(0, len(parent) - 1))
    one, two = parent[key], parent[other]
    fields = sorted(set(one) & set(two)) if isinstance(one, dict) and isinstance(two, dict) else []
    field = draw(st.sampled_from([None, *fields]))
    if field is None:
        parent[key], parent[other] = two, one
    else:
        one[field], two[field] = two[field], one[field]


def reorder(draw: st.DrawFn, root: list[Any]) -> None:
    parent, key = _chosen(draw, root, lambda parent, key: isinstance(parent[key], list | dict))
    if isinstance(parent[key], dict):
        parent[key] = dict(sorted(parent[key].items(), key=lambda item: str(item[0]), reverse=True))
    elif isinstance(parent[key], list):
        parent[key] = draw(st.permutations(parent[key]))


def renumber(draw: st.DrawFn, root: list[Any]) -> None:
    """One field of all rows of a list is given anew: counted from another number, as text, or in another order."""
    parent, key = _chosen(draw, root, lambda parent, key: isinstance(parent[key], list) and bool(_fields(parent[key])))
    if parent is root:
        return
    rows = parent[key]
    field = draw(st.sampled_from(_fields(rows)))
    values = [row[field] for row in rows]
    numbers = [value + 1000 if type(value) in (int, float) else value for value in values]
    ways = [numbers, list(map(str, values)), values[::-1], values[1:] + values[:1], list(range(len(rows)))]
    for row, value in zip(rows, draw(st.sampled_from(ways)), strict=True):
        row[field] = value


def _fields(rows: list[Any]) -> list[str]:
    if not rows or not all(isinstance(row, dict) for row in rows):
        return []
    return sorted(set.intersection(*(set(row) for row in rows)))


def add(draw: st.DrawFn, root: list[Any]) -> None:
    """A field that nobody knows."""
    parent, key = _chosen(draw, root, lambda parent, key: isinstance(parent[key], dict))
    if isinstance(parent[key], dict):
        parent[key]["x-note"] = _value(draw)


MUTATIONS: Final = (drop, duplicate, retype, retype, exchange, reorder, renumber, add)
