"""`@pipeline`, and the words that steer it: `after`, `when`, `is_in`, `map`, `one_of`, `on_exit`, `Artifact`."""

from __future__ import annotations

import functools
import inspect
import re
import typing
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from typing import Any, Generic, Literal, NoReturn, ParamSpec, TypeVar, cast, overload

from crossdock.dsl import recording
from crossdock.dsl.errors import TraceError, caller, did_you_mean
from crossdock.dsl.frozen import frozen
from crossdock.dsl.refs import Condition, Ref
from crossdock.dsl.settings import Settings, no_settings
from crossdock.dsl.step import check_name, location, name_of

P = ParamSpec("P")
R = TypeVar("R")
T = TypeVar("T")
I = TypeVar("I")  # noqa: E741 - an item of a map

OnFailure = Literal["stop", "continue"]


class Pipeline(Generic[P, R]):
    """A function that calls steps; tracing it makes the plan.

    Attributes:
        function: the plain function.
        name: the pipeline's name.
        settings: defaults for all its tasks.
        on_failure: `stop` starts no further task after a failure, `continue` runs all that do not depend on it.
    """

    __name__: str

    def __init__(self, function: Callable[P, R], name: str, settings: Settings, on_failure: OnFailure) -> None:
        self.function = function
        self.name = name
        self.settings = settings
        self.on_failure = on_failure
        functools.update_wrapper(self, function)

    @functools.cached_property
    def hints(self) -> dict[str, Any]:
        """The annotations, resolved."""
        try:
            return typing.get_type_hints(self.function, include_extras=True)
        except (NameError, TypeError) as error:
            raise TraceError(
                f"an annotation of pipeline {self.name!r} cannot be resolved: {error}",
                where=location(self.function),
                id="bad-annotation",
            ) from None

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        recorder = recording.active.get()
        if recorder is None:
            raise TraceError(
                f"pipeline {self.name!r} is not called but run",
                where=caller(),
                hint=f"type `crossdock run FILE.py:{self.__name__}`, or write Client().run({self.__name__})",
                id="bad-call",
            )
        return recorder.call_pipeline(self, args, kwargs, caller())  # type: ignore[no-any-return]

    def __repr__(self) -> str:
        return f"<Pipeline {self.name}>"


@overload
def pipeline(function: Callable[P, R], /) -> Pipeline[P, R]: ...
@overload
def pipeline(
    *, name: str | None = None, settings: Settings | None = None, on_failure: OnFailure = "stop"
) -> Callable[[Callable[P, R]], Pipeline[P, R]]: ...
def pipeline(
    function: Any = None,
    /,
    *,
    name: str | None = None,
    settings: Settings | None = None,
    on_failure: OnFailure = "stop",
    **others: Any,
) -> Any:
    """Make a pipeline of a function that calls steps.

    Args:
        function: its typed parameters are the pipeline's parameters.
        name: by default the function's name, with `-` for `_`.
        settings: defaults for all tasks.
        on_failure: `stop` or `continue`.

    Raises:
        TraceError: an argument cannot be used.
    """
    where = caller()
    for key in others:
        if key in Settings.__dataclass_fields__:
            hint = f"write settings=Settings({key}=…), the default of all its steps"
        else:
            hint = did_you_mean(key, ("name", "settings", "on_failure"))
        raise TraceError(f"@pipeline takes no {key!r}", where=where, hint=hint, id="unknown-setting")
    if on_failure not in ("stop", "continue"):
        raise TraceError(
            f"on_failure={on_failure!r} is no way to go on after a failure",
            where=where,
            hint='write "stop", which starts no further task, or "continue", which runs what does not depend on it',
            id="bad-setting",
        )
    if settings is not None and not isinstance(settings, Settings):
        raise TraceError(
            f"settings={settings!r} is not a Settings",
            where=where,
            hint="write settings=Settings(retry=Retry(3), …)",
            id="bad-setting",
        )

    def decorate(target: Any) -> Any:
        if not inspect.isfunction(target):
            raise TraceError(
                f"@pipeline decorates a plain function, not {target!r}",
                where=where,
                hint="decorate a `def` that calls steps",
                id="bad-step",
            )
        chosen = check_name(name or name_of(target, "pipeline name", where).replace("_", "-"), "pipeline name", where)
        return Pipeline(target, chosen, settings or no_settings(), on_failure)

    return decorate if function is None else decorate(function)


def _recorder(word: str, where: str) -> recording.Recorder:
    recorder = recording.active.get()
    if recorder is None:
        raise TraceError(
            f"{word} stands outside of a @pipeline function",
            where=where,
            hint="move it into the pipeline",
            id="outside-a-pipeline",
        )
    return recorder


def after(result: T, *others: object) -> T:
    """Run the task that makes `result` after those that make `others`, with no data between them.

    Args:
        result: what a step returned: `rows = after(load(), prepared)`.
        others: what other steps returned.

    Returns:
        The result itself. Outside of a pipeline nothing else is done: there, all of it ran already.
    """
    recorder = recording.active.get()
    if recorder is not None:
        recorder.order(result, others, caller())
    return result


def is_in(value: object, choices: Iterable[object]) -> bool:
    """Whether a task's value or a parameter is one of `choices`, for `when(…)`; outside of a pipeline plain `in`."""
    found = list(choices)
    if isinstance(value, Ref) or any(isinstance(choice, Ref) for choice in found):
        return cast(bool, Condition("in", (value, found)))
    return value in found


class Branch(AbstractContextManager["Branch"]):
    """What `when(…)` returns: the tasks called inside the `with` run when the condition holds."""

    def __init__(self, recorder: recording.Recorder, inner: AbstractContextManager[Any]) -> None:
        self._recorder = recorder
        self._inner = inner
        self.handle: Any = None

    def __enter__(self) -> Branch:
        self.handle = self._inner.__enter__()
        return self

    def __exit__(self, *error: Any) -> bool | None:
        return self._inner.__exit__(*error)

    def __bool__(self) -> NoReturn:
        raise TraceError(
            "when(…) is no value to decide on now", where=caller(), hint="write `with when(…):`", id="bad-branch"
        )

    def otherwise(self) -> Branch:
        """The else branch: `with good.otherwise():`."""
        where = caller()
        if self.handle is None:
            raise TraceError(
                "otherwise() comes before its when(…) was entered",
                where=where,
                hint="write `with when(…) as name:`, and below it `with name.otherwise():`",
                id="bad-branch",
            )
        return Branch(self._recorder, self._recorder.otherwise(self.handle, where))


def when(condition: object) -> Branch:
    """Run the tasks called inside `with when(condition):` only if the condition holds.

    Args:
        condition: a comparison of task values, items or parameters, or a boolean value of a task.

    Raises:
        TraceError: the condition is plain Python and thus known already.
    """
    where = caller()
    recorder = _recorder("when(…)", where)
    return Branch(recorder, recorder.when(condition, where))


@overload
def map(
    body: Callable[[I], tuple[Any, ...] | dict[Any, Any]], items: Sequence[I], *, concurrency: int | None = ...
) -> Any: ...
@overload
def map(body: Callable[[I], T], items: Sequence[I], *, concurrency: int | None = ...) -> list[T]: ...
def map(body: Callable[[Any], Any], items: Any, *, concurrency: int | None = None) -> Any:
    """Do something for each item of a list, and collect the results in the order of the items.

    Args:
        body: a step, or a function that calls steps; called once, with a stand-in for the item.
        items: a literal list, or a task's list value.
        concurrency: how many items at once; None leaves it to the target.

    Returns:
        What `body` returned, each task output in it now a list over the items.

    Raises:
        TraceError: the items are no list, or the body holds no task.
    """
    where = caller()
    if concurrency is not None and (
        isinstance(concurrency, bool) or not isinstance(concurrency, int) or concurrency < 1
    ):
        raise TraceError(
            f"concurrency={concurrency!r} is not a count of items",
            where=where,
            hint="write 1 or more, or leave it out for no limit",
            id="bad-map",
        )
    return _recorder("map(…)", where).map(body, items, concurrency, where)


def one_of(*options: T) -> T:
    """The value of whichever of the options was not skipped; the first, when several ran."""
    where = caller()
    return _recorder("one_of(…)", where).one_of(options, where)  # type: ignore[no-any-return]


def on_exit(step: Any, **kwargs: Any) -> None:
    """Run a step at the end, after success and after failure.

    Args:
        step: a step; an input of type `RunStatus` learns how the run ended.
        kwargs: its other inputs: literals and pipeline parameters.
    """
    where = caller()
    _recorder("on_exit(…)", where).on_exit(step, kwargs, where)


@frozen
class RunStatus:
    """How a run ended, as its exit step learns it.

    Attributes:
        run: the run's id.
        pipeline: the pipeline's name.
        status: `succeeded` or `failed`.
        failed: ids of the tasks that failed, in the plan's order.
        causes: for each of them one line why.
    """

    run: str
    pipeline: str
    status: str
    failed: list[str]
    causes: list[str]

    @property
    def ok(self) -> bool:
        """Whether every task succeeded or was skipped."""
        return self.status == "succeeded"


@frozen
class Artifact:
    """Data that exists already: at a URI, or an output of an earlier run."""

    uri: str | None = None
    run: str | None = None
    output: str | None = None

    @staticmethod
    def from_uri(uri: str) -> Any:
        """The file or folder at a URI as an input of a step.

        Args:
            uri: `s3://…`, `gs://…`, `az://…`, `file://…`, or a path.

        Raises:
            TraceError: it is no such URI, or has a password in it.
        """
        check_uri(uri, caller())
        return Artifact(uri=uri)

    @staticmethod
    def from_run(run: str, output: str) -> Any:
        """A named output of an earlier run in the same store: `Artifact.from_run(RUN, "train.model")`.

        Raises:
            TraceError: the run or the output has no such name.
        """
        where = caller()
        if not isinstance(run, str) or not _RUN.match(run):
            raise TraceError(
                f"{run!r} is no run's id", where=where, hint="crossdock runs list shows the ids", id="bad-uri"
            )
        if not isinstance(output, str) or not _RUN_OUTPUT.match(output):
            raise TraceError(
                f"{output!r} names no output of a run: it is not task.output",
                where=where,
                hint=f'write "train.model"; `crossdock runs outputs {run}` shows the names',
                id="bad-uri",
            )
        return Artifact(run=run, output=output)


SCHEMES = ("s3", "gs", "az", "abfs", "abfss", "file")
_ONE_SLASH = re.compile(r"^([a-z][a-z0-9+.-]+):/(?!/)(.*)$")
_RUN = re.compile(r"^[A-Za-z0-9][A-Za-z0-9._-]*$")
_RUN_OUTPUT = re.compile(r"^[A-Za-z][A-Za-z0-9_-]*\.[A-Za-z][A-Za-z0-9_-]*$")


def check_uri(uri: str, where: str | None = None) -> str:
    """The URI, when data can be at it.

    Raises:
        TraceError: it is none.
    """
    write = 'write "s3://bucket/key", "gs://bucket/key", "az://container/key", "file:///folder/file" or a path'
    if not isinstance(uri, str) or not uri or any(ord(char) < 32 for char in uri):
        raise TraceError(f"{uri!r} is no URI and no path", where=where, hint=write, id="bad-uri")
    one_slash = _ONE_SLASH.match(uri)
    if one_slash:
        scheme, rest = one_slash.groups()
        hint = f'write "{scheme}://{rest}", in Python as a text: Path("…") takes a slash away'
        raise TraceError(f"{uri!r} has one slash behind {scheme}:", where=where, hint=hint, id="bad-uri")
    scheme, colon, rest = uri.partition("://")
    if not colon:
        return uri
    if scheme not in SCHEMES:
        near = did_you_mean(scheme, SCHEMES)
        hint = "download it in a step" if scheme in ("http", "https", "ftp") else near
        raise TraceError(f"{uri!r}: no data are read from {scheme}://", where=where, hint=hint, id="bad-uri")
    place, _, key = rest.partition("/")
    if ":" in place.rpartition("@")[0]:
        raise TraceError(
            f"the {scheme}:// URI holds a password, which would stand in the plan",
            where=where,
            hint="leave it out; credentials come from the environment that runs the step",
            id="secret-in-uri",
        )
    if not key or (not place and scheme != "file"):
        raise TraceError(f"{uri!r} names no file and no folder", where=where, hint=write, id="bad-uri")
    return uri


def as_list(items: Any) -> list[Any] | None:
    """A literal list of items; None when it is something else."""
    return list(items) if isinstance(items, (list, tuple, range)) else None
