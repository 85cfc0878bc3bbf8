"""Mutations of XML: elements and attributes dropped, twice, exchanged, with other values."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Final
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from hypothesis import strategies as st

STRANGE: Final = ("", " ", "x", "nan", "inf", "-1", "-7.5,3", "1e30,2", "0", "1", "2", "true", "1,2,3", "9" * 400, "½")


@st.composite
def mutated_xml(draw: st.DrawFn, text: str, most: int = 2) -> str:
    """The text of an XML file that was mutated once or twice."""
    root = ElementTree.fromstring(text)
    for _ in range(draw(st.integers(1, most))):
        draw(st.sampled_from(MUTATIONS))(draw, root)
    return ElementTree.tostring(root, encoding="unicode")


def _one(draw: st.DrawFn, root: Element) -> tuple[Element, Element]:
    """A parent and a child of it; those of one tag are drawn as one, else points outweigh all."""
    pairs = [(parent, child) for parent in root.iter() for child in parent]
    tag = draw(st.sampled_from(sorted({child.tag for _, child in pairs})))
    return draw(st.sampled_from([pair for pair in pairs if pair[1].tag == tag]))


def drop(draw: st.DrawFn, root: Element) -> None:
    parent, child = _one(draw, root)
    parent.remove(child)


def duplicate(draw: st.DrawFn, root: Element) -> None:
    parent, child = _one(draw, root)
    parent.insert(draw(st.integers(0, len(parent))), copy.deepcopy(child))


def move(draw: st.DrawFn, root: Element) -> None:
    """To another element of the same kind as its parent."""
    parent, child = _one(draw, root)
    parent.remove(child)
    draw(st.sampled_from(list(root.iter(parent.tag)))).append(child)


def reorder(draw: st.DrawFn, root: Element) -> None:
    parent, _ = _one(draw, root)
    parent[:] = draw(st.permutations(list(parent)))


def change(draw: st.DrawFn, root: Element) -> None:
    _, element = _one(draw, root)
    field = draw(st.sampled_from([None, *sorted(element.attrib)]))
    near = (element.text or "") if field is None else element.attrib[field]
    value = draw(st.sampled_from([*STRANGE, f"{near}0", near.upper()]))
    if field is None:
        element.text = value
    else:
        element.attrib[field] = value


def drop_field(draw: st.DrawFn, root: Element) -> None:
    _, element = _one(draw, root)
    if element.attrib:
        del element.attrib[draw(st.sampled_from(sorted(element.attrib)))]


def exchange_fields(draw: st.DrawFn, root: Element) -> None:
    _, one = _one(draw, root)
    other = draw(st.sampled_from(list(root.iter(one.tag))))
    fields = sorted(set(one.attrib) & set(other.attrib))
    if fields:
        field = draw(st.sampled_from(fields))
        one.attrib[field], other.attrib[field] = other.attrib[field], one.attrib[field]
    else:
        one.text, other.text = other.text, one.text


MUTATIONS: Final[tuple[Callable[[st.DrawFn, Element], None], ...]] = (
    drop, duplicate, move, reorder, change, change, drop_field, exchange_fields,
)  # fmt: skip
