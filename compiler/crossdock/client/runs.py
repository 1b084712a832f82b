"""Runs and their outputs, as the Python API gives them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from crossdock.dsl.errors import BadInput, did_you_mean

if TYPE_CHECKING:
    from crossdock_runtime.cleanup import Deleted
    from crossdock_runtime.driver import Event
    from crossdock_runtime.loading import Project
    from crossdock_runtime.state import RunState
    from crossdock_runtime.store import Store
    from crossdock_runtime.summary import Summary


class Output:
    """An output of a run: its manifest, and the object on demand."""

    def __init__(self, store: Store, manifest: Any, project: Project | None = None) -> None:
        self._store = store
        self._project = project
        self.manifest = manifest

    def load(self) -> Any:
        """Read the object; its digest is verified. Classes of its own are imported from the run's project."""
        from crossdock_runtime import artifacts

        if self._project is not None and self._project.root.is_dir():
            self._project.activate()
        return artifacts.load(self._store, self.manifest)

    def verify(self) -> None:
        """Hold a value that is in the record itself against its digest.

        Raises:
            StoreError: it was damaged.
        """
        from crossdock_runtime import artifacts
        from crossdock_runtime.manifest import ABSENT

        if self.manifest.value is not ABSENT:
            artifacts.read_tagged(self.manifest, self._store)

    def describe(self) -> str:
        """The whole value, or type, size, place and digest of what is kept in files."""
        from crossdock_runtime import artifacts
        from crossdock_runtime.show import manifest_text, tagged_text

        if self.manifest.is_value:
            tagged = artifacts.read_tagged(self.manifest, self._store)
            return tagged if isinstance(tagged, str) else tagged_text(tagged)
        place = f"{self._store.url}/{self.manifest.uri}"
        return f"{manifest_text(self.manifest)}\n{place}\n{self.manifest.digest}"

    def __repr__(self) -> str:
        from crossdock_runtime.show import manifest_text

        return f"<Output {manifest_text(self.manifest)}>"


class Outputs(Mapping[str, Output]):
    """The outputs of a run by `task.output` (`task.0.output` for an item of a map)."""

    def __init__(self, store: Store, state: RunState) -> None:
        from crossdock_runtime.loading import Project

        self._store = store
        root = state.document.get("project_root")
        self._project = Project(Path(root), state.plan.source.python_path) if root else None
        self._found = {
            f"{task.name}.{name}": manifest
            for task in state.tasks
            if task.result is not None
            for name, manifest in task.result.outputs.items()
        }

    def __getitem__(self, name: str) -> Output:
        if name not in self._found:
            raise BadInput(
                f"the run has no output {name!r}", hint=did_you_mean(name, tuple(self._found)), id="unknown-output"
            )
        return Output(self._store, self._found[name], self._project)

    def __iter__(self) -> Iterator[str]:
        return iter(self._found)

    def __len__(self) -> int:
        return len(self._found)

    def __repr__(self) -> str:
        from crossdock_runtime.show import manifest_text

        width = max(map(len, self._found), default=0)
        lines = [f"  {name:<{width}}  {manifest_text(manifest)}" for name, manifest in self._found.items()]
        return "\n".join(["<Outputs", *lines]) + ">"


def echo(out: TextIO) -> Callable[[Event], None]:
    """Shows what tasks print where nobody else listens: in a script or a notebook."""

    def tell(event: Event) -> None:
        if event.kind == "line":
            name = ".".join([event.task, *map(str, event.index)])
            out.write(f"{name} | {event.text}\n")

    return tell


def failure_of(state: RunState) -> str:
    """The user's own traceback of the first task that failed, and why it did."""
    for task in state.tasks:
        if task.state in ("failed", "lost") and task.cause is not None:
            why = f"{task.name}: {task.cause.kind}: {task.cause.message}"
            return f"{why}\n{task.cause.traceback.rstrip()}" if task.cause.traceback else why
    return state.status


class Run:
    """A run in the store."""

    def __init__(self, store: Store, run: str, summary: Summary | None = None) -> None:
        self._store = store
        self._summary = summary
        self.id = run

    @property
    def summary(self) -> Summary:
        """The run in a line; in a list as it was when the list was made."""
        if self._summary is not None:
            return self._summary
        from crossdock_runtime.record import RunRecord
        from crossdock_runtime.summary import summary_of

        return summary_of(self._store, self.id, RunRecord(self._store, self.id).document() or {})

    @property
    def state(self) -> RunState:
        """How it stands now, read from the store."""
        from crossdock_runtime.state import read_state

        return read_state(self._store, self.id)

    @property
    def status(self) -> str:
        """`succeeded`, `failed`, `cancelled`, `lost` or `running`."""
        return self.state.status

    @property
    def outputs(self) -> Outputs:
        """Outputs of its tasks."""
        return Outputs(self._store, self.state)

    def logs(self, task: str | None = None) -> Iterator[tuple[str, int, str]]:
        """Task, attempt and text of what was printed, in the plan's order.

        Raises:
            BadInput: there is no such task.
        """
        from crossdock_runtime.record import RunRecord

        record = RunRecord(self._store, self.id)
        state = self.state
        names = [item.name for item in state.tasks]
        if task is not None and task not in names and task not in state.plan.by_id:
            raise BadInput(f"the run has no task {task!r}", hint=did_you_mean(task, tuple(names)), id="unknown-task")
        for item in state.tasks:
            if task is not None and task not in (item.name, item.task):
                continue
            facts = record.task(item.task, item.index)
            for attempt in facts.attempts():
                text = b"".join(facts.log_chunks(attempt)).decode("utf-8", "replace")
                yield item.name, attempt, text

    def cancel(self) -> bool:
        """Let no further task start, and end those that run; False when it has ended already."""
        from crossdock_runtime.record import RunRecord

        if self.status not in ("running", "lost"):
            return False
        RunRecord(self._store, self.id).cancel()
        return True

    def delete(self) -> Deleted:
        """Delete its record, and those of its bytes that nothing else points to.

        Raises:
            BadInput: it is still running.
        """
        from crossdock_runtime.cleanup import delete_runs

        return delete_runs(self._store, [self.id])

    def __repr__(self) -> str:
        return f"<Run {self.id}>"
