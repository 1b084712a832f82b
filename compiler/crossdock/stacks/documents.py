"""YAML files of definitions: read with every problem named by file and line, written in a stable order."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
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
    title,
)

_STACK_KEYS = ("description", "components", *GUARDRAILS)
_COMPONENT_KEYS = ("flavor", "config")


def read_stack(file: Path, shown: str) -> StackDefinition:
    """A stack's file.

    Args:
        file: `<name>.yaml`.
        shown: the file as people are told of it.

    Raises:
        BadInput: it is no stack's file; has every problem at once.
    """
    body, document = _read(file, shown)
    problems = list(_unknown(document, body, _STACK_KEYS))
    components: dict[str, tuple[str, ...]] = {}
    listed = body.get("components")
    if not isinstance(listed, dict):
        problems.append((document.line("components"), "a stack has `components:`, names by type", None))
        listed = {}
    for type_, names in listed.items():
        if type_ not in COMPONENT_TYPES:
            hint = did_you_mean(str(type_), COMPONENT_TYPES)
            problems.append((document.line("components", type_), f"{type_!r} is no component type", hint))
            continue
        found = tuple(names) if isinstance(names, list) else (names,)
        if not found or not all(isinstance(name, str) for name in found):
            problems.append((document.line("components", type_), f"{type_} is the name of a {title(type_)}", None))
        elif len(found) > 1 and type_ not in SEVERAL:
            problems.append(
                (document.line("components", type_), f"a stack has one {title(type_)}, not {len(found)}", None)
            )
        else:
            components[type_] = found
    for type_ in REQUIRED:
        if type_ not in listed:
            problems.append((document.line("components"), f"a stack has an {title(type_)}", f"{type_}: NAME"))
    description = body.get("description", "")
    if not isinstance(description, str):
        problems.append((document.line("description"), "description is a text", None))
    _raise(shown, "stack", file.stem, problems)
    guardrails = {name: body[name] for name in GUARDRAILS if name in body}
    return StackDefinition(file.stem, components, description, guardrails, shown)


def read_component(type_: str, file: Path, shown: str) -> ComponentDefinition:
    """A component's file; its configuration is checked by its flavor, when it is used.

    Raises:
        BadInput: it is no component's file.
    """
    body, document = _read(file, shown)
    problems = list(_unknown(document, body, _COMPONENT_KEYS))
    if not isinstance(body.get("flavor"), str):
        problems.append((document.line("flavor"), "a component has `flavor:`, its name", None))
    config = body.get("config", {})
    if not isinstance(config, dict) or not all(isinstance(key, str) for key in config):
        problems.append((document.line("config"), "config is a mapping of names to values", None))
    _raise(shown, title(type_), file.stem, problems)
    return ComponentDefinition(type_, file.stem, body["flavor"], config, shown)


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

        node, line = yaml.compose(self._text, yaml.SafeLoader), 1
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
    import yaml

    loader = _loader()
    try:
        return yaml.load(text, loader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"{shown}:{mark.line + 1}" if mark else shown
        problem = getattr(error, "problem", None) or str(error).splitlines()[0]
        raise BadInput(f"not YAML: {problem}", where=where, hint="correct the line, or take it back in git") from None


def dump(body: Mapping[str, Any]) -> str:
    """The text of a definition: block style, keys in the order given."""
    import yaml

    text: str = yaml.safe_dump(dict(body), sort_keys=False, default_flow_style=False, allow_unicode=True, width=100)
    return text


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


def _read(file: Path, shown: str) -> tuple[dict[str, Any], Document]:
    try:
        text = file.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise BadInput(f"{shown} cannot be read: {why}") from None
    body = parse(text, shown)
    if not isinstance(body, dict):
        raise BadInput("a definition is a mapping", where=f"{shown}:1", hint="take the file back in git, or delete it")
    return body, Document(text)


Found = tuple[int, str, str | None]


def _unknown(document: Document, body: Mapping[str, Any], known: Sequence[str]) -> Iterator[Found]:
    for key in body:
        if key not in known:
            yield document.line(str(key)), f"unknown key {key!r}", did_you_mean(str(key), known)


def _raise(shown: str, what: str, name: str, problems: Sequence[Found]) -> None:
    if not problems:
        return
    found = [Problem(text, where=f"{shown}:{line}", hint=hint) for line, text, hint in problems]
    raise BadInput(f"the file of {what} {name!r} is wrong", where=shown, problems=found)


def shown_path(file: Path) -> str:
    """A path as people type it: relative to the working folder where it is below it, `~` for the home folder."""
    path = file.absolute()
    for base, prefix in ((Path.cwd(), ""), (Path.home(), "~/")):
        if path.is_relative_to(base):
            return prefix + path.relative_to(base).as_posix()
    return re.sub(r"/+", "/", path.as_posix())
