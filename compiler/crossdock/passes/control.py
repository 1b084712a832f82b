"""Tracing of control flow: branches, maps, choices and the exit step."""

from __future__ import annotations

import abc
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from crossdock.dsl import types
from crossdock.dsl.errors import TraceError
from crossdock.dsl.pipeline import RunStatus, as_list
from crossdock.dsl.refs import Condition, Ref
from crossdock.dsl.refs import Task as TaskRef
from crossdock.dsl.step import ContainerStep, InputSpec, Step
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
    Predicate,
    Status,
    Task,
)
from crossdock.passes.bind import Binder, source_of


class ControlFlow(Binder, abc.ABC):
    """The words of control flow."""

    @abc.abstractmethod
    def _declared(
        self, step: Step[Any, Any] | ContainerStep
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
        if isinstance(condition, Ref):
            condition = Condition("==", (condition, True))
        if not isinstance(condition, Condition):
            raise TraceError(
                f"when({condition!r}) compares no task's value and no parameter",
                where=where,
                hint="use a plain `if` for what is known already",
            )
        return self._branch(condition, where)

    @contextmanager
    def _branch(self, condition: Condition, where: str) -> Iterator[Any]:
        gate = Gate(self._unique("when", self.gates), self._predicate(condition, where))
        self.gates[gate.id] = gate
        parent = self.frame.scope
        scope = BranchScope(gate.id, gate.id, True, parent)
        self.scopes[scope.id] = scope
        with self._inside(scope=scope.id):
            yield (gate.id, parent)

    @contextmanager
    def otherwise(self, branch: Any, where: str) -> Iterator[Any]:
        """Open the else branch of a branch that is closed."""
        gate, parent = branch
        name = f"{gate}-else"
        if self.frame.scope != parent:
            raise TraceError("otherwise() stands in another block than its when(…)", where=where)
        if name in self.scopes:
            raise TraceError("this when(…) has an else branch already", where=where)
        self.scopes[name] = BranchScope(name, gate, False, parent)
        with self._inside(scope=name):
            yield branch

    def _predicate(self, condition: Any, where: str) -> Predicate:
        if isinstance(condition, Ref):
            condition = Condition("==", (condition, True))
        if not isinstance(condition, Condition):
            raise TraceError(f"{condition!r} is no comparison", where=where)
        if condition.op in ("and", "or", "not"):
            return Logic(condition.op, tuple(self._predicate(term, where) for term in condition.terms))
        sides = []
        for term in condition.terms:
            if isinstance(term, Ref) and not types.is_value(term._type):
                raise TraceError(
                    f"when(…) compares {source_of(term).strip(' ()') or 'an artifact'}, "
                    f"a {types.type_text(term._type)}, which is not a value",
                    where=where,
                    hint="return a number, a text or a bool from the step, annotated as such",
                )
            sides.append(self._bind(term, "when(…)", where)[0])
        left, right = condition.terms
        if isinstance(left, Ref) and condition.op != "in":
            self._comparable(condition.op, left, right, where)
        return Compare(condition.op, sides[0], sides[1])

    def _comparable(self, op: str, left: Ref, right: Any, where: str) -> None:
        kind = right._type if isinstance(right, Ref) else type(right)
        mine = types.strip(left._type)
        numbers = (int, float, bool)
        if mine is Any or types.strip(kind) is Any or right is None:
            return
        if (mine in numbers and types.strip(kind) in numbers) or types.assignable(kind, mine):
            return
        if types.assignable(mine, kind):
            return
        raise TraceError(
            f"when(…) compares a {types.type_text(mine)} with a {types.type_text(kind)} by {op}", where=where
        )

    def map(self, body: Callable[[Any], Any], items: Any, concurrency: int | None, where: str) -> Any:
        """Trace the body once, in a scope of its own, and turn its results into lists."""
        literal = as_list(items)
        if isinstance(items, Ref):
            kind = types.strip(items._type)
            if not types.assignable(kind, list) and not types.assignable(kind, tuple):
                raise TraceError(
                    f"map(…) goes over a {types.type_text(kind)}{source_of(items)}, which is no list",
                    where=where,
                    hint="return a list[…] from the step, annotated as such",
                )
            binding, element = items._binding, types.element_type(kind)
        elif literal is not None:
            binding, kind = self._bind(literal, "the items of map(…)", where)
            element = types.element_type(kind)
        else:
            raise TraceError(f"map(…) goes over {items!r}, which is no list", where=where)
        scope = MapScope(self._unique("map", self.scopes), binding, concurrency, self.frame.scope)
        self.scopes[scope.id] = scope
        before = len(self.tasks)
        with self._inside(scope=scope.id):
            result = body(Ref(Item(scope.id), element))
        if len(self.tasks) == before:
            raise TraceError("the body of map(…) calls no step", where=where)
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
                    )
                return Ref(Collect(result._binding.task, result._binding.name), kind, result._task)
            raise TraceError("the body of map(…) returns what no step of it made", where=where)
        if isinstance(result, TaskRef):
            outputs = {name: self._collected(ref, where) for name, ref in result._outputs.items()}
            return TaskRef(result._id, outputs, self, as_tuple=result._order is not None)
        if isinstance(result, tuple):
            return tuple(self._collected(item, where) for item in result)
        if isinstance(result, dict):
            return {key: self._collected(item, where) for key, item in result.items()}
        if result is None:
            return None
        raise TraceError(f"the body of map(…) returns {result!r}, not results of its steps", where=where)

    def one_of(self, options: tuple[Any, ...], where: str) -> Any:
        """A value of whichever option ran."""
        if len(options) < 2:
            raise TraceError("one_of(…) chooses between two or more results", where=where)
        bindings, kinds = [], []
        for option in options:
            if not isinstance(option, Ref):
                raise TraceError(f"one_of({option!r}): not a result of a step", where=where)
            bindings.append(self._bind(option, "one_of(…)", where)[0])
            kinds.append(types.strip(option._type))
        kind = kinds[0]
        for other in kinds[1:]:
            if types.assignable(other, kind):
                continue
            if not types.assignable(kind, other):
                raise TraceError(
                    f"one_of(…) mixes a {types.type_text(kind)} with a {types.type_text(other)}", where=where
                )
            kind = other
        return Ref(OneOf(tuple(bindings)), kind)

    def on_exit(self, step: Any, kwargs: Mapping[str, Any], where: str) -> None:
        """Record the exit task."""
        if self.exit is not None:
            raise TraceError(f"there is an exit step already: {self.exit!r}", where=where)
        if self.frame.scope is not None or self.frame.group:
            raise TraceError("on_exit(…) stands at the top of the outermost pipeline", where=where)
        if not isinstance(step, Step):
            raise TraceError(f"on_exit({step!r}): not a step", where=where)
        specs, outputs = self._declared(step)
        given = self._arguments(step, specs, (), kwargs, where)
        inputs = {}
        for name, spec in specs.items():
            if types.strip(spec.type) is RunStatus:
                inputs[name] = Input(Status(), types.type_text(RunStatus))
                continue
            if name not in given and spec.required:
                raise TraceError(f"the exit step is given no {name!r}", where=where, hint=f"on_exit(step, {name}=…)")
            item = self._input(step, spec, given.get(name, spec.default), where)
            if not isinstance(item.binding, (Literal, Param)):
                raise TraceError(
                    f"input {name!r} of the exit step comes from a task, which may not have run",
                    where=where,
                    hint="give it literals and pipeline parameters; RunStatus says how the run ended",
                )
            inputs[name] = item
        self.exit = self._add(step, inputs, outputs, where).id
