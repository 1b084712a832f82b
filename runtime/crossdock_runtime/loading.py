"""Import the user's code by name, the same way at compile time and in a container."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from types import ModuleType

from crossdock.dsl.errors import BadInput, CrossdockError
from crossdock.dsl.frozen import frozen

_OURS = ("crossdock", "crossdock_adapters", "crossdock_runtime")
_LIBRARIES = ("site-packages", "dist-packages")
_SHOWN = 8


@frozen
class Project:
    """A folder with the user's code.

    Attributes:
        root: the folder that modules are named from.
        python_path: folders relative to the root, with "/", that are put on `sys.path` in this order.
    """

    root: Path
    python_path: tuple[str, ...] = (".",)

    @property
    def folders(self) -> tuple[Path, ...]:
        """The folders of `python_path`."""
        return tuple(self.root / folder for folder in self.python_path)

    def activate(self) -> None:
        """Put the project's folders at the front of `sys.path`, once.

        Modules of a project that was active before in this process, or that changed on disk since they were
        imported, are forgotten, so that they are imported anew.
        """
        folders = [str(folder) for folder in self.folders]
        if _state.root != self.root:
            sys.path[:] = [entry for entry in sys.path if entry not in _state.entries]
            _state.entries.clear()
            _state.forget()
            _state.root = self.root
        elif any(_stamp(file) != stamp for file, stamp in _state.modules.values()):
            _state.forget()
        missing = [folder for folder in folders if folder not in sys.path]
        _state.entries.update(missing)
        sys.path[:0] = missing
        importlib.invalidate_caches()

    def owns(self, file: str | Path) -> bool:
        """Whether a file is the user's own: below the root, and not in an environment with libraries."""
        try:
            parts = Path(file).resolve().relative_to(self.root.resolve()).parts
        except ValueError:
            return False
        return not any(part in _LIBRARIES for part in parts)


class _State:
    """What activation changed in this process."""

    def __init__(self) -> None:
        self.root: Path | None = None
        self.entries: set[str] = set()
        self.modules: dict[str, tuple[str, tuple[int, int]]] = {}

    def forget(self) -> None:
        for name, (file, _) in self.modules.items():
            if getattr(sys.modules.get(name), "__file__", None) == file:
                del sys.modules[name]
        self.modules.clear()

    def remember(self, before: set[str], project: Project) -> None:
        for name in set(sys.modules) - before:
            file = getattr(sys.modules[name], "__file__", None)
            if isinstance(file, str) and name.partition(".")[0] not in _OURS and project.owns(file):
                self.modules[name] = (file, _stamp(file))


_state = _State()


def _stamp(file: str) -> tuple[int, int]:
    try:
        status = Path(file).stat()
    except OSError:
        return (0, 0)
    return (status.st_mtime_ns, status.st_size)


def import_module(name: str, project: Project | None = None) -> ModuleType:
    """Import a module of the user.

    Args:
        name: the dotted name.
        project: the project to put on `sys.path` first.

    Raises:
        BadInput: the module is not there, a library that it imports is missing, or its code raised; `where`
            is the line of the user's code.
    """
    if project is not None:
        project.activate()
    before = set(sys.modules)
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        missing = error.name or ""
        if name == missing or name.startswith(f"{missing}."):
            raise _not_found(name, missing, project) from error
        raise _library_missing(name, missing, error, project) from error
    except SyntaxError as error:
        where = f"{_shown(error.filename)}:{error.lineno}" if error.filename else None
        hint = f"look at: {error.text.strip()}" if error.text else None
        raise BadInput(f"{type(error).__name__}: {error.msg}", where=where, hint=hint, id="import-failed") from error
    except CrossdockError:
        raise
    except (Exception, SystemExit) as error:
        what = f"{type(error).__name__}: {error}".rstrip(": ")
        hint = "add --debug to see the whole traceback"
        raise BadInput(
            f"importing {name!r} failed: {what}", where=_users_line(error, project), hint=hint, id="import-failed"
        ) from error
    finally:
        if project is not None:
            _state.remember(before, project)


def load_object(path: str, project: Project | None = None) -> object:
    """Import an object by `module:qualified.name`.

    Args:
        path: for example `flights.steps:load`.
        project: the project to put on `sys.path` first.

    Raises:
        BadInput: the module or the name in it is not there, or importing it failed.
    """
    module_name, colon, qualified = path.partition(":")
    if not (module_name and colon and qualified):
        raise BadInput(f"{path!r} is not the name of an object", hint="write package.module:name", id="not-importable")
    module = import_module(module_name, project)
    found: object = module
    for done, part in enumerate(parts := qualified.split(".")):
        if part == "<locals>":
            message = f"{path!r} is defined inside a function, so it cannot be imported"
            raise BadInput(message, hint="move it to the top level of a module", id="not-importable")
        try:
            found = getattr(found, part)
        except AttributeError as error:
            holder = ".".join([module_name, *parts[:done]])
            names = sorted(name for name in getattr(found, "__dict__", ()) if not name.startswith("_"))
            there = f"it has {', '.join(names[:_SHOWN])}" if names else "it is empty"
            where = getattr(module, "__file__", None)
            raise BadInput(f"{holder!r} has no {part!r}; {there}", where=where, id="not-importable") from error
    return found


def _not_found(name: str, missing: str, project: Project | None) -> BadInput:
    message = f"there is no module {name!r}"
    if missing != name:
        message += f", because there is no {missing!r}"
    if project is None:
        return BadInput(message, hint="check the name, and the folder that you are in", id="unknown-source")
    parent = missing.rpartition(".")[0]
    folders = [folder.joinpath(*parent.split(".")) if parent else folder for folder in project.folders]
    there = sorted({found for folder in folders for found in _modules_in(folder)})
    looked = ", ".join(dict.fromkeys(str(folder) for folder in folders))
    listed = ", ".join(there[:_SHOWN]) + (", …" if len(there) > _SHOWN else "")
    return BadInput(
        f"{message}; looked in {looked}", hint=f"modules there: {listed}" if there else None, id="unknown-source"
    )


def _modules_in(folder: Path) -> list[str]:
    if not folder.is_dir():
        return []
    files = [entry.stem for entry in folder.glob("*.py") if entry.stem != "__init__"]
    return files + [entry.parent.name for entry in folder.glob("*/__init__.py")]


def _library_missing(name: str, missing: str, error: ImportError, project: Project | None) -> BadInput:
    top = missing.partition(".")[0]
    return BadInput(
        f"{name!r} imports {missing!r}, which is not installed here",
        where=_users_line(error, project),
        hint=f"install the distribution that has {top!r}, and name it in the step's requirements",
        id="missing-library",
    )


def _users_line(error: BaseException, project: Project | None) -> str | None:
    """The innermost line of the user's own code in a traceback."""
    import traceback

    frames = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if frame.filename != __file__ and not frame.filename.startswith("<frozen ")
    ]
    own = [frame for frame in frames if project is not None and project.owns(frame.filename)] or frames
    return f"{_shown(own[-1].filename)}:{own[-1].lineno}" if own else None


def _shown(file: str) -> str:
    """A path as the user would type it: relative to the working folder where it is below it."""
    path = Path(file)
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else file
