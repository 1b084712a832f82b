"""Lists of what there is, as sequences that print as tables."""

from __future__ import annotations

import html
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Generic, TypeVar, overload

T = TypeVar("T")
_MOST = 50


class Listing(Sequence[T], Generic[T]):
    """A sequence that never changes: `len()`, `[0]`, `[1:]`, `in` and loops; its repr is a table, in a notebook too.

    Attributes:
        damaged: what could not be read of the files that are not in the list, by name.
    """

    def __init__(
        self,
        items: Iterable[T],
        columns: Sequence[str],
        row: Callable[[T], Sequence[str]],
        damaged: dict[str, str] | None = None,
    ) -> None:
        self._items = tuple(items)
        self._columns = tuple(columns)
        self._row = row
        self.damaged = damaged or {}

    def __len__(self) -> int:
        return len(self._items)

    def __iter__(self) -> Iterator[T]:
        return iter(self._items)

    @overload
    def __getitem__(self, index: int) -> T: ...

    @overload
    def __getitem__(self, index: slice) -> Listing[T]: ...

    def __getitem__(self, index: int | slice) -> T | Listing[T]:
        if isinstance(index, slice):
            return Listing(self._items[index], self._columns, self._row, self.damaged)
        return self._items[index]

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Listing):
            return self._items == other._items
        return list(self._items) == other if isinstance(other, list) else NotImplemented

    __hash__ = None  # type: ignore[assignment]

    def _rows(self) -> list[tuple[str, ...]]:
        return [tuple(self._row(item)) for item in self._items[:_MOST]]

    def _below(self) -> list[str]:
        more = len(self) - _MOST
        return [*([f"… and {more} more"] if more > 0 else []), *(f"damaged: {text}" for text in self.damaged.values())]

    def __repr__(self) -> str:
        if not self and not self.damaged:
            return "(none)"
        rows = [tuple(name.upper() for name in self._columns), *self._rows()]
        widths = [max(len(row[number]) for row in rows) for number in range(len(self._columns))]
        lines = ["  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip() for row in rows]
        return "\n".join([*lines, *self._below()])

    def _repr_html_(self) -> str:
        def cells(tag: str, row: Sequence[str]) -> str:
            return "<tr>" + "".join(f"<{tag}>{html.escape(text)}</{tag}>" for text in row) + "</tr>"

        body = "".join(cells("td", row) for row in self._rows())
        below = "".join(f"<p>{html.escape(text)}</p>" for text in self._below())
        return f"<table><thead>{cells('th', self._columns)}</thead><tbody>{body}</tbody></table>{below}"
