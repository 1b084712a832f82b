"""The files of a container step, which go into its container and come out of it as tar archives."""

from __future__ import annotations

import contextlib
import io
import tarfile
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any

from crossdock.ir import Task, Word
from crossdock_adapters.orchestrators.docker.translate import VARIABLES
from crossdock_runtime.failure import TaskFailed
from crossdock_runtime.program_steps import input_file, read_outputs, value_text, words_of

ROOT = "/crossdock/exchange"
OUTPUTS = f"{ROOT}/outputs"


@contextlib.contextmanager
def packed(task: Task, inputs: Mapping[str, Any]) -> Iterator[tuple[IO[bytes], dict[str, str]]]:
    """The tar that goes into a container, and what the variables in the program's words stand for."""
    variables: dict[str, str] = {}
    with tempfile.TemporaryFile() as file:
        with tarfile.open(fileobj=file, mode="w") as archive:
            for folder in (ROOT, f"{ROOT}/inputs", OUTPUTS):
                about = tarfile.TarInfo(folder.lstrip("/"))
                about.type, about.mode = tarfile.DIRTYPE, 0o777  # the image's own user writes there
                archive.addfile(about)
            for word in words_of(task):
                if isinstance(word, Word):
                    name = f"{VARIABLES[word.kind]}{word.name}"
                    if name not in variables:
                        variables[name] = _value(archive, word, inputs)
        file.seek(0)
        yield file, variables


def _value(archive: tarfile.TarFile, word: Word, inputs: Mapping[str, Any]) -> str:
    if word.kind == "output_path":
        return f"{OUTPUTS}/{word.name}"
    if word.kind == "input_value":
        return value_text(inputs[word.name])
    place = f"{ROOT}/inputs/{word.name}"
    found = input_file(inputs[word.name])
    if isinstance(found, bytes):
        about = tarfile.TarInfo(place.lstrip("/"))
        about.size, about.mode = len(found), 0o644
        archive.addfile(about, io.BytesIO(found))
    else:
        archive.add(found, place.lstrip("/"), filter=_readable)
    return place


def _readable(about: tarfile.TarInfo) -> tarfile.TarInfo:
    """Everybody in the container may read it: its user is the image's own."""
    about.uid = about.gid = 0
    about.uname = about.gname = ""
    about.mode = 0o755 if about.isdir() else 0o644
    return about


def unpack(archive: IO[bytes], folder: Path) -> None:
    """Write a tar of the outputs into a folder.

    Raises:
        TaskFailed: it holds what no artifact can be.
    """
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with tarfile.open(fileobj=archive, mode="r|") as found:
            found.extractall(folder, filter="data")
    except tarfile.TarError as error:
        raise TaskFailed("wrong output", f"the outputs cannot be read: {error}") from None


def outputs(task: Task, folder: Path) -> dict[str, Any]:
    """What the program wrote, by output.

    Raises:
        TaskFailed: an output is not there, or not of its type.
    """
    return read_outputs(task, {name: folder / "outputs" / name for name in task.outputs})
