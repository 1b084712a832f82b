"""Tracing of control flow: branches, maps, choices and the exit step."""

from __future__ import annotations

import abc
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from crossdock.dsl import types
from crossdock.dsl.container import ContainerStep
from crossdock.dsl.errors import TraceError, shown
from crossdock.dsl.pipeline import Pipeline, RunStatus, as_list
from crossdock.dsl.refs import Condition, Pending, Ref, condition_of
from crossdock.dsl.refs import Task as TaskRef
from crossdock.dsl.settings import Settings
from crossdock.dsl.step import InputSpec, Step
from crossdock.ir import (
    BranchScope,
    Collect,
    Compare,
    Gate,
    Input,
    Item,
    Literal,
    Logic,
    MapScope,
    OneOf,
    Output,
    OutputType,
    Param,
    Plan,
    Predicate,
    Status,
    Task,
)
from crossdock.passes.bind import Binder, brief, source_of

_NUMBERS = (int, float, bool)


def _outline(items: Any) -> str:
    return items._name() if isinstance(items, Pending) else brief(items)


def _no_list(items: Any) -> str:
    if isinstance(items, TaskRef):
        known = ", ".join(f".{name}" for name in items._outputs)
        return f"pick one of its outputs: {known}" if known else "return a list[…] from the step, annotated as such"
    if isinstance(items, int):
        return f"write map(step, range({items}))"
    if isinstance(items, str):
        return f"write map(step, [{items!r}])"
    if isinstance(items, (set, frozenset)):
        return "a set has no order: write map(step, sorted(items))"
    return "write map(step, list(items))"


class ControlFlow(Binder, abc.ABC):
    """The words of control flow."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self._waiting: dict[str, None] = {}

    @abc.abstractmethod
    def _declared(
        self, step: Step[Any, Any] | ContainerStep[Any]
    ) -> tuple[Mapping[str, InputSpec], dict[str, OutputType]]: ...

    @abc.abstractmethod
    def _arguments(
        self, step: Any, specs: Mapping[str, InputSpec], args: tuple[Any, ...], kwargs: Mapping[str, Any], where: str
    ) -> dict[str, Any]: ...

    @abc.abstractmethod
    def _input(self, step: Any, spec: InputSpec, value: Any, where: str) -> Input: ...

    @abc.abstractmethod
    def _add(self, step: Any, inputs: Mapping[str, Input], outputs: Mapping[str, OutputType], where: str) -> Task: ...

    def when(self, condition: Any, where: str) -> AbstractContextManager[Any]:
        """Open a branch."""
        self._waiting[where] = None
        return self._branch(condition_of(condition), where)

    @contextmanager
    def _branch(self, condition: Condition, where: str) -> Iterator[Any]:
        self._waiting.pop(where, None)
        gate = Gate(self._unique("when"), self._predicate(condition, where))
        self.gates[gate.id] = gate
        parent = self.frame.scope
        scope = BranchScope(gate.id, gate.id, True, parent)
        self.scopes[scope.id] = scope
        with self._inside(scope=scope.id):
            yield (gate.id, parent)

    def _all_entered(self) -> None:
        for where in self._waiting:
            message = "when(…) decides nothing without a `with`"
            self._problem(
                TraceError(
                    message, where=where, hint="write `with when(…):`, the steps indented below it", id="bad-branch"
                )
            )

    @contextmanager
    def otherwise(self, branch: Any, where: str) -> Iterator[Any]:
        """Open the else branch of a branch that is closed."""
        gate, parent = branch
        name = f"{gate}-else"
        if self.frame.scope != parent:
            raise TraceError(
                "otherwise() stands in another block than its when(…)",
                where=where,
                hint="put `with name.otherwise():` below the `with when(…) as name:`, indented as far",
                id="bad-branch",
            )
        if name in self.scopes:
            raise TraceError(
                "this when(…) has an else branch already",
                where=where,
                hint="put the steps into that branch",
                id="bad-branch",
            )
        self.scopes[name] = BranchScope(name, gate, False, parent)
        with self._inside(scope=name):
            yield branch

    def _predicate(self, condition: Condition, where: str) -> Predicate:
        if condition.op in ("and", "or", "not"):
            return Logic(condition.op, tuple(self._predicate(term, where) for term in condition.terms))
        sides = []
        for term in condition.terms:
            if isinstance(term, Ref) and not types.is_value(term._type) and types.strip(term._type) is not Any:
                raise TraceError(
                    f"when(…) compares {term._name()} ({types.type_text(term._type)}), which is an artifact",
                    where=where,
                    hint="return a number, a text or a bool from the step, annotated as such, and compare that",
                    id="bad-condition",
                )
            sides.append(self._bind(term, "when(…)", where)[0])
        left, right = condition.terms
        if condition.op == "in":
            for choice in right:
                self._comparable("in", left, choice, where)
        else:
            self._comparable(condition.op, left, right, where)
        return Compare(condition.op, sides[0], sides[1])

    def _comparable(self, op: str, left: Any, right: Any, where: str) -> None:
        mine, theirs = (types.strip(side._type) if isinstance(side, Ref) else type(side) for side in (left, right))
        if mine is Any or theirs is Any or left is None or right is None:
            return
        if mine in _NUMBERS and theirs in _NUMBERS:
            return
        if types.assignable(theirs, mine) or types.assignable(mine, theirs):
            return
        ref = left if isinstance(left, Ref) else right
        raise TraceError(
            f"when(…) compares {types.type_text(mine)} with {types.type_text(theirs)} by {op}{source_of(ref)}",
            where=where,
            hint="compare values of one type",
            id="bad-condition",
        )

    def map(self, body: Callable[[Any], Any], items: Any, concurrency: int | None, where: str) -> Any:
        """Trace the body once, in a scope of its own, and turn its results into lists."""
        if isinstance(items, TaskRef) and len(items._outputs) == 1:
            items = next(iter(items._outputs.values()))
        literal = as_list(items)
        if not callable(body) or isinstance(body, Pending):
            swapped = isinstance(body, (list, tuple))
            raise TraceError(
                f"map(…) is given {_outline(body)} as what to do for each item",
                where=where,
                hint="write map(step, items)"
                if swapped
                else "give it the step itself, without a call: map(step, items)",
                id="bad-map",
            )
        if isinstance(items, Ref):
            kind = types.strip(items._type)
            if not types.assignable(kind, list) and not types.assignable(kind, tuple):
                raise TraceError(
                    f"map(…) goes over {types.type_text(kind)}{source_of(items)}, which is no list",
                    where=where,
                    hint="return a list[…] from the step, annotated as such",
                    id="bad-map",
                )
            element = types.element_type(kind)
            if not types.is_value(kind) and not isinstance(items._binding, Collect):
                raise TraceError(
                    f"map(…) goes over {types.type_text(kind)}{source_of(items)}: that is one artifact, "
                    "whose items a pipeline does not see",
                    where=where,
                    hint="return a list of names or numbers from the step, and make the objects in the map's body",
                    id="bad-map",
                )
            binding = items._binding
        elif literal is not None:
            binding, kind = self._bind(literal, "the items of map(…)", where)
            element = types.element_type(kind)
        else:
            raise TraceError(
                f"map(…) goes over {_outline(items)}, which is no list",
                where=where,
                hint=_no_list(items),
                id="bad-map",
            )
        scope = MapScope(self._unique("map"), binding, concurrency, self.frame.scope)
        self.scopes[scope.id] = scope
        before = len(self.tasks)
        with self._inside(scope=scope.id):
            result = body(Ref(Item(scope.id), element))
        if len(self.tasks) == before:
            raise TraceError(
                "the body of map(…) calls no step",
                where=where,
                hint="call one in it, with the item as an input",
                id="bad-map",
            )
        return self._collected(result, where)

    def _collected(self, result: Any, where: str) -> Any:
        if isinstance(result, Ref):
            kind = list[result._type]
            if isinstance(result._binding, (Output, Collect)):
                if isinstance(result._binding, Output) and result._binding.path:
                    raise TraceError(
                        "map(…) collects whole outputs, not a part of one",
                        where=where,
                        hint="return the output itself",
                        id="bad-map",
                    )
                return Ref(Collect(result._binding.task, result._binding.name), kind, result._task)
            raise TraceError(
                f"the body of map(…) returns {result._name()}, which no step in the body made",
                where=where,
                hint="return what a step in the body returned, or nothing",
                id="bad-map",
            )
        if isinstance(result, TaskRef):
            outputs = {name: self._collected(ref, where) for name, ref in result._outputs.items()}
            return TaskRef(result._id, outputs, self, as_tuple=result._order is not None)
        if isinstance(result, tuple):
            return tuple(self._collected(item, where) for item in result)
        if isinstance(result, dict):
            return {key: self._collected(item, where) for key, item in result.items()}
        if result is None:
            return None
        raise TraceError(
            f"the body of map(…) returns {result!r}, which no step in the body made",
            where=where,
            hint="return what a step in the body returned, or nothing",
            id="bad-map",
        )

    def one_of(self, options: tuple[Any, ...], where: str) -> Any:
        """A value of whichever option ran."""
        if len(options) < 2:
            raise TraceError(
                "one_of(…) chooses between two or more results",
                where=where,
                hint="write one_of(a, b), where a and b are made in different branches",
                id="bad-one-of",
            )
        bindings, kinds = [], []
        for option in options:
            if isinstance(option, TaskRef) and len(option._outputs) == 1:
                option = next(iter(option._outputs.values()))
            if isinstance(option, TaskRef):
                known = ", ".join(f".{name}" for name in option._outputs)
                raise TraceError(
                    f"one_of(…) is given task {option._id!r} with {len(option._outputs)} outputs",
                    where=where,
                    hint=f"choose for each output: {known}" if known else "return something from the step",
                    id="bad-one-of",
                )
            if not isinstance(option, Ref):
                raise TraceError(
                    f"one_of(…) is given {option!r}, which is no result of a step",
                    where=where,
                    hint="return it from a step in the else branch: with name.otherwise():",
                    id="bad-one-of",
                )
            bindings.append(self._bind(option, "one_of(…)", where)[0])
            kinds.append(types.strip(option._type))
        kind = kinds[0]
        for other in kinds[1:]:
            if types.assignable(other, kind):
                continue
            if not types.assignable(kind, other):
                raise TraceError(
                    f"one_of(…) mixes {types.type_text(kind)} with {types.type_text(other)}",
                    where=where,
                    hint="return the same type from both steps",
                    id="bad-one-of",
                )
            kind = other
        return Ref(OneOf(tuple(bindings)), kind)

    def on_exit(self, step: Any, kwargs: Mapping[str, Any], where: str) -> None:
        """Record the exit task."""
        if self.exit is not None:
            raise TraceError(
                f"there is an exit step already, at {shown(self.locations[self.exit])}",
                where=where,
                hint="do both things in one step",
                id="bad-exit-step",
            )
        if self.frame.scope is not None or self.frame.group:
            inside = "a pipeline that another one calls" if self.frame.scope is None else "a branch or a map"
            raise TraceError(
                f"on_exit(…) stands in {inside}, but an exit step runs in any case",
                where=where,
                hint="move it to the top of the outermost pipeline; RunStatus says how the run ended",
                id="bad-exit-step",
            )
        if not isinstance(step, Step):
            raise TraceError(
                f"on_exit(…) is given {step!r}, which is no Python step",
                where=where,
                hint="write a @step: a program cannot read how the run ended"
                if isinstance(step, ContainerStep)
                else "give it the step itself, not called: on_exit(step)",
                id="bad-exit-step",
            )
        specs, outputs = self._declared(step)
        given = self._arguments(step, specs, (), kwargs, where)
        inputs = {}
        for name, spec in specs.items():
            if types.strip(spec.type) is RunStatus:
                inputs[name] = Input(Status(), types.type_text(RunStatus))
                continue
            if name not in given and spec.required:
                raise TraceError(
                    f"the exit step {step.name!r} is given no {name!r}",
                    where=where,
                    hint=f"on_exit({step.name}, {name}=…)",
                    id="bad-exit-step",
                )
            item = self._input(step, spec, given.get(name, spec.default), where)
            if not isinstance(item.binding, (Literal, Param)):
                raise TraceError(
                    f"input {name!r} of the exit step comes from a task, which may not have run",
                    where=where,
                    hint="give it literals and pipeline parameters; RunStatus says how the run ended",
                    id="bad-map",
                )
            inputs[name] = item
        self.exit = self._add(step, inputs, outputs, where).id

    def order(self, result: Any, others: tuple[Any, ...], where: str) -> None:
        """Let a task run after others."""
        task = self._maker(result, where)
        if task is None or task not in self.tasks:
            return
        if task in [self._maker(other, where) for other in others]:
            self._problem(
                TraceError(
                    f"task {task!r} cannot run after itself", where=where, hint="drop this after(…)", id="bad-order"
                )
            )
            return
        names = list(self.tasks[task].after)
        for other in others:
            found = self._maker(other, where)
            if found is not None and found not in names:
                names.append(found)
        current = self.tasks[task]
        changed = Task(
            current.id, current.step, current.code, current.inputs, current.outputs, tuple(names), current.scope,
            current.group, current.settings,
        )  # fmt: skip
        self.tasks[task] = changed
        cycle = self._path_to(task, task)
        if cycle:
            message = f"a cycle: {' -> '.join(cycle)}, so that none of these tasks could start"
            self._problem(
                TraceError(message, where=where, hint="drop this after(…), or one of the edges", id="bad-order")
            )
            self.tasks[task] = current

    def _maker(self, result: Any, where: str) -> str | None:
        """The task that makes a result."""
        handle = result._task if isinstance(result, Ref) else result
        if isinstance(handle, TaskRef):
            return handle._id
        what = result._name() if isinstance(result, Pending) else repr(result)
        is_step = isinstance(result, (Step, ContainerStep, Pipeline))
        hint = "call the step, and give what it returned" if is_step else "give what a step returned"
        self._problem(
            TraceError(
                f"after(…) is given {what}, which is no result of a step", where=where, hint=hint, id="bad-order"
            )
        )
        return None

    def _path_to(self, start: str, goal: str) -> list[str]:
        if not self.tasks[start].after:
            return []
        plan = Plan("", tuple(self.tasks.values()), gates=self.gates, scopes=self.scopes)
        came: dict[str, str] = {}
        queue = [start]
        while queue:
            name = queue.pop()
            for other in plan.upstream(plan.by_id[name]):
                if other == goal:
                    path = [name]
                    while path[-1] in came and path[-1] != start:
                        path.append(came[path[-1]])
                    return [goal, *path] if path[-1] == start else [goal, *path, start]
                if other not in came and other in plan.by_id:
                    came[other] = name
                    queue.append(other)
        return []
