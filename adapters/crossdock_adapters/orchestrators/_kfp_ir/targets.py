"""What the targets that take KFP's spec make of a plan, a task and a store in the same way."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, TypeVar

from pydantic import ValidationError

from crossdock.dsl.errors import BadInput, Problem, UnsupportedError
from crossdock.ir import Hole, Plan, Program, Task
from crossdock.stacks import ArtifactStore, ContainerConfig, TaskOverrides
from crossdock_adapters.orchestrators._kfp_ir.layout import Layout, holes, lay_out
from crossdock_runtime.options import STORE_OPTIONS

PLACEHOLDER_STORE = "gs://crossdock-placeholder/store"
PLACEHOLDER_IMAGE = "crossdock-placeholder/runtime:unset"

O = TypeVar("O", bound=TaskOverrides)  # noqa: E741 - of overrides


def layout_of(plan: Plan, flavor: str) -> Layout:
    """The sub-DAGs of a plan.

    Raises:
        UnsupportedError: it has a container step, or a map that cannot be a sub-DAG.
    """
    problems = [
        Problem("a container step: no runtime of ours is in its image", task=task.id)
        for task in plan.tasks
        if isinstance(task.code, Program)
    ]
    problems += [Problem(hole.reason, task=hole.task, hint=hole.hint) for hole in holes(plan)]
    if problems:
        raise UnsupportedError(f"{flavor} cannot run pipeline {plan.name!r}", tuple(problems))
    return lay_out(plan)


def store_root(store: ArtifactStore[Any] | None, flavor: str, takes: str) -> str:
    """The URL of the artifact store, a placeholder where there is none.

    Args:
        store: the stack's, or None.
        flavor: of the target.
        takes: what it takes, for the message: `s3://…, gs://… or az://…`.

    Raises:
        BadInput: the store is on this machine.
    """
    if store is None:
        return PLACEHOLDER_STORE
    scheme, separator, _ = store.url.partition("://")
    if not separator or scheme in ("file", "memory"):
        raise BadInput(
            f"the artifact store {store.url!r} is on this machine, and the tasks of {flavor} run elsewhere",
            hint=f"give the stack a store that both reach: {takes}",
        )
    return store.url.rstrip("/")


def overrides_of(task: Task, flavor: str, model: type[O]) -> O:
    """What the task says about one target alone.

    Raises:
        BadInput: a key or a value is not one of the model.
    """
    found = task.settings.targets.get(flavor)
    try:
        return model.model_validate(found or {})
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise BadInput(
            f'task {task.id!r}: targets={{"{flavor}": …}}: {place}: {first["msg"]}',
            hint=f"its keys are: {', '.join(model.model_fields)}",
        ) from None


def image_of(plan: Plan, task: Task, config: ContainerConfig) -> str:
    """The image of a task, a placeholder where nothing names one."""
    return plan.image_of(task) or config.image or PLACEHOLDER_IMAGE


def environment(variables: Mapping[str, str], store: ArtifactStore[Any] | None) -> list[dict[str, str]]:
    """`env` of a container: the task's own variables, and the store's options that are no secrets."""
    env = dict(variables)
    if store is not None and store.options:
        env[STORE_OPTIONS] = json.dumps(dict(store.options), sort_keys=True)
    return [{"name": name, "value": env[name]} for name in sorted(env)]


def cores(cpu: Any) -> str:
    """Cores as a Kubernetes quantity."""
    return f"{float(cpu):.3f}".rstrip("0").rstrip(".")


def retry_policy(count: int) -> dict[str, Any] | None:
    """`retryPolicy` of a task, for lost infrastructure.

    The platform retries whatever ended with an error. That is safe for user code: a runtime whose attempts are spent
    exits with the recorded code and runs nothing.
    """
    if not count:
        return None
    return {"maxRetryCount": count, "backoffDuration": "30s", "backoffFactor": 2.0, "backoffMaxDuration": "600s"}


def filled_in(plan: Plan) -> Iterator[Hole]:
    """The environment variables whose text the platforms would fill in."""
    for task in plan.tasks:
        for key, value in task.settings.env.items():
            if "{{" in value:
                yield Hole(
                    task.id,
                    f"env {key!r} holds '{{{{', which the platform fills in itself",
                    "write the text in another way, or take it from a secret",
                )
