"""Measure compiling beside the KFP SDK: the same pipelines, each a process of its own, one after the other.

python benchmarks/beside_kfp.py [--runs N] [--json] [--check]
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import statistics
import sys
from typing import Any

from measures import Bench, bench

SIZES = (10, 100, 1000)
KINDS = ("chain", "fan_out")
LARGEST = SIZES[-1]
LEAST_TIMES = 20
"""How many times less CPU the largest is to take."""


def ours(place: Bench, kind: str, tasks: int, target: str = "kubeflow") -> tuple[float, float, int]:
    """CPU seconds and megabytes of the whole process, and bytes of the spec."""
    folder = place.folder / f"{target}-{kind}-{tasks}"
    cost = place.crossdock("compile", place.file(kind, tasks), "--target", target, "-o", str(folder))
    return cost.cpu, cost.megabytes, sum(file.stat().st_size for file in folder.glob("*.*"))


def theirs(place: Bench, kind: str, tasks: int) -> tuple[float, float, int]:
    """The same of KFP's SDK."""
    cost = place.python(place.file(f"kfp_{kind}", tasks))
    return cost.cpu, cost.megabytes, (place.folder / "kfp.yaml").stat().st_size


def row(place: Bench, kind: str, tasks: int, runs: int) -> dict[str, Any]:
    """The medians for one pipeline, taken in turn; `beyond` is without what a pipeline of three tasks takes."""
    samples = [(ours(place, kind, tasks), theirs(place, kind, tasks)) for _ in range(runs)]
    few = [(ours(place, kind, 3)[0], theirs(place, kind, 3)[0]) for _ in range(runs)]
    mine, other = (statistics.median(sample[side][0] for sample in samples) for side in (0, 1))
    base, their_base = (statistics.median(sample[side] for sample in few) for side in (0, 1))
    return {
        "kind": kind,
        "tasks": tasks,
        "cpu": [mine, other],
        "times": other / mine,
        "beyond": [mine - base, other - their_base],
        "megabytes": [max(sample[side][1] for sample in samples) for side in (0, 1)],
        "bytes": [samples[0][side][2] for side in (0, 1)],
    }


def misses(found: dict[str, Any]) -> list[str]:
    """What is not as much better as it has to be."""
    mine, other = found["beyond"]
    wrong = [name for name in ("bytes", "megabytes") if found[name][0] >= found[name][1]]
    if found["tasks"] == LARGEST and other < LEAST_TIMES * mine:
        wrong.append(f"{other / mine:.0f} times, not {LEAST_TIMES}")
    return wrong


def main() -> int:
    """Measure, and tell."""
    parser = argparse.ArgumentParser(description="Measure compiling beside the KFP SDK.")
    parser.add_argument("--runs", type=int, default=3, help="runs of each (default 3)")
    parser.add_argument("--json", action="store_true", help="one JSON document on stdout")
    parser.add_argument("--check", action="store_true", help="exit 1 where KFP's is not far behind")
    options = parser.parse_args()
    if importlib.util.find_spec("kfp") is None:
        sys.exit("there is no kfp: pip install 'crossdock[kubeflow]'")
    rows = []
    if not options.json:
        print(
            "                    CPU s: ours    KFP  times   beyond 3: ours    KFP  times    MB      KFP    kB      KFP"
        )
    with bench() as place:
        theirs(place, "chain", 3)  # compiles bytecode
        for kind in KINDS:
            for tasks in SIZES:
                found = row(place, kind, tasks, options.runs)
                rows.append(found)
                (mine, other), (megabytes, their_megabytes) = found["beyond"], found["megabytes"]
                if not options.json:
                    times = f"{other / mine:6.0f}" if tasks == LARGEST else "     -"
                    print(
                        f"{kind:<8} {tasks:>5} {found['cpu'][0]:>17.3f} {found['cpu'][1]:>6.2f} {found['times']:>6.1f}"
                        f" {mine:>16.3f} {other:>6.2f} {times} {megabytes:>5.0f} {their_megabytes:>8.0f}"
                        f" {found['bytes'][0] / 1000:>5.0f} {found['bytes'][1] / 1000:>8.0f}"
                        + "".join(f"  OVER: {text}" for text in misses(found)),
                        flush=True,
                    )
    if options.json:
        print(json.dumps(rows, indent=1))
    return 1 if options.check and any(map(misses, rows)) else 0


if __name__ == "__main__":
    sys.exit(main())
