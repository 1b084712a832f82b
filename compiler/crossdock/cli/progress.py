"""What a person sees while a pipeline runs: a line a task."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, TextIO
from urllib.parse import unquote

from crossdock.dsl.errors import Problem
from crossdock.ir import Plan
from crossdock_runtime.driver import Event
from crossdock_runtime.record import Index

if TYPE_CHECKING:
    from crossdock_runtime.state import RunState, TaskState

MARKS = {
    "succeeded": ("✓", "green"),
    "cached": ("✓", "cyan"),
    "skipped": ("-", "bright_black"),
    "failed": ("✗", "red"),
    "upstream_failed": ("✗", "yellow"),
    "cancelled": ("○", "yellow"),
    "lost": ("?", "red"),
    "running": ("●", "blue"),
    "pending": (" ", "bright_black"),
}


def seconds(value: float | None) -> str:
    """A duration for people: `0.3 s`, `2 m 05 s`."""
    if value is None:
        return ""
    if value < 60:
        return f"{value:.1f} s"
    return f"{int(value // 60)} m {int(value % 60):02d} s"


def name_of(task: str, index: Index) -> str:
    """`task`, or `task.0.3` for an item of a map."""
    return ".".join([task, *map(str, index)])


class Progress:
    """Prints events: on a terminal with colours and a line for what runs now, else as plain lines."""

    def __init__(self, plan: Plan | None = None, *, to_stderr: bool = False) -> None:
        self._out: TextIO = sys.__stderr__ if to_stderr else sys.__stdout__  # type: ignore[assignment]
        self._width = max((len(task.id) for task in plan.tasks), default=8) + 4 if plan else 20
        self._started: dict[tuple[str, Index], float] = {}
        self._color = self._out.isatty()
        self._live: Any = None
        self._lock = threading.Lock()
        self._begun = time.monotonic()

    def __enter__(self) -> Progress:
        if self._color:
            from rich.console import Console
            from rich.live import Live

            self._live = Live(
                console=Console(file=self._out, highlight=False), get_renderable=self._now, refresh_per_second=4,
                transient=True, redirect_stdout=False, redirect_stderr=False,
            )  # fmt: skip
            self._live.start()
        self._hook = sys.breakpointhook
        sys.breakpointhook = self._breakpoint
        return self

    def __exit__(self, *_: object) -> None:
        sys.breakpointhook = self._hook
        if self._live is not None:
            self._live.stop()

    def _breakpoint(self, *args: Any, **kwargs: Any) -> Any:
        """A debugger needs the terminal for itself, and starts in the frame of the step."""
        if self._live is not None:
            self._live.stop()
        sys.stdout, sys.stderr = sys.__stdout__, sys.__stderr__
        if os.environ.get("PYTHONBREAKPOINT"):
            return self._hook(*args, **kwargs)
        import pdb  # noqa: T100 - asked for by the user

        return pdb.Pdb().set_trace(sys._getframe(1))

    def _now(self) -> Any:
        from rich.text import Text

        with self._lock:
            running = [(name_of(*key), time.monotonic() - since) for key, since in self._started.items()]
        lines = [f"● {name:<{self._width}} {seconds(took)}" for name, took in running[:20]]
        return Text("\n".join(lines), style="blue")

    def _print(self, text: str, style: str = "") -> None:
        if self._live is not None:
            self._live.console.print(text, style=style or None, markup=False, soft_wrap=True)
            return
        try:
            self._out.write(f"{text}\n")
            self._out.flush()
        except OSError:  # nobody reads any more (`| head`), or the disk is full: the run goes on without a word
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self._out.fileno())
            os.close(nowhere)

    def warn(self, warnings: Iterable[Problem]) -> None:
        """Named warnings: what the target does otherwise, one line for all features of which it says the same."""
        features: dict[tuple[str, str], dict[str, None]] = {}
        tasks: dict[tuple[str, str], dict[str, None]] = {}
        for problem in warnings:
            target, feature, notice = problem.message.split(": ", 2)
            features.setdefault((target, notice), {})[feature] = None
            tasks.setdefault((target, notice), {})[problem.task or "pipeline"] = None
        for (target, notice), names in features.items():
            of = list(tasks[target, notice])
            listed = ", ".join(of[:4]) + (f" and {len(of) - 4} more" if len(of) > 4 else "")
            self._print(f"note: on {target}, {', '.join(names)}: {notice} ({listed})", "yellow")

    def event(self, event: Event) -> None:
        """Show an event."""
        name = name_of(event.task, event.index)
        key = (event.task, event.index)
        if event.kind == "started":
            with self._lock:
                self._started[key] = time.monotonic()
        elif event.kind == "line":
            clock = time.strftime("%H:%M:%S")
            self._print(f"{clock} {name} | {event.text}", "bright_black")
        elif event.outcome is not None:
            with self._lock:
                self._started.pop(key, None)
            mark, style = MARKS[event.outcome.state]
            took = seconds(event.outcome.seconds) if event.outcome.state in ("succeeded", "failed") else ""
            tries = f" ({event.outcome.attempts} attempts)" if event.outcome.attempts > 1 else ""
            self._print(f"{mark} {name:<{self._width}} {event.outcome.state:<10} {took}{tries}".rstrip(), style)

    def summary(self, state: RunState, *, store: str, home: str) -> None:
        """How the run ended, why, and what to type next."""
        failed = [task for task in state.tasks if task.state in ("failed", "lost")]
        for task in failed[:3]:
            self.failure(task, state.run)
        counts: dict[str, int] = {}
        for task in state.tasks:
            counts[task.state] = counts.get(task.state, 0) + 1
        listed = ", ".join(f"{count} {name}" for name, count in counts.items())
        took = seconds(time.monotonic() - self._begun)
        self._print(f"{state.plan.name} {state.status} in {took}: {listed}")
        if store.startswith("file://"):
            store = unquote(store.removeprefix("file://"))
        if store.startswith(home):
            store = f"~{store[len(home) :]}"
        self._print(f"run {state.run} in {store}")
        if state.status == "succeeded":
            self._print(f"next: crossdock runs outputs {state.run}")
        elif state.status == "cancelled" or failed:
            self._print(f"next: crossdock runs resume {state.run}")

    def failure(self, task: TaskState, run: str) -> None:
        """Why a task failed: the user's own traceback, the cause, the replay command."""
        cause = task.cause
        if cause is None:
            return
        if cause.traceback:
            self._print(cause.traceback.rstrip(), "red")
        self._print(f"{task.name}: {cause.kind}: {cause.message}", "red")
        if cause.hint:
            self._print(f"  hint: {cause.hint}")
        self._print(f"  replay: crossdock runs replay {run} {task.name}")
