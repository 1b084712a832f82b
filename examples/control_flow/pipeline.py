"""Every construct that steers a pipeline, once: a chain of shops counts its stock, and decides what to buy.

    crossdock run examples/control_flow/pipeline.py
    crossdock run examples/control_flow/pipeline.py -p shops=5 -p enough=1000 -p audit=true

The file needs nothing but Crossdock, and reads from top to bottom: first the steps, then the pipeline.
"""

from __future__ import annotations

import datetime
import enum
from dataclasses import dataclass
from typing import Any

from crossdock import Retry, RunStatus, after, map, on_exit, one_of, pipeline, step, when

AISLES = ["bread", "fruit", "tea"]


class Region(enum.Enum):
    """Where the shops are."""

    NORTH = "north"
    SOUTH = "south"


@dataclass(frozen=True)
class Stock:
    """What all shops have together."""

    units: int
    shops: int


# Steps are plain functions: `count_units("north-1", "tea")` in a Python shell just runs.


@step
def open_the_books(day: datetime.date) -> None:
    """A step that returns nothing. Others can only be ordered after it."""
    print(f"stock of {day}")


@step
def list_shops(region: Region, shops: int) -> list[str]:
    """How long this list is, is known only when the pipeline runs."""
    return [f"{region.value}-{number}" for number in range(1, shops + 1)]


@step(timeout="30s")
def count_units(shop: str, aisle: str) -> int:
    """Units on one shelf. An attempt that takes longer than the timeout is ended, and fails."""
    return 10 * len(aisle) + len(shop) + int(shop.rpartition("-")[2])


@step(retry=Retry(max_attempts=3, delay=0.1, on=(ConnectionError,)))
def price_of(aisle: str) -> float:
    """A step that could fail: on a ConnectionError it is tried twice more, each time after a longer wait."""
    return {"bread": 2.5, "fruit": 1.25, "tea": 4.0}[aisle]


@step
def add_up(units: list[list[int]]) -> list[int]:
    """What a map collected is a list; a map in a map gives a list of lists."""
    return [sum(shop) for shop in units]


@step
def take_stock(units: list[int]) -> Stock:
    """A value with fields: a pipeline can compare each of them."""
    return Stock(units=sum(units), shops=len(units))


@step
def buy_nothing(stock: Stock) -> str:
    """One branch…"""
    return f"{stock.units} units in {stock.shops} shops are enough"


@step
def buy_more(stock: Stock, enough: int, prices: list[float]) -> str:
    """…and the other."""
    lacking = enough - stock.units
    return f"buy {lacking} units for about {lacking * sum(prices) / len(prices):.2f}"


@step
def check_by_hand(stock: Stock) -> str:
    """Runs only when somebody asked for it."""
    return f"checked by hand: {stock.units}"


@step
def write_letter(decision: str, remark: str | None) -> str:
    """A skipped input skips its consumer, unless it is Optional as `remark` is: then it is None."""
    letter = f"{decision}; {remark or 'not checked'}"
    print(letter)
    return letter


@step
def close_the_books(status: RunStatus, day: datetime.date) -> None:
    """Runs at the end in any case, and learns how it went."""
    print(f"{day}: {status.status}" + "".join(f", {task}" for task in status.failed))


@pipeline
def total(units: list[list[int]]) -> Stock:
    """A pipeline that is called by another one; its tasks join the caller's."""
    return take_stock(add_up(units))


@pipeline
def control_flow(
    region: Region = Region.NORTH,
    shops: int = 3,
    enough: int = 500,
    audit: bool = False,
    day: datetime.date = datetime.date(2013, 12, 31),
) -> dict[str, Any]:
    """Count, decide, report. The parameters are typed, and checked before anything runs.

    Args:
        region: where the shops are.
        shops: how many there are.
        enough: buy more below this many units.
        audit: have somebody check the figures.
        day: the day of the stock-taking.
    """
    on_exit(close_the_books, day=day)

    # Order without data: the list of shops waits for a step whose result it does not need.
    opened = open_the_books(day)
    names = after(list_shops(region, shops), opened)

    # A map over a literal list.
    prices = map(price_of, AISLES)

    # A map over a list that a task returns, two items at once, and in it a map: per shop a list of units.
    units = map(lambda shop: map(lambda aisle: count_units(shop, aisle), AISLES), names, concurrency=2)

    # A pipeline inside a pipeline.
    stock = total(units)

    # A branch and its other side. Each of them may be skipped; `one_of` is whichever ran.
    with when(stock.units >= enough) as plenty:
        nothing = buy_nothing(stock)
    with plenty.otherwise():
        more = buy_more(stock, enough, prices)
    decision = one_of(nothing, more)

    # Conditions combine by &, | and ~.
    with when(audit | (stock.shops > 4)):
        remark = check_by_hand(stock)

    return {"stock": stock, "letter": write_letter(decision, remark)}
