"""What every component of a stack is, and what every orchestrator offers."""

from __future__ import annotations

import abc
import builtins
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Self, TypeVar, get_args

from pydantic import BaseModel, ConfigDict, ValidationInfo, field_validator, model_serializer, model_validator
from pydantic_core import PydanticCustomError

from crossdock.dsl.errors import BadInput, Problem
from crossdock.dsl.frozen import frozen
from crossdock.dsl.secret_references import EXAMPLES, SECRET_SOURCES, parts
from crossdock.dsl.settings import Secret
from crossdock.ir import Feature, Plan, Rule, Support

if TYPE_CHECKING:
    from crossdock.stacks.guardrails import Guardrails
    from crossdock_runtime.context import Outcome
    from crossdock_runtime.store import Store


class _Config(BaseModel):
    """Unknown keys are errors, it never changes, and true is no 1."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    @field_validator("*", mode="before")
    @classmethod
    def _is_no_truth(cls, value: Any, info: ValidationInfo) -> Any:
        annotation = cls.model_fields[info.field_name or ""].annotation
        if _holds_truth(value) and not _takes_truth(annotation):
            raise PydanticCustomError("truth", "takes no true or false")
        return value


def _holds_truth(value: Any) -> bool:
    if isinstance(value, Mapping):
        return any(map(_holds_truth, value.values()))
    return isinstance(value, bool) or (isinstance(value, (list, tuple)) and any(map(_holds_truth, value)))


def _takes_truth(annotation: Any) -> bool:
    """Whether a type may hold true; a model inside of it says so itself."""
    if isinstance(annotation, bool) or annotation in (bool, Any, object):
        return True
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return True
    return any(map(_takes_truth, get_args(annotation)))


class ComponentConfig(_Config):
    """Base of every component's configuration: unknown keys are errors, and it never changes."""


class TaskOverrides(_Config):
    """Base of a target's per-task overrides, `targets={"<flavor>": {…}}`: unknown keys are errors."""


_SECRET = "takes a reference to a secret, such as {env: NAME}; the secret itself is in no file"


class SecretReference(BaseModel):
    """A field of a configuration that is a secret: where it is, never what it is.

    One of `{env: NAME}`, `{keyring: service/user}`, `{kubernetes: name/key}`, `{aws: prod/database#password}`,
    `{gcp: projects/PROJECT/secrets/NAME}` and `{azure: VAULT/NAME}`, as `Secret` has them. It is resolved where it is
    used.
    """

    model_config = ConfigDict(frozen=True)

    source: str
    reference: str

    @model_validator(mode="wrap")
    @classmethod
    def _from_mapping(cls, value: Any, handler: Callable[[Any], Self]) -> Self:
        if isinstance(value, cls):
            return value
        if isinstance(value, Secret):
            return cls.model_construct(source=value.source, reference=value.reference)
        if not isinstance(value, Mapping) or len(value) != 1:
            raise PydanticCustomError("secret", _SECRET)
        ((source, reference),) = value.items()
        if source not in SECRET_SOURCES:
            raise PydanticCustomError("secret", f"comes from one of {', '.join(SECRET_SOURCES)}")
        if not isinstance(reference, str) or parts(source, reference) is None:
            example = f"{{{source}: {EXAMPLES[source]}}}"
            raise PydanticCustomError("secret", f"names its {source} wrongly: write {example}")
        return cls.model_construct(source=source, reference=reference)

    @model_serializer
    def _to_mapping(self) -> dict[str, str]:
        return {self.source: self.reference}

    def secret(self) -> Secret:
        """The reference as a step's settings have it."""
        return Secret(**{self.source: self.reference})

    def resolve(self, name: str) -> str:
        """The secret's value, on this machine.

        Args:
            name: what it is, for the message when it is not there.

        Raises:
            BadInput: it is not there, or this machine cannot get it.
        """
        from crossdock_runtime.failure import TaskFailed
        from crossdock_runtime.steps import resolve_secret

        try:
            return resolve_secret(self.source, self.reference, name)
        except TaskFailed as error:
            raise BadInput(str(error), hint=error.hint, id="missing-secret") from None


C = TypeVar("C", bound=ComponentConfig)


class StackComponent(Generic[C]):
    """A configured member of a stack.

    Attributes:
        type: the component type, e.g. `orchestrator`.
        flavor: the flavor's name.
        extra: the optional dependency group that its client needs, or None.
        extra_adds: what the extra adds where the flavor works without it; empty where it does not.
        Config: the model of its configuration.
        folder: where relative paths of its configuration begin: the project's, whatever the working folder is; None
            for the working folder.
    """

    folder: Path | None = None
    type: ClassVar[str]
    flavor: ClassVar[str]
    extra: ClassVar[str | None] = None
    extra_adds: ClassVar[str] = ""
    Config: ClassVar[builtins.type[ComponentConfig]] = ComponentConfig

    def __init__(self, name: str, config: C) -> None:
        self.name = name
        self.config = config


class ArtifactStore(StackComponent[C], abc.ABC):
    """Where artifacts, plans and records live. Holds configuration only; the runtime does the I/O."""

    type = "artifact_store"

    @property
    @abc.abstractmethod
    def url(self) -> str:
        """The store's URL as this machine sees it."""

    @abc.abstractmethod
    def open(self) -> Store:
        """The data plane.

        Raises:
            StoreError: it cannot be reached.
        """

    @property
    def options(self) -> Mapping[str, str]:
        """What the data plane must know beside the URL, as a container sees it (`endpoint`, `region`, …): no secrets.

        Specs carry it as JSON in the environment variable `CROSSDOCK_STORE_OPTIONS`.
        """
        return {}

    @property
    def secrets(self) -> Mapping[str, SecretReference]:
        """Options that are secret, by name: where they are. A container has them as `CROSSDOCK_STORE_SECRET_<NAME>`."""
        return {}

    def credentials(self) -> Mapping[str, str]:
        """Options that are secret, by name, for a container on this machine: their values as of now.

        Those that `secrets` names are resolved; where there are none, what the vendor's default chain finds here, for
        a container does not see this machine's files and its environment.

        Raises:
            BadInput: one cannot be had here.
        """
        return {name: reference.resolve(name) for name, reference in self.secrets.items()}


@frozen
class Stack:
    """A named set of components.

    Attributes:
        components: the others, by `type/name`.
        guardrails: what is asked of those who submit to it.
    """

    name: str
    orchestrator: Orchestrator[Any]
    artifact_store: ArtifactStore[Any]
    components: Mapping[str, StackComponent[Any]] = field(default_factory=dict)
    guardrails: Guardrails | None = None


@frozen
class Spec:
    """What an adapter makes of a plan: text files in the target's own format.

    Attributes:
        target: the flavor's name.
        files: file name to text, in the order they are to be read; the first is the main one.
    """

    target: str
    files: Mapping[str, str]

    @property
    def main(self) -> str:
        """Text of the main file."""
        return next(iter(self.files.values()))


@frozen
class RunHandle:
    """The native run that a submit started: the flavor, its own id, and what else its client needs to find it."""

    flavor: str
    native_id: str
    details: Mapping[str, str] = field(default_factory=dict)


@frozen
class NativeTask:
    """A task as its platform sees it.

    Attributes:
        state: in the shared vocabulary: pending, running, succeeded, failed, skipped, cancelled.
        kind: why it failed, a key of `failure.KINDS`; empty where the platform does not say.
        message: in the platform's own words.
    """

    state: str
    kind: str = ""
    message: str = ""


@frozen
class NativeRun:
    """A run as its platform sees it: where an image cannot be pulled, or a node is gone, nothing of ours could say so.

    Attributes:
        status: running, succeeded, failed, cancelled or lost. A run that is paused, or waits, is running.
        message: in the platform's own words.
        tasks: by `task`, or `task.0.3` for an item; those that it knows.
    """

    status: str
    message: str = ""
    tasks: Mapping[str, NativeTask] = field(default_factory=dict)


@frozen
class Schedule:
    """What starts runs of a pipeline by the clock.

    Attributes:
        id: the platform's.
        cron: as the platform keeps it.
        url: where the vendor's console shows it.
    """

    id: str
    pipeline: str
    cron: str
    paused: bool = False
    url: str | None = None


@frozen
class RunOptions:
    """What one submit asks for, beside the spec.

    Attributes:
        run: the run id, minted by the caller.
        plan: what the spec was made of; it is in the store.
        parameters: tagged values of all pipeline parameters.
        cache: False runs every task.
        max_workers: tasks at once, where we do the scheduling.
        on_event: told what happens, for the display; None for nobody.
        modules: modules of the user's code that worker processes load ahead.
        project_root: folder of the user's code on this machine.
    """

    run: str
    plan: Plan
    parameters: Mapping[str, Any] = field(default_factory=dict)
    cache: bool = True
    max_workers: int = 1
    on_event: Callable[[Any], None] | None = None
    modules: tuple[str, ...] = ()
    project_root: str | None = None


class Orchestrator(StackComponent[C], abc.ABC):
    """Translates plans to native specs, submits them, and watches native runs.

    Attributes:
        features: the support for every member of `Feature`; each hole with its reason.
        rules: holes that are combinations of features.
        Overrides: the model of `targets={"<flavor>": …}` on a step.
        remote: whether tasks run on another machine than the one that submits.
        local_images: whether its tasks run on this machine's container engine, so that an image need be in no registry.
        store_schemes: the schemes of the artifact stores that its tasks can read and write.
    """

    type = "orchestrator"
    features: ClassVar[Mapping[Feature, Support]]
    rules: ClassVar[Iterable[Rule]] = ()
    Overrides: ClassVar[builtins.type[TaskOverrides]] = TaskOverrides
    remote: ClassVar[bool] = True
    local_images: ClassVar[bool] = False
    store_schemes: ClassVar[tuple[str, ...]] = ("s3", "gs", "az", "abfs")

    @abc.abstractmethod
    def translate(self, plan: Plan, stack: Stack | None = None) -> Spec:
        """The native spec of a plan: pure, no SDK, no network, no clock.

        Args:
            plan: after the passes.
            stack: None writes marked placeholders for what a stack would say.
        """

    def warnings(self, spec: Spec) -> Iterable[Problem]:
        """What to know of a spec that this orchestrator wrote, although it can be run; told when it is compiled."""
        return ()

    def reachable(self) -> None:
        """Ask the platform whether it is there, for `crossdock doctor`.

        Raises:
            PlatformError: it does not answer, or refuses.
        """


class CanRun(abc.ABC):
    """An orchestrator that can start a run of a spec, and be asked about it."""

    def preflight(self, spec: Spec, stack: Stack) -> None:  # noqa: B027 - not every platform can be asked beforehand
        """Whether a run of a spec could start now; asked before anything of it is written.

        Raises:
            PlatformError: the platform cannot be reached, or refuses.
            BadInput: it lacks what the spec needs.
        """

    @abc.abstractmethod
    def submit(self, spec: Spec, stack: Stack, options: RunOptions) -> RunHandle:
        """Start a run of a spec, byte for byte; without a server of its own, it returns when the run has ended."""

    @abc.abstractmethod
    def status(self, handle: RunHandle, stack: Stack) -> NativeRun:
        """How the native run stands now.

        Raises:
            PlatformError: the platform cannot be reached, or refuses.
        """

    def url(self, handle: RunHandle, stack: Stack) -> str | None:
        """Where the vendor's own console shows the run; asks nobody."""
        return None

    @abc.abstractmethod
    def logs(self, handle: RunHandle, stack: Stack, task: str, follow: bool = False) -> Iterator[str]:
        """Lines of a task's log."""

    @abc.abstractmethod
    def cancel(self, handle: RunHandle, stack: Stack) -> None:
        """Ask the run to end."""


class CanSchedule(abc.ABC):
    """An orchestrator whose platform starts runs by the clock; each derives its run id from the native run."""

    @abc.abstractmethod
    def schedule(self, spec: Spec, stack: Stack, options: RunOptions, cron: str) -> Schedule:
        """Start runs of a spec by a cron expression of five fields, in UTC; `options.run` is not used.

        Raises:
            BadInput: the platform takes no such expression.
            PlatformError: it cannot be reached, or refuses.
        """

    @abc.abstractmethod
    def schedules(self, stack: Stack, pipeline: str | None = None) -> list[Schedule]:
        """The schedules that we made, of one pipeline where it is named."""

    @abc.abstractmethod
    def pause_schedule(self, stack: Stack, schedule: str) -> None:
        """Start no further runs, until it is resumed."""

    @abc.abstractmethod
    def resume_schedule(self, stack: Stack, schedule: str) -> None:
        """Start runs again."""

    @abc.abstractmethod
    def delete_schedule(self, stack: Stack, schedule: str) -> None:
        """Remove it; its runs stay."""


class CanCheckSpecs(abc.ABC):
    """An orchestrator that finds what is wrong with a native spec, whoever wrote it."""

    @abc.abstractmethod
    def reads(self, name: str, text: str) -> bool:
        """Whether a file looks like a spec of this target."""

    @abc.abstractmethod
    def check_spec(self, name: str, text: str) -> list[Problem]:
        """Everything that is wrong with a spec; `where` of each is a place in the file. No network, no SDK."""


class CanReplay(abc.ABC):
    """An orchestrator that can run one task again on this machine, in the task's own image."""

    @abc.abstractmethod
    def replay(self, spec: Spec, stack: Stack, options: RunOptions, task: str, index: tuple[int, ...]) -> Outcome:
        """Run one task of a spec; `options.run` is the scratch run, whose record says what it is a replay of.

        Raises:
            PlatformError, BadInput: see `CanRun.preflight`.
        """
