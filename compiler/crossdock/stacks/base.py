"""What every component of a stack is."""

from __future__ import annotations

import abc
import builtins
from collections.abc import Callable, Mapping
from dataclasses import field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Self, TypeVar, get_args

from pydantic import BaseModel, ConfigDict, ValidationInfo, field_validator, model_serializer, model_validator
from pydantic_core import PydanticCustomError

from crossdock.dsl.errors import BadInput
from crossdock.dsl.frozen import frozen
from crossdock.dsl.secret_references import EXAMPLES, SECRET_SOURCES, parts
from crossdock.dsl.settings import Secret

if TYPE_CHECKING:
    from crossdock.stacks.guardrails import Guardrails
    from crossdock.stacks.orchestrators import Orchestrator
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
