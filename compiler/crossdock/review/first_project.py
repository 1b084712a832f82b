"""A first project: a stack, its components and a pipeline that runs at once; written whole or not at all."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from crossdock import registry
from crossdock.dsl.errors import BadInput
from crossdock.dsl.frozen import frozen
from crossdock.stacks.definitions import DEFAULT, check_name
from crossdock.stacks.files import FOLDER
from crossdock.stacks.workspace import Workspace

LOCAL = "local"
PIPELINE = "pipeline.py"
SOURCE = '''\
"""A first pipeline: two models are trained, the better one is kept, and published if it is good enough."""

from dataclasses import dataclass

from crossdock import map, pipeline, step, when


@dataclass
class Model:
    kind: str
    slope: float
    error: float


@step
def load(rows: int) -> list[tuple[float, float]]:
    return [(float(x), 3.0 * x + x % 2) for x in range(rows)]


@step
def train(kind: str, data: list[tuple[float, float]]) -> Model:
    slope = 0.0
    if kind == "line":
        slope = sum(x * y for x, y in data) / sum(x * x for x, _ in data)
    error = sum(abs(y - slope * x) for x, y in data) / len(data)
    print(f"{kind}: mean error {error:.3f}")
    return Model(kind, slope, error)


@step
def best(models: list[Model]) -> Model:
    return min(models, key=lambda model: model.error)


@step
def publish(model: Model) -> str:
    return f"published the {model.kind}"


@pipeline
def first(rows: int = 100, good_enough: float = 1.0) -> Model:
    data = load(rows)
    models = map(lambda kind: train(kind, data), ["zero", "line"])
    winner = best(models)
    with when(winner.error < good_enough):
        publish(winner)
    return winner
'''


@frozen
class FirstProject:
    """What was written.

    Attributes:
        files: relative to the folder.
        stack: the stack, which is now the active one.
        target: the flavor that pipelines are to be sent to.
        runs_there: whether the stack runs on the target; else it runs on this machine.
        registered: whether an orchestrator of the target was defined.
    """

    folder: Path
    files: tuple[str, ...]
    stack: str
    target: str
    runs_there: bool
    registered: bool


def write_first_project(folder: Path, *, name: str, target: str = LOCAL, store: str | None = None) -> FirstProject:
    """Write `.crossdock` and `pipeline.py` in a folder.

    The stack runs on this machine. A target that needs more than that, such as a cluster and a store that it can
    reach, gets its orchestrator defined, to compile for and to build a second stack of.

    Args:
        folder: made if it is not there.
        name: of the stack.
        target: an orchestrator's flavor.
        store: folder of the artifact store; None is the user's data folder.

    Raises:
        BadInput: a file is there already, or a name, flavor or folder cannot be used; nothing is written then.
    """
    check_name(name, "a stack")
    if name == DEFAULT:
        raise BadInput(f"the stack {DEFAULT!r} is built in", hint="choose another name, such as dev", id="built-in")
    if target not in registry.flavors("orchestrator"):
        registry.flavor("orchestrator", target)
    place = _place(store)
    made = _make(folder)
    try:
        refuse_to_overwrite(folder)
        with _staged(folder) as stage:
            found = _define(Workspace(stage), name, target, place)
            (stage / PIPELINE).write_text(SOURCE, encoding="utf-8", newline="\n")
            files = tuple(sorted(_listed(stage)))
            _publish(stage, folder)
    except BaseException:
        if made is not None:
            shutil.rmtree(made, ignore_errors=True)
        raise
    return FirstProject(folder, files, name, target, *found)


def _place(store: str | None) -> str | None:
    """Where the store is to be, for a file that is read from any working folder."""
    if store is None or store.startswith("~"):
        return store
    if "://" in store:
        raise BadInput(
            f"{store} is not on this machine, where a first stack runs",
            hint="leave --store out, then: crossdock artifact-store register NAME --flavor …",
            id="members-do-not-fit",
        )
    path = Path(os.path.abspath(store))  # noqa: PTH100 - keep symlinks as they are
    with contextlib.suppress(ValueError, RuntimeError):
        return f"~/{path.relative_to(Path.home()).as_posix()}"
    return str(path)


def _define(workspace: Workspace, name: str, target: str, store: str | None) -> tuple[bool, bool]:
    """Define the stack; returns whether it runs on the target, and whether the target's orchestrator is defined."""
    orchestrator = registry.flavor("orchestrator", target)
    needs_more = any(field.is_required() for field in orchestrator.Config.model_fields.values())
    runs_there = not needs_more and _can_run(orchestrator) and "file" in orchestrator.store_schemes
    workspace.create_component("orchestrator", name, target if runs_there else LOCAL)
    workspace.create_component("artifact_store", name, LOCAL, {"path": store} if store is not None else {})
    workspace.create_stack(name, {"orchestrator": name, "artifact_store": name})
    workspace.activate(name)
    if not runs_there and not needs_more and target not in workspace.files.component_names("orchestrator"):
        workspace.create_component("orchestrator", target, target)
    return runs_there, not needs_more


def _can_run(orchestrator: type[object]) -> bool:
    from crossdock.stacks import CanRun

    return issubclass(orchestrator, CanRun)


def _make(folder: Path) -> Path | None:
    """Make the folder; returns the topmost that was not there before."""
    missing = [one for one in (folder, *folder.parents) if not one.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BadInput(f"the folder {str(folder)!r} cannot be made: {error.strerror}", id="not-writable") from None
    return missing[-1] if missing else None


def refuse_to_overwrite(folder: Path) -> None:
    """Nothing that is there is written over.

    Raises:
        BadInput: there is something; names it.
    """
    there = [name for name in (FOLDER, PIPELINE) if os.path.lexists(folder / name)]
    if there:
        raise BadInput(
            f"there is {' and '.join(there)} already in {str(folder)!r}: nothing is written",
            hint="crossdock init ANOTHER_FOLDER, or crossdock stack register …",
            id="name-taken",
        )


@contextlib.contextmanager
def _staged(folder: Path) -> Iterator[Path]:
    """A folder beside the place where its contents go, so that they are moved there and not copied."""
    try:
        stage = Path(tempfile.mkdtemp(prefix=f"{FOLDER}-init.", dir=folder))
    except OSError as error:
        raise BadInput(f"{str(folder)!r} cannot be written to: {error.strerror}", id="not-writable") from None
    try:
        (stage / FOLDER).mkdir()
        yield stage
    finally:
        shutil.rmtree(stage, ignore_errors=True)


def _publish(stage: Path, folder: Path) -> None:
    """Move both into place. The pipeline is linked: of two that do this at once, one is told that it is there."""
    try:
        _link(stage / PIPELINE, folder / PIPELINE)
        try:
            (stage / FOLDER).rename(folder / FOLDER)
        except OSError:
            (folder / PIPELINE).unlink()
            raise
    except OSError as error:
        refuse_to_overwrite(folder)
        raise BadInput(f"{str(folder)!r} cannot be written to: {error.strerror}", id="not-writable") from None


def _link(source: Path, place: Path) -> None:
    try:
        os.link(source, place)
    except FileExistsError:
        raise
    except OSError:  # a file system without links
        with place.open("x", encoding="utf-8", newline="\n") as file:
            file.write(SOURCE)


def _listed(stage: Path) -> list[str]:
    return [
        path.relative_to(stage).as_posix()
        for path in stage.rglob("*")
        if path.is_file() and path.name != "lock" and path.relative_to(stage).parts[:2] != (FOLDER, "local")
    ]
