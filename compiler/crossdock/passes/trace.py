"""Tracing: call the pipeline function once, and write down what it calls. No step body runs."""

from __future__ import annotations

import inspect
import traceback
from collections.abc import Iterator, Mapping
from pathlib import PurePath
from typing import Any, NoReturn

from crossdock.dsl import recording, types
from crossdock.dsl.container import ContainerStep, InputPath, InputValue
from crossdock.dsl.errors import CrossdockError, TraceError, did_you_mean, together
from crossdock.dsl.frozen import frozen
from crossdock.dsl.pipeline import Artifact, Pipeline, RunStatus, check_uri
from crossdock.dsl.refs import Ref
from crossdock.dsl.refs import Task as TaskRef
from crossdock.dsl.step import DEFAULT_OUTPUT, InputSpec, OutputSpec, Step, check_name, location
from crossdock.ir import (
    Code,
    GateCode,
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
    leaves,
)
from crossdock.passes.bind import brief, fits, holds_ref, source_of
from crossdock.passes.code import CodeBook
from crossdock.passes.control import ControlFlow
from crossdock.passes.names import Names

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
        raise TraceError(
            f"{pipeline!r} is not a pipeline", hint="decorate the function with @pipeline", id="no-pipeline"
        )
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
        self._calling: list[Pipeline[Any, Any]] = [pipeline]
        self.names = Names()
        self.code = code
        self._bodies: dict[int, tuple[Step[Any, Any] | ContainerStep[Any], dict[str, OutputType]]] = {}

    def run(self) -> Traced:
        """Trace the pipeline's function; says everything that is wrong at once."""
        where = location(self.pipeline.function)
        arguments = self._declare_parameters()
        outputs: dict[str, Input] = {}
        try:
            result = self.pipeline.function(**arguments)
            self._all_entered()
            if not any(task != self.exit for task in self.tasks):
                hint = "call one in it: a plan is made of the steps that the function calls"
                raise TraceError(
                    f"pipeline {self.pipeline.name!r} calls no step", where=where, hint=hint, id="empty-pipeline"
                )
            outputs = self._outputs(result, where)
        except TraceError as error:
            self._problem(error)
        except CrossdockError:
            raise
        except Exception as error:
            self._problem(self._raised(error))
        if self.problems:
            raise together(TraceError, f"pipeline {self.pipeline.name!r}", self.problems)
        plan = Plan(
            name=self.pipeline.name,
            tasks=tuple(self.tasks.values()),
            parameters=self.parameters,
            gates=self.gates,
            scopes=self.scopes,
            outputs=outputs,
            on_exit=self.exit,
            on_failure=self.pipeline.on_failure,
            source=Source(self.code.project.python_path),
        )
        return Traced(plan, self.locations)

    def _raised(self, error: Exception) -> TraceError:
        """An exception of the user's own code, at the user's own line."""
        frames = traceback.extract_tb(error.__traceback__)
        own = [frame for frame in frames if self.code.project.owns(frame.filename)]
        where = f"{own[-1].filename}:{own[-1].lineno}" if own else location(self.pipeline.function)
        what = f"{type(error).__name__}: {error}".rstrip(": ")
        found = TraceError(
            f"pipeline {self.pipeline.name!r} raised {what}",
            where=where,
            hint="the pipeline function runs once, to see which steps it calls; what needs data belongs into a step",
            id="pipeline-raised",
        )
        found.__cause__ = error
        return found

    def _declare_parameters(self) -> dict[str, Any]:
        where = location(self.pipeline.function)
        arguments = {}

        def refuse(message: str, hint: str) -> NoReturn:
            raise TraceError(message, where=where, hint=hint, id="bad-signature")

        for parameter in inspect.signature(self.pipeline.function).parameters.values():
            if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD, parameter.POSITIONAL_ONLY):
                refuse(
                    f"pipeline {self.pipeline.name!r} takes {parameter}, but its parameters are given by their names",
                    f"write one parameter for each value: {parameter.name}: int = 0",
                )
            if parameter.name not in self.pipeline.hints:
                refuse(
                    f"pipeline parameter {parameter.name!r} has no type",
                    f"annotate it, e.g. `{parameter.name}: int`",
                )
            if parameter.name == RUN_PARAMETER:
                refuse(
                    f"{RUN_PARAMETER!r} is a parameter of Crossdock's own",
                    "take another name",
                )
            kind = self.pipeline.hints[parameter.name]
            artifact = not types.is_value(kind)
            if kind in (Any, object):
                refuse(
                    f"pipeline parameter {parameter.name!r} is of type {types.type_text(kind)}, which says nothing of "
                    "how a text is read",
                    f"annotate `{parameter.name}: str`, or what it is",
                )
            if artifact and not types.is_place(kind):
                refuse(
                    f"pipeline parameter {parameter.name!r} is of type {types.type_text(kind)}, which is not written "
                    "as a text: a parameter is a value, or data at a place",
                    f"annotate `{parameter.name}: Path`, and read it in a step",
                )
            declared = Parameter(parameter.name, types.type_text(kind), artifact=artifact)
            if parameter.default is not parameter.empty:
                default = parameter.default
                if artifact and isinstance(default, PurePath):
                    default = default.as_posix()
                if isinstance(default, Artifact):
                    if default.uri is None:
                        refuse(
                            f"the default of parameter {parameter.name!r} is an output of a run, and not a place",
                            "give Artifact.from_run(…) to the step that reads it",
                        )
                    default = default.uri
                elif artifact and isinstance(default, str):
                    check_uri(default, where)
                elif not artifact and not fits(default, kind):
                    refuse(
                        f"the default {default!r} of parameter {parameter.name!r} is no {types.type_text(kind)}",
                        "change the default or the annotation",
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
        for name, value in _returned(result, where):
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
        missing = [
            name
            for name, spec in specs.items()
            if name not in given and spec.required and types.strip(spec.type) is not RunStatus
        ]
        if missing:
            lacking = ", ".join(map(repr, missing))
            shape = ", ".join(f"{key}=…" for key, item in specs.items() if item.required)
            message = f"step {step.name!r} is called without its input{'s' * (len(missing) > 1)} {lacking}"
            self._problem(TraceError(message, where=where, hint=f"{step.name}({shape})", id="bad-call"))
        for name, spec in specs.items():
            if name not in missing:
                try:
                    inputs[name] = self._input(step, spec, given.get(name, spec.default), where)
                except TraceError as error:
                    self._problem(error)
        task = self._add(step, inputs, outputs, where)
        return self._results(step, task)

    def _declared(
        self, step: Step[Any, Any] | ContainerStep[Any]
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
        self,
        step: Any,
        specs: Mapping[str, InputSpec],
        args: tuple[Any, ...],
        kwargs: Mapping[str, Any],
        where: str,
    ) -> dict[str, Any]:
        names = list(specs)
        if len(args) > len(names):
            count = f"{len(names)} input{'s' * (len(names) != 1)}"
            listed = f" ({', '.join(names)})" if names else ""
            message = f"step {step.name!r} takes {count}{listed}, and is given {len(args)}"
            self._problem(
                TraceError(message, where=where, hint=f"drop {len(args) - len(names)} of them", id="bad-call")
            )
        given = dict(zip(names, args, strict=False))
        for name, value in kwargs.items():
            if name not in specs:
                message = f"step {step.name!r} has no input {name!r}"
                self._problem(TraceError(message, where=where, hint=did_you_mean(name, names), id="bad-call"))
            elif name in given:
                message = f"step {step.name!r} is given {name!r} twice, by its place and by its name"
                self._problem(TraceError(message, where=where, hint="drop one of the two", id="bad-call"))
            else:
                given[name] = value
        return given

    def _input(self, step: Any, spec: InputSpec, value: Any, where: str) -> Input:
        what = f"input {spec.name!r} of step {step.name!r}"
        target = types.strip(spec.type)
        optional = types.is_optional(spec.type)
        if target is RunStatus:
            raise TraceError(
                f"{what} is a RunStatus, which is known only at the end",
                where=where,
                hint=f"write on_exit({step.name})",
                id="wrong-type",
            )
        binding, kind = self._bind(value, what, where, target)
        if any(isinstance(leaf, Uri) for leaf in leaves(binding)) and not types.is_place(target):
            text = types.type_text(target)
            wanted = "list[Path]" if text.startswith("list[") else "Path"
            raise TraceError(
                f"{what} takes {text}, and data at a URI come as a file or a folder",
                where=where,
                hint=f"annotate `{spec.name}: {wanted}`, and read it in the step",
                id="wrong-type",
            )
        if isinstance(binding, Literal):
            if not fits(value, spec.type):
                raise TraceError(
                    f"{what} takes {types.type_text(target)}, not {brief(value)}",
                    where=where,
                    hint="change the value, or the annotation of the input",
                    id="wrong-type",
                )
        elif not isinstance(binding, (Uri, RunOutput)) and not types.assignable(kind, target):
            raise TraceError(
                f"{what} takes {types.type_text(target)}, but gets {types.type_text(kind)}{source_of(value)}",
                where=where,
                hint="change one of the two annotations, or convert in a step between",
                id="wrong-type",
            )
        artifact = not types.is_value(target) and target is not Any
        if isinstance(binding, Literal) and artifact and value is not None:
            artifact = False
        return Input(binding, types.type_text(target), artifact, optional)

    def _add(self, step: Any, inputs: Mapping[str, Input], outputs: Mapping[str, OutputType], where: str) -> Task:
        task_id = self._id(step, where)
        task = Task(
            id=task_id,
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

    def _id(self, step: Any, where: str) -> str:
        fixed: str | None = step.task_name
        if fixed is not None:
            try:
                return self.names.fix(fixed, self.locations, where)
            except TraceError as error:
                self._problem(error)
        return self.names.new(step.name)

    def _code(self, step: Any, where: str) -> Code:
        if isinstance(step, ContainerStep):
            return Program(tuple(map(_word, step.command)), tuple(map(_word, step.args)))
        try:
            return self.code.of_step(step, where)
        except TraceError as error:
            self._problem(error)
            return GateCode()

    def _results(self, step: Any, task: Task) -> Any:
        specs: Mapping[str, OutputSpec] = step.outputs if isinstance(step, ContainerStep) else step.signature.outputs
        handle = TaskRef(task.id, {}, self, as_tuple=False)
        refs = {name: Ref(Output(task.id, name), spec.type, handle) for name, spec in specs.items()}
        if not isinstance(step, ContainerStep) and step.signature.shape == "single":
            return refs[next(iter(refs))]
        return TaskRef(task.id, refs, self, as_tuple=bool(refs))

    def call_pipeline(self, pipeline: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any], where: str) -> Any:
        """Trace a pipeline that is called inside another; its tasks join this plan."""
        if pipeline in self._calling:
            chain = " -> ".join(item.name for item in (*self._calling, pipeline))
            raise TraceError(
                f"pipeline {pipeline.name!r} calls itself ({chain})",
                where=where,
                hint="a plan has no recursion: write map(…), or loop in a step",
                id="bad-call",
            )
        try:
            bound = inspect.signature(pipeline.function).bind(*args, **kwargs)
        except TypeError as error:
            shape = ", ".join(f"{name}=…" for name in inspect.signature(pipeline.function).parameters)
            raise TraceError(
                f"pipeline {pipeline.name!r} is called wrongly: {error}",
                where=where,
                hint=f"{pipeline.__name__}({shape})",
                id="bad-call",
            ) from None
        for name, value in bound.arguments.items():
            bound.arguments[name] = self._pipeline_argument(pipeline, name, value, where)
        bound.apply_defaults()
        self._calling.append(pipeline)
        try:
            with self._inside(
                group=(*self.frame.group, pipeline.name), settings=pipeline.settings.over(self.frame.settings)
            ):
                return pipeline.function(*bound.args, **bound.kwargs)
        finally:
            self._calling.pop()

    def _pipeline_argument(self, pipeline: Any, name: str, value: Any, where: str) -> Any:
        """What the pipeline is called with; after a problem something of the right type, so that it is said once."""
        kind = pipeline.hints.get(name, Any)
        what = f"parameter {name!r} of pipeline {pipeline.name!r} takes {types.type_text(kind)}"
        if isinstance(value, Ref):
            if types.assignable(value._type, kind):
                return value
            got = f"but gets {types.type_text(value._type)}{source_of(value)}"
            hint = "change one of the two annotations, or convert in a step between"
        elif not types.is_value(kind) or holds_ref([value]) or fits(value, kind):
            return value
        else:
            got, hint = f"not {brief(value)}", "change the value or the annotation"
        self._problem(TraceError(f"{what}, {got}", where=where, hint=hint, id="wrong-type"))
        return Ref(Param(name), kind)


def _returned(result: Any, where: str) -> Iterator[tuple[str, Any]]:
    if result is None:
        return
    if isinstance(result, TaskRef):
        yield from result._outputs.items()
    elif isinstance(result, dict):
        for name, value in result.items():
            yield check_name(name, "output name", where), value
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
