"""Raw results to a frame, a frame to tables, plots and a site. Imports no backend and no TLS: a bare laptop does it.

`result` reads a file strictly, `statistics` sums samples up, `frame` has all figures as a pandas DataFrame, `table`
says what stands where, and each renderer, a file, writes it: found by name among the entry points of
`pqdc.renderers`, loaded on first use.
"""

from __future__ import annotations

from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Protocol

from pqdc.errors import ResultError

if TYPE_CHECKING:
    from pqdc.report.table import Table

__all__ = ["Renderer", "load_renderer", "renderer_names"]


class Renderer(Protocol):
    """Writes a table as text; no name in it can break the format."""

    name: str

    def render(self, table: Table) -> str:
        """The text, ending in a line break."""


def renderer_names() -> tuple[str, ...]:
    """The names of all renderers."""
    return tuple(sorted({point.name for point in entry_points(group="pqdc.renderers")}))


def load_renderer(name: str) -> Renderer:
    """The renderer of that name.

    Raises:
        ResultError: there is none.
    """
    for point in entry_points(group="pqdc.renderers"):
        if point.name == name:
            renderer: Renderer = point.load()()
            return renderer
    raise ResultError(f"no renderer is called {name!r}", hint=f"there are {', '.join(renderer_names())}")
