"""From bindings to Python values: what a task reads, whether it is there, and the digest that stands for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

from crossdock.dsl.errors import BadInput
from crossdock.dsl.frozen import frozen
from crossdock_runtime import artifacts, values
from crossdock_runtime.bindings import (
    Binding,
    Collect,
    DictOf,
    Item,
    ListOf,
    Literal,
    OneOf,
    Output,
    Param,
    RunOutput,
    Status,
    Uri,
)
from crossdock_runtime.contract import BranchScope, Input, MapScope, Plan, Task
from crossdock_runtime.external import External
from crossdock_runtime.manifest import Manifest
from crossdock_runtime.materializers.base import find as find_materializer
from crossdock_runtime.record import Index, Result, RunRecord
from crossdock_runtime.store import Store

_REMEMBERED = 256
_REMEMBERED_LISTS = 16

Scratch: TypeAlias = Callable[[], Path]
"""Gives a folder for copies, made when it is first asked for."""


class Skip(Exception):
    """A source was skipped; `reason` says which."""


class NotThere(Exception):
    """A source has no committed result: its task failed, or did not run."""

    def __init__(self, task: str) -> None:
        super().__init__(task)
        self.task = task


@frozen
class Tagged:
    """A value as tagged JSON."""

    value: Any

    @property
    def digest(self) -> str:
        return values.digest(values.dumps(self.value))

    def load(self, as_type: Any, scratch: Scratch) -> Any:
        return values.decode(self.value)


@frozen
class Stored:
    """An artifact of the store."""

    store: Store
    manifest: Manifest

    @property
    def digest(self) -> str:
        return self.manifest.digest

    def load(self, as_type: Any, scratch: Scratch) -> Any:
        kind = as_type if isinstance(as_type, type) else None
        return artifacts.load(self.store, self.manifest, kind, scratch() if self._needs_scratch() else None)

    def _needs_scratch(self) -> bool:
        if self.manifest.is_value:
            return False
        name = self.manifest.materializer.partition("@")[0]
        return self.store.local_root is None or find_materializer(name).hands_out_paths


@frozen
class Many:
    """A list of sources."""

    items: Sequence[Resolved]

    @property
    def digest(self) -> str:
        return values.digest(values.dumps(["list", *(item.digest for item in self.items)]))

    def load(self, as_type: Any, scratch: Scratch) -> Any:
        return [item.load(None, scratch) for item in self.items]


@frozen
class Pairs:
    """A dict of sources."""

    items: Mapping[str, Resolved]

    @property
    def digest(self) -> str:
        return values.digest(values.dumps(["dict", *([key, item.digest] for key, item in self.items.items())]))

    def load(self, as_type: Any, scratch: Scratch) -> Any:
        return {key: item.load(None, scratch) for key, item in self.items.items()}


Resolved: TypeAlias = Tagged | Stored | Many | Pairs | External


def pick(value: Any, path: Sequence[str | int]) -> Any:
    """The part of a value that a binding's path names: items by key, else fields by name.

    Raises:
        BadInput: there is no such part.
    """
    for key in path:
        try:
            value = getattr(value, str(key)) if _is_field(key, value) else value[key]
        except (KeyError, IndexError, AttributeError, TypeError):
            raise BadInput(f"a {type(value).__name__} has no {key!r}") from None
    return value


def _is_field(key: str | int, value: Any) -> bool:
    return isinstance(key, str) and not isinstance(value, Mapping)


class Resolver:
    """Resolves the bindings of one run.

    Args:
        store, plan, run: what is read.
        parameters: tagged values of the pipeline's parameters.
        status: gives the tagged RunStatus, for the exit task.
    """

    def __init__(
        self, store: Store, plan: Plan, run: RunRecord, parameters: Mapping[str, Any], status: Any = None
    ) -> None:
        self.store = store
        self.plan = plan
        self.run = run
        self.parameters = parameters
        self.status = status
        self._results: dict[tuple[str, Index], Result] = {}
        self._items: dict[tuple[str, Index], list[Any]] = {}

    def result(self, task: str, index: Index) -> Result:
        """The committed result of a task, or that of a task which its platform skipped before we could.

        Raises:
            NotThere: there is none.
        """
        found = self._results.get((task, index)) or self.run.task(task, index).result()
        if found is None:
            found = self.derived_skip(self.plan.by_id[task], index)
            if found is None:
                raise NotThere(task)
        self.note(task, index, found)
        return found

    def note(self, task: str, index: Index, result: Result) -> None:
        """Remember a committed result, which never changes, so that it is not read again."""
        if len(self._results) >= _REMEMBERED:
            self._results.clear()
        self._results[task, index] = result

    def derived_skip(self, task: Task, index: Index) -> Result | None:
        """The result of a task that stands in a branch which was not taken; None when it is taken, or not known yet."""
        try:
            reason = self.closed_branch(task, index)
        except NotThere:
            return None
        return None if reason is None else self.skipped(task, index, reason)

    def skipped(self, task: Task, index: Index, reason: str) -> Result:
        """The result of a skipped task: tombstones."""
        about = {"run": self.run.id, "task": task.id, "index": list(index)}
        outputs = {name: Manifest.tombstone({**about, "output": name}) for name in task.outputs}
        gates = {gate.id: "skipped" for gate in self.plan.gates_of.get(task.id, ())}
        return Result("skipped", outputs, gates, reason=reason)

    def closed_branch(self, task: Task, index: Index) -> str | None:
        """Why a branch that the task stands in is not taken, or None.

        Raises:
            NotThere: it is not known yet.
        """
        for scope in self.plan.scopes_of(task.scope):
            if not isinstance(scope, BranchScope):
                continue
            gate = self.plan.gates[scope.gate]
            owner = self.plan.by_id[str(gate.task)]
            said = self.result(owner.id, index[: len(self.plan.maps_of(owner.scope))]).gates.get(gate.id, "skipped")
            if said != ("true" if scope.expect else "false"):
                return f"{gate.id} is {said}"
        return None

    def input(self, item: Input, index: Index, scope: str | None) -> Resolved:
        """What an input reads.

        Raises:
            Skip: it was skipped, and the input is not optional.
            NotThere: a source has no committed result.
        """
        try:
            return self.resolve(item.binding, index, scope, artifact=item.artifact)
        except Skip:
            if item.optional:
                return Tagged(None)
            raise

    def value(self, binding: Binding, index: Index, scope: str | None) -> Any:
        """The Python value of a binding that is a value."""
        return self.resolve(binding, index, scope).load(None, Path)

    def resolve(self, binding: Binding, index: Index, scope: str | None, *, artifact: bool = False) -> Resolved:
        """What a binding stands for, seen from a task in `scope` with the item numbers `index`."""
        match binding:
            case Literal():
                return Tagged(binding.value)
            case Param():
                return self._parameter(binding, artifact)
            case Output():
                depth = self._shared(binding.task, scope)
                return self._output(binding.task, binding.name, index[:depth], binding.path)
            case Item():
                items, number = self._item(binding.scope, index, scope)
                return _part(items[number], binding.path)
            case Collect():
                return self._collect(binding, index, scope)
            case OneOf():
                return self._one_of(binding, index, scope, artifact)
            case ListOf():
                return Many([self.resolve(item, index, scope, artifact=artifact) for item in binding.items])
            case DictOf():
                return Pairs({key: self.resolve(item, index, scope, artifact=artifact) for key, item in binding.items})
            case Uri():
                return External(binding.uri, self.store)
            case RunOutput():
                return self._earlier(binding)
            case Status():
                return Tagged(values.encode(self.status()))

    def _parameter(self, binding: Param, artifact: bool) -> Resolved:
        if binding.name not in self.parameters:
            raise BadInput(f"parameter {binding.name!r} has no value", hint=f"-p {binding.name}=…")
        tagged = self.parameters[binding.name]
        declared = self.plan.parameters.get(binding.name)
        if declared is not None and declared.artifact and isinstance(tagged, str):
            return External(tagged, self.store)
        return _part(tagged, binding.path)

    def _shared(self, task: str, scope: str | None) -> int:
        return self.plan.shared_maps(self.plan.by_id[task].scope, scope)

    def _output(self, task: str, name: str, index: Index, path: Sequence[str | int]) -> Resolved:
        result = self.result(task, index)
        manifest = result.outputs.get(name)
        if manifest is None:
            raise BadInput(f"the result of task {task!r} has no output {name!r}")
        if manifest.skipped:
            raise Skip(f"task {task!r} was skipped")
        if path:
            value = pick(artifacts.read_inline(manifest, self.store), path)
            return Tagged(values.encode(value))
        return Stored(self.store, manifest)

    def _item(self, name: str, index: Index, scope: str | None) -> tuple[list[Any], int]:
        maps = self.plan.maps_of(scope)
        for depth, found in enumerate(maps):
            if found.id == name:
                items = self.items(found, index[:depth])
                if index[depth] >= len(items):
                    raise BadInput(f"{name!r} has {len(items)} items, and no number {index[depth]}")
                return items, index[depth]
        raise BadInput(f"the item of {name!r} is read outside of it")

    def items(self, scope: MapScope, index: Index) -> list[Any]:
        """The tagged items of a map, seen from the item numbers of the maps around it.

        Raises:
            Skip: the task that lists them was skipped.
            NotThere: it has no committed result.
        """
        if (scope.id, index) in self._items:
            return self._items[scope.id, index]
        if isinstance(scope.items, Literal):
            found = scope.items.value
        else:
            resolved = self.resolve(scope.items, index, scope.parent)
            found = _tagged(resolved)
        if isinstance(found, Mapping) and "$tuple" in found:
            found = found["$tuple"]
        if not isinstance(found, list):
            raise BadInput(f"{scope.id!r} goes over a {type(found).__name__}, which is no list")
        if len(self._items) >= _REMEMBERED_LISTS:
            self._items.clear()
        self._items[scope.id, index] = found
        return found

    def indices(self, task: str, prefix: Index = ()) -> list[Index]:
        """Every item number of a task below a prefix; one empty number for a task that stands in no map.

        Raises:
            Skip: the task that lists the items was skipped.
            NotThere: it has no result.
        """
        found = [prefix]
        for scope in self.plan.maps_of(self.plan.by_id[task].scope)[len(prefix) :]:
            found = [(*outer, number) for outer in found for number in range(len(self.items(scope, outer)))]
        return found

    def _collect(self, binding: Collect, index: Index, scope: str | None) -> Resolved:
        producer = self.plan.by_id[binding.task]
        depth = self._shared(binding.task, scope)
        maps = self.plan.maps_of(producer.scope)

        def level(at: int, prefix: Index) -> Resolved:
            if at == len(maps):
                return self._output(binding.task, binding.name, prefix, ())
            found = []
            for number in range(len(self.items(maps[at], prefix))):
                try:
                    found.append(level(at + 1, (*prefix, number)))
                except Skip:
                    continue
            return Many(found)

        return level(depth, index[:depth])

    def _one_of(self, binding: OneOf, index: Index, scope: str | None, artifact: bool) -> Resolved:
        reason = ""
        missing: NotThere | None = None
        for option in binding.options:
            try:
                return self.resolve(option, index, scope, artifact=artifact)
            except Skip as skip:
                reason = str(skip)
            except NotThere as error:
                missing = missing or error
        if missing is not None:
            raise missing
        raise Skip(f"every option was skipped; {reason}")

    def _earlier(self, binding: RunOutput) -> Resolved:
        result = RunRecord(self.store, binding.run).task(binding.task).result()
        manifest = None if result is None else result.outputs.get(binding.name)
        if manifest is None or manifest.skipped:
            raise BadInput(
                f"run {binding.run!r} has no output {binding.task}.{binding.name} in {self.store.url}",
                hint=f"crossdock runs outputs {binding.run}",
            )
        return Stored(self.store, manifest)


def _part(tagged: Any, path: Sequence[str | int]) -> Tagged:
    return Tagged(values.encode(pick(values.decode(tagged), path))) if path else Tagged(tagged)


def _tagged(resolved: Resolved) -> Any:
    """A value as tagged JSON. Its classes are not imported: who counts the items of a map may not have them."""
    if isinstance(resolved, Tagged):
        return resolved.value
    if isinstance(resolved, Stored) and resolved.manifest.is_value:
        return artifacts.read_tagged(resolved.manifest, resolved.store)
    if isinstance(resolved, Many):
        return [_tagged(item) for item in resolved.items]
    return values.encode(resolved.load(None, Path))
