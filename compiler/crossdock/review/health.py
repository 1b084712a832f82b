"""What would work here, and what is in the way: the facts behind `crossdock doctor`."""

from __future__ import annotations

import os
import platform
import sys
import tempfile
import uuid
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import crossdock
from crossdock.dsl.errors import BadInput, CrossdockError, Problem, StoreError
from crossdock.dsl.frozen import frozen
from crossdock.review.installed import Flavor, installed_flavors
from crossdock.stacks.active import Active
from crossdock.stacks.workspace import Workspace

if TYPE_CHECKING:
    from crossdock.stacks import Stack
    from crossdock_runtime.store import Store

Can = Literal["run", "compile", "nothing"]


@frozen
class StackHealth:
    """What a stack can do here.

    Attributes:
        can: `run`, `compile` only, or `nothing`.
        problems: why not more.
    """

    name: str
    can: Can
    problems: tuple[Problem, ...] = ()


@frozen
class StoreHealth:
    """The artifact store of the active stack.

    Attributes:
        url: where it is.
        state: `writable`; `new` when the first run makes it; `not asked` when that would need the network; `broken`.
    """

    url: str
    state: Literal["writable", "new", "not asked", "broken"]
    problem: Problem | None = None


@frozen
class Health:
    """Everything that `crossdock doctor` tells."""

    crossdock: str
    python: str
    executable: str
    system: str
    flavors: tuple[Flavor, ...]
    stacks: tuple[StackHealth, ...]
    active: Active
    store: StoreHealth | None
    environment: tuple[Problem, ...]

    @property
    def works(self) -> bool:
        """Whether the active stack can run pipelines here."""
        can = next((stack.can for stack in self.stacks if stack.name == self.active.name), "nothing")
        return can == "run" and self.store is not None and self.store.state != "broken"


def examine(workspace: Workspace, given: str | None = None, *, network: bool = False) -> Health:
    """Look at this machine; nothing is changed, and nothing is raised for what is found.

    Args:
        workspace: the stacks that hold here.
        given: the stack to look at instead of the active one.
        network: also ask stores and platforms that are not on this machine.
    """
    active = workspace.active(given)
    flavors = tuple(installed_flavors())
    names = workspace.files.stack_names()
    stacks = tuple(_stack(workspace, name, flavors, network) for name in names)
    if active.name not in names:
        stacks += (_stack(workspace, active.name, flavors, network),)
    store = _store(workspace, active.name, network)
    return Health(
        crossdock.__version__,
        platform.python_version(),
        sys.executable,
        f"{platform.system()} {platform.machine()}",
        flavors,
        stacks,
        active,
        store,
        tuple(_environment(workspace, active.name)),
    )


def _built(workspace: Workspace, name: str) -> tuple[Stack | None, tuple[Problem, ...]]:
    try:
        return workspace.build(name), ()
    except CrossdockError as error:
        found = [problem for problem in error.problems if isinstance(problem, Problem)]
        return None, tuple(found) or (_problem(error),)
    except Exception as error:  # the code of a third party, or a folder that may not be read
        return None, (Problem(f"{type(error).__name__}: {error}", id="internal-error"),)


def _problem(error: CrossdockError) -> Problem:
    return Problem(error.message, where=error.where, hint=error.hint, id=error.id)


def _stack(workspace: Workspace, name: str, flavors: tuple[Flavor, ...], network: bool) -> StackHealth:
    stack, problems = _built(workspace, name)
    if stack is None:
        return StackHealth(name, "nothing", problems)
    members = (stack.orchestrator, stack.artifact_store, *stack.components.values())
    by_name = {(flavor.type, flavor.name): flavor for flavor in flavors}
    found: list[Problem] = []
    for member in members:
        flavor = by_name[member.type, member.flavor]
        if flavor.missing:
            listed = ", ".join(library.name for library in flavor.missing)
            found.append(Problem(f"flavor {flavor.name!r} misses {listed}", hint=flavor.install, id="missing-library"))
    if by_name["orchestrator", stack.orchestrator.flavor].runs is False:
        message = f"flavor {stack.orchestrator.flavor!r} compiles pipelines, and cannot start runs yet"
        found.append(Problem(message, hint=f"crossdock compile SOURCE --stack {name} -o DIR", id="cannot-run"))
    if not found and (network or not stack.orchestrator.remote):
        try:
            stack.orchestrator.reachable()
        except CrossdockError as error:
            found.append(_problem(error))
    return StackHealth(name, "compile" if found else "run", tuple(found))


def _store(workspace: Workspace, name: str, network: bool) -> StoreHealth | None:
    stack, _ = _built(workspace, name)
    if stack is None:
        return None
    url = stack.artifact_store.url
    try:
        store = stack.artifact_store.open()
        if store.local_root is not None:
            return _folder(store.local_root, stack)
        if network:
            probe(store)
    except CrossdockError as error:
        return StoreHealth(url, "broken", _problem(error))
    except Exception as error:  # the code of a third party
        return StoreHealth(url, "broken", Problem(f"{type(error).__name__}: {error}", id="internal-error"))
    return StoreHealth(url, "writable" if network else "not asked")


def _folder(root: Path, stack: Stack) -> StoreHealth:
    """Whether files can be made in a folder, or the folder itself where there is none yet; leaves nothing behind."""
    there = root
    try:
        while not there.exists() and there != there.parent:
            there = there.parent
        with tempfile.TemporaryDirectory(prefix=".doctor-", dir=there) as folder:
            Path(folder, "file").write_bytes(b"1")
    except OSError as error:
        what = f"{there} is not a folder" if isinstance(error, NotADirectoryError) else f"{there} cannot be written to"
        own = getattr(stack.artifact_store.config, "path", None) is not None
        change = f"crossdock artifact-store update {stack.artifact_store.name} --path=" if own else "CROSSDOCK_STORE="
        problem = Problem(
            f"{what}: {error.strerror}", hint=f"name a folder that can be written to: {change}…", id="not-writable"
        )
        return StoreHealth(str(root), "broken", problem)
    return StoreHealth(str(root), "writable" if there == root else "new")


def probe(store: Store) -> None:
    """Write an object, read it, and delete it.

    Raises:
        StoreError: one of them failed.
    """
    key, body = f".doctor/{uuid.uuid4().hex}", b"written by crossdock doctor"
    store.create(key, body)
    try:
        if store.read(key) != body:
            raise StoreError(f"{store.url} gives back other bytes than were written")
    finally:
        store.delete([key])


def _environment(workspace: Workspace, active: str) -> list[Problem]:
    found: list[Problem] = []
    if not any(name == "local" for name in _own_flavors()):
        found.append(
            Problem(
                "crossdock is importable, but not installed: its flavors are not found",
                hint="pip install crossdock",
                id="not-installed",
            )
        )
    else:
        listed = _version("crossdock")
        if listed != crossdock.__version__:
            found.append(
                Problem(
                    f"the code is crossdock {crossdock.__version__}, what is installed says {listed}",
                    hint="install it again",
                    id="two-versions",
                )
            )
    if os.environ.get("PYTHONDONTWRITEBYTECODE"):
        found.append(
            Problem(
                "PYTHONDONTWRITEBYTECODE is set: each command compiles its modules again",
                hint="unset PYTHONDONTWRITEBYTECODE",
                id="no-bytecode",
            )
        )
    found += _store_variable(workspace, active)
    config = os.environ.get("CROSSDOCK_CONFIG")
    if config and not Path(config).expanduser().is_dir():
        found.append(Problem(f"CROSSDOCK_CONFIG names {config!r}, which is no folder yet", id="no-such-folder"))
    return found


def _store_variable(workspace: Workspace, active: str) -> list[Problem]:
    given = os.environ.get("CROSSDOCK_STORE")
    if not given:
        return []
    stack, _ = _built(workspace, active)
    if stack is not None and getattr(stack.artifact_store.config, "path", None) is not None:
        message = (
            f"CROSSDOCK_STORE is set, but the artifact store {stack.artifact_store.name!r} says where it is itself"
        )
        return [Problem(message, hint="unset CROSSDOCK_STORE", id="store-not-used")]
    place = Path(given).expanduser()
    found = []
    if not place.is_absolute():
        found.append(
            Problem(
                f"CROSSDOCK_STORE is {given!r}: every working folder has another store",
                hint="set it to a whole path",
                id="relative-store",
            )
        )
    if not place.exists():
        found.append(
            Problem(
                f"CROSSDOCK_STORE names {given!r}, which is not there: the first run makes it, and lists know no run",
                hint="correct the name if there were runs already",
                id="no-store-yet",
            )
        )
    return found


def _own_flavors() -> tuple[str, ...]:
    from crossdock import registry

    try:
        return registry.flavors("orchestrator")
    except BadInput:
        return ()


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
