"""What a built page says, where its links lead, and what a browser would load for it."""

from __future__ import annotations

from html.parser import HTMLParser

import attrs

_LOADED = {"img": "src", "script": "src", "source": "src", "iframe": "src", "video": "src", "link": "href"}
"""Elements for which a browser loads something at once, with the attribute that says what."""
_NOT_LOADED = {"canonical", "next", "prev", "alternate", "edit"}
"""Relations of a ``link`` that only name a page."""


@attrs.define
class HtmlPage:
    """One page.

    Attributes:
        text: what readers see, words separated by single spaces.
        ids: its anchors.
        links: where its links lead.
        loaded: pictures, scripts, styles and the like.
    """

    text: str = ""
    ids: set[str] = attrs.field(factory=set)
    links: list[str] = attrs.field(factory=list)
    loaded: list[str] = attrs.field(factory=list)


def read_page(html: str) -> HtmlPage:
    """Take a page apart."""
    reader = _Reader()
    reader.feed(html)
    reader.page.text = " ".join("".join(reader.words).split())
    return reader.page


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.page = HtmlPage()
        self.words: list[str] = []
        self.silent = 0

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        has = {name: value or "" for name, value in attributes}
        self.page.ids |= {has[name] for name in ("id", "name") if has.get(name)}
        if tag == "a" and "href" in has:
            self.page.links.append(has["href"])
        if has.get(_LOADED.get(tag, "")) and not _NOT_LOADED & set(has.get("rel", "").split()):
            self.page.loaded.append(has[_LOADED[tag]])
        self.silent += tag in ("script", "style")

    def handle_endtag(self, tag: str) -> None:
        self.silent -= tag in ("script", "style")

    def handle_data(self, data: str) -> None:
        if not self.silent:
            self.words.append(data)
