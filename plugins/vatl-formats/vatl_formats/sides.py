"""Which keypoints are each other's mirror image, left and right: as their names tell, or as somebody says."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from vatl_core.errors import InputError, unknown
from vatl_core.video import Pair

_WORD: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+|[^\W\d_A-Za-z]+")
"""A word of a name: separators, digits and capitals divide `LShoulder`, `eyeL1`, `left-ear` and `FR_paw` alike."""
_OTHER: Final = {"left": "right", "right": "left", "l": "r", "r": "l"}

Words = tuple[str, ...]


def flip_pairs_from_names(names: Sequence[str]) -> tuple[Pair, ...]:
    """Pairs of keypoints whose names differ only in their side: `left`/`right` or `l`/`r`, however they are spelt.

    The side may stand anywhere, in any case, apart or joined to another word (`earL`, `RBigToe`, `lefteye`, `LF_paw`).
    Each keypoint is in one pair at the most, and only where both names are there. The left one comes first.
    """
    words = [_words(name) for name in names]
    index = {key: i for i, key in enumerate(words) if words.count(key) == 1}
    other = {i: next((index[m] for m in _mirrored(key) if m in index and m != key), None) for key, i in index.items()}
    found = [(i, j) for i, j in other.items() if j is not None and other.get(j) == i]
    return tuple((i, j) for i, j in found if _is_left(words[i], words[j]))


def _is_left(words: Words, other: Words) -> bool:
    return next((a == "l" for a, b in zip("".join(words), "".join(other), strict=False) if a != b), False)


def _words(name: str) -> Words:
    return tuple(word.casefold() for word in _WORD.findall(name))


def _mirrored(words: Words) -> Iterator[Words]:
    """What the same keypoint on the other side may be called, the likeliest first."""
    yield tuple(_OTHER.get(word, word) for word in words)
    for swap in (_whole, _within, _first, _last):
        for place, word in enumerate(words):
            if (swapped := swap(word)) != word:
                yield (*words[:place], swapped, *words[place + 1 :])


def _whole(word: str) -> str:
    return _OTHER.get(word, word)


def _within(word: str) -> str:
    """`lefteye` → `righteye`, and back."""
    return re.sub("left|right", lambda side: _OTHER[side[0]], word, count=1)


def _first(word: str) -> str:
    return _OTHER.get(word[0], word[0]) + word[1:]


def _last(word: str) -> str:
    return word[:-1] + _OTHER.get(word[-1], word[-1])


def named_pairs(pairs: Sequence[str], names: Sequence[str]) -> tuple[Pair, ...]:
    """The pairs that somebody names, each as ``LEFT:RIGHT``.

    Raises:
        InputError: one has another form, or names what is no keypoint.
    """
    return tuple(_named(pair, list(names)) for pair in pairs)


def _named(pair: str, names: list[str]) -> Pair:
    halves = [(pair[: colon.start()].strip(), pair[colon.end() :].strip()) for colon in re.finditer(":", pair)]
    for left, right in halves:  # a name may have a colon of its own
        if left in names and right in names and left != right:
            return names.index(left), names.index(right)
    if len(halves) == 1 and (strange := [name for name in halves[0] if name not in names]):
        raise unknown("keypoint of flip_pairs", strange[0], names)
    raise InputError(f"flip_pairs: '{pair}' is no pair of keypoints: write LEFT:RIGHT, such as {names[0]}:{names[-1]}")
