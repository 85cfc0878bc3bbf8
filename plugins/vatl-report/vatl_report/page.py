"""Pages from templates; every value is escaped unless it is a figure drawn here."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from vatl_core.files import write_whole
from vatl_report import wording


def write_page(path: Path, template: str, **values: Any) -> Path:
    """Fill ``templates/<template>`` and write it to ``path``, whole or not at all."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    pages = Environment(
        loader=PackageLoader("vatl_report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    pages.filters |= {
        "accuracy": wording.accuracy,
        "duration": wording.duration,
        "listed": wording.listed,
        "share": wording.percent,
    }
    write_whole(path, pages.get_template(template).render(unknown=wording.UNKNOWN, **values))
    return path
