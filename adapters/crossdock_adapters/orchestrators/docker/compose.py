"""The part of Compose that `translate` writes, read again: what is submitted is the reviewed file, byte for byte."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from crossdock.dsl.errors import BadInput
from crossdock.dsl.frozen import frozen

_VARIABLE = re.compile(r"\$(?:\$|\{(\w+)(?:(:[?-])([^}]*))?\})")
_UNITS = {"b": 1, "k": 2**10, "m": 2**20, "g": 2**30}


@frozen
class Service:
    """One service of a Compose file, its variables filled in.

    Attributes:
        environment: None for a variable that whoever runs it has to give.
        volumes: `source:target[:ro]`.
        memory: bytes; None for no limit.
        gpus: how many.
    """

    image: str
    entrypoint: tuple[str, ...]
    command: tuple[str, ...]
    environment: Mapping[str, str | None]
    volumes: tuple[str, ...]
    user: str
    network: str
    cpus: float | None
    memory: int | None
    shm: int | None
    gpus: int
    init: bool
    labels: Mapping[str, str]


def services(text: str) -> dict[str, dict[str, Any]]:
    """The services of a file as they stand there, merge keys resolved.

    Raises:
        BadInput: it is no such file.
    """
    import yaml

    try:
        body = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
        return dict(body["services"])
    except (yaml.YAMLError, TypeError, KeyError) as error:
        raise BadInput(f"not a Compose file: {error}", hint="export the pipeline again", id="not-yaml") from None


def service(body: Mapping[str, Any], variables: Mapping[str, str]) -> Service:
    """A service with its variables filled in.

    Raises:
        BadInput: a variable that it needs has no value.
    """

    def fill(value: Any) -> Any:
        if isinstance(value, str):
            return filled(value, variables)
        if isinstance(value, list):
            return [fill(item) for item in value]
        return {key: fill(item) for key, item in value.items()} if isinstance(value, dict) else value

    found = {key: fill(value) for key, value in body.items() if key != "depends_on"}
    devices = found.get("deploy", {}).get("resources", {}).get("reservations", {}).get("devices", [])
    return Service(
        image=found["image"],
        entrypoint=tuple(found.get("entrypoint", ())),
        command=tuple(found.get("command", ())),
        environment=found.get("environment", {}),
        volumes=tuple(found.get("volumes", ())),
        user=found.get("user", ""),
        network=found.get("network_mode") or next(iter(found.get("networks", ())), ""),
        cpus=found.get("cpus"),
        memory=size(found.get("mem_limit")),
        shm=size(found.get("shm_size")),
        gpus=sum(device["count"] for device in devices),
        init=found.get("init", False),
        labels=found.get("labels", {}),
    )


def filled(text: str, variables: Mapping[str, str]) -> str:
    """A text with `${NAME}`, `${NAME:-default}`, `${NAME:?what it is}` and `$$` replaced, as Compose does.

    Source: https://github.com/compose-spec/compose-spec/blob/main/12-interpolation.md

    Raises:
        BadInput: a variable has no value, and no default.
    """

    def value(match: re.Match[str]) -> str:
        name, operator, rest = match.groups()
        if name is None:
            return "$"
        found = variables.get(name, "")
        if found or (operator is None and name in variables):
            return found
        if operator == ":-":
            return str(rest)
        raise BadInput(f"the variable {name} has no value: {rest or 'it is needed'}", id="bad-input")

    return _VARIABLE.sub(value, text)


def size(text: Any) -> int | None:
    """Bytes of a size as Compose writes it, such as `2g`."""
    return None if text is None else int(text[:-1]) * _UNITS[text[-1]]
