"""Tracing: call the pipeline function once, and write down what it calls. No step body runs."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from typing import Any

from crossdock.dsl import recording, types
from crossdock.dsl.errors import TraceError
from crossdock.dsl.pipeline import Artifact, Pipeline, RunStatus, as_list
from crossdock.dsl.refs import Condition, Ref
from crossdock.dsl.refs import Task as TaskRef
from crossdock.dsl.settings import Settings, no_settings
from crossdock.dsl.step import (
    DEFAULT_OUTPUT,
    ContainerStep,
    InputPath,
    InputSpec,
    InputValue,
    OutputSpec,
    Step,
    check_name,
    location,
)
from crossdock.ir import (
    Binding,
    BranchScope,
    Code,
    Collect,
    Compare,
    DictOf,
    Gate,
    Input,
    Item,
    ListOf,
    Literal,
    Logic,
    MapScope,
    OneOf,
    Output,
    OutputType,
    Param,
    Parameter,
    Plan,
    Predicate,
    Program,
    PythonCode,
    RunOutput,
    Scope,
    Source,
    Status,
    Task,
    Uri,
    Word,
)
from crossdock.passes.code import CodeBook
from crossdock_runtime import values

RUN_PARAMETER = "crossdock_run"


@dataclass(frozen=True, slots=True)
class Traced:
    """A plan, and beside it where each task stands in the user's code (`file:line`)."""

    plan: Plan
    locations: Mapping[str, str]


def trace(pipeline: Pipeline[Any, Any], code: CodeBook | None = None) -> Traced:
    """The plan of a pipeline.

    Args:
        pipeline: a `@pipeline` function.
        code: knows names and digests of the steps' code; made from the pipeline's file when not given.

    Raises:
        TraceError: the DSL is used wrongly; names file and line.
    """
    if not isinstance(pipeline, Pipeline):
        raise TraceError(f"{pipeline!r} is not a pipeline", hint="decorate the function with @pipeline")
    tracer = Tracer(pipeline, code or CodeBook.of(pipeline.function))
    token = recording.active.set(tracer)
    try:
        return tracer.run()
    finally:
        recording.active.reset(token)


@dataclass(slots=True)
class _Frame:
    """What encloses the calls now: the scope, the nested pipelines and their settings."""

    scope: str | None = None
    group: tuple[str, ...] = ()
    settings: Settings = field(default_factory=no_settings)


class Tracer:
    """The recorder of one trace."""

    def __init__(self, pipeline: Pipeline[Any, Any], code: CodeBook) -> None:
        self.pipeline = pipeline
        self.code = code
        self.tasks: dict[str, Task] = {}
        self.locations: dict[str, str] = {}
        self.parameters: dict[str, Parameter] = {}
        self.gates: dict[str, Gate] = {}
        self.scopes: dict[str, Scope] = {}
        self.frame = _Frame(settings=pipeline.settings)
        self.exit: str | None = None
        self._counts: dict[str, int] = {}
        self._steps: set[int] = set()
        self._bodies: dict[int, tuple[Step[Any, Any] | ContainerStep, dict[str, OutputType]]] = {}

    def run(self) -> Traced:
        """Trace the pipeline's function."""
        arguments = self._declare_parameters()
        result = self.pipeline.function(**arguments)
        where = location(self.pipeline.function)
        if not self.tasks:
            raise TraceError(f"pipeline {self.pipeline.name!r} calls no step", where=where)
        plan = Plan(
            name=self.pipeline.name,
            tasks=tuple(self.tasks.values()),
            parameters=self.parameters,
            gates=self.gates,
            scopes=self.scopes,
            outputs=self._outputs(result, where),
            on_exit=self.exit,
            on_failure=self.pipeline.on_failure,
            source=Source(self.code.project.python_path),
        )
        return Traced(plan, self.locations)

    def _declare_parameters(self) -> dict[str, Any]:
        where = location(self.pipeline.function)
        arguments = {}
        for parameter in inspect.signature(self.pipeline.function).parameters.values():
            if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD, parameter.POSITIONAL_ONLY):
                raise TraceError(f"pipeline parameter {parameter.name!r} must be a plain, named one", where=where)
            if parameter.name not in self.pipeline.hints:
                raise TraceError(
                    f"pipeline parameter {parameter.name!r} has no type", where=where, hint=f"{parameter.name}: int"
                )
            if parameter.name == RUN_PARAMETER:
                raise TraceError(f"{RUN_PARAMETER!r} is the name of our own parameter", where=where)
            kind = self.pipeline.hints[parameter.name]
            artifact = not types.is_value(kind)
            declared = Parameter(parameter.name, types.type_text(kind), artifact=artifact)
            if parameter.default is not parameter.empty:
                default = parameter.default
                if isinstance(default, Artifact):
                    default = default.uri
                elif not artifact and not fits(default, kind):
                    raise TraceError(
                        f"the default {default!r} of {parameter.name!r} is no {types.type_text(kind)}", where=where
                    )
                declared = Parameter(
                    parameter.name, declared.type, False, self._encode(default, parameter.name, where), artifact
                )
            self.parameters[parameter.name] = declared
            arguments[parameter.name] = Ref(Param(parameter.name), kind)
        return arguments

    def _outputs(self, result: Any, where: str) -> dict[str, Input]:
        found = {}
        for name, value in _returned(result):
            binding, kind = self._bind(value, f"the pipeline's output {name!r}", where)
            found[name] = Input(
                binding, types.type_text(kind), not types.is_value(kind) and types.strip(kind) is not Any, True
            )
        return found

    # Calls

    def call(self, step: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any], where: str) -> Any:
        """Record a task; its outputs stand for themselves."""
        specs, outputs = self._declared(step)
        given = self._arguments(step, specs, args, kwargs, where)
        inputs = {}
        for name, spec in specs.items():
            if name in given:
                inputs[name] = self._input(step, spec, given[name], where)
            elif spec.required:
                raise TraceError(
                    f"step {step.name!r} is called without its input {name!r}",
                    where=where,
                    hint=f"{step.name}({', '.join(f'{key}=…' for key, item in specs.items() if item.required)})",
                )
            else:
                inputs[name] = self._input(step, spec, spec.default, where)
        task = self._add(step, inputs, outputs, where)
        return self._results(step, task)

    def _declared(
        self, step: Step[Any, Any] | ContainerStep
    ) -> tuple[Mapping[str, InputSpec], dict[str, OutputType]]:
        specs = step.inputs if isinstance(step, ContainerStep) else step.signature.inputs
        outputs = step.outputs if isinstance(step, ContainerStep) else step.signature.outputs
        known = self._bodies.get(id(specs))
        if known is None:
            declared = {
                name: OutputType(types.type_text(spec.type), not types.is_value(spec.type), spec.materializer)
                for name, spec in outputs.items()
            }
            self._bodies[id(specs)] = known = (step, declared)
        return specs, known[1]

    def _arguments(
        self, step: Any, specs: Mapping[str, InputSpec], args: tuple[Any, ...], kwargs: Mapping[str, Any], where: str
    ) -> dict[str, Any]:
        names = list(specs)
        if len(args) > len(names):
            raise TraceError(f"step {step.name!r} takes {len(names)} inputs, not {len(args)}", where=where)
        given = dict(zip(names, args, strict=False))
        for name, value in kwargs.items():
            if name not in specs:
                raise TraceError(
                    f"step {step.name!r} has no input {name!r}",
                    where=where,
                    hint=f"its inputs are: {', '.join(names) or 'none'}",
                )
            if name in given:
                raise TraceError(f"step {step.name!r} gets {name!r} twice", where=where)
            given[name] = value
        return given

    def _input(self, step: Any, spec: InputSpec, value: Any, where: str) -> Input:
        what = f"input {spec.name!r} of step {step.name!r}"
        target = types.strip(spec.type)
        optional = types.is_optional(spec.type)
        if target is RunStatus:
            raise TraceError(f"{what} is a RunStatus, known only at the end", where=where, hint="use on_exit(step)")
        binding, kind = self._bind(value, what, where, target)
        if isinstance(binding, Literal):
            if not fits(value, spec.type):
                raise TraceError(
                    f"{what} is a {types.type_text(target)}, not {value!r} ({type(value).__name__})", where=where
                )
        elif isinstance(binding, (Uri, RunOutput)):
            if types.is_value(target) and isinstance(binding, Uri) and target is not str:
                raise TraceError(
                    f"{what} is a {types.type_text(target)}, not data at a URI",
                    where=where,
                    hint="take a Path and read it in the step",
                )
        elif not types.assignable(kind, target):
            raise TraceError(
                f"{what} is a {types.type_text(target)}, but gets a {types.type_text(kind)}{_source(value)}",
                where=where,
                hint="change one of the two annotations, or convert in a step between",
            )
        artifact = not types.is_value(target) and target is not Any
        if isinstance(binding, Literal) and artifact and value is not None:
            artifact = False
        return Input(binding, types.type_text(target), artifact, optional)

    def _add(
        self, step: Any, inputs: Mapping[str, Input], outputs: Mapping[str, OutputType], where: str
    ) -> Task:
        fixed = step.task_name
        if fixed is not None and fixed in self.tasks:
            raise TraceError(
                f"two tasks are named {fixed!r} (the first at {self.locations[fixed]})",
                where=where,
                hint="give one of them another name=",
            )
        task = Task(
            id=fixed or self._new_id(step.name.replace("_", "-")),
            step=step.name,
            code=self._code(step, where),
            inputs=inputs,
            outputs=outputs,
            scope=self.frame.scope,
            group=self.frame.group,
            settings=self.code.settings(step.settings.over(self.frame.settings), where),
        )
        self.tasks[task.id] = task
        self.locations[task.id] = where
        return task

    def _new_id(self, stem: str) -> str:
        stem = stem.lower()
        count = self._counts.get(stem, 0) + 1
        while (name := stem if count == 1 else f"{stem}-{count}") in self.tasks:
            count += 1
        self._counts[stem] = count
        return name

    def _code(self, step: Any, where: str) -> Code:
        if isinstance(step, ContainerStep):
            return Program(tuple(map(_word, step.command)), tuple(map(_word, step.args)))
        return self.code.of_step(step, where)

    def _results(self, step: Any, task: Task) -> Any:
        specs: Mapping[str, OutputSpec] = step.outputs if isinstance(step, ContainerStep) else step.signature.outputs
        handle = TaskRef(task.id, {}, self, as_tuple=False)
        refs = {name: Ref(Output(task.id, name), spec.type, handle) for name, spec in specs.items()}
        if not isinstance(step, ContainerStep) and step.signature.shape == "single":
            return refs[next(iter(refs))]
        return TaskRef(task.id, refs, self, as_tuple=bool(refs))

    def call_pipeline(
        self, pipeline: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any], where: str
    ) -> Any:
        """Trace a pipeline that is called inside another; its tasks join this plan."""
        if pipeline.name in self.frame.group or pipeline is self.pipeline:
            raise TraceError(f"pipeline {pipeline.name!r} calls itself", where=where)
        try:
            bound = inspect.signature(pipeline.function).bind(*args, **kwargs)
        except TypeError as error:
            raise TraceError(f"pipeline {pipeline.name!r}: {error}", where=where) from None
        for name, value in bound.arguments.items():
            kind = pipeline.hints.get(name, Any)
            if isinstance(value, Ref) and not types.assignable(value._type, kind):
                raise TraceError(
                    f"parameter {name!r} of pipeline {pipeline.name!r} is a {types.type_text(kind)}, "
                    f"but gets a {types.type_text(value._type)}{_source(value)}",
                    where=where,
                )
        bound.apply_defaults()
        with self._inside(
            group=(*self.frame.group, pipeline.name), settings=pipeline.settings.over(self.frame.settings)
        ):
            return pipeline.function(*bound.args, **bound.kwargs)

    @contextmanager
    def _inside(self, **changes: Any) -> Iterator[None]:
        outer = self.frame
        self.frame = _Frame(
            changes.get("scope", outer.scope), changes.get("group", outer.group), changes.get("settings", outer.settings)
        )
        try:
            yield
        finally:
            self.frame = outer

    # Order

    def order(self, task: str, others: tuple[Any, ...], where: str) -> None:
        """Let a task run after others."""
        names = list(self.tasks[task].after)
        for other in others:
            handle = other._task if isinstance(other, Ref) else other
            if not isinstance(handle, TaskRef):
                raise TraceError(f"after({other!r}): not the result of a step", where=where)
            if handle._id not in names:
                names.append(handle._id)
        current = self.tasks[task]
        changed = Task(
            current.id, current.step, current.code, current.inputs, current.outputs, tuple(names), current.scope,
            current.group, current.settings,
        )  # fmt: skip
        self.tasks[task] = changed
        cycle = self._path_to(task, task)
        if cycle:
            raise TraceError(f"a cycle: {' -> '.join(cycle)}", where=where, hint="drop one of these edges")

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

    # Control flow

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

    def _unique(self, stem: str, taken: Mapping[str, Any]) -> str:
        count = self._counts.get(f"<{stem}>", 0) + 1
        self._counts[f"<{stem}>"] = count
        return f"{stem}-{count}"

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
                    f"when(…) compares {_source(term).strip(' ()') or 'an artifact'}, "
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
                    f"map(…) goes over a {types.type_text(kind)}{_source(items)}, which is no list",
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
            kind = list[result._type]  # type: ignore[name-defined]
            if isinstance(result._binding, (Output, Collect)):
                if isinstance(result._binding, Output) and result._binding.path:
                    raise TraceError(
                        "map(…) collects whole outputs, not a part of one", where=where, hint="return the output itself"
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

    # Bindings

    def _bind(self, value: Any, what: str, where: str, target: Any = None) -> tuple[Binding, Any]:
        if isinstance(value, Ref):
            self._visible(value._binding, what, where)
            return value._binding, value._type
        if isinstance(value, Condition):
            raise TraceError(f"{what} is given a comparison", where=where, hint="compare inside a step, or use when(…)")
        if isinstance(value, TaskRef):
            if len(value._outputs) == 1:
                return self._bind(next(iter(value._outputs.values())), what, where, target)
            known = ", ".join(f".{name}" for name in value._outputs)
            hint = f"pick one of its outputs: {known}" if known else "order the two with .after(…)"
            raise TraceError(f"{what} is given a whole task with {len(value._outputs)} outputs", where=where, hint=hint)
        if isinstance(value, Artifact):
            if value.uri is not None:
                return Uri(value.uri), Any
            task, _, name = str(value.output).rpartition(".")
            return RunOutput(str(value.run), task, name), Any
        if isinstance(value, (Step, ContainerStep, Pipeline)):
            raise TraceError(f"{what} is given {value!r} itself", where=where, hint="call it: step(…)")
        if isinstance(value, (list, tuple)) and _holds_ref(value):
            bound = [self._bind(item, what, where) for item in value]
            return ListOf(tuple(item for item, _ in bound)), _list_of([kind for _, kind in bound])
        if isinstance(value, dict) and _holds_ref(value.values()):
            for key in value:
                if not isinstance(key, str):
                    raise TraceError(f"{what}: a dict that holds task results has text keys, not {key!r}", where=where)
            pairs = {key: self._bind(item, what, where) for key, item in value.items()}
            kinds = _list_of([kind for _, kind in pairs.values()])
            return (
                DictOf(tuple((key, item) for key, (item, _) in pairs.items())),
                dict[str, types.element_type(kinds)],  # type: ignore[misc]
            )
        return Literal(self._encode(value, what, where)), _kind_of(value)

    def _encode(self, value: Any, what: str, where: str) -> Any:
        try:
            return values.encode(value)
        except values.NotAValue as error:
            raise TraceError(
                f"{what} is given {type(value).__name__} data that cannot be written into a plan: {error}",
                where=where,
                hint="make it in a step, or pass its place by Artifact.from_uri(…)",
            ) from None

    def _visible(self, binding: Binding, what: str, where: str) -> None:
        """A result made inside a map is seen outside of it only by what the map's body returned."""
        if isinstance(binding, Item):
            inside = {scope.id for scope in self._chain(self.frame.scope)}
            if binding.scope not in inside:
                raise TraceError(f"{what} uses the item of a map outside of that map", where=where)
        elif isinstance(binding, Output):
            producer = self.tasks.get(binding.task)
            if producer is None:
                raise TraceError(f"{what} uses a task of another pipeline", where=where)
            if producer.scope is not None:
                mine = {scope.id for scope in self._chain(self.frame.scope) if isinstance(scope, MapScope)}
                for scope in self._chain(producer.scope):
                    if isinstance(scope, MapScope) and scope.id not in mine:
                        raise TraceError(
                            f"{what} uses a result of task {binding.task!r} outside of its map",
                            where=where,
                            hint="return it from the map's body, and use what map(…) returns",
                        )
        elif isinstance(binding, Collect) and binding.task not in self.tasks:
            raise TraceError(f"{what} uses a task of another pipeline", where=where)

    def _chain(self, scope: str | None) -> Iterator[Scope]:
        while scope is not None:
            found = self.scopes[scope]
            yield found
            scope = found.parent


def _returned(result: Any) -> Iterator[tuple[str, Any]]:
    if result is None:
        return
    if isinstance(result, TaskRef):
        yield from result._outputs.items()
    elif isinstance(result, dict):
        for name, value in result.items():
            yield check_name(name, "output name", "the pipeline's return"), value
    elif isinstance(result, tuple) and hasattr(result, "_fields"):
        yield from zip(result._fields, result, strict=True)
    elif isinstance(result, tuple):
        for index, value in enumerate(result, 1):
            yield f"{DEFAULT_OUTPUT}-{index}", value
    else:
        yield DEFAULT_OUTPUT, result


def _word(word: Any) -> str | Word:
    if isinstance(word, str):
        return word
    kind = "input_path" if isinstance(word, InputPath) else "input_value" if isinstance(word, InputValue) else "output_path"
    return Word(kind, word.name)


def _source(value: Any) -> str:
    binding = getattr(value, "_binding", None) if isinstance(value, Ref) else None
    if isinstance(binding, (Output, Collect)):
        return f" (output {binding.name!r} of task {binding.task!r})"
    if isinstance(binding, Param):
        return f" (parameter {binding.name!r})"
    return ""


def _holds_ref(items: Any) -> bool:
    return any(
        isinstance(item, (Ref, TaskRef, Artifact))
        or (isinstance(item, (list, tuple)) and _holds_ref(item))
        or (isinstance(item, dict) and _holds_ref(item.values()))
        for item in items
    )


def _list_of(kinds: list[Any]) -> Any:
    first = types.strip(kinds[0])
    same = all(types.strip(kind) == first for kind in kinds)
    return list[first] if same else list[Any]  # type: ignore[valid-type]


def _kind_of(value: Any) -> Any:
    if isinstance(value, (list, tuple)) and value:
        kinds = {type(item) for item in value}
        return list[kinds.pop()] if len(kinds) == 1 else list[Any]  # type: ignore[misc]
    return type(value)


def fits(value: Any, annotation: Any) -> bool:
    """Whether a literal is of the annotated type; its elements are looked at one level deep for lists and dicts."""
    target = types.strip(annotation)
    if target is Any or value is None and types.is_optional(target):
        return True
    for member in types.union_members(target):
        if value is not None and types.typing.get_origin(member) is types.typing.Literal:
            if value in types.typing.get_args(member):
                return True
        elif isinstance(value, (list, tuple, set, frozenset)) and not types.is_namedtuple(type(value)):
            element = types.element_type(member)
            if types.assignable(type(value), types.typing.get_origin(member) or member) and all(
                fits(item, element) for item in value
            ):
                return True
        elif types.assignable(type(value), member):
            return True
    return False
