"""The text of a spec: its documents as plain data, and where in the file each part of them is."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any

_PLAIN = re.compile(r"^[A-Za-z_][\w-]*$")

Path = tuple[str | int, ...]
"""Keys and indices from the top of a document."""


class Unreadable(Exception):
    """The text is no YAML, or a key comes twice; `line` is where reading stopped."""

    def __init__(self, why: str, line: int) -> None:
        super().__init__(why)
        self.line = line


class Source:
    """A file of one or more documents.

    Args:
        name: the file as people are told of it.
        text: JSON, or YAML of any number of documents.

    Raises:
        Unreadable: it is neither.
    """

    def __init__(self, name: str, text: str) -> None:
        import yaml

        self.name = name
        loader = _loader()(text)
        self.documents: list[Any] = []
        self._nodes: list[Any] = []
        try:
            while loader.check_node():
                node = loader.get_node()
                document = loader.construct_document(node)
                if document is not None or not self.documents:
                    self._nodes.append(node)
                    self.documents.append(document)
        except yaml.YAMLError as error:
            mark = getattr(error, "problem_mark", None)
            why = getattr(error, "problem", None) or str(error).splitlines()[0]
            last = max(1, len(text.splitlines()))
            raise Unreadable(str(why), min(mark.line + 1, last) if mark else 1) from None
        except RecursionError:
            raise Unreadable("it is nested too deeply", 1) from None
        except ValueError as error:  # a date of month 13
            raise Unreadable(str(error).splitlines()[0], 1) from None
        finally:
            loader.dispose()
        if text.lstrip().startswith("{") and len(self.documents) == 1:
            self.documents = [_json(text, self.documents[0])]

    def line(self, document: int, path: Path) -> int:
        """The line of a part, or of what is nearest above it."""
        line, node = 1, None
        if document < len(self._nodes):
            node = self._nodes[document]
            line = node.start_mark.line + 1
        for key in path:
            found = _inner(node, key)
            if found is None:
                break
            line, node = found
        return line

    def where(self, document: int, path: Path) -> str:
        """`file:line: path` of a part."""
        place = f"{self.name}:{self.line(document, path)}"
        return f"{place}: {shown(path)}" if path else place


def shown(path: Iterable[str | int]) -> str:
    """`root.dag.tasks.use-a.dependentTasks[0]`."""
    text = ""
    for key in path:
        if isinstance(key, int):
            text += f"[{key}]"
        elif _PLAIN.match(key):
            text += f".{key}" if text else key
        else:
            text += f"[{key!r}]"
    return text


def _inner(node: Any, key: str | int) -> tuple[int, Any] | None:
    if node is None:
        return None
    if node.id == "sequence" and isinstance(key, int) and key < len(node.value):
        return node.value[key].start_mark.line + 1, node.value[key]
    if node.id == "mapping":
        for found, inner in node.value:
            if str(found.value) == str(key):
                return found.start_mark.line + 1, inner
    return None


def _json(text: str, otherwise: Any) -> Any:
    """JSON as its own reader has it: numbers such as 1e5 are none to YAML."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return otherwise


def _loader() -> Any:
    """A safe loader that refuses a key that comes twice, and leaves days and times the texts that they are in JSON."""
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

    Loader.add_constructor("tag:yaml.org,2002:timestamp", lambda loader, node: loader.construct_scalar(node))
    return Loader
