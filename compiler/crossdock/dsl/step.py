"""`@step` and `container_step`: the units of work."""

from __future__ import annotations

import functools
import inspect
import re
import typing
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any, Generic, ParamSpec, TypeVar, get_args, get_origin, overload

from crossdock.dsl import recording, types
from crossdock.dsl.errors import TraceError
from crossdock.dsl.frozen import frozen
from crossdock.dsl.refs import caller
from crossdock.dsl.settings import Settings, no_settings

P = ParamSpec("P")
R = TypeVar("R")

DEFAULT_OUTPUT = "output"
_NAME = re.compile(r"^[A-Za-z][A-Za-z0-9_-]{0,62}$")


@frozen
class OutputSpec:
    """A declared output of a step: its name, its annotated type, and its own materializer (`module:Class`)."""

    name: str
    type: Any
    materializer: str | None = None


@frozen
class InputSpec:
    """A declared input of a step. `default` is `inspect.Parameter.empty` when there is none."""

    name: str
    type: Any
    default: Any = inspect.Parameter.empty

    @property
    def required(self) -> bool:
        return self.default is inspect.Parameter.empty


def check_name(name: str, what: str, where: str) -> str:
    """The name, when it is letters, digits, `-` and `_`, at most 63, letter first.

    Raises:
        TraceError: it is not.
    """
    if not isinstance(name, str) or not _NAME.match(name):
        raise TraceError(
            f"{name!r} is no {what}: letters, digits, '-' and '_', at most 63, the first a letter",
            where=where,
        )
    return name


def location(function: Callable[..., Any]) -> str:
    """`file:line` of a function's definition."""
    code = getattr(inspect.unwrap(function), "__code__", None)
    return f"{code.co_filename}:{code.co_firstlineno}" if code else f"<{function!r}>"


class Signature:
    """Inputs and outputs of a function, read from its annotations.

    Attributes:
        inputs: by name, in order.
        outputs: by name, in order; empty for a step that returns None.
        shape: how the return value holds the outputs: `none`, `single`, `tuple` or `namedtuple`.
    """

    __slots__ = ("inputs", "outputs", "shape")

    def __init__(self, function: Callable[..., Any]) -> None:
        where = location(function)
        try:
            hints = typing.get_type_hints(function, include_extras=True)
        except NameError as error:
            raise TraceError(
                f"an annotation of {function.__name__!r} cannot be resolved: {error}",
                where=where,
                hint="import the type at the top of the module (not under TYPE_CHECKING)",
            ) from None
        except TypeError as error:
            raise TraceError(f"an annotation of {function.__name__!r} is no type: {error}", where=where) from None
        self.inputs: dict[str, InputSpec] = {}
        for parameter in inspect.signature(function).parameters.values():
            if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
                raise TraceError(
                    f"step {function.__name__!r} takes *{parameter.name}: inputs must be named",
                    where=where,
                    hint="take a list or a dict instead",
                )
            if parameter.kind is parameter.POSITIONAL_ONLY:
                raise TraceError(f"step {function.__name__!r} has a positional-only input", where=where)
            self.inputs[parameter.name] = InputSpec(parameter.name, hints.get(parameter.name, Any), parameter.default)
        if "return" not in hints:
            raise TraceError(
                f"step {function.__name__!r} does not say what it returns",
                where=where,
                hint="annotate the return value, `-> None` when there is none",
            )
        self.shape, specs = _outputs(hints["return"], where)
        self.outputs: dict[str, OutputSpec] = {}
        for spec in specs:
            check_name(spec.name, "output name", where)
            if spec.name in self.outputs:
                raise TraceError(f"step {function.__name__!r} has two outputs named {spec.name!r}", where=where)
            self.outputs[spec.name] = spec


def _named(annotation: Any, fallback: str | None, where: str) -> OutputSpec:
    name, materializer = fallback, None
    if get_origin(annotation) is Annotated:
        for extra in get_args(annotation)[1:]:
            if isinstance(extra, str):
                name = extra
            elif isinstance(extra, type) and hasattr(extra, "save") and hasattr(extra, "load"):
                materializer = f"{extra.__module__}:{extra.__qualname__}"
    if name is None:
        raise TraceError(
            "several outputs need names",
            where=where,
            hint='write tuple[Annotated[int, "rows"], …] or a NamedTuple',
        )
    return OutputSpec(name, annotation, materializer)


def _outputs(annotation: Any, where: str) -> tuple[str, list[OutputSpec]]:
    bare = types.strip(annotation)
    if bare is type(None) or bare is typing.NoReturn or bare is typing.Never:
        return "none", []
    if types.is_namedtuple(bare):
        hints = typing.get_type_hints(bare, include_extras=True)
        specs = [_named(hints.get(name, Any), name, where) for name in bare._fields]
        return "namedtuple", [
            OutputSpec(name, item.type, item.materializer) for name, item in zip(bare._fields, specs, strict=True)
        ]
    args = get_args(bare)
    if get_origin(bare) is tuple and any(get_origin(arg) is Annotated for arg in args):
        return "tuple", [_named(arg, None, where) for arg in args]
    return "single", [_named(annotation, DEFAULT_OUTPUT, where)]


class Step(Generic[P, R]):
    """A function that can be a task. Called outside a pipeline it just runs.

    Attributes:
        function: the plain function.
        name: the name that task ids are made from.
        settings: what the decorator set.
    """

    def __init__(
        self, function: Callable[P, R], name: str, settings: Settings, *, task_name: str | None = None
    ) -> None:
        self.function = function
        self.name = name
        self.settings = settings
        self.task_name = task_name
        functools.update_wrapper(self, function)

    @functools.cached_property
    def signature(self) -> Signature:
        """Inputs and outputs, from the annotations."""
        return Signature(self.function)

    def with_options(self, *, name: str | None = None, **settings: Any) -> Step[P, R]:
        """This step with other settings, for one call.

        Args:
            name: a fixed task id.
            settings: any field of `Settings`, e.g. `retry=Retry(5)`, `env={"MODE": "full"}`.

        Raises:
            TraceError: there is no such setting.
        """
        where = caller()
        over = _settings(settings, where)
        if name is not None:
            check_name(name, "task name", where)
        clone: Step[P, R] = Step(self.function, self.name, over.over(self.settings), task_name=name or self.task_name)
        if "signature" in self.__dict__:
            clone.__dict__["signature"] = self.__dict__["signature"]
        return clone

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        recorder = recording.active.get()
        if recorder is None:
            return self.function(*args, **kwargs)
        return recorder.call(self, args, kwargs, caller())  # type: ignore[no-any-return]

    def __repr__(self) -> str:
        return f"<Step {self.name}>"


def _settings(values: Mapping[str, Any], where: str) -> Settings:
    known = Settings.__dataclass_fields__
    for key in values:
        if key not in known:
            raise TraceError(f"there is no setting {key!r}", where=where, hint=f"one of {', '.join(known)}")
    if not values:
        return no_settings()
    try:
        return Settings(**values)
    except TraceError as error:
        error.where = error.where or where
        raise


@overload
def step(function: Callable[P, R], /) -> Step[P, R]: ...
@overload
def step(*, name: str | None = None, **settings: Any) -> Callable[[Callable[P, R]], Step[P, R]]: ...
def step(function: Any = None, /, *, name: str | None = None, **settings: Any) -> Any:
    """Make a step of a typed function.

    Args:
        function: a module-level function with annotations.
        name: what its tasks are called; by default the function's name.
        settings: any field of `Settings`: `resources`, `retry`, `timeout`, `cache`, `image`, `requirements`, `env`,
            `secrets`, `labels`, `targets`.

    Raises:
        TraceError: a setting or the function's signature cannot be used.
    """
    where = caller()
    chosen = _settings(settings, where)
    if name is not None:
        check_name(name, "step name", where)

    def decorate(target: Any) -> Any:
        if not inspect.isfunction(target):
            raise TraceError(f"@step decorates a plain function, not {target!r}", where=where)
        if inspect.iscoroutinefunction(target) or inspect.isgeneratorfunction(target):
            raise TraceError(f"step {target.__name__!r} is async or a generator", where=location(target))
        return Step(target, name or target.__name__, chosen)

    return decorate if function is None else decorate(function)


@frozen
class InputPath:
    """In a container step's command or args: the path of the file or folder of an input."""

    name: str


@frozen
class InputValue:
    """In a container step's command or args: the text of a value input."""

    name: str


@frozen
class OutputPath:
    """In a container step's command or args: where the program writes an output."""

    name: str


class ContainerStep:
    """A program in an image, as a step. Made by `container_step`."""

    def __init__(
        self,
        name: str,
        command: tuple[Any, ...],
        args: tuple[Any, ...],
        inputs: dict[str, InputSpec],
        outputs: dict[str, OutputSpec],
        settings: Settings,
        task_name: str | None = None,
    ) -> None:
        self.name = name
        self.command = command
        self.args = args
        self.inputs = inputs
        self.outputs = outputs
        self.settings = settings
        self.task_name = task_name

    def with_options(self, *, name: str | None = None, **settings: Any) -> ContainerStep:
        """This step with other settings, for one call; see `Step.with_options`."""
        where = caller()
        over = _settings(settings, where).over(self.settings)
        if name is not None:
            check_name(name, "task name", where)
        return ContainerStep(
            self.name, self.command, self.args, self.inputs, self.outputs, over, name or self.task_name
        )

    def __call__(self, **kwargs: Any) -> Any:
        recorder = recording.active.get()
        if recorder is None:
            raise TraceError(
                f"container step {self.name!r} runs only as part of a pipeline",
                where=caller(),
                hint="call it in one",
            )
        return recorder.call(self, (), kwargs, caller())

    def __repr__(self) -> str:
        return f"<ContainerStep {self.name}>"


def container_step(
    *,
    name: str,
    image: str,
    command: Sequence[Any],
    args: Sequence[Any] = (),
    inputs: Mapping[str, Any] | None = None,
    outputs: Mapping[str, Any] | None = None,
    **settings: Any,
) -> ContainerStep:
    """Make a step of any program in an image.

    Args:
        name: what its tasks are called.
        image: the image reference.
        command: the program, e.g. `["sort"]`; items are text, `InputPath`, `InputValue` or `OutputPath`.
        args: its arguments, likewise. No shell reads them.
        inputs: name to type; an artifact (`Path`, `bytes`) by `InputPath`, a value by either.
        outputs: name to type; the program writes each to its `OutputPath`. A value is read back as text or JSON.
        settings: any field of `Settings`.

    Raises:
        TraceError: a placeholder names an input or output that is not declared, or an output is never written.
    """
    where = caller()
    check_name(name, "step name", where)
    for words, what in ((command, "command"), (args, "args")):
        if isinstance(words, str):
            raise TraceError(f"{what} is a list of words", where=where, hint=f'write {what}=["sh", "-c", "…"]')
    if not command:
        raise TraceError(f"container step {name!r} has no command", where=where)
    ins = {key: InputSpec(check_name(key, "input name", where), kind) for key, kind in (inputs or {}).items()}
    outs = {key: _named(kind, key, where) for key, kind in (outputs or {}).items()}
    for key in outs:
        check_name(key, "output name", where)
    written = set()
    for word in (*command, *args):
        if isinstance(word, (InputPath, InputValue)):
            if word.name not in ins:
                raise TraceError(f"{word!r} names no input of {name!r}", where=where, hint=f"inputs: {', '.join(ins)}")
            if isinstance(word, InputValue) and not types.is_value(ins[word.name].type):
                raise TraceError(f"{word.name!r} is an artifact", where=where, hint=f"write InputPath({word.name!r})")
        elif isinstance(word, OutputPath):
            if word.name not in outs:
                raise TraceError(
                    f"{word!r} names no output of {name!r}", where=where, hint=f"outputs: {', '.join(outs)}"
                )
            written.add(word.name)
        elif not isinstance(word, str):
            raise TraceError(f"{word!r} in command or args is not text", where=where, hint=f"write {str(word)!r}")
    missing = [key for key in outs if key not in written]
    if missing:
        raise TraceError(
            f"container step {name!r} never produces its output {missing[0]!r}",
            where=where,
            hint=f"put OutputPath({missing[0]!r}) among its args",
        )
    return ContainerStep(name, tuple(command), tuple(args), ins, outs, _settings({**settings, "image": image}, where))
