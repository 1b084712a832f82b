"""`@pipeline`, and the words that steer it: `when`, `map`, `one_of`, `on_exit`, `Artifact`."""

from __future__ import annotations

import functools
import inspect
import typing
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any, Generic, Literal, ParamSpec, TypeVar, overload

from crossdock.dsl import recording
from crossdock.dsl.errors import TraceError
from crossdock.dsl.frozen import frozen
from crossdock.dsl.refs import Condition, caller
from crossdock.dsl.settings import Settings, no_settings
from crossdock.dsl.step import check_name, location

P = ParamSpec("P")
R = TypeVar("R")
T = TypeVar("T")

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
            ) from None

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        recorder = recording.active.get()
        if recorder is None:
            raise TraceError(
                f"pipeline {self.name!r} is not called but run",
                where=caller(),
                hint=f"type `crossdock run FILE.py:{self.__name__}`, or write Client().run({self.__name__})",
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
    if on_failure not in ("stop", "continue"):
        raise TraceError(f"on_failure={on_failure!r}", where=where, hint='write "stop" or "continue"')
    if settings is not None and not isinstance(settings, Settings):
        raise TraceError(f"settings={settings!r}", where=where, hint="write settings=Settings(…)")

    def decorate(target: Any) -> Any:
        if not inspect.isfunction(target):
            raise TraceError(f"@pipeline decorates a plain function, not {target!r}", where=where)
        chosen = check_name(name or target.__name__.replace("_", "-"), "pipeline name", where)
        return Pipeline(target, chosen, settings or no_settings(), on_failure)

    return decorate if function is None else decorate(function)


def _recorder(word: str, where: str) -> recording.Recorder:
    recorder = recording.active.get()
    if recorder is None:
        raise TraceError(f"{word} stands outside of a pipeline", where=where, hint="use it in a @pipeline function")
    return recorder


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

    def otherwise(self) -> Branch:
        """The else branch: `with good.otherwise():`."""
        where = caller()
        if self.handle is None:
            raise TraceError("otherwise() before its when(…) was entered", where=where, hint="with when(…) as name:")
        return Branch(self._recorder, self._recorder.otherwise(self.handle, where))


def when(condition: Condition | Any) -> Branch:
    """Run the tasks called inside `with when(condition):` only if the condition holds.

    Args:
        condition: a comparison of task values, items or parameters, or a boolean value of a task.

    Raises:
        TraceError: the condition is plain Python and thus known already.
    """
    where = caller()
    recorder = _recorder("when(…)", where)
    return Branch(recorder, recorder.when(condition, where))


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
        raise TraceError(f"concurrency={concurrency!r} is not a count", where=where, hint="write 1 or more")
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
        """The file or folder at a URI (`s3://…`, `gs://…`, `az://…`, `file://…`, a path) as an input of a step.

        Raises:
            TraceError: it is no URI.
        """
        if not isinstance(uri, str) or not uri or any(ord(char) < 32 for char in uri):
            raise TraceError(f"{uri!r} is no URI", where=caller(), hint='write Artifact.from_uri("s3://bucket/key")')
        return Artifact(uri=uri)

    @staticmethod
    def from_run(run: str, output: str) -> Any:
        """A named output of an earlier run in the same store: `Artifact.from_run(RUN, "train.model")`.

        Raises:
            TraceError: the output is not named `task.output`.
        """
        if output.count(".") != 1:
            raise TraceError(f"{output!r} is not task.output", where=caller(), hint='write "train.model"')
        return Artifact(run=run, output=output)


def as_list(items: Sequence[Any] | Any) -> list[Any] | None:
    """A literal list of items; None when it is something else."""
    return list(items) if isinstance(items, (list, tuple, range)) else None
