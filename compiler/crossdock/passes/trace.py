"""Tracing: call the pipeline function once, and write down what it calls. No step body runs."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from typing import Any

from crossdock.dsl import recording, types
from crossdock.dsl.errors import TraceError
from crossdock.dsl.frozen import frozen
from crossdock.dsl.pipeline import Artifact, Pipeline, RunStatus
from crossdock.dsl.refs import Ref
from crossdock.dsl.refs import Task as TaskRef
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
    Code,
    Input,
    Literal,
    Output,
    OutputType,
    Param,
    Parameter,
    Plan,
    Program,
    RunOutput,
    Source,
    Task,
    Uri,
    Word,
)
from crossdock.passes.bind import fits, source_of
from crossdock.passes.code import CodeBook
from crossdock.passes.control import ControlFlow

RUN_PARAMETER = "crossdock_run"


@frozen
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


class Tracer(ControlFlow):
    """The recorder of one trace."""

    def __init__(self, pipeline: Pipeline[Any, Any], code: CodeBook) -> None:
        super().__init__(pipeline.settings)
        self.pipeline = pipeline
        self.code = code
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
                    f"pipeline parameter {parameter.name!r} has no type",
                    where=where,
                    hint=f"{parameter.name}: int",
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
                        f"the default {default!r} of {parameter.name!r} is no {types.type_text(kind)}",
                        where=where,
                    )
                declared = Parameter(
                    parameter.name,
                    declared.type,
                    False,
                    self._encode(default, parameter.name, where),
                    artifact,
                )
            self.parameters[parameter.name] = declared
            arguments[parameter.name] = Ref(Param(parameter.name), kind)
        return arguments

    def _outputs(self, result: Any, where: str) -> dict[str, Input]:
        found = {}
        for name, value in _returned(result):
            binding, kind = self._bind(value, f"the pipeline's output {name!r}", where)
            found[name] = Input(
                binding,
                types.type_text(kind),
                not types.is_value(kind) and types.strip(kind) is not Any,
                True,
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

    def _declared(self, step: Step[Any, Any] | ContainerStep) -> tuple[Mapping[str, InputSpec], dict[str, OutputType]]:
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
        self,
        step: Any,
        specs: Mapping[str, InputSpec],
        args: tuple[Any, ...],
        kwargs: Mapping[str, Any],
        where: str,
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
                    f"{what} is a {types.type_text(target)}, not {value!r} ({type(value).__name__})",
                    where=where,
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
                f"{what} is a {types.type_text(target)}, but gets a {types.type_text(kind)}{source_of(value)}",
                where=where,
                hint="change one of the two annotations, or convert in a step between",
            )
        artifact = not types.is_value(target) and target is not Any
        if isinstance(binding, Literal) and artifact and value is not None:
            artifact = False
        return Input(binding, types.type_text(target), artifact, optional)

    def _add(self, step: Any, inputs: Mapping[str, Input], outputs: Mapping[str, OutputType], where: str) -> Task:
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

    def call_pipeline(self, pipeline: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any], where: str) -> Any:
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
                    f"but gets a {types.type_text(value._type)}{source_of(value)}",
                    where=where,
                )
        bound.apply_defaults()
        with self._inside(
            group=(*self.frame.group, pipeline.name), settings=pipeline.settings.over(self.frame.settings)
        ):
            return pipeline.function(*bound.args, **bound.kwargs)

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
    kind = (
        "input_path"
        if isinstance(word, InputPath)
        else "input_value"
        if isinstance(word, InputValue)
        else "output_path"
    )
    return Word(kind, word.name)
