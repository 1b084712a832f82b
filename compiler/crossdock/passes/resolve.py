"""Find what a name in the user's project stands for, from source alone. Standard library only."""

from __future__ import annotations

import ast
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
    Statement,
    Target,
    read_module,
    stamp_of,
)
from crossdock_runtime.loading import Project

OURS = ("crossdock", "crossdock_adapters", "crossdock_runtime")
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


Piece = tuple[str, int]
"""A module, and the index of one of its statements."""


@dataclass(frozen=True)
class Effect:
    """A statement that does something when its module is imported.

    Attributes:
        piece: which one.
        statement: the same, read.
        mentions: what it refers to; of a definition nothing, since a mere reference changes nothing.
        through: the globals that the functions it may call mention, and those that they call.
    """

    piece: Piece
    statement: Statement
    mentions: frozenset[Found]
    through: frozenset[tuple[str, str]]


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
        self._effects: dict[str, list[Effect]] = {}

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
        if parts[0] in OURS or not all(parts):
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
            asked += [target.module, f"{target.module}.{target.attribute}"] if target.attribute else [target.module]
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
                if one not in _SKIPPED and not one.startswith(".") and not (here / one / "pyvenv.cfg").exists()
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
                found |= {Found("external", "", target.module)} if self.place(target.module) is None else set()
        for name in references.whole:
            found |= self.target(Target(name), ())
        if references.own_module:
            found.add(Found("whole", module, ""))
        return found

    def settings_of(self, module: str, statement: Statement) -> list[ast.expr]:
        """The decorators that are Crossdock's own `step` and `pipeline`."""
        own = []
        for decorator in statement.decorators:
            base = decorator.func if isinstance(decorator, ast.Call) else decorator
            chain: list[str] = []
            while isinstance(base, ast.Attribute):
                chain.insert(0, base.attr)
                base = base.value
            if isinstance(base, ast.Name):
                found = self.name(module, base.id, tuple(chain))
                paths = [one.name.split(".") for one in found if one.kind == "external"]
                if any(path[0] == "crossdock" and path[-1] in ("step", "pipeline") for path in paths):
                    own.append(decorator)
        return own

    def effects(self, module: str) -> list[Effect]:
        """The statements of a module that may change something when it is imported."""
        if module not in self._effects:
            source = self.module(module)
            every = [self._effect(module, *pair) for pair in enumerate(source.statements)] if source else []
            self._effects[module] = [one for one in every if one.mentions or one.through]
        return self._effects[module]

    def _effect(self, module: str, index: int, statement: Statement) -> Effect:
        piece = (module, index)
        if statement.is_import or statement.is_main_guard:
            return Effect(piece, statement, frozenset(), frozenset())
        if statement.is_definition:
            references = statement.import_time_references(self.settings_of(module, statement))
        else:
            references = statement.references()
        found = frozenset(self.resolve(module, references))
        mentions = frozenset() if statement.is_definition else found
        return Effect(piece, statement, mentions, frozenset(self._through_functions(found)))

    def _through_functions(self, found: frozenset[Found]) -> set[tuple[str, str]]:
        waiting = [(one.module, one.name) for one in found if one.kind == "name"]
        seen: set[tuple[str, str]] = set()
        while waiting:
            module, name = waiting.pop()
            source = self.module(module)
            if (module, name) in seen or source is None:
                continue
            seen.add((module, name))
            for index in source.binders.get(name, ()):
                statement = source.statements[index]
                if statement.is_definition:
                    inner = self.resolve(module, statement.references(self.settings_of(module, statement)))
                    waiting += [(one.module, one.name) for one in inner if one.kind == "name"]
        return seen

    def is_variable(self, module: str, name: str) -> bool:
        """Whether a global is bound to a value that code can change: no definition, no import, no logger."""
        source = self.module(module)
        binders = [source.statements[index] for index in source.binders.get(name, ())] if source else []
        return any(not (one.is_definition or one.is_import or one.is_logger) for one in binders)

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
                    yield Found("import", module, f"{name} = {target.module} {target.attribute or ''}".rstrip())
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
