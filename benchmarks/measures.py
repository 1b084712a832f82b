"""What is measured, and the limit of each: the one table that `run.py` reads."""

from __future__ import annotations

import importlib.util
import os
import sys
import sysconfig
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pipelines
from process import Cost, run

CROSSDOCK = str(Path(sysconfig.get_path("scripts"), "crossdock"))


class Bench:
    """A scratch folder with pipelines, stores that are made when they are asked for, and commands to run in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._made: dict[str, str] = {}

    def run(self, *command: str, store: str | None = None) -> Cost:
        """Run a command; without a store it gets a new and empty one.

        Stores are deleted when all is done: ext4 searches long for a free inode while many were freed just before.
        """
        place = store or tempfile.mkdtemp(prefix="store-", dir=self.folder)
        return run(command, self.folder, {"CROSSDOCK_STORE": place, "CROSSDOCK_PROJECT": str(self.folder)})

    def python(self, *words: str, store: str | None = None) -> Cost:
        """Run this interpreter."""
        return self.run(sys.executable, *words, store=store)

    def crossdock(self, *words: str, store: str | None = None) -> Cost:
        """Run the command line."""
        return self.run(CROSSDOCK, *words, store=store)

    def file(self, kind: str, tasks: int) -> str:
        """A file with a pipeline of that many tasks."""
        return self.write(f"{kind}_{tasks}.py", pipelines.text(kind, tasks))

    def write(self, name: str, text: str) -> str:
        """A file in the scratch folder; its path."""
        path = self.folder / name
        if not path.exists():
            path.write_text(text)
        return str(path)

    def store(self, name: str, *setup: str) -> tuple[str, str]:
        """A store that a Python program has filled once, and what the program printed."""
        place = str(self.folder / name)
        if name not in self._made:
            self._made[name] = self.python(*setup, store=place).said
        return place, self._made[name]


@dataclass(frozen=True)
class Figure:
    """One sample: the value that the limit is for, and the cost of the whole process that it was taken from."""

    value: float
    whole: Cost


@dataclass(frozen=True)
class Measure:
    """Something that is measured.

    Attributes:
        limit: the most that the median may be; None for a figure that is only told.
        unit: `s`, `ms`, `MB` or `times`.
        take: takes one sample.
        needs: a module without which it is left out.
    """

    name: str
    says: str
    limit: float | None
    unit: str
    take: Callable[[Bench], Figure]
    needs: str | None = None

    @property
    def possible(self) -> bool:
        return self.needs is None or importlib.util.find_spec(self.needs) is not None


def _bare(bench: Bench) -> Cost:
    return bench.python("-c", "pass")


def _start(bench: Bench) -> Figure:
    cost = _bare(bench)
    return Figure(cost.cpu, cost)


def _import(bench: Bench) -> Figure:
    bare, cost = _bare(bench), bench.python("-c", "import crossdock")
    return Figure(cost.cpu - bare.cpu, cost)


def _help(bench: Bench) -> Figure:
    cost = bench.crossdock("--help")
    return Figure(cost.cpu, cost)


def _stack(bench: Bench, *words: str) -> Figure:
    """A command on stacks, in a project that has twenty."""
    project = bench.folder / "with_stacks"
    stacks = project / ".crossdock" / "stacks"
    if not stacks.exists():
        stacks.mkdir(parents=True)
        for number in range(20):
            text = "components:\n  orchestrator: default\n  artifact_store: default\n"
            (stacks / f"stack-{number}.yaml").write_text(text)
    cost = run((CROSSDOCK, "stack", *words), project, {"CROSSDOCK_CONFIG": str(bench.folder / "nobody")})
    return Figure(cost.cpu, cost)


def _run(bench: Bench) -> Figure:
    cost = bench.crossdock("run", bench.file("chain", 1))
    return Figure(cost.cpu, cost)


def _run_cached(bench: Bench) -> Figure:
    file = bench.file("chain", 1)
    store, _ = bench.store("cached", "-c", "from crossdock.cli import main; main()", "run", file)
    cost = bench.crossdock("run", file, store=store)
    return Figure(cost.cpu, cost)


def _steps(bench: Bench, tasks: int, kind: str = "chain") -> Figure:
    """Milliseconds for each further task of a run in one process, tracing included."""
    few, many = 11, tasks + 11
    base = bench.crossdock("run", "--json", bench.file(kind, few))
    cost = bench.crossdock("run", "--json", bench.file(kind, many))
    return Figure(1000 * (cost.cpu - base.cpu) / tasks, cost)


def _runtime(bench: Bench) -> Figure:
    file = bench.write("first_line.py", pipelines.FIRST_LINE)
    store, plan = bench.store("published", "-c", pipelines.PUBLISH, file)
    words = ("--contract", "1", "--plan", plan, "--task", "first")
    cost = bench.python("-m", "crossdock_runtime", *words, store=store)
    (line,) = (line for line in cost.said.splitlines() if "CPU " in line)
    return Figure(float(line.rpartition(" ")[2]), cost)


def _compile(bench: Bench, kind: str, tasks: int) -> Cost:
    return bench.crossdock("compile", bench.file(kind, tasks), "--target", "kubeflow")


def _compiled(bench: Bench, kind: str, tasks: int = 1000) -> Figure:
    """CPU seconds beyond those of the same command for the smallest pipeline of the kind."""
    base, cost = _compile(bench, kind, 3), _compile(bench, kind, tasks)
    return Figure(cost.cpu - base.cpu, cost)


def _memory(bench: Bench, kind: str) -> Figure:
    cost = _compile(bench, kind, 10_000)
    return Figure(cost.megabytes, cost)


def _list(bench: Bench) -> Figure:
    store, _ = bench.store("many", "-c", pipelines.FILL, bench.file("chain", 3), "10000")
    cost = bench.crossdock("runs", "list", store=store)
    return Figure(cost.cpu, cost)


def _kfp(bench: Bench) -> Figure:
    """How many times more the KFP SDK takes to compile the same 1000-task chain, start-up apart."""
    few, many = (bench.python(bench.file("kfp_chain", tasks)) for tasks in (3, 1000))
    return Figure((many.cpu - few.cpu) / _compiled(bench, "chain").value, many)


MEASURES = (
    Measure("start", "the interpreter alone: python -c pass", None, "s", _start),
    Measure("import", "import crossdock, beyond the interpreter", 0.05, "s", _import),
    Measure("help", "crossdock --help", 0.12, "s", _help),
    Measure("stack-list", "crossdock stack list, of 20 stacks", 0.20, "s", lambda bench: _stack(bench, "list")),
    Measure("stack-set", "crossdock stack set, of 20 stacks", 0.20, "s", lambda bench: _stack(bench, "set", "stack-7")),
    Measure("run", "crossdock run of one step, empty store", 0.6, "s", _run),
    Measure("run-cached", "crossdock run of one step, cached", 0.6, "s", _run_cached),
    Measure("step", "each of 200 chained steps of one run", 2, "ms", partial(_steps, tasks=200)),
    Measure("step-1000", "each of 1000 chained steps of one run", 2, "ms", partial(_steps, tasks=1000)),
    Measure("item-10000", "each of 10,000 items of one map", 2, "ms", partial(_steps, tasks=10_000, kind="mapped")),
    Measure("runtime", "python -m crossdock_runtime, to the first line of the step", 0.10, "s", _runtime),
    Measure("chain", "compile 1000 chained tasks, beyond 3 tasks", 0.4, "s", partial(_compiled, kind="chain")),
    Measure("fan-out", "compile 1000 tasks side by side, beyond 3 tasks", 0.4, "s", partial(_compiled, kind="fan_out")),
    Measure(
        "chain-10000",
        "compile 10,000 chained tasks, beyond 3",
        4.8,
        "s",
        partial(_compiled, kind="chain", tasks=10_000),
    ),
    Measure(
        "fan-out-10000", "10,000 side by side, beyond 3", 4.8, "s", partial(_compiled, kind="fan_out", tasks=10_000)
    ),
    Measure("memory-chain", "peak memory for 10,000 chained tasks", 300, "MB", partial(_memory, kind="chain")),
    Measure("memory-fan-out", "peak memory for 10,000 side by side", 300, "MB", partial(_memory, kind="fan_out")),
    Measure("list", "crossdock runs list, 10,000 runs in the store", 0.6, "s", _list),
    Measure("kfp", "KFP SDK against Crossdock, 1000 chained tasks", None, "times", _kfp, needs="kfp"),
)


@contextmanager
def bench() -> Iterator[Bench]:
    """A bench in a temporary folder.

    Raises:
        SystemExit: crossdock is not installed in this environment.
    """
    if not os.access(CROSSDOCK, os.X_OK):
        sys.exit(f"there is no {CROSSDOCK}: install crossdock in the environment of this interpreter")
    with tempfile.TemporaryDirectory(prefix="crossdock-bench-") as folder:
        yield Bench(Path(folder))
