"""HTML: a page by itself, without a request to anywhere; its table sorts and filters, and reads without scripts."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any, Final

import jinja2
from markupsafe import Markup

from pqdc.report.table import Table

__all__ = ["Html", "templates"]

FOLDER: Final = Path(__file__).with_name("templates")


class Html:
    """With jinja2, which escapes every text."""

    name = "html"

    def render(self, table: Table) -> str:
        """The page: style and script inside."""
        return templates().get_template("table_page.html").render(table=table)


@cache
def templates() -> jinja2.Environment:
    """Of pages; `asset` gives the text of a style or script beside them, which is ours and is not escaped."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(FOLDER),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.filters["inline_json"] = _inline_json
    environment.globals["asset"] = lambda name: (FOLDER / name).read_text("utf-8")
    return environment


def _inline_json(value: Any) -> Markup:
    """JSON that cannot end the script it stands in."""
    text = json.dumps(value, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return Markup(text.replace("<", r"\u003c"))  # noqa: S704 - no markup is left in it
