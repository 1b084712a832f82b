"""Read one module's source: the tokens of its top-level statements, and the names that each refers to.

Standard library only.
"""

from __future__ import annotations

import ast
import tokenize
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from crossdock.passes.tokens import Word, canonical, words

Chain = tuple[str, ...]
"""Attribute names that follow a name: `h.a.b` is the name `h` with the chain `("a", "b")`."""

Stamp = tuple[int, int]
EFFECT: Chain = ("",)
"""Stands for the attributes where a module is imported, perhaps only for the effect."""

Function = ast.FunctionDef | ast.AsyncFunctionDef


class Target(NamedTuple):
    """What an import binds: a module, or an attribute of one."""

    module: str
    attribute: str | None = None


@dataclass
class References:
    """What a piece of code refers to.

    Attributes:
        names: global names, each with the attributes taken of it.
        targets: modules and their attributes, by imports inside functions.
        whole: modules whose attributes cannot be told.
        own_module: the code can reach any name of its own module (`exec`, `globals()`, …).
    """

    names: set[tuple[str, Chain]] = field(default_factory=set)
    targets: set[tuple[Target, Chain]] = field(default_factory=set)
    whole: set[str] = field(default_factory=set)
    own_module: bool = False


class Statement:
    """A top-level statement of a module.

    Attributes:
        node: its syntax tree.
        tokens: its tokens.
        binds: the global names that it binds.
        imports: the import that binds a name, for names bound by one in it.
    """

    def __init__(self, node: ast.stmt, tokens: list[Word], package: str) -> None:
        self.node = node
        self.tokens = tokens
        self._package = package
        self.binds, self.imports, self.stars = _bindings([node], package)
        self._references: dict[frozenset[int], References] = {}

    @property
    def is_import(self) -> bool:
        return isinstance(self.node, ast.Import | ast.ImportFrom)

    @property
    def is_definition(self) -> bool:
        return isinstance(self.node, Function | ast.ClassDef)

    @property
    def is_plain_binding(self) -> bool:
        """Whether it only gives names a value."""
        if isinstance(self.node, ast.Assign):
            return all(isinstance(target, ast.Name) for target in self.node.targets)
        return isinstance(self.node, ast.AnnAssign) and isinstance(self.node.target, ast.Name)

    @property
    def is_logger(self) -> bool:
        """Whether it binds a logger, which steers no result."""
        value = getattr(self.node, "value", None)
        function = value.func if isinstance(value, ast.Call) else None
        name = getattr(function, "attr", getattr(function, "id", None))
        return self.is_plain_binding and name in ("getLogger", "get_logger")

    @property
    def is_main_guard(self) -> bool:
        """Whether it is `if __name__ == "__main__":` with no else."""
        node = self.node
        if not isinstance(node, ast.If) or node.orelse or not isinstance(node.test, ast.Compare):
            return False
        sides = [node.test.left, *node.test.comparators]
        named = any(isinstance(side, ast.Name) and side.id == "__name__" for side in sides)
        main = any(isinstance(side, ast.Constant) and side.value == "__main__" for side in sides)
        return named and main and isinstance(node.test.ops[0], ast.Eq)

    @property
    def decorators(self) -> list[ast.expr]:
        return self.node.decorator_list if isinstance(self.node, Function | ast.ClassDef) else []

    def text(self, dropped: list[ast.expr]) -> str:
        """The canonical text without some of the decorators."""
        tokens = list(self.tokens)
        lines = [index for index, word in enumerate(tokens) if word.kind == "newline"]
        marks = [0, *(index + 1 for index in lines)][: len(self.decorators)]
        for decorator in reversed(dropped):
            position = marks[self.decorators.index(decorator)]
            end = next(index for index in lines if index >= position)
            del tokens[position : end + 1]
        return canonical(tokens)

    def references(self, dropped: list[ast.expr] | None = None) -> References:
        """What the statement refers to, without some of the decorators."""
        key = frozenset(map(id, dropped or ()))
        if key not in self._references:
            visitor = _Visitor(self._package)
            left_out = set(key)
            visitor.start(self.node, left_out)
            self._references[key] = visitor.found
        return self._references[key]

    def import_time_references(self, dropped: list[ast.expr]) -> References:
        """What is evaluated of a definition when its module is imported: decorators, bases."""
        visitor = _Visitor(self._package)
        bases = [*self.node.bases, *self.node.keywords] if isinstance(self.node, ast.ClassDef) else []
        for part in [*self.decorators, *bases]:
            if part not in dropped:
                visitor.visit(part)
        return visitor.found


class SourceModule:
    """A parsed module.

    Attributes:
        name: its dotted name.
        statements: its top-level statements.
        binders: for each global name, the statements that bind it.
        stars: the modules that it imports everything from.
        future: its `from __future__` statements, which change what all the others mean.
    """

    def __init__(self, name: str, text: str, *, is_package: bool = False, filename: str = "<source>") -> None:
        self.name = name
        package = name if is_package else name.rpartition(".")[0]
        tree = ast.parse(text, filename)
        self.statements = [
            Statement(node, tokens, package) for node, tokens in zip(tree.body, _split(text, tree.body), strict=True)
        ]
        self.binders: dict[str, list[int]] = {}
        self.stars: list[str] = []
        self.future = [
            canonical(one.tokens)
            for one in self.statements
            if isinstance(one.node, ast.ImportFrom) and one.node.module == "__future__"
        ]
        for index, statement in enumerate(self.statements):
            if statement.is_main_guard:
                continue
            self.stars += statement.stars
            for bound in statement.binds:
                self.binders.setdefault(bound, []).append(index)

    def imported_modules(self) -> set[Target]:
        """Everything that importing the module may import, and what its functions import."""
        return {target for node in self.statements for target in _all_imports(node.node, node._package)}


def _split(text: str, nodes: list[ast.stmt]) -> list[list[Word]]:
    """The tokens of each top-level statement."""
    lines = text.split("\n")
    ends = [(node.end_lineno or 0, _column(lines, node.end_lineno or 0, node.end_col_offset or 0)) for node in nodes]
    split: list[list[Word]] = [[] for _ in nodes]
    waiting: list[Word] = []
    current = 0
    for word in words(text):
        if word.kind:
            waiting.append(word)
            continue
        while current < len(nodes) and word.start >= ends[current]:
            current += 1
            waiting.clear()
        if current == len(nodes):
            break
        if split[current]:
            split[current] += waiting
        waiting.clear()
        if split[current] or word.text != ";":
            split[current].append(word)
    return split


def _column(lines: list[str], line: int, offset: int) -> int:
    """The column in characters of an offset in UTF-8 bytes, which is what `ast` counts in."""
    text = lines[line - 1] if line else ""
    return offset if text.isascii() else len(text.encode()[:offset].decode(errors="replace"))


def _absolute(node: ast.ImportFrom, package: str) -> str:
    if not node.level:
        return node.module or ""
    parts = package.split(".") if package else []
    base = parts[: len(parts) - node.level + 1]
    return ".".join([*base, *([node.module] if node.module else [])])


def _import_targets(node: ast.Import | ast.ImportFrom, package: str) -> Iterator[tuple[str, Target]]:
    """Each name that an import binds, with what it binds it to."""
    for alias in node.names:
        if isinstance(node, ast.ImportFrom):
            yield alias.asname or alias.name, Target(_absolute(node, package), alias.name)
        elif alias.asname:
            yield alias.asname, Target(alias.name)
        else:
            yield alias.name.partition(".")[0], Target(alias.name.partition(".")[0])


def _all_imports(node: ast.AST, package: str) -> Iterator[Target]:
    for part in ast.walk(node):
        if isinstance(part, ast.Import):
            yield from (Target(alias.name) for alias in part.names)
        elif isinstance(part, ast.ImportFrom):
            yield from (Target(_absolute(part, package), alias.name) for alias in part.names)


def _bindings(nodes: Sequence[ast.AST], package: str) -> tuple[set[str], dict[str, list[Target]], list[str]]:
    """The names bound in a scope, not in the scopes within it; by imports; and the star imports."""
    bound: set[str] = set()
    imports: dict[str, list[Target]] = {}
    stars: list[str] = []
    left: set[str] = set()

    def walk(node: ast.AST, comprehension: bool = False) -> None:
        inner = comprehension
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                bound.add(node.name)
                return
            case ast.Lambda():
                return
            case ast.Import() | ast.ImportFrom():
                for name, target in _import_targets(node, package):
                    if name == "*":
                        stars.append(target.module)
                    else:
                        bound.add(name)
                        imports.setdefault(name, []).append(target)
                return
            case ast.Global() | ast.Nonlocal():
                left.update(node.names)
            case ast.Name(ctx=ast.Store() | ast.Del()) if not comprehension:
                bound.add(node.id)
            case ast.NamedExpr(target=ast.Name(id=name)):
                bound.add(name)
            case ast.ExceptHandler(name=str(name)) | ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)):
                bound.add(name)
            case ast.MatchMapping(rest=str(name)):
                bound.add(name)
            case ast.ListComp() | ast.SetComp() | ast.DictComp() | ast.GeneratorExp():
                inner = True
        for child in ast.iter_child_nodes(node):
            walk(child, inner)

    for node in nodes:
        walk(node)
    kept = bound - left
    return kept, {name: found for name, found in imports.items() if name in kept}, stars


class _Visitor(ast.NodeVisitor):
    """Collects the references of a piece of code, with Python's own rules for what is local."""

    def __init__(self, package: str) -> None:
        self.found = References()
        self._package = package
        self._scopes: list[tuple[set[str], dict[str, list[Target]]]] = []
        self._left_out: set[int] = set()

    def start(self, node: ast.AST, left_out: set[int]) -> None:
        self._left_out = left_out
        self.visit(node)

    def visit(self, node: ast.AST) -> None:
        if id(node) not in self._left_out:
            super().visit(node)

    def _mention(self, name: str, chain: Chain) -> None:
        for bound, imports in reversed(self._scopes):
            if name in bound:
                self.found.targets.update((target, chain) for target in imports.get(name, ()))
                return
        self.found.names.add((name, chain))

    def visit_Name(self, node: ast.Name) -> None:
        self._mention(node.id, ())

    def visit_Attribute(self, node: ast.Attribute) -> None:
        chain = [node.attr]
        base = node.value
        while isinstance(base, ast.Attribute):
            chain.append(base.attr)
            base = base.value
        if isinstance(base, ast.Name):
            self._mention(base.id, tuple(reversed(chain)))
        else:
            self.visit(base)

    def visit_Global(self, node: ast.Global) -> None:
        self.found.names.update((name, ()) for name in node.names)

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        # Names of a class body are hidden from its methods, so they are not a scope; its imports are rare.
        _, imports, _ = _bindings(list(node.body), self._package)
        self.found.targets.update((target, ()) for found in imports.values() for target in found)
        self.generic_visit(node)

    def visit_Import(self, node: ast.Import) -> None:
        if self._scopes:
            # An import may be there for its effect only: what it binds then is never mentioned.
            self.found.targets.update((Target(alias.name), EFFECT) for alias in node.names)

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        if self._scopes:
            self.found.targets.update((target, EFFECT) for _, target in _import_targets(node, self._package))

    def visit_Call(self, node: ast.Call) -> None:
        name = getattr(node.func, "attr", getattr(node.func, "id", None))
        first = node.args[0] if node.args else None
        literal = first.value if isinstance(first, ast.Constant) and isinstance(first.value, str) else None
        if name in ("import_module", "__import__") and literal is not None and len(node.args) == 1:
            self.found.whole.add(literal)
            return
        if isinstance(node.func, ast.Name) and name in ("locals", "vars", "dir") and not node.args:
            self.found.own_module = True
        self.generic_visit(node)

    def _annotation(self, node: ast.expr | None) -> None:
        if node is None:
            return
        self.visit(node)
        for part in ast.walk(node):
            if isinstance(part, ast.Constant) and isinstance(part.value, str):
                try:
                    self.visit(ast.parse(part.value, mode="eval").body)
                except SyntaxError:
                    continue

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        self._annotation(node.annotation)
        self.visit(node.target)
        if node.value is not None:
            self.visit(node.value)

    def _function(self, node: Function | ast.Lambda) -> None:
        arguments = node.args
        everyone = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
        everyone += [one for one in (arguments.vararg, arguments.kwarg) if one is not None]
        for one in [*arguments.defaults, *(value for value in arguments.kw_defaults if value is not None)]:
            self.visit(one)
        body: list[ast.AST] = [node.body] if isinstance(node, ast.Lambda) else list(node.body)
        if not isinstance(node, ast.Lambda):
            for decorator in node.decorator_list:
                self.visit(decorator)
            for annotation in [node.returns, *(one.annotation for one in everyone)]:
                self._annotation(annotation)
        parameters = {one.arg for one in everyone}
        parameters |= {parameter.name for parameter in getattr(node, "type_params", ())}
        bound, imports, _ = _bindings(body, self._package)
        self._scopes.append((bound | parameters, imports))
        for statement in body:
            self.visit(statement)
        self._scopes.pop()

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        self._function(node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> None:
        self._function(node)

    def visit_Lambda(self, node: ast.Lambda) -> None:
        self._function(node)

    def _comprehension(self, node: ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp) -> None:
        bound = {
            part.id
            for generator in node.generators
            for part in ast.walk(generator.target)
            if isinstance(part, ast.Name)
        }
        self.visit(node.generators[0].iter)
        self._scopes.append((bound, {}))
        self.generic_visit(node)
        self._scopes.pop()

    visit_ListComp = _comprehension  # noqa: N815 (the name that ast looks for)
    visit_SetComp = _comprehension  # noqa: N815
    visit_DictComp = _comprehension  # noqa: N815
    visit_GeneratorExp = _comprehension  # noqa: N815


_parsed: dict[Path, tuple[Stamp, str, SourceModule]] = {}


def stamp_of(path: Path) -> Stamp:
    """When a file was written, and its size; zeros when it is gone."""
    try:
        status = path.stat()
    except OSError:
        return (0, 0)
    return (status.st_mtime_ns, status.st_size)


def read_module(name: str, path: Path) -> SourceModule:
    """The module in a file, parsed once in this process as long as the file does not change."""
    found = _parsed.get(path)
    current = stamp_of(path)
    if found is not None and found[:2] == (current, name):
        return found[2]
    with tokenize.open(path) as file:
        text = file.read()
    module = SourceModule(name, text, is_package=path.name == "__init__.py", filename=str(path))
    _parsed[path] = (current, name, module)
    return module
