"""Measure what Crossdock costs, in CPU seconds of whole processes.

python benchmarks/run.py [NAME …] [--runs N] [--json] [--check]
"""

from __future__ import annotations

import argparse
import json
import platform
import statistics
import sys
from typing import Any

from measures import MEASURES, Bench, Measure, bench


def measure(place: Bench, item: Measure, runs: int, bare: float) -> dict[str, Any]:
    """Take the samples of one measure, after one that is not counted."""
    item.take(place)
    samples = [item.take(place) for _ in range(runs)]
    values = [sample.value for sample in samples]
    whole = statistics.median(sample.whole.cpu for sample in samples)
    return {
        "name": item.name,
        "says": item.says,
        "unit": item.unit,
        "min": min(values),
        "median": statistics.median(values),
        "limit": item.limit,
        "process_seconds": whole,
        "times_start": whole / bare,
        "megabytes": max(sample.whole.megabytes for sample in samples),
    }


def _over(row: dict[str, Any]) -> bool:
    return row["limit"] is not None and row["median"] > row["limit"]


def _number(value: float, unit: str) -> str:
    return f"{value:.0f}" if unit == "MB" else f"{value:.1f}" if unit == "times" else f"{value:.3f}"


def _line(row: dict[str, Any]) -> str:
    unit = row["unit"]
    limit = "" if row["limit"] is None else f"{row['limit']:g}"
    mark = "  OVER" if _over(row) else ""
    return (
        f"{row['name']:<15} {_number(row['min'], unit):>8} {_number(row['median'], unit):>8} {unit:<5} {limit:>6} "
        f"{row['process_seconds']:>8.3f} {row['times_start']:>7.1f} {row['megabytes']:>6.0f}  {row['says']}{mark}"
    )


def main() -> int:
    """Measure what is asked for, and tell."""
    parser = argparse.ArgumentParser(description="Measure what Crossdock costs, in CPU seconds of whole processes.")
    names = [item.name for item in MEASURES]
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(names)}; all without any")
    parser.add_argument("--runs", type=int, default=5, help="counted runs of each (default 5)")
    parser.add_argument("--json", action="store_true", help="one JSON document on stdout")
    parser.add_argument("--check", action="store_true", help="exit 1 when a median is over its limit")
    options = parser.parse_args()
    unknown = sorted(set(options.names) - set(names))
    if unknown or options.runs < 1:
        parser.error(f"there is no measure {', '.join(unknown)}" if unknown else "--runs is 1 or more")
    wanted = [item for item in MEASURES if item.possible and item.name in (options.names or names)]
    rows = []
    if not options.json:
        print(f"{platform.python_implementation()} {platform.python_version()}, {platform.machine()}")
        print(f"{'':<15} {'min':>8} {'median':>8} {'':<5} {'limit':>6} {'process':>8} {'/start':>7} {'MB':>6}")
    with bench() as place:
        bare = min(place.python("-c", "pass").cpu for _ in range(options.runs + 1))
        for item in wanted:
            rows.append(measure(place, item, options.runs, bare))
            if not options.json:
                print(_line(rows[-1]), flush=True)
    if options.json:
        print(json.dumps({"python": platform.python_version(), "start": bare, "measures": rows}, indent=1))
    return 1 if options.check and any(map(_over, rows)) else 0


if __name__ == "__main__":
    sys.exit(main())
