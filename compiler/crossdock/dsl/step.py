"""`@step`: a function that can be a task."""

from __future__ import annotations

import functools
import inspect
import re
import typing
from collections.abc import Callable
from typing import Annotated, Any, Generic, ParamSpec, TypeVar, Unpack, get_args, get_origin, overload

from crossdock.dsl import recording, types
from crossdock.dsl.errors import TraceError, caller, did_you_mean
from crossdock.dsl.frozen import frozen
from crossdock.dsl.settings import Options, Settings, no_settings

P = ParamSpec("P")
R = TypeVar("R")

DEFAULT_OUTPUT = "output"
_MATERIALIZER = "crossdock_runtime.materializers.base.Materializer"
_NO_TYPES = (int, float, bytes, list, tuple, dict, set)
LONGEST = 63
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
            f"{name!r} is no {what}",
            where=where,
            hint="take letters (a to z), digits, '-' and '_', at most 63 of them, the first a letter",
            id="bad-name",
        )
    return name


def name_of(function: Callable[..., Any], what: str, where: str) -> str:
    """The name that a function gives to a step or a pipeline."""
    name = function.__name__.strip("_")
    if not _NAME.match(name[:LONGEST]):
        raise TraceError(
            f"{function.__name__!r} is no {what}, which labels hold: letters (a to z), digits, '-' and '_'",
            where=where,
            hint=f'write @{what.partition(" ")[0]}(name="…")',
            id="bad-name",
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
                id="bad-annotation",
            ) from None
        except TypeError as error:
            raise TraceError(
                f"an annotation of {function.__name__!r} is no type: {error}",
                where=where,
                hint="annotate with types: int, list[str], pandas.DataFrame, …",
                id="bad-annotation",
            ) from None
        for what, hint in hints.items():
            if isinstance(types.strip(hint), _NO_TYPES):
                raise TraceError(
                    f"{what!r} of {function.__name__!r} is annotated by {hint!r}, which is no type",
                    where=where,
                    hint="annotate with types: int, list[str], pandas.DataFrame, …",
                    id="bad-annotation",
                )
        self.inputs: dict[str, InputSpec] = {}
        for parameter in inspect.signature(function).parameters.values():
            if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
                raise TraceError(
                    f"step {function.__name__!r} takes {parameter}, but a plan holds inputs by their names",
                    where=where,
                    hint=f"take a list or a dict: {parameter.name}: list[…]",
                    id="bad-signature",
                )
            if parameter.kind is parameter.POSITIONAL_ONLY:
                raise TraceError(
                    f"input {parameter.name!r} of step {function.__name__!r} is positional only",
                    where=where,
                    hint="drop the `/`",
                    id="bad-signature",
                )
            if parameter.name not in hints:
                method = parameter.name in ("self", "cls") and not self.inputs
                raise TraceError(
                    f"step {function.__name__!r} is a method, which a container cannot call"
                    if method
                    else f"input {parameter.name!r} of step {function.__name__!r} has no type",
                    where=where,
                    hint="make it a function at the top level of a module"
                    if method
                    else f"annotate it, e.g. `{parameter.name}: float`; `Any` takes everything",
                    id="bad-annotation",
                )
            self.inputs[parameter.name] = InputSpec(parameter.name, hints[parameter.name], parameter.default)
        if "return" not in hints:
            raise TraceError(
                f"step {function.__name__!r} does not say what it returns",
                where=where,
                hint="annotate the return value, `-> None` when there is none",
                id="bad-annotation",
            )
        self.shape, specs = _outputs(hints["return"], where)
        self.outputs: dict[str, OutputSpec] = {}
        for spec in specs:
            check_name(spec.name, "output name", where)
            if spec.name in self.outputs:
                raise TraceError(
                    f"step {function.__name__!r} has two outputs named {spec.name!r}",
                    where=where,
                    hint="give one of them another name",
                    id="bad-annotation",
                )
            self.outputs[spec.name] = spec


def output_spec(annotation: Any, fallback: str | None, where: str) -> OutputSpec:
    name, materializer = fallback, None
    if get_origin(annotation) is Annotated:
        for extra in get_args(annotation)[1:]:
            if isinstance(extra, str):
                name = extra
            elif isinstance(extra, type) and hasattr(extra, "save") and hasattr(extra, "load"):
                if not any(f"{base.__module__}.{base.__qualname__}" == _MATERIALIZER for base in extra.__mro__):
                    raise TraceError(
                        f"{types.type_text(extra)} in the annotation is no crossdock.Materializer",
                        where=where,
                        hint=f"class {extra.__name__}(Materializer):",
                        id="bad-annotation",
                    )
                materializer = f"{extra.__module__}:{extra.__qualname__}"
    if name is None:
        raise TraceError(
            f"several outputs need a name each, and {types.type_text(annotation)} has none",
            where=where,
            hint='write tuple[Annotated[int, "rows"], …] or a NamedTuple',
            id="bad-annotation",
        )
    return OutputSpec(name, annotation, materializer)


def _outputs(annotation: Any, where: str) -> tuple[str, list[OutputSpec]]:
    bare = types.strip(annotation)
    if bare is type(None) or bare is typing.NoReturn or bare is typing.Never:
        return "none", []
    if types.is_namedtuple(bare):
        hints = typing.get_type_hints(bare, include_extras=True)
        specs = [output_spec(hints.get(name, Any), name, where) for name in bare._fields]
        return "namedtuple", [
            OutputSpec(name, item.type, item.materializer) for name, item in zip(bare._fields, specs, strict=True)
        ]
    args = get_args(bare)
    if get_origin(bare) is tuple and any(get_origin(arg) is Annotated for arg in args):
        return "tuple", [output_spec(arg, None, where) for arg in args]
    return "single", [output_spec(annotation, DEFAULT_OUTPUT, where)]


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

    def with_options(self, *, name: str | None = None, **settings: Unpack[Options]) -> Step[P, R]:
        """This step with other settings, for one call.

        Args:
            name: a fixed task id.
            settings: any field of `Settings`, e.g. `retry=Retry(5)`, `env={"MODE": "full"}`.

        Raises:
            TraceError: there is no such setting.
        """
        where = caller()
        over = settings_of(settings, where)
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


def settings_of(values: Options, where: str) -> Settings:
    """Settings of keyword arguments.

    Raises:
        TraceError: there is no such setting, or it cannot be of this value.
    """
    known = Settings.__dataclass_fields__
    for key in values:
        if key not in known:
            raise TraceError(
                f"there is no setting {key!r}", where=where, hint=did_you_mean(key, known), id="unknown-setting"
            )
    return Settings(**values) if values else no_settings()


@overload
def step(function: Callable[P, R], /) -> Step[P, R]: ...
@overload
def step(*, name: str | None = None, **settings: Unpack[Options]) -> Callable[[Callable[P, R]], Step[P, R]]: ...
def step(function: Any = None, /, *, name: str | None = None, **settings: Unpack[Options]) -> Any:
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
    chosen = settings_of(settings, where)
    if name is not None:
        check_name(name, "step name", where)

    def decorate(target: Any) -> Any:
        if not inspect.isfunction(target):
            by_position = isinstance(target, (str, int, dict, Settings))
            raise TraceError(
                f"@step decorates a plain function, not {target!r}",
                where=where,
                hint='options are given by name: @step(name="…")' if by_position else "decorate a `def` with it",
                id="bad-step",
            )
        if target.__name__ == "<lambda>":
            raise TraceError(
                "a lambda has no name that a container could import it by",
                where=where,
                hint="write a `def` at the top level of a module",
                id="bad-step",
            )
        if inspect.iscoroutinefunction(target) or inspect.isasyncgenfunction(target):
            raise TraceError(
                f"step {target.__name__!r} is async, and a step is called and waited for",
                where=location(target),
                hint="drop `async`, and call asyncio.run(…) in it",
                id="bad-step",
            )
        if inspect.isgeneratorfunction(target):
            raise TraceError(
                f"step {target.__name__!r} is a generator, and a step returns what it makes",
                where=location(target),
                hint="return a list",
                id="bad-step",
            )
        return Step(target, name or name_of(target, "step name", where), chosen)

    return decorate if function is None else decorate(function)
