"""`container_step`: any program in an image, as a task."""

from __future__ import annotations

import typing
from collections.abc import Mapping, Sequence
from typing import Any, Generic, TypeVar, Unpack, cast, overload

from crossdock.dsl import recording, types
from crossdock.dsl.errors import TraceError, caller, did_you_mean
from crossdock.dsl.frozen import frozen
from crossdock.dsl.settings import ContainerOptions, Options, Settings
from crossdock.dsl.step import InputSpec, OutputSpec, check_name, output_spec, settings_of

O = TypeVar("O")  # noqa: E741 - the outputs


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


class ContainerStep(Generic[O]):
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

    def with_options(self, *, name: str | None = None, **settings: Unpack[Options]) -> ContainerStep[O]:
        """This step with other settings, for one call; see `Step.with_options`."""
        where = caller()
        over = settings_of(settings, where).over(self.settings)
        if name is not None:
            check_name(name, "task name", where)
        return ContainerStep(
            self.name, self.command, self.args, self.inputs, self.outputs, over, name or self.task_name
        )

    def __call__(self, *args: Any, **kwargs: Any) -> O:
        recorder = recording.active.get()
        where = caller()
        if recorder is None:
            raise TraceError(
                f"container step {self.name!r} is a program, which runs only as part of a pipeline",
                where=where,
                hint="call it in a @pipeline function",
                id="bad-call",
            )
        if args:
            raise TraceError(
                f"container step {self.name!r} takes its inputs by name",
                where=where,
                hint=f"{self.name}({', '.join(f'{key}=…' for key in self.inputs)})",
                id="bad-call",
            )
        return cast(O, recorder.call(self, (), kwargs, where))

    def __repr__(self) -> str:
        return f"<ContainerStep {self.name}>"


Words = Sequence[str | InputPath | InputValue | OutputPath]


@overload
def container_step(
    *,
    name: str,
    image: str,
    command: Words,
    args: Words = ...,
    inputs: Mapping[str, Any] | None = ...,
    outputs: type[O],
    **settings: Unpack[ContainerOptions],
) -> ContainerStep[O]: ...
@overload
def container_step(
    *,
    name: str,
    image: str,
    command: Words,
    args: Words = ...,
    inputs: Mapping[str, Any] | None = ...,
    outputs: Mapping[str, Any] | None = ...,
    **settings: Unpack[ContainerOptions],
) -> ContainerStep[Any]: ...
def container_step(
    *,
    name: str,
    image: str,
    command: Words,
    args: Words = (),
    inputs: Mapping[str, Any] | None = None,
    outputs: Any = None,
    **settings: Unpack[ContainerOptions],
) -> Any:
    """Make a step of any program in an image.

    Args:
        name: what its tasks are called.
        image: the image reference.
        command: the program, e.g. `["sort"]`; items are text, `InputPath`, `InputValue` or `OutputPath`.
        args: its arguments, likewise. No shell reads them.
        inputs: name to type; an artifact (`Path`, `bytes`) by `InputPath`, a value by either.
        outputs: name to type, or a NamedTuple class; the program writes each to its `OutputPath`. A value is read
            back as text or JSON.
        settings: any other field of `Settings`.

    Raises:
        TraceError: a placeholder names an input or output that is not declared, or an output is never written.
    """
    where = caller()
    check_name(name, "step name", where)
    if "requirements" in settings:
        raise TraceError(
            f"container step {name!r} has requirements, and no Python that they could be for",
            where=where,
            hint="choose an image that holds them",
            id="bad-container-step",
        )
    for words, what in ((command, "command"), (args, "args")):
        if isinstance(words, str) or not isinstance(words, (list, tuple)):
            raise TraceError(
                f"{what}={words!r} is not a list of words",
                where=where,
                hint=f"write {what}={str(words).split()!r}; no shell reads it",
                id="bad-container-step",
            )
    if not command:
        raise TraceError(
            f"container step {name!r} has no command",
            where=where,
            hint='write command=["sort"]',
            id="bad-container-step",
        )
    if types.is_namedtuple(outputs):
        outputs = typing.get_type_hints(outputs, include_extras=True)
    for given, what in ((inputs, "inputs"), (outputs, "outputs")):
        if given is not None and not isinstance(given, Mapping):
            raise TraceError(
                f"{what}={given!r} does not say names and types",
                where=where,
                hint=f'write {what}={{"rows": Path}}',
                id="bad-container-step",
            )
    ins = {key: InputSpec(check_name(key, "input name", where), kind) for key, kind in (inputs or {}).items()}
    outs = {
        check_name(key, "output name", where): output_spec(kind, key, where) for key, kind in (outputs or {}).items()
    }
    written = set()
    for word in (*command, *args):
        if isinstance(word, (InputPath, InputValue)):
            if word.name not in ins:
                hint = did_you_mean(word.name, ins)
                raise TraceError(
                    f"{word!r} names no input of {name!r}", where=where, hint=hint, id="bad-container-step"
                )
            if isinstance(word, InputValue) and not types.is_value(ins[word.name].type):
                raise TraceError(
                    f"{word!r} of {name!r} is an artifact, which has no text",
                    where=where,
                    hint=f"write InputPath({word.name!r})",
                    id="bad-container-step",
                )
        elif isinstance(word, OutputPath):
            if word.name not in outs:
                hint = did_you_mean(word.name, outs)
                raise TraceError(
                    f"{word!r} names no output of {name!r}", where=where, hint=hint, id="bad-container-step"
                )
            written.add(word.name)
        elif not isinstance(word, str):
            raise TraceError(
                f"{word!r} in command or args is not a text",
                where=where,
                hint=f"write {str(word)!r}",
                id="bad-container-step",
            )
    missing = [key for key in outs if key not in written]
    if missing:
        raise TraceError(
            f"container step {name!r} never produces its output {missing[0]!r}",
            where=where,
            hint=f"put OutputPath({missing[0]!r}) among its args",
            id="bad-container-step",
        )
    return ContainerStep(
        name, tuple(command), tuple(args), ins, outs, settings_of(cast(Options, {**settings, "image": image}), where)
    )
