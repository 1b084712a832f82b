"""The cache: a key that says all that a result depends on, and pointers to committed results."""

from __future__ import annotations

import functools
import hashlib
import sys
from collections.abc import Mapping

from crossdock.dsl.errors import StoreError
from crossdock.dsl.settings import Cache
from crossdock_runtime import values
from crossdock_runtime.contract import CONTRACT, Program, PythonCode, Task
from crossdock_runtime.manifest import ABSENT, Manifest
from crossdock_runtime.materializers.base import MaterializerError
from crossdock_runtime.materializers.base import find as find_materializer
from crossdock_runtime.record import Result, dumps, load_fact, now, seconds_since
from crossdock_runtime.store import Store


def code_digest(task: Task) -> str:
    """What stands for a task's code: the digest of the step's, or of a program's words."""
    if isinstance(task.code, PythonCode):
        return task.code.digest
    if isinstance(task.code, Program):
        words = [*task.code.command, None, *task.code.args]
        return values.digest(repr(words).encode())
    return "gate"


def key_fields(task: Task, inputs: Mapping[str, str]) -> dict[str, str]:
    """Everything that the result of a task depends on, by name.

    Args:
        task: the task.
        inputs: digest of each input.
    """
    settings = task.settings
    fields = {"contract": str(CONTRACT), "code": code_digest(task)}
    fields.update({f"input {name}": digest for name, digest in inputs.items()})
    for name, output in task.outputs.items():
        fields[f"output {name}"] = f"{output.type} {output.materializer or ''}".rstrip()
    fields.update({f"env {name}": value for name, value in settings.env.items()})
    if settings.image is not None:
        fields["image"] = settings.image
    if settings.requirements is not None:
        fields["requirements"] = "\n".join(settings.requirements)
    elif isinstance(task.code, PythonCode):
        fields["python"] = f"{sys.version_info.major}.{sys.version_info.minor}"
        fields.update({f"library {name}": _version(name) for name in task.code.imports})
    if isinstance(settings.cache, Cache):
        fields.update({f"depends on {number}": str(item) for number, item in enumerate(settings.cache.depends_on)})
    return fields


@functools.lru_cache(maxsize=1024)
def _version(name: str) -> str:
    from crossdock_runtime.distributions import version_of

    return version_of(name) or "unknown"


def key_of(fields: Mapping[str, str]) -> str:
    """The cache key: sha256 over names and values, each framed by its length, so that no two lists collide."""
    found = hashlib.sha256()
    for name in sorted(fields):
        for part in (name, fields[name]):
            data = part.encode()
            found.update(f"{len(data)}:".encode())
            found.update(data)
    return found.hexdigest()


def look_up(store: Store, key: str, expires: float | None) -> tuple[dict[str, Manifest], str] | None:
    """The manifests of an earlier result, and the run that made it; None when there is none that can be used."""
    try:
        body = load_fact(store, f"cache/{key}.json")
        if body is None or (expires is not None and seconds_since(body["created"]) > expires):
            return None
        outputs = {name: Manifest.from_json(item) for name, item in body["outputs"].items()}
        run = str(body["run"])
    except (KeyError, TypeError, AttributeError, ValueError):
        return None
    except StoreError as error:
        if error.id != "damaged-record":
            raise
        return None  # a damaged entry is as good as none: the task runs, and writes it anew
    return (outputs, run) if all(is_usable(store, item) for item in outputs.values()) else None


def is_usable(store: Store, manifest: Manifest) -> bool:
    """Whether all the bytes that a manifest points to are there, in the form that its materializer writes today."""
    if manifest.skipped:
        return True
    name, _, version = manifest.materializer.rpartition("@")
    try:
        if str(find_materializer(name).version) != version:
            return False
    except MaterializerError:
        return False
    if manifest.value is not ABSENT:
        return values.digest(values.dumps(manifest.value)) == manifest.digest
    if manifest.uri is None or "://" in manifest.uri:
        return True
    wanted = {f"{manifest.uri}/{member.path}" for member in manifest.members}
    if len(wanted) == 1:
        return store.exists(*wanted)
    return wanted <= set(store.keys(manifest.uri))


def remember(store: Store, key: str, run: str, result: Result) -> None:
    """Let later runs use a result."""
    body = {
        "run": run,
        "created": now(),
        "outputs": {name: item.to_json() for name, item in result.outputs.items()},
    }
    store.replace(f"cache/{key}.json", dumps(body))
