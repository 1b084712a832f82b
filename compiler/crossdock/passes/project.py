"""Find the project of a file, and load what the user named as SOURCE."""

from __future__ import annotations

import importlib.util
import sys
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from crossdock.dsl.errors import BadInput, did_you_mean
from crossdock_runtime.loading import Project, import_module

MARKERS = (".crossdock", "pyproject.toml", ".git")
SOURCE_FOLDER = "src"
_SHOWN = 8
_FORMS = "write path/file.py:name or package.module:name"


@dataclass(frozen=True)
class LoadedSource:
    """What SOURCE named.

    Attributes:
        file: the file of the module.
        module_name: the name it was imported by, which is the same in a container.
        module: the module.
        project: its project.
        name: the object that SOURCE named in it, if it did.
    """

    file: Path
    module_name: str
    module: ModuleType
    project: Project
    name: str | None = None


def find_root(folder: Path) -> Path:
    """The nearest folder upward with one of `MARKERS`, else the folder itself."""
    for candidate in (folder, *folder.parents):
        if any((candidate / marker).exists() for marker in MARKERS):
            return candidate
    return folder


def find_project(file: Path) -> Project:
    """The project of a file.

    Modules are named from the root, or from `src` in it for a file below that. The file's own folder is on
    the path too, so that `import helpers` finds a neighbour as with `python file.py`.

    Args:
        file: a file of the user; it need not exist.
    """
    file = file.absolute().resolve()
    root = find_root(file.parent)
    own = file.parent.relative_to(root)
    source = (SOURCE_FOLDER,) if own.parts[:1] == (SOURCE_FOLDER,) else ()
    return Project(root, tuple(dict.fromkeys((*source, ".", own.as_posix()))))


def module_name_of(file: Path, project: Project) -> str:
    """The name that a file of a project is imported by.

    Raises:
        BadInput: no import can find the file by its name.
    """
    file = file.absolute().resolve()
    below = SOURCE_FOLDER if SOURCE_FOLDER in project.python_path else "."
    base = (project.root / below).resolve()
    base = base if file.is_relative_to(base) else project.root.resolve()
    parts = file.relative_to(base).with_suffix("").parts
    if parts[-1] == "__init__" and len(parts) > 1:
        parts = parts[:-1]
    if "." in parts[-1]:
        raise BadInput(
            f"{file.name!r} has a dot in its name, so no import finds it",
            where=str(file),
            hint=f"rename it to {file.stem.replace('.', '_')}.py",
            id="module-clash",
        )
    return parts[-1] if any("." in part for part in parts) else ".".join(parts)


def load_source(source: str) -> LoadedSource:
    """Import the module that SOURCE names.

    Args:
        source: `path/file.py`, `path/file.py:name`, `package.module` or `package.module:name`.

    Raises:
        BadInput: there is no such file or module, another module has its name, or importing it failed.
    """
    target, name = _split(source)
    if target.endswith(".py") or "/" in target or "\\" in target or target in (".", "..") or Path(target).is_file():
        return _load_file(target, name)
    here = find_project(Path.cwd() / "__main__.py")
    folders = (SOURCE_FOLDER,) if (here.root / SOURCE_FOLDER).is_dir() else ()
    project = Project(here.root, tuple(dict.fromkeys((*folders, *here.python_path))))
    if not all(part for part in target.split(".")):
        raise BadInput(f"{source!r} is no file and no module", hint=_FORMS, id="unknown-source")
    module = import_module(target, project)
    file = getattr(module, "__file__", None)
    if file is None:
        raise BadInput(
            f"{target!r} is a folder without code", hint=f"name a module in it: {target}.module", id="unknown-source"
        )
    return LoadedSource(Path(file), target, module, project, name)


def _split(source: str) -> tuple[str, str | None]:
    target, colon, name = source.rpartition(":")
    if not colon or source.endswith(".py") or "/" in name or "\\" in name:
        return source, None
    if not name.isidentifier() or not target:
        raise BadInput(f"{name!r} in {source!r} is not a name", hint=_FORMS, id="unknown-source")
    return target, name


def _load_file(target: str, name: str | None) -> LoadedSource:
    file = Path(target).expanduser().absolute()
    if file.is_dir():
        raise BadInput(
            f"{target!r} is a folder", hint=f"name a file in it: {target.rstrip('/')}/pipeline.py", id="unknown-source"
        )
    if not file.is_file():
        there = sorted(entry.name for entry in file.parent.glob("*.py"))
        raise BadInput(
            f"there is no file {target!r}",
            hint=did_you_mean(file.name, there[:_SHOWN]) if there else _FORMS,
            id="unknown-source",
        )
    if file.suffix != ".py":
        raise BadInput(f"{target!r} is not a Python file", hint="write path/file.py:name", id="unknown-source")
    file = file.resolve()
    project = find_project(file)
    module_name = module_name_of(file, project)
    project.activate()
    _refuse_clash(module_name, file, project)
    return LoadedSource(file, module_name, import_module(module_name, project), project, name)


def _refuse_clash(module_name: str, file: Path, project: Project) -> None:
    """Make sure that importing the name runs this file, before anything else is run under its name."""
    top, dot, _ = module_name.partition(".")
    found = _find(top if dot else module_name, package=bool(dot))
    if not any(Path(place).resolve() in (file, *file.parents) for place in found) and found:
        what = f"the package {top!r}" if dot else f"the module {module_name!r}"
        raise _clash(what, found[0], file, project)
    found = _find(module_name)
    if found and Path(found[0]).resolve() != file:
        raise _clash(f"the module {module_name!r}", found[0], file, project)


def _clash(what: str, found: str, file: Path, project: Project) -> BadInput:
    return BadInput(
        f"{what} is {found}, not this file, so a container would import the wrong one",
        where=str(file),
        hint=f"rename the file or its folder below {project.root}",
        id="module-clash",
    )


def _find(name: str, *, package: bool = False) -> list[str]:
    """The file that a name is imported from, or the folders of a package; nothing when there is none."""
    loaded = sys.modules.get(name)
    try:
        spec = getattr(loaded, "__spec__", None) or importlib.util.find_spec(name)
    except Exception:
        # A package of the user that fails when imported: the import of the module itself will say where.
        return []
    if spec is None:
        return []
    if package and spec.submodule_search_locations is not None:
        return list(spec.submodule_search_locations)
    return [spec.origin.replace("built-in", "built in")] if spec.origin else []
