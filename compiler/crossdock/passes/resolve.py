"""Find what a name in the user's project stands for, from source alone. Standard library only."""

from __future__ import annotations

import builtins
import importlib.util
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from crossdock.passes.source import (
    EFFECT,
    Chain,
    References,
    SourceModule,
    Stamp,
    Target,
    read_module,
    stamp_of,
)
from crossdock_runtime.loading import Project

_OURS = ("crossdock", "crossdock_adapters", "crossdock_runtime")
_SKIPPED = ("__pycache__", "node_modules", "site-packages")
_NO_CODE = ("__doc__", "__file__", "__name__", "__package__", "__path__", "__spec__")
_READERS_OF_ALL = ("eval", "exec", "globals")


class Found(NamedTuple):
    """What a reference leads to.

    Attributes:
        kind: "name" (a global of a project module), "whole" (all of a project module), "external" (`name` is
            the path in a library), "import" (one passed on the way) or "unknown" (any module of the project).
        module: the project module.
        name: the name in it.
    """

    kind: str
    module: str
    name: str


@dataclass(frozen=True)
class _Place:
    """Where a project module is; a folder without `__init__.py` has no file."""

    file: Path | None
    folder: Path | None


class Resolver:
    """Resolves references in one project; valid as long as no file it read has changed."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self.stamps: dict[Path, Stamp] = {}
        self._places: dict[str, _Place | None] = {}
        self._modules: dict[str, SourceModule | None] = {}
        self._found: dict[tuple[str, str, Chain], frozenset[Found]] = {}
        self._extra: dict[str, Path | None] = {}
        self._imported: dict[str, list[str]] = {}

    def fresh(self) -> bool:
        """Whether every file that was read is as it was."""
        return all(stamp_of(path) == stamp for path, stamp in self.stamps.items())

    def name_of(self, file: Path) -> str | None:
        """The module name of a file of the project."""
        file = file.resolve()
        for folder in self.project.folders:
            base = folder.resolve()
            if file.is_relative_to(base):
                parts = file.relative_to(base).with_suffix("").parts
                return ".".join(parts[:-1] if parts[-1] == "__init__" and len(parts) > 1 else parts)
        return None

    def add(self, name: str, file: Path) -> SourceModule:
        """Take a file as the module of this name."""
        self._places[name] = _Place(file, file.parent if file.name == "__init__.py" else None)
        self._modules.pop(name, None)
        found = self.module(name)
        assert found is not None
        return found

    def place(self, name: str) -> _Place | None:
        """Where a module of the project is; None when it is not one."""
        if name not in self._places:
            self._places[name] = self._locate(name)
        return self._places[name]

    def module(self, name: str) -> SourceModule | None:
        """The source of a project module; None for a library, and for a folder without code."""
        if name not in self._modules:
            place = self.place(name)
            if place is None or place.file is None:
                self._modules[name] = None
            else:
                self.stamps[place.file] = stamp_of(place.file)
                self._modules[name] = read_module(name, place.file)
        return self._modules[name]

    def _locate(self, name: str) -> _Place | None:
        parts = name.split(".")
        if parts[0] in _OURS or not all(parts):
            return None
        extra = self._installed_from_here(parts[0])
        folders = [*self.project.folders, *([extra] if extra else [])]
        plain: Path | None = None
        for folder in folders:
            base = folder.joinpath(*parts)
            if (base / "__init__.py").is_file():
                return _Place((base / "__init__.py").resolve(), base)
            file = base.with_name(f"{parts[-1]}.py")
            if file.is_file():
                return _Place(file.resolve(), None)
            if plain is None and base.is_dir():
                plain = base
        return _Place(None, plain) if plain is not None else None

    def _installed_from_here(self, top: str) -> Path | None:
        """The folder of a package that is installed from the project itself, as an editable install is."""
        if top not in self._extra:
            try:
                spec = importlib.util.find_spec(top)
            except (ImportError, ValueError, AttributeError):
                spec = None
            places = [*(spec.submodule_search_locations or ()), spec.origin or ""] if spec else []
            own = [Path(place) for place in places[:1] if place and self.project.owns(place)]
            self._extra[top] = own[0].parent if own else None
        return self._extra[top]

    def submodules(self, name: str) -> list[str]:
        """The modules of a package."""
        place = self.place(name)
        if place is None or place.folder is None:
            return []
        inner = [entry.stem for entry in place.folder.glob("*.py") if entry.stem != "__init__"]
        inner += [entry.parent.name for entry in place.folder.glob("*/__init__.py")]
        return sorted(f"{name}.{one}" for one in set(inner))

    def imported_with(self, names: set[str]) -> list[str]:
        """The project modules with code that are, or may be, imported when these are, and these."""
        seen: set[str] = set()
        waiting = list(names)
        while waiting:
            name = waiting.pop()
            if name in seen:
                continue
            seen.add(name)
            if name not in self._imported:
                self._imported[name] = self._imported_by(name)
            waiting += self._imported[name]
        return sorted(name for name in seen if self.module(name) is not None)

    def _imported_by(self, name: str) -> list[str]:
        source = self.module(name)
        asked = [name]
        for target in source.imported_modules() if source else ():
            asked += (
                [target.module, f"{target.module}.{target.attribute}"]
                if target.attribute
                else [target.module]
            )
        parts = [one.split(".") for one in asked]
        wanted = {".".join(one[:length]) for one in parts for length in range(1, len(one) + 1)} - {name}
        return [one for one in wanted if self.place(one) is not None]

    def files(self) -> Iterator[Path]:
        """Every Python file of the project, in a fixed order."""
        for folder, folders, files in os.walk(self.project.root):
            here = Path(folder)
            folders[:] = sorted(
                one
                for one in folders
                if one not in _SKIPPED
                and not one.startswith(".")
                and not (here / one / "pyvenv.cfg").exists()
            )
            yield from (here / file for file in sorted(files) if file.endswith(".py"))

    def resolve(self, module: str, references: References) -> set[Found]:
        """What the references of a piece of a module lead to."""
        found: set[Found] = set()
        for name, chain in references.names:
            found |= self.name(module, name, chain)
        used = {target.module for target, chain in references.targets if chain != EFFECT}
        for target, chain in references.targets:
            if chain != EFFECT:
                found |= self.target(target, chain)
            elif not any(one == target.module or target.module.startswith(f"{one}.") for one in used):
                found |= self.target(target, ())
            else:
                found |= (
                    {Found("external", "", target.module)} if self.place(target.module) is None else set()
                )
        for name in references.whole:
            found |= self.target(Target(name), ())
        if references.own_module:
            found.add(Found("whole", module, ""))
        return found

    def name(self, module: str, name: str, chain: Chain) -> frozenset[Found]:
        """What a global name of a module, with attributes, leads to."""
        key = (module, name, chain)
        if key not in self._found:
            self._found[key] = frozenset(self._name(module, name, chain, set()))
        return self._found[key]

    def target(self, target: Target, chain: Chain) -> frozenset[Found]:
        """What an import, with attributes, leads to."""
        return frozenset(self._target(target, chain, set()))

    def _name(self, module: str, name: str, chain: Chain, seen: set[object]) -> Iterator[Found]:
        if ("name", module, name, chain) in seen:
            return
        seen.add(("name", module, name, chain))
        source = self.module(module)
        binders = source.binders.get(name, []) if source else []
        for index in binders:
            assert source is not None
            statement = source.statements[index]
            for target in statement.imports.get(name, ()):
                if statement.is_import:
                    yield Found(
                        "import", module, f"{name} = {target.module} {target.attribute or ''}".rstrip()
                    )
                yield from self._target(target, chain, seen)
            if not statement.is_import:
                yield Found("name", module, name)
        for star in source.stars if source else ():
            if self.place(star) is None:
                yield Found("external", "", star)
            elif self._exports(star, name, set()):
                yield from self._attribute(star, name, chain, seen)
            elif not binders and name not in _BUILTINS:
                yield Found("whole", star, "")
        if not binders and name in _READERS_OF_ALL:
            yield Found("whole", module, "")
        if not binders and name == "__import__":
            yield Found("unknown", "", "")

    def _exports(self, module: str, name: str, seen: set[str]) -> bool:
        source = self.module(module)
        if source is None or module in seen:
            return False
        seen.add(module)
        return name in source.binders or any(self._exports(star, name, seen) for star in source.stars)

    def _target(self, target: Target, chain: Chain, seen: set[object]) -> Iterator[Found]:
        if target.attribute is not None:
            yield from self._attribute(target.module, target.attribute, chain, seen)
        elif self.place(target.module) is None:
            yield from self._external(target.module, chain)
        elif chain:
            yield from self._attribute(target.module, chain[0], chain[1:], seen)
        else:
            yield Found("whole", target.module, "")

    def _attribute(self, module: str, name: str, chain: Chain, seen: set[object]) -> Iterator[Found]:
        if ("attribute", module, name, chain) in seen:
            return
        seen.add(("attribute", module, name, chain))
        if self.place(module) is None:
            yield from self._external(module, (name, *chain))
            return
        inner = f"{module}.{name}"
        bound = self._exports(module, name, set())
        if bound:
            yield from self._name(module, name, chain, seen)
        if self.place(inner) is not None:
            yield from self._target(Target(inner), chain, seen)
        elif not bound and name not in _NO_CODE:
            yield Found("whole", module, "")

    def _external(self, module: str, chain: Chain) -> Iterator[Found]:
        dotted = ".".join((module, *chain))
        yield Found("external", "", dotted)
        if dotted == "importlib" or any(f"{dotted}.".startswith(f"{one}.") for one in _FINDERS_OF_ANY):
            yield Found("unknown", "", "")
        if dotted in ("builtins.eval", "builtins.exec", "builtins.__import__"):
            yield Found("unknown", "", "")


_BUILTINS = frozenset(dir(builtins))
_FINDERS_OF_ANY = (
    "importlib.__import__",
    "importlib.import_module",
    "importlib.machinery",
    "importlib.reload",
    "importlib.util.module_from_spec",
    "importlib.util.spec_from_file_location",
    "pkgutil",
    "runpy",
    "sys.modules",
)
