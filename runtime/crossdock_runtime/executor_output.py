"""A task's artifacts as KFP's platforms see them: a small reference for each, and the file that lists them.

Source of the formats, `ExecutorInput` and `ExecutorOutput`:
https://github.com/kubeflow/pipelines/blob/master/api/v2alpha1/pipeline_spec.proto
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from crossdock.dsl.errors import BadInput
from crossdock_runtime.context import RunContext
from crossdock_runtime.contract import Task
from crossdock_runtime.manifest import Manifest
from crossdock_runtime.record import Index
from crossdock_runtime.store import Store

_FOLDERS = {"gs": "/gcs", "s3": "/s3", "minio": "/minio"}
"""Where the platform looks for what it uploads to a URI of each scheme."""


def write_references(context: RunContext, task: Task, index: Index, text: str) -> None:
    """Write a reference for each output artifact that the platform asks for, and list all of them.

    The task is done, and its outputs are in the store: where a reference cannot be written the platform's UI shows
    less, and that is all.

    Args:
        text: the JSON of the `ExecutorInput`.

    Raises:
        BadInput: it is no `ExecutorInput`.
    """
    try:
        outputs = json.loads(text)["outputs"]
        listed = {name: dict(item["artifacts"][0]) for name, item in outputs.get("artifacts", {}).items()}
        place = Path(outputs["outputFile"])
        uris = {name: str(item["uri"]) for name, item in listed.items()}
    except (ValueError, KeyError, IndexError, TypeError, AttributeError):
        raise BadInput("--executor-input is not the JSON of an ExecutorInput with its outputs") from None
    result = context.run.task(task.id, index).result()
    found = result.outputs if result is not None else {}
    made: dict[str, Any] = {}
    for name, uri in uris.items():
        metadata = _metadata(context.store, found.get(name))
        path = _local(uri)
        if path is not None:
            _write(path, metadata)
        about = {key: listed[name][key] for key in ("name", "type") if key in listed[name]}
        made[name] = {"artifacts": [{**about, "uri": uri, "metadata": metadata}]}
    _write(place, {"artifacts": made})


def _metadata(store: Store, manifest: Manifest | None) -> dict[str, Any]:
    if manifest is None or manifest.skipped:
        return {"skipped": True}
    found: dict[str, Any] = {"digest": manifest.digest, "size": manifest.size, "type": manifest.type}
    if manifest.uri is not None:
        found["uri"] = manifest.uri if "://" in manifest.uri else f"{store.url.rstrip('/')}/{manifest.uri}"
    return found


def _local(uri: str) -> Path | None:
    """The file that the platform uploads to a URI; None for a URI of none of its schemes."""
    scheme, separator, rest = uri.partition("://")
    if not separator:
        return Path(uri)
    return Path(_FOLDERS[scheme], rest) if scheme in _FOLDERS else None


def _write(path: Path, body: Mapping[str, Any]) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(body, sort_keys=True), encoding="utf-8")
    except OSError as error:
        print(f"crossdock: the platform is not told of an artifact: {path}: {error.strerror}", file=sys.stderr)
