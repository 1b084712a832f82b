"""Parameters from a YAML file, each with its line."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from crossdock.dsl.errors import BadInput


class FileParameters(dict[str, Any]):
    """Parameters by name; `places` has `file:line` of each."""

    def __init__(self, found: dict[str, Any], places: dict[str, str]) -> None:
        super().__init__(found)
        self.places = places


_FLOAT = re.compile(r"^[-+]?(?:[0-9][0-9_]*\.?[0-9_]*|\.[0-9]+)[eE][-+]?[0-9]+$")


def from_file(path: str) -> FileParameters:
    """Parameters of a YAML file.

    Raises:
        BadInput: the file cannot be read, is no mapping, or has a key twice.
    """
    import yaml

    class Loader(yaml.SafeLoader):
        """Reads 1e-3 as a number, as YAML 1.2 and everybody else does."""

    Loader.add_implicit_resolver("tag:yaml.org,2002:float", _FLOAT, list("-+.0123456789"))
    try:
        text = Path(path).read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise BadInput(
            f"{path!r} is not text in UTF-8: {error.reason}", hint="save it as UTF-8", id="unreadable-file"
        ) from None
    except OSError as error:
        raise BadInput(
            f"{path!r} cannot be read: {error.strerror}", hint="--params FILE.yaml", id="unreadable-file"
        ) from None
    loader = Loader(text)
    try:
        node = loader.get_single_node()
        if node is None or node.tag == "tag:yaml.org,2002:null":
            return FileParameters({}, {})
        if not isinstance(node, yaml.MappingNode):
            raise BadInput(
                "parameters are names with their values",
                where=path,
                hint="write lines such as `rows: 1000`",
                id="bad-parameters-file",
            )
        _refuse_twice(node, path)
        body = loader.construct_document(node)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"{path}:{mark.line + 1}" if mark else path
        what = getattr(error, "problem", None) or str(error)
        raise BadInput(
            f"not YAML: {what}", where=where, hint="look at this line and the one before", id="not-yaml"
        ) from None
    except RecursionError:
        raise BadInput(
            "not YAML: it is nested too deeply", where=path, hint="write less deep lists", id="not-yaml"
        ) from None
    finally:
        loader.dispose()
    places = {str(key.value): f"{path}:{key.start_mark.line + 1}" for key, _ in node.value}
    for key in body:
        if not isinstance(key, str):
            raise BadInput(
                f"{key!r} is no name",
                where=places.get(str(key), path),
                hint="write `rows: 1000`",
                id="bad-parameters-file",
            )
    return FileParameters(body, places)


def _refuse_twice(node: Any, path: str) -> None:
    import yaml

    if isinstance(node, yaml.MappingNode):
        seen: dict[str, int] = {}
        for key, value in node.value:
            line = key.start_mark.line + 1
            if isinstance(key, yaml.ScalarNode) and key.value != "<<":
                if key.value in seen:
                    message = f"{key.value!r} is given twice, the first time in line {seen[key.value]}"
                    raise BadInput(message, where=f"{path}:{line}", hint="drop one of them", id="duplicate-key")
                seen[key.value] = line
            _refuse_twice(value, path)
    elif isinstance(node, yaml.SequenceNode):
        for item in node.value:
            _refuse_twice(item, path)
