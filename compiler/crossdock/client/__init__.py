"""The Python API: everything that the command line does."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from crossdock.client.listing import Listing
from crossdock.client.platforms import PlatformVerbs
from crossdock.client.review import ReviewVerbs
from crossdock.client.runs import Output, Outputs, Run, echo
from crossdock.client.stacks import Flavor, Stacks
from crossdock.client.starting import Order, prepared, start
from crossdock.dsl.errors import BadInput
from crossdock.dsl.pipeline import Pipeline
from crossdock.passes.load import Loaded, load
from crossdock.review.check import Checked, check_stack, check_target
from crossdock.stacks.workspace import Workspace

if TYPE_CHECKING:
    from crossdock.ir import Plan
    from crossdock.stacks import Orchestrator, Spec, Stack
    from crossdock_runtime.cleanup import Deleted
    from crossdock_runtime.context import Outcome
    from crossdock_runtime.driver import Event
    from crossdock_runtime.garbage import Garbage
    from crossdock_runtime.store import Store

__all__ = ["Client", "Flavor", "Listing", "Output", "Outputs", "Run"]

Parameters = Mapping[str, Any]


class Client(Stacks, ReviewVerbs, PlatformVerbs):
    """Compiles and runs pipelines, and reads what became of them.

    Args:
        stack: the stack, or its name; None is the active one.
        project: a folder of the project whose stacks hold; None is the working folder.
    """

    def __init__(self, stack: str | Stack | None = None, *, project: str | Path | None = None) -> None:
        self._given = stack if isinstance(stack, str) or stack is None else None
        self._stack = None if isinstance(stack, str) else stack
        self.workspace = Workspace(None if project is None else Path(project))

    @property
    def stack(self) -> Stack:
        """The stack that runs go to, with its components.

        Raises:
            BadInput: there is none of that name, or it cannot be used.
        """
        if self._stack is None:
            self._stack = self.workspace.build(self.workspace.stack(self._given).name)
            self._built = True
        return self._stack

    @property
    def store(self) -> Store:
        """The data plane of the stack's artifact store."""
        return self.stack.artifact_store.open()

    # Pipelines

    def load(self, source: str | Pipeline[Any, Any]) -> Loaded:
        """Import and compile a pipeline.

        Args:
            source: `path/file.py[:pipeline]`, `package.module[:pipeline]`, or a `@pipeline` function.

        Raises:
            BadInput: it is not there, or its file cannot be imported.
            TraceError: the DSL is used wrongly.
        """
        return load(source)

    def check(self, source: str | Pipeline[Any, Any] | Loaded, target: str | None = None) -> Checked:
        """Whether a target, or the stack where none is named, can run a pipeline.

        Raises:
            UnsupportedError: it cannot, or it asks for more than the stack's limits; has every reason at once.
            BadInput: the stack cannot be used.
        """
        loaded = source if isinstance(source, Loaded) else self.load(source)
        return check_stack(loaded, self.stack) if target is None else check_target(loaded, self._orchestrator(target))

    def compile(self, source: str | Pipeline[Any, Any] | Loaded, target: str | None = None) -> tuple[Spec, Checked]:
        """The native spec of a pipeline, and what to know about it.

        Raises:
            UnsupportedError: the target cannot run it.
        """
        loaded = source if isinstance(source, Loaded) else self.load(source)
        from crossdock.review.secrets import refuse_secrets

        checked = self.check(loaded, target)
        if target is not None:
            spec = self._orchestrator(target).translate(loaded.plan, None)
        else:
            from crossdock.review.packaging import packaged

            found = packaged(loaded, self.stack)
            spec = self.stack.orchestrator.translate(found.plan, self.stack)
            checked = replace(checked, warnings=(*checked.warnings, *found.warnings))
        refuse_secrets(loaded.plan, spec.files)
        more = self._orchestrator(target).warnings(spec)
        return spec, replace(checked, warnings=(*checked.warnings, *more))

    def _orchestrator(self, target: str | None) -> Orchestrator[Any]:
        if target is None:
            return self.stack.orchestrator
        from crossdock import registry

        found = registry.flavor("orchestrator", target)
        orchestrator: Orchestrator[Any] = found(target, found.Config())
        return orchestrator

    # Runs

    def run(
        self,
        source: str | Pipeline[Any, Any] | Loaded,
        parameters: Parameters | None = None,
        *,
        texts: Mapping[str, str] | None = None,
        cache: bool = True,
        max_workers: int = 1,
        resume: str | None = None,
        accept_changes: bool = False,
        run_id: str | None = None,
        confirm: str | None = None,
        tags: Iterable[str] = (),
        on_event: Callable[[Event], None] | None = None,
        tell: Callable[[str], None] | None = None,
        raise_on_failure: bool = True,
    ) -> Run:
        """Run a pipeline on the stack, and wait for its end. Images that it lacks are built first.

        Args:
            source: see `load`.
            parameters: values by name.
            texts: values as text by name, from a command line.
            cache: False runs every task.
            max_workers: tasks at once; with 1 they run in this process.
            resume: id of an earlier run whose results are adopted; parameters that are not given are its own.
            accept_changes: resume with a pipeline that was changed since.
            run_id: a fixed id instead of a new one.
            confirm: the stack's name, where it is protected.
            tags: names to find the run by; without any, those of a run that is resumed.
            on_event: is told what happens; without it, what tasks print is printed.
            tell: is given each line of progress of builds.
            raise_on_failure: False returns a failed run too.

        Raises:
            RunFailed: a task failed.
            UnsupportedError, BadInput, TraceError, StoreError, PlatformError: before anything ran.
        """
        from crossdock.passes.parameters import bind
        from crossdock_runtime.state import find_run

        loaded = source if isinstance(source, Loaded) else self.load(source)
        stack = self.stack
        check_stack(loaded, stack)
        before = None
        if resume is not None:
            resume = find_run(self.store, resume)
            before = self._before(resume, loaded.plan, accept_changes)
        tagged = bind(loaded.pipeline, loaded.plan, parameters or {}, texts or {}, before)
        return self._start(
            loaded, stack, tagged, cache, max_workers, resume, run_id, confirm, on_event, tell, raise_on_failure, tags
        )

    def resume(
        self,
        run: str,
        *,
        accept_changes: bool = False,
        max_workers: int = 1,
        confirm: str | None = None,
        on_event: Callable[[Event], None] | None = None,
        tell: Callable[[str], None] | None = None,
        raise_on_failure: bool = True,
    ) -> Run:
        """Run again what an earlier run did not finish; committed results are adopted.

        Args:
            run: the earlier run.
            accept_changes: use the code as it is now, where it was changed since.
            max_workers: tasks at once.
            confirm: the stack's name, where it is protected.
            on_event: is told what happens; without it, what tasks print is printed.
            tell: is given each line of progress of builds.
            raise_on_failure: False returns a failed run too.

        Raises:
            BadInput: the code was changed, or is not there any more, or the stack refuses it.
            UnsupportedError: the stack's limits are lower now.
        """
        from crossdock_runtime.record import RunRecord
        from crossdock_runtime.state import find_run

        store = self.store
        run = find_run(store, run)
        document = RunRecord(store, run).document() or {}
        loaded = self._load_again(document)
        check_stack(loaded, self.stack)
        parameters = self._before(run, loaded.plan, accept_changes)
        return self._start(
            loaded,
            self.stack,
            parameters,
            bool(document.get("cache", True)),
            max_workers,
            run,
            None,
            confirm,
            on_event,
            tell,
            raise_on_failure,
        )

    def _before(self, run: str, plan: Plan, accept_changes: bool) -> dict[str, Any]:
        """The parameters of a run that is resumed.

        Raises:
            BadInput: the pipeline was changed since.
        """
        from crossdock_runtime.record import RunRecord
        from crossdock_runtime.state import plan_of

        record = RunRecord(self.store, run)
        stored: Plan = plan_of(record)
        if plan.unpackaged.digest != stored.unpackaged.digest and not accept_changes:
            raise BadInput(
                f"the pipeline was changed since {run}: {_difference(stored, plan)}",
                hint=f"crossdock runs resume {run} --accept-changes",
                id="pipeline-changed",
            )
        known = record.parameters(stored.parameters)
        return {name: value for name, value in known.items() if name in plan.parameters}

    def _load_again(self, document: Mapping[str, Any]) -> Loaded:
        source, root = document.get("source"), document.get("project_root")
        if not source:
            raise BadInput(
                "the run's record does not say where its code is",
                hint="crossdock run SOURCE --resume RUN",
                id="no-source-in-record",
            )
        file, _, name = source.rpartition(":")
        path = Path(str(root)) / file
        return self.load(f"{path}:{name}" if file.endswith(".py") else source)

    def _start(
        self,
        loaded: Loaded,
        stack: Stack,
        tagged: Mapping[str, Any],
        cache: bool,
        max_workers: int,
        resume: str | None,
        run_id: str | None,
        confirm: str | None,
        on_event: Callable[[Event], None] | None,
        tell: Callable[[str], None] | None,
        raise_on_failure: bool,
        tags: Iterable[str] = (),
    ) -> Run:
        found = prepared(loaded, stack, confirm, tell)
        order = Order(
            loaded.plan if found is None else found.plan,
            tagged,
            code=None if found is None else found.code,
            source=loaded.source,
            root=loaded.root,
            modules=loaded.modules,
            cache=cache,
            max_workers=max_workers,
            resume=resume,
            run_id=run_id,
            confirm=confirm,
            on_event=on_event or echo(sys.stdout),
            wait=True,
            tags=tuple(tags),
        )
        return Run(*start(stack, order, raise_on_failure=raise_on_failure))

    def replay(
        self,
        run: str,
        task: str,
        *,
        on_event: Callable[[Event], None] | None = None,
        tell: Callable[[str], None] | None = None,
    ) -> tuple[str, Outcome]:
        """Run one task of a run again, here, with its real inputs, writing to a scratch run.

        On a stack that runs containers on this machine the task runs in its image, else in this process.

        Args:
            run: the run, of whatever stack: it is in this stack's artifact store.
            task: `task`, or `task.0.3` for an item of a map.
            on_event: is told what happens.
            tell: is given each line of the build of an image.

        Returns:
            The scratch run's id, and how the task ended.

        Raises:
            BadInput: there is no such task, or its inputs are not there.
            PlatformError: the container engine refuses, or cannot be reached.
        """
        from crossdock.client.replaying import replay

        return replay(self.stack, run, task, self._load_again, on_event, tell or (lambda line: None))

    def explain_cache(self, run: str, task: str) -> dict[str, Any]:
        """What a task's cache key is made of, and what differs from the run before.

        Raises:
            BadInput: there is no such task, or it has no committed result.
        """
        from crossdock.review.again import explain_cache

        return explain_cache(self.store, run, task)

    def runs(self, pipeline: str | None = None, *, tag: str | None = None) -> Iterator[Run]:
        """All runs in the store, newest first; only those of one pipeline, or with one tag, when it is named."""
        from crossdock_runtime.summary import found_runs

        store = self.store
        return (Run(store, run) for run, _ in found_runs(store, pipeline, tag))

    def get_run(self, run: str) -> Run:
        """A run by its id, the end of its id, or `latest`.

        Raises:
            BadInput: there is none.
        """
        from crossdock_runtime.state import find_run

        store = self.store
        return Run(store, find_run(store, run))

    def find_runs(
        self, pipeline: str | None = None, *, tag: str | None = None, older_than: float | None = None
    ) -> list[Run]:
        """The runs to delete together, newest first: those that are described, without those that still run.

        Args:
            pipeline: only runs of this pipeline.
            tag: only runs with this tag.
            older_than: only runs that were started so many seconds ago, or earlier.
        """
        from crossdock_runtime.record import seconds_since
        from crossdock_runtime.summary import summaries

        store = self.store

        def is_old(created: object) -> bool:
            return older_than is None or (isinstance(created, str) and seconds_since(created) >= older_than)

        return [
            Run(store, found.run, found)
            for found in summaries(store, pipeline, tag)
            if found.status != "running" and is_old(found.document.get("created"))
        ]

    def delete_runs(self, runs: Iterable[Run | str]) -> Deleted:
        """Delete runs: their records, and those of their bytes that nothing else points to.

        A deletion that was cut off is finished by another one of the same id.

        Raises:
            BadInput: there is no such run, or one still runs; then none is deleted.
        """
        from crossdock_runtime.cleanup import delete_runs

        store = self.store
        return delete_runs(store, [run.id if isinstance(run, Run) else self.to_delete(run).id for run in runs])

    def to_delete(self, run: str) -> Run:
        """As `get_run`; also one whose deletion was cut off.

        Raises:
            BadInput: there is none.
        """
        from crossdock_runtime.cleanup import is_half_deleted
        from crossdock_runtime.summary import Summary

        try:
            return self.get_run(run)
        except BadInput as error:
            if error.id != "unknown-run" or not _is_id(run) or not is_half_deleted(self.store, run):
                raise
            return Run(self.store, run, Summary(run, {}, "deleted"))

    def gc(self, *, dry_run: bool = False, older_than: float = 86_400.0, tag: str | None = None) -> list[Garbage]:
        """Delete what nothing in the stack's store points to.

        Args:
            dry_run: delete nothing.
            older_than: seconds; what was written later is left alone.
            tag: only what is of runs with this tag.

        Returns:
            What was deleted, or would be.

        Raises:
            StoreError: the store refused or cannot be reached.
        """
        from crossdock_runtime import garbage

        store = self.store
        found = garbage.find(store, older_than, tag)
        if not dry_run:
            garbage.collect(store, found)
        return found


def _is_id(text: str) -> bool:
    return bool(text) and "/" not in text and text not in (".", "..")


def _difference(old: Plan, new: Plan) -> str:
    """In a few words, what changed between two plans."""
    gone = [task for task in old.by_id if task not in new.by_id]
    added = [task for task in new.by_id if task not in old.by_id]
    changed = [task for task in old.by_id if task in new.by_id and old.by_id[task] != new.by_id[task]]
    parts = [
        f"{what} {', '.join(names[:5])}"
        for what, names in (("changed", changed), ("added", added), ("gone", gone))
        if names
    ]
    return "; ".join(parts) or "its parameters or settings differ"
