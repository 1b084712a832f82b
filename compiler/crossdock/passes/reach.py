"""Collect what the code of one function reaches in the user's project. Standard library only."""

from __future__ import annotations

import builtins
import functools
import hashlib
import inspect
import json
import pickle
import sys
import textwrap
import tokenize
from collections.abc import Callable
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

from crossdock.dsl.errors import CrossdockError
from crossdock.passes.resolve import Effect, Found, Piece, Resolver
from crossdock.passes.source import EFFECT, SourceModule, Statement, Target
from crossdock.passes.tokens import canonical, words

_STATELESS = frozenset(
    ("abc", "collections", "dataclasses", "datetime", "enum", "fractions", "functools", "itertools", "json")
    + ("math", "operator", "pathlib", "re", "string", "typing", "uuid")
)
"""Libraries that no call changes, so that giving a name to what one returns changes nothing else."""

_SIMPLE = (str, bytes, int, float, complex, bool, type(None))


def sha256(text: str) -> str:
    """The digest of a text."""
    return f"sha256:{hashlib.sha256(text.encode('utf-8', 'surrogatepass')).hexdigest()}"


@functools.lru_cache(maxsize=1024)
def _python_file(name: str) -> Path | None:
    path = Path(name)
    return path.resolve() if name.endswith(".py") and path.is_file() else None


def file_of(function: Callable[..., Any]) -> Path | None:
    """The file that a function is defined in; None for one of a notebook or an interpreter."""
    code = getattr(function, "__code__", None)
    candidates = [getattr(code, "co_filename", None)]
    if function.__module__ != "__main__" or code is None:
        candidates.insert(0, getattr(sys.modules.get(function.__module__), "__file__", None))
    for name in candidates:
        if isinstance(name, str) and (file := _python_file(name)) is not None:
            return file
    return None


def module_of(function: Callable[..., Any], file: Path, resolver: Resolver) -> SourceModule:
    name = resolver.name_of(file) or function.__module__
    place = resolver.place(name)
    if place is None or place.file != file:
        return resolver.add(name, file)
    found = resolver.module(name)
    return found if found is not None else resolver.add(name, file)


def statement_of(function: Callable[..., Any], module: SourceModule) -> int:
    """The top-level statement that defines a function."""
    name = function.__qualname__.partition(".")[0]
    line = getattr(getattr(function, "__code__", None), "co_firstlineno", 0)
    named = [index for index in module.binders.get(name, ()) if module.statements[index].is_definition]
    if named:
        return named[-1]
    for index, statement in enumerate(module.statements):
        if statement.node.lineno <= line <= (statement.node.end_lineno or 0):
            return index
    raise CrossdockError(
        f"the source of {function.__qualname__!r} is not in its module {module.name!r}",
        hint="define the step at the top level of a module",
    )


class Reach:
    """What the code of one function reaches.

    Attributes:
        libraries: top-level names of the modules outside the project.
        unknown: the code can reach any module of the project.
    """

    def __init__(self, resolver: Resolver) -> None:
        self.libraries: set[str] = set()
        self.unknown = False
        self._resolver = resolver
        self._pieces: set[Piece] = set()
        self._imports: set[Found] = set()
        self._names: set[tuple[str, str]] = set()
        self._whole: set[str] = set()
        self._mentions: set[tuple[str, str]] = set()
        self._values: dict[str, str] = {}
        self._functions: set[int] = set()
        self._waiting: list[Piece] = []

    def start(self, module: str, index: int) -> None:
        """Reach everything from a statement."""
        self._include(module, index)
        self._settle()

    def start_from(self, function: Callable[..., Any], file: Path | None) -> None:
        """Reach everything from a function that no import finds: its values count too."""
        self._add_function(function, file)
        self._settle()

    @functools.cached_property
    def report(self) -> dict[str, str]:
        """A digest for each piece."""
        texts: dict[str, list[str]] = {}
        order: dict[str, list[str]] = {}
        for name, index in sorted(self._pieces):
            statement = self._statement(name, index)
            text = statement.text(self._resolver.settings_of(name, statement))
            label = ",".join(sorted(statement.binds)) or "(statements)"
            texts.setdefault(f"{name}:{label}", []).append(text)
            if not statement.is_definition:
                order.setdefault(f"{name}:(order)", []).append(label)
            if future := self._module(name).future:
                texts[f"{name}:__future__"] = future
        texts.update({label: labels for label, labels in order.items() if len(labels) > 1})
        for found in sorted(self._imports):
            texts.setdefault(f"{found.module}:{found.name.partition(' ')[0]}", []).append(found.name)
        if self.unknown:
            for file in self._resolver.files():
                label = file.relative_to(self._resolver.project.root).as_posix()
                texts[label] = [_text_of(file)]
        return {label: sha256(json.dumps(text)) for label, text in sorted(texts.items())} | self._values

    @functools.cached_property
    def digest(self) -> str:
        """The digest of all pieces."""
        return sha256(json.dumps(sorted(self.report.items())))

    def _module(self, name: str) -> SourceModule:
        found = self._resolver.module(name)
        assert found is not None
        return found

    def _statement(self, module: str, index: int) -> Statement:
        return self._module(module).statements[index]

    def _include(self, module: str, index: int) -> None:
        if (module, index) not in self._pieces:
            self._pieces.add((module, index))
            self._waiting.append((module, index))

    def _settle(self) -> None:
        while True:
            while self._waiting:
                self._follow(*self._waiting.pop())
            modules = self._resolver.imported_with({module for module, _ in self._pieces})
            effects = [effect for module in modules for effect in self._resolver.effects(module)]
            touching = [one for one in effects if one.piece not in self._pieces and self._touches(one)]
            if not touching:
                return
            for effect in touching:
                self._include(*effect.piece)

    def _follow(self, module: str, index: int) -> None:
        statement = self._statement(module, index)
        references = statement.references(self._resolver.settings_of(module, statement))
        for found in self._resolver.resolve(module, references):
            self._take(module, found)
        if not statement.is_definition:
            for name in statement.binds - set(statement.imports):
                self._take(module, Found("name", module, name))

    def _take(self, module: str, found: Found) -> None:
        if found.kind == "name":
            source = self._module(found.module)
            self._names.add((found.module, found.name))
            for index in source.binders.get(found.name, ()):
                if not source.statements[index].is_import:
                    self._include(found.module, index)
        elif found.kind == "whole":
            self._take_whole(found.module)
        elif found.kind == "import":
            self._imports.add(found)
        elif found.kind == "external":
            self.libraries.add(found.name.partition(".")[0])
            self._mentions.add((module, found.name.partition(".")[0]))
        else:
            self.unknown = True

    def _take_whole(self, module: str) -> None:
        if module in self._whole:
            return
        self._whole.add(module)
        for inner in self._resolver.submodules(module):
            self._take_whole(inner)
        source = self._resolver.module(module)
        if source is None:
            return
        for index, statement in enumerate(source.statements):
            if statement.is_main_guard:
                continue
            if not statement.is_import:
                self._include(module, index)
            for name in statement.imports:
                for found in self._resolver.name(module, name, ()):
                    self._take(module, found)
            for star in statement.stars:
                if self._resolver.place(star) is not None:
                    self._take_whole(star)

    def _touches(self, effect: Effect) -> bool:
        """Whether a statement may change something that was reached."""
        module = effect.piece[0]
        if any(self._touched(module, effect.statement, one) for one in effect.mentions):
            return True
        return any(one in self._names and self._resolver.is_variable(*one) for one in effect.through)

    def _touched(self, module: str, statement: Statement, found: Found) -> bool:
        if found.kind == "name" and (found.module, found.name) in self._names:
            same = module == found.module
            return same or not statement.is_plain_binding or self._resolver.is_variable(found.module, found.name)
        if found.kind == "whole":
            return any(name == found.module for name, _ in self._names)
        if found.kind == "external":
            top = found.name.partition(".")[0]
            if statement.is_logger or top == "crossdock":
                return False
            if statement.is_plain_binding and top in _STATELESS:
                return False
            return (module, top) in self._mentions or (top in self.libraries and not statement.is_plain_binding)
        return False

    def _add_function(self, function: Callable[..., Any], file: Path | None) -> None:
        if id(function) in self._functions:
            return
        self._functions.add(id(function))
        label = f"{function.__module__}:{function.__qualname__}"
        if file is not None:
            module = module_of(function, file, self._resolver)
            self._include(module.name, statement_of(function, module))
        else:
            self._add_from_memory(function, label)
        free = getattr(getattr(function, "__code__", None), "co_freevars", ())
        for name, cell in zip(free, getattr(function, "__closure__", None) or (), strict=False):
            try:
                value = cell.cell_contents
            except ValueError:
                continue
            self._add_value(f"{label}.{name}", value)
        for number, value in enumerate(getattr(function, "__defaults__", None) or ()):
            self._add_value(f"{label}.default{number}", value)

    def _add_from_memory(self, function: Callable[..., Any], label: str) -> None:
        """A function of a notebook or an interpreter: its source, and the globals that it names."""
        try:
            text = textwrap.dedent(inspect.getsource(function))
        except (OSError, TypeError) as error:
            raise CrossdockError(
                f"the step {function.__qualname__!r} has no source, so its code has no digest",
                hint="define it in a file or in a notebook cell, or switch its cache off with cache=False",
            ) from error
        source = SourceModule(function.__module__, text)
        space = getattr(function, "__globals__", None) or vars(sys.modules.get(function.__module__, builtins))
        for statement in source.statements:
            references = statement.references([])
            self._values[label] = sha256(statement.text([]))
            for name, _ in sorted(references.names):
                if name in space and not _is_ours(space[name]):
                    self._add_value(f"{function.__module__}:{name}", space[name])
            for target, chain in references.targets:
                for found in self._resolver.target(target, () if chain == EFFECT else chain):
                    self._take(function.__module__, found)

    def _add_value(self, label: str, value: object) -> None:
        if _is_ours(type(value)) and hasattr(value, "function"):
            value = value.function
        if isinstance(value, ModuleType):
            for found in self._resolver.target(Target(value.__name__), ()):
                self._take(value.__name__, found)
        elif isinstance(value, FunctionType | type):
            file = file_of(value)
            if file is None or self._resolver.project.owns(file):
                if file is None and value.__module__ in sys.stdlib_module_names:
                    return
                self._add_function(value, file)
            else:
                self.libraries.add(value.__module__.partition(".")[0])
        else:
            self._values[label] = sha256(_text_of_value(label, value))


def _is_ours(value: object) -> bool:
    return str(getattr(value, "__module__", "")).partition(".")[0] == "crossdock"


def _text_of(file: Path) -> str:
    """The canonical text of a whole file, or its bytes where it is no Python."""
    content = file.read_bytes()
    try:
        return canonical(list(words(content.decode().replace("\r\n", "\n"))))
    except (SyntaxError, UnicodeDecodeError, tokenize.TokenError):
        return content.hex()


def _text_of_value(label: str, value: object) -> str:
    """The text of a value that code refers to and no source of ours says."""
    if isinstance(value, _SIMPLE):
        return f"{type(value).__name__} {value!r}"
    try:
        return pickle.dumps(value, protocol=4).hex()
    except Exception as error:
        raise CrossdockError(
            f"{label} is a {type(value).__name__}, which has no digest: {error}",
            hint="pass it to the step as an argument, or switch the step's cache off with cache=False",
        ) from error
