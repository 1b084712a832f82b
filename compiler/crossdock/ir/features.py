"""What a plan needs of a target, and what a target says it can do: data, from which errors, tests and tables come."""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable, Iterator, Mapping

from crossdock.dsl.errors import Problem
from crossdock.dsl.frozen import frozen
from crossdock.dsl.settings import Cache
from crossdock_runtime.bindings import Item, Literal, OneOf, RunOutput, Uri, leaves
from crossdock_runtime.contract import BranchScope, MapScope, Plan, Program, Task


class Feature(enum.Enum):
    """Something that a plan may use. The value is how it is called in messages and tables."""

    PARAMETERS = "pipeline parameters"
    ARTIFACT_PARAMETERS = "artifact-typed pipeline parameters"
    ORDER_EDGES = "order-only edges"
    CONDITION = "conditions (when, else)"
    ONE_OF = "one_of"
    MAP_STATIC = "map over a literal list"
    MAP_DYNAMIC = "map over a task's list"
    MAP_NESTED = "map inside map"
    MAP_CONCURRENCY = "a concurrency limit of a map"
    EXIT_STEP = "exit step"
    ON_FAILURE_CONTINUE = 'on_failure="continue"'
    CONTAINER_STEP = "container steps"
    EXISTING_DATA = "artifacts from a URI or an earlier run"
    IMAGE = "an image per step"
    REQUIREMENTS = "requirements per step"
    RETRY = "retries of user code"
    TIMEOUT = "a timeout per attempt"
    CACHE = "caching"
    CPU = "cpu"
    MEMORY = "memory"
    GPU = "accelerators"
    DISK = "disk"
    SHM = "shared memory"
    SPOT = "spot capacity"
    ENV = "environment variables"
    LABELS = "labels"
    SECRET_ENV = "secrets from the environment"
    SECRET_KEYRING = "secrets from a keyring"
    SECRET_KUBERNETES = "Kubernetes secrets"
    SECRET_AWS = "AWS Secrets Manager"
    SECRET_GCP = "Google Secret Manager"
    SECRET_AZURE = "Azure Key Vault"
    NOTEBOOK_STEPS = "steps defined in a notebook or __main__"


class Level(enum.Enum):
    """How far a target goes with a feature, and whose hole it is where there is one."""

    FULL = "natively"
    RUNTIME = "by our runtime or a lowering, with the same meaning"
    NOTIMPL = "not built yet by us"
    NOTYET = "the target cannot yet"
    NEVER = "the target never will"


@frozen
class Support:
    """A level and why; `notice` is a warning shown at compile time where a supported feature differs.

    Attributes:
        reason: required for every hole.
        hint: what to do instead.
    """

    level: Level
    reason: str = ""
    hint: str = ""
    notice: str = ""

    def __post_init__(self) -> None:
        if not self.works and not self.reason:
            raise ValueError(f"{self.level.name} without a reason")

    @property
    def works(self) -> bool:
        """Whether a plan that needs it can run."""
        return self.level in (Level.FULL, Level.RUNTIME)


@frozen
class Hole:
    """A place in a plan that a combination rule refuses."""

    task: str | None
    reason: str
    hint: str = ""


@frozen
class Rule:
    """A hole that is a combination: a name, and the places of a plan it refuses."""

    name: str
    finds: Callable[[Plan], Iterable[Hole]]


def _of_task(task: Task) -> Iterator[Feature]:
    settings = task.settings
    if task.after:
        yield Feature.ORDER_EDGES
    if isinstance(task.code, Program):
        yield Feature.CONTAINER_STEP
    elif settings.image is not None:
        yield Feature.IMAGE
    if getattr(task.code, "ref", "").startswith("__main__:"):
        yield Feature.NOTEBOOK_STEPS
    if settings.requirements:
        yield Feature.REQUIREMENTS
    if settings.retry is not None and settings.retry.max_attempts > 1:
        yield Feature.RETRY
    if settings.timeout is not None:
        yield Feature.TIMEOUT
    if isinstance(settings.cache, Cache) and settings.cache.enabled:
        yield Feature.CACHE
    resources = settings.resources
    if resources is not None:
        asked = {
            Feature.CPU: resources.cpu, Feature.MEMORY: resources.memory, Feature.GPU: resources.gpu,
            Feature.DISK: resources.disk, Feature.SHM: resources.shm, Feature.SPOT: resources.spot,
        }  # fmt: skip
        yield from (feature for feature, value in asked.items() if value)
    if settings.env:
        yield Feature.ENV
    if settings.labels:
        yield Feature.LABELS
    for secret in settings.secrets.values():
        yield Feature[f"SECRET_{secret.source.upper()}"]
    for item in task.inputs.values():
        if isinstance(item.binding, OneOf):
            yield Feature.ONE_OF
        for source in leaves(item.binding):
            if isinstance(source, (Uri, RunOutput)):
                yield Feature.EXISTING_DATA


def features_of(plan: Plan) -> Iterator[tuple[Feature, str | None]]:
    """Every feature that a plan uses, with the task that uses it (None: the pipeline)."""
    if plan.parameters:
        yield Feature.PARAMETERS, None
    if any(item.artifact for item in plan.parameters.values()):
        yield Feature.ARTIFACT_PARAMETERS, None
    if plan.on_exit is not None:
        yield Feature.EXIT_STEP, plan.on_exit
    if plan.on_failure == "continue":
        yield Feature.ON_FAILURE_CONTINUE, None
    inside: dict[str, str] = {}
    for task in plan.tasks:
        for scope in plan.scopes_of(task.scope):
            inside.setdefault(scope.id, task.id)
        for feature in dict.fromkeys(_of_task(task)):
            yield feature, task.id
    for scope in plan.scopes.values():
        first = inside.get(scope.id)
        if isinstance(scope, BranchScope):
            yield Feature.CONDITION, first
            continue
        static = isinstance(scope.items, Literal)
        yield (Feature.MAP_STATIC if static else Feature.MAP_DYNAMIC), first
        if scope.concurrency is not None:
            yield Feature.MAP_CONCURRENCY, first
        if any(isinstance(outer, MapScope) for outer in plan.scopes_of(scope.parent)):
            yield Feature.MAP_NESTED, first


def check_support(
    plan: Plan,
    target: str,
    features: Mapping[Feature, Support],
    rules: Iterable[Rule] = (),
    locations: Mapping[str, str] | None = None,
) -> tuple[list[Problem], list[Problem]]:
    """Everything that a target cannot do with a plan, and everything that it does otherwise.

    Args:
        plan: the plan.
        target: the flavor's name.
        features: the target's support for every feature.
        rules: its combination rules.
        locations: `file:line` of each task.

    Returns:
        Problems, and warnings.
    """
    places = locations or {}
    problems, warnings = [], []
    seen: set[tuple[Feature, str | None]] = set()
    for feature, task in features_of(plan):
        if (feature, task) in seen:
            continue
        seen.add((feature, task))
        support = features[feature]
        where = places.get(task) if task else None
        if not support.works:
            message = f"{target} does not take {feature.value}: {support.reason} ({support.level.value})"
            problems.append(Problem(message, task=task, where=where, hint=support.hint or None))
        elif support.notice:
            warnings.append(Problem(f"{target}: {feature.value}: {support.notice}", task=task, where=where))
    for rule in rules:
        for hole in rule.finds(plan):
            where = places.get(hole.task) if hole.task else None
            problems.append(Problem(f"{target}: {hole.reason}", task=hole.task, where=where, hint=hole.hint or None))
    return problems, warnings


def uses_item_of(task: Task, scope: str) -> bool:
    """Whether a task reads the item of a map."""
    return any(isinstance(source, Item) and source.scope == scope for source in task.sources())
