"""Plan in, text of `compose.yaml` out: pure, no SDK.

Source of the format: https://github.com/compose-spec/compose-spec/blob/main/spec.md
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from crossdock.dsl.errors import Problem, UnsupportedError
from crossdock.dsl.settings import Resources, format_bytes
from crossdock.ir import Plan, Program, Task, Uri, Word
from crossdock.stacks import ArtifactStore
from crossdock_adapters import yaml_text
from crossdock_adapters.orchestrators.docker.config import NO_OVERRIDES, DockerConfig, DockerOverrides
from crossdock_adapters.orchestrators.docker.features import FLAVOR
from crossdock_runtime.contract import CONTRACT

FILE = "compose.yaml"
PLACEHOLDER_IMAGE = "crossdock-placeholder/runtime:unset"
MOUNTED_STORE = "/crossdock/store"
"""Where a store that is a folder of this machine is in a container."""
STORE, RUN, USER, HOME = "CROSSDOCK_STORE", "CROSSDOCK_RUN", "CROSSDOCK_USER", "CROSSDOCK_HOME"
_MOUNT = f"${{{STORE}:?the folder of the artifact store}}:{MOUNTED_STORE}"
SECRET = "CROSSDOCK_SECRET_"
STORE_SECRET = "CROSSDOCK_STORE_SECRET_"
PARAM = "CROSSDOCK_PARAM_"
VARIABLES = {"input_path": "CROSSDOCK_INPUT_", "input_value": "CROSSDOCK_VALUE_", "output_path": "CROSSDOCK_OUTPUT_"}
"""Stand in a container step's words for what is known when it runs, by the kind of placeholder."""

_HEAD = f"""\
# {{name}}: a service for each task. `crossdock submit` runs them, and does what Compose cannot: it runs the items of
# maps beside each other, goes on after a failure, and brings container steps their files. Compose alone runs the rest,
# once `crossdock publish` has put the plan into the store: {RUN}=SOME-NEW-ID {STORE}=FOLDER docker compose up
"""


def translate(plan: Plan, config: DockerConfig, store: ArtifactStore[Any] | None) -> str:
    """The text of `compose.yaml`.

    Args:
        plan: after the passes; where it is packaged, tasks run in the images that it names.
        config: of the orchestrator.
        store: None stands for a folder of the machine that runs it.

    Raises:
        UnsupportedError: a task reads a path of the host that is not mounted.
    """
    overrides = {task.id: overrides_of(task) for task in plan.tasks}
    refuse_unmounted(plan, config, overrides)
    url = store.url if store is not None else ""
    mounted = "://" not in url or url.startswith("file:")
    place = MOUNTED_STORE if mounted else url.rstrip("/")
    task_body: dict[str, Any] = {"entrypoint": ["python", "-m", "crossdock_runtime"], "init": True}
    if mounted:
        task_body["user"] = f"${{{USER}:-0:0}}"
    task_body.update(_volumes((*([_MOUNT] if mounted else []), *map(escaped, config.volumes))))
    environment = {"CROSSDOCK_PLAN": escaped(f"{place}/plans/{plan.digest}.json"), **_environment(store, mounted)}
    networks = sorted({name for item in overrides.values() if (name := item.network or config.network)})
    volumes = sorted({_source(text) for item in overrides.values() for text in (*config.volumes, *item.volumes)})
    body: dict[str, Any] = {
        "name": re.sub("[^a-z0-9_-]", "-", plan.name.lower()),
        "x-environment": yaml_text.Anchor("environment", environment),
        "x-task": yaml_text.Anchor("task", task_body),
        "services": {
            task.id: _service(plan, task, config, overrides[task.id], mounted=mounted)
            for task in sorted(plan.tasks, key=lambda task: task.id == plan.on_exit)
        },
    }
    external = [name for name in networks if name not in ("bridge", "host", "none")]
    if external:
        body["networks"] = {name: {"external": True} for name in external}
    named = [name for name in volumes if not name.startswith("/")]
    if named:
        body["volumes"] = {name: {"external": True} for name in named}
    return _HEAD.format(name=plan.name) + yaml_text.documents(body)


def overrides_of(task: Task) -> DockerOverrides:
    """What the task says about Docker alone."""
    found = task.settings.targets.get(FLAVOR)
    return DockerOverrides(**found) if found else NO_OVERRIDES


def escaped(text: str) -> str:
    """A text that Compose takes as it is: it reads `$` as the start of a variable."""
    return text.replace("$", "$$")


def _environment(store: ArtifactStore[Any] | None, mounted: bool) -> dict[str, Any]:
    found: dict[str, Any] = {"CROSSDOCK_CONTRACT": str(CONTRACT), RUN: f"${{{RUN}:?the id of the run}}"}
    if mounted:
        found["HOME"] = f"${{{HOME}:-/}}"  # the user need not be one that the image knows
    if store is not None and store.options:
        found["CROSSDOCK_STORE_OPTIONS"] = escaped(json.dumps(dict(store.options), sort_keys=True))
    found.update({f"{STORE_SECRET}{name.upper()}": None for name in sorted(store.secrets if store is not None else ())})
    return found


def _service(
    plan: Plan, task: Task, config: DockerConfig, overrides: DockerOverrides, *, mounted: bool
) -> dict[str, Any]:
    settings = task.settings
    image = plan.image_of(task) or config.image or PLACEHOLDER_IMAGE
    body: dict[str, Any] = {"image": image}
    env: dict[str, Any] = {name: escaped(value) for name, value in sorted(settings.env.items())}
    env.update({f"{SECRET}{name}": None for name in sorted(settings.secrets)})
    if isinstance(task.code, Program):
        if task.code.command:
            body["entrypoint"] = [_word(word) for word in task.code.command]
        body["command"] = [_word(word) for word in task.code.args]
        if env:
            body["environment"] = env
    else:
        body["command"] = ["--task", task.id]
        if plan.maps_of(task.scope):
            env["CROSSDOCK_SHARD"] = "0/1"
        env.update({f"{PARAM}{name}": None for name in plan.parameters_of(task)})
        body["environment"] = yaml_text.Merged("environment", env)
    is_program = isinstance(task.code, Program)
    if is_program or overrides.volumes:
        mount = [_MOUNT] if mounted and not is_program else []
        body.update(_volumes((*mount, *map(escaped, (*config.volumes, *overrides.volumes)))))
    if overrides.user is not None:
        body["user"] = overrides.user
    network = overrides.network or config.network
    if network in ("bridge", "host", "none"):
        body["network_mode"] = network
    elif network:
        body["networks"] = [network]
    body.update(_resources(settings.resources))
    if settings.labels:
        body["labels"] = {name: escaped(value) for name, value in sorted(settings.labels.items())}
    others = tuple(other.id for other in plan.tasks if other.id != task.id)
    before = others if task.id == plan.on_exit else plan.upstream(task)
    if before:
        body["depends_on"] = {name: {"condition": "service_completed_successfully"} for name in before}
    return body if is_program else yaml_text.Merged("task", body)


def _volumes(volumes: Iterable[str]) -> dict[str, Any]:
    found = list(dict.fromkeys(volumes))
    return {"volumes": found} if found else {}


def _word(word: str | Word) -> str:
    return escaped(word) if isinstance(word, str) else f"${{{VARIABLES[word.kind]}{word.name}}}"


def _resources(resources: Resources | None) -> Iterator[tuple[str, Any]]:
    if resources is None:
        return
    if resources.cpu is not None:
        yield "cpus", float(resources.cpu)
    for name, keys in (("memory", ("mem_limit", "memswap_limit")), ("shm", ("shm_size",))):
        size = resources.bytes_of(name)
        if size is not None:
            yield from ((key, _size(size)) for key in keys)
    if resources.gpu:
        device = {"driver": "nvidia", "count": resources.gpu, "capabilities": ["gpu"]}
        yield "deploy", {"resources": {"reservations": {"devices": [device]}}}


def _size(size: int) -> str:
    """Bytes as Compose writes them: its units are binary.

    Source: https://github.com/compose-spec/compose-spec/blob/main/11-extension.md#specifying-byte-values
    """
    text = format_bytes(size)
    return text[:-1].lower() if text.endswith(("Ki", "Mi", "Gi")) else f"{size}b"


def _source(volume: str) -> str:
    return volume.partition(":")[0]


def refuse_unmounted(plan: Plan, config: DockerConfig, overrides: Mapping[str, DockerOverrides]) -> None:
    """Refuse tasks that read a path of the host which no volume brings into their container."""
    problems = []
    for task in plan.tasks:
        targets = [text.split(":")[1] for text in (*config.volumes, *overrides[task.id].volumes)]
        for source in task.sources():
            if not isinstance(source, Uri):
                continue
            path = source.uri.removeprefix("file://")
            if "://" not in path and not any(path == target or path.startswith(f"{target}/") for target in targets):
                what = f"{FLAVOR}: {source.uri!r} is not in the container"
                hint = f"add a volume to the orchestrator, such as {path}:{path}:ro; or name data in a bucket"
                problems.append(Problem(what, task=task.id, hint=hint))
    if problems:
        raise UnsupportedError(f"{FLAVOR} cannot run pipeline {plan.name!r}", tuple(problems))
