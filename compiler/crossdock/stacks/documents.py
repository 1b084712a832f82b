"""YAML files of definitions: read with every problem named by file and line, written in a stable order."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from crossdock.dsl.errors import BadInput, Problem, did_you_mean
from crossdock.stacks.definitions import (
    COMPONENT_TYPES,
    GUARDRAILS,
    REQUIRED,
    SEVERAL,
    ComponentDefinition,
    StackDefinition,
    one,
    title,
)

_STACK_KEYS: tuple[str, ...] = ("description", "components", *GUARDRAILS)
_COMPONENT_KEYS = ("flavor", "config")

Place = Callable[..., str]
"""`file:line` of keys."""


def read_stack(file: Path, shown: str, level: str) -> StackDefinition:
    """A stack's file.

    Args:
        file: `<name>.yaml`.
        shown: the file as people are told of it.
        level: whose file it is.

    Raises:
        BadInput: it is no stack's file; has every problem at once.
    """
    body, place = read_mapping(file, shown)
    stack = stack_from(file.stem, body, place, _STACK_KEYS)
    return StackDefinition(stack.name, stack.components, stack.description, stack.guardrails, shown, level)


def read_component(type_: str, file: Path, shown: str, level: str) -> ComponentDefinition:
    """A component's file; its configuration is checked by its flavor, when it is used.

    Raises:
        BadInput: it is no component's file.
    """
    body, place = read_mapping(file, shown)
    part = component_from(type_, file.stem, body, place, _COMPONENT_KEYS)
    return ComponentDefinition(type_, part.name, part.flavor, part.config, shown, level)


def stack_from(name: str, body: Mapping[str, Any], place: Place, keys: Sequence[str]) -> StackDefinition:
    """A stack from what a document says.

    Args:
        name: its name.
        body: the document.
        place: where in it a key is.
        keys: those that it may have.

    Raises:
        BadInput: it is no stack; has every problem at once.
    """
    problems = list(_unknown(place, body, keys))
    components: dict[str, tuple[str, ...]] = {}
    listed = body.get("components")
    if not isinstance(listed, dict):
        problems.append(
            Problem(
                "a stack has `components:`, names by type",
                where=place("components"),
                hint="components: {orchestrator: NAME, artifact_store: NAME}",
                id="bad-definition",
            )
        )
        listed = dict.fromkeys(REQUIRED)
    else:
        problems += [
            Problem(
                f"a stack has {one(type_)}",
                where=place("components"),
                hint=f"add {type_}: NAME",
                id="bad-definition",
            )
            for type_ in REQUIRED
            if type_ not in listed
        ]
        for type_, names in listed.items():
            components[type_] = found = tuple(names) if isinstance(names, list) else (names,)
            message, hint = _wrong_member(type_, found)
            if message:
                problems.append(Problem(message, where=place("components", type_), hint=hint, id="bad-definition"))
    description = body.get("description", "")
    if not isinstance(description, str):
        problems.append(
            Problem("description is a text", where=place("description"), hint="put it in quotes", id="bad-definition")
        )
    if problems:
        raise BadInput(f"the file of stack {name!r} is wrong", where=place(), problems=problems, id="bad-definition")
    return StackDefinition(name, components, description, {key: body[key] for key in GUARDRAILS if key in body})


def _wrong_member(type_: Any, names: tuple[Any, ...]) -> tuple[str | None, str | None]:
    if type_ not in COMPONENT_TYPES:
        return f"{type_!r} is no component type", did_you_mean(str(type_), COMPONENT_TYPES)
    if not names or not all(isinstance(name, str) for name in names):
        return f"{type_} is the name of {one(type_)}", f"{type_}: NAME"
    if len(names) > 1 and type_ not in SEVERAL:
        return f"a stack has one {title(type_)}, not {len(names)}", f"{type_}: NAME"
    return None, None


def component_from(
    type_: str, name: str, body: Mapping[str, Any], place: Place, keys: Sequence[str]
) -> ComponentDefinition:
    """A component from what a document says.

    Raises:
        BadInput: it is no component; has every problem at once.
    """
    problems = list(_unknown(place, body, keys))
    if not isinstance(body.get("flavor"), str):
        problems.append(
            Problem(
                "a component has `flavor:`, its name",
                where=place("flavor"),
                hint="crossdock flavor list",
                id="bad-definition",
            )
        )
    config = body.get("config") or {}
    if not isinstance(config, dict) or not all(isinstance(key, str) for key in config):
        problems.append(
            Problem(
                "config is a mapping of names to values",
                where=place("config"),
                hint="config: {NAME: VALUE}",
                id="bad-definition",
            )
        )
    if problems:
        raise BadInput(
            f"the file of {title(type_)} {name!r} is wrong", where=place(), problems=problems, id="bad-definition"
        )
    return ComponentDefinition(type_, name, body["flavor"], config)


def line_of(file: Path, *keys: str | int) -> int:
    """The line of a key in a YAML file; 1 where it cannot be told."""
    try:
        return Document(file.read_text(encoding="utf-8")).line(*keys)
    except (OSError, ValueError):
        return 1


class Document:
    """The places of the keys of a YAML text, worked out only when somebody asks."""

    def __init__(self, text: str) -> None:
        self._text = text

    def line(self, *keys: str | int) -> int:
        """The line of a key, of the nearest key above it that is there, or 1."""
        import yaml

        try:
            node = yaml.compose(self._text, getattr(yaml, "CSafeLoader", yaml.SafeLoader))
        except yaml.YAMLError:
            return 1
        line = 1
        for key in keys:
            if isinstance(node, yaml.MappingNode):
                pairs = [(found, inner) for found, inner in node.value if str(found.value) == str(key)]
            elif isinstance(node, yaml.SequenceNode) and isinstance(key, int) and key < len(node.value):
                pairs = [(node.value[key], node.value[key])]
            else:
                break
            if not pairs:
                break
            line, node = pairs[0][0].start_mark.line + 1, pairs[0][1]
        return line


def parse(text: str, shown: str) -> Any:
    """YAML as plain data.

    Raises:
        BadInput: it is no YAML, or a key comes twice; names the line.
    """
    if text.lstrip().startswith("{"):  # JSON is nearly YAML: escapes of characters beyond 16 bits are not
        try:
            return json.loads(text, object_pairs_hook=_once)
        except (ValueError, RecursionError):
            pass
    import yaml

    loader = _loader()
    try:
        return yaml.load(text, loader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        last = max(1, len(text.splitlines()))  # at the end of the text the parser names the line below it
        where = f"{shown}:{min(mark.line + 1, last)}" if mark else shown
        problem = getattr(error, "problem", None) or str(error).splitlines()[0]
        raise BadInput(
            f"not YAML: {problem}", where=where, hint="correct the line, or take it back in git", id="not-yaml"
        ) from None
    except (ValueError, RecursionError) as error:  # a date of month 13; brackets a thousand deep
        why = str(error).splitlines()[0] if isinstance(error, ValueError) else "it is nested too deeply"
        raise BadInput(
            f"not YAML: {why}", where=shown, hint="correct it, or take it back in git", id="not-yaml"
        ) from None


def dump(body: Mapping[str, Any]) -> str:
    """The text of a definition: block style, keys in the order given."""
    import yaml

    class Dumper(yaml.SafeDumper):
        def represent_text(self, text: str) -> Any:
            odd = any(mark in text for mark in _ODD_BREAKS)  # which PyYAML folds away unless they are escaped
            return self.represent_scalar("tag:yaml.org,2002:str", text, style='"' if odd else None)

    Dumper.add_representer(str, Dumper.represent_text)
    return str(yaml.dump(dict(body), Dumper=Dumper, sort_keys=False, allow_unicode=True, width=100))


_ODD_BREAKS = "\x85\u2028\u2029"


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(found := dict(pairs)) < len(pairs):
        raise ValueError("a key comes twice")
    return found


def _loader() -> Any:
    """A safe loader that refuses a key that comes twice."""
    import yaml

    base = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

    class Loader(base):  # type: ignore[misc, valid-type]
        def construct_mapping(self, node: Any, deep: bool = False) -> Any:
            seen: set[str] = set()
            for key, _ in node.value:
                if str(key.value) in seen:
                    raise yaml.constructor.ConstructorError(
                        None, None, f"the key {key.value!r} comes twice", key.start_mark
                    )
                seen.add(str(key.value))
            return super().construct_mapping(node, deep=deep)

    return Loader


def read_mapping(file: Path, shown: str) -> tuple[dict[str, Any], Place]:
    """A YAML file that is a mapping, and where its keys are.

    Raises:
        BadInput: it cannot be read, or is something else.
    """
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "it is not UTF-8 text"
        hint = "check the path" if isinstance(error, FileNotFoundError) else "take it back in git, or delete it"
        raise BadInput(f"cannot be read: {why}", where=shown, hint=hint, id="unreadable-file") from None
    body = parse(text, shown)
    if not isinstance(body, dict):
        raise BadInput(
            "this is no mapping of keys",
            where=f"{shown}:1",
            hint="take it back in git, or delete it",
            id="bad-definition",
        )
    document = Document(text)

    def place(*keys: str | int) -> str:
        return f"{shown}:{document.line(*keys)}"

    return body, place


def _unknown(place: Place, body: Mapping[str, Any], known: Sequence[str]) -> Iterator[Problem]:
    for key in body:
        if key not in known:
            yield Problem(
                f"unknown key {key!r}", where=place(str(key)), hint=did_you_mean(str(key), known), id="unknown-key"
            )


def shown_path(file: Path) -> str:
    """A path as people type it: relative to the working folder where it is below it, `~` for the home folder."""
    path = file.absolute()
    for base, prefix in ((Path.cwd(), ""), (Path.home(), "~/")):
        if path.is_relative_to(base):
            return prefix + path.relative_to(base).as_posix()
    return re.sub(r"/+", "/", path.as_posix())
