"""A container step's program: the words of its command, the files that it reads and writes, and a run of it here."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeAlias

from crossdock_runtime import values
from crossdock_runtime.contract import Program, Task, Word
from crossdock_runtime.failure import TaskFailed

RunProgram: TypeAlias = Callable[
    [Task, Mapping[str, Any], Path, Mapping[str, str], Callable[[str], None]], dict[str, Any]
]
"""Task, inputs, an empty folder, environment, and who is given each line: the outputs by name. See `run_program`."""


def words_of(task: Task) -> tuple[str | Word, ...]:
    """The words of a program, placeholders among them."""
    assert isinstance(task.code, Program)
    return (*task.code.command, *task.code.args)


def input_file(value: Any) -> Path | bytes:
    """What a program reads where it asks for the path of an input: a file or folder that is there, or contents."""
    if isinstance(value, (Path, bytes)):
        return value
    return value_text(value).encode()


def run_program(
    task: Task, inputs: Mapping[str, Any], folder: Path, env: Mapping[str, str], emit: Callable[[str], None]
) -> dict[str, Any]:
    """Run a container step's program on this machine.

    Args:
        task: a task whose code is a `Program`.
        inputs: Python values; a `Path` is passed by its place, others are written to files where a path is asked for.
        folder: an empty folder for its files.
        env: added to the environment.
        emit: is given each line that it prints.

    Raises:
        TaskFailed: the program is not there, failed, or did not write an output.
    """
    import subprocess

    from crossdock_runtime.programs import end_group, uninterrupted

    places = {name: folder / "outputs" / name for name in task.outputs}
    (folder / "inputs").mkdir(parents=True)
    (folder / "outputs").mkdir()

    def text_of(word: str | Word) -> str:
        if isinstance(word, str):
            return word
        if word.kind == "output_path":
            return str(places[word.name])
        value = inputs[word.name]
        if word.kind == "input_value":
            return value_text(value)
        found = input_file(value)
        if isinstance(found, Path):
            return str(found)
        place = folder / "inputs" / word.name
        place.write_bytes(found)
        return str(place)

    words = [text_of(word) for word in words_of(task)]
    process: subprocess.Popen[str] | None = None
    try:
        with uninterrupted():  # an interrupt meanwhile would leave a program that nobody knows
            process = subprocess.Popen(
                words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, text=True,
                errors="replace", env={**os.environ, **env}, start_new_session=True,
            )  # fmt: skip
        assert process.stdout is not None
        for line in process.stdout:
            emit(line)
        process.wait()
    except (FileNotFoundError, PermissionError) as error:
        raise TaskFailed(
            "program failed",
            f"{words[0]!r} cannot be started on this machine: {error.strerror}",
            "install the program, or run on a target that uses the step's image",
        ) from None
    finally:
        if process is not None:
            end_group(process)
    if process.returncode:
        raise TaskFailed("program failed", f"{words[0]!r} ended with exit code {process.returncode}")
    return read_outputs(task, places)


def read_outputs(task: Task, places: Mapping[str, Path]) -> dict[str, Any]:
    """What a program wrote, by output.

    Raises:
        TaskFailed: an output is not there, or not of its type.
    """
    return {name: _read_output(task, name, place) for name, place in places.items()}


def value_text(value: Any) -> str:
    """The text of a value for a program: strings as they are, everything else as JSON."""
    return value if isinstance(value, str) else values.canonical_bytes(value).decode()


def _read_output(task: Task, name: str, place: Path) -> Any:
    if not place.exists():
        raise TaskFailed("wrong output", f"the program of task {task.id!r} never wrote its output {name!r}")
    declared = task.outputs[name]
    if declared.type == "bytes":
        return place.read_bytes()
    if declared.artifact:
        return place
    text = place.read_text(encoding="utf-8")
    if declared.type == "str":
        return text
    try:
        value = values.decode(values.loads(text.strip().encode()))
    except ValueError:
        raise TaskFailed(
            "wrong output", f"the program wrote {text[:60]!r} as {name!r}, declared {declared.type}"
        ) from None
    if declared.type == "float" and isinstance(value, int):
        value = float(value)
    if type(value).__name__ != declared.type.partition("[")[0]:
        raise TaskFailed("wrong output", f"the program wrote {text[:60]!r} as {name!r}, declared {declared.type}")
    return value
