"""What a step may ask for: resources, retries, time, cache, image, environment and secrets."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import field, fields, replace
from datetime import timedelta
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, NoReturn, TypedDict

from crossdock.dsl.errors import TraceError, caller, did_you_mean
from crossdock.dsl.frozen import freeze, frozen
from crossdock.dsl.secret_references import EXAMPLES, SECRET_SOURCES, parts

_BINARY = {"Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40, "Pi": 2**50}
_DECIMAL = {"k": 10**3, "K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12, "P": 10**15}
_QUANTITY = re.compile(r"^\s*(\d+(?:\.\d+)?)\s*([KMGTP]i|[kKMGTP])?B?\s*$")
_DURATION = re.compile(r"^\s*(?:(\d+)d)?\s*(?:(\d+)h)?\s*(?:(\d+)m)?\s*(?:(\d+(?:\.\d+)?)s)?\s*$")
_LABEL_KEY = re.compile(r"^[A-Za-z0-9]([A-Za-z0-9._/-]{0,251}[A-Za-z0-9])?$")
_ENV_NAME = re.compile(r"^[A-Za-z_][A-Za-z0-9_]*$")
_REFERENCE = re.compile(r"^\s*(?:[A-Za-z_]\w*\.)*[A-Za-z_]\w*\s*$")
OUR_PREFIX = "CROSSDOCK_"


def _refuse(message: str, hint: str | None = None) -> NoReturn:
    raise TraceError(message, where=caller(), hint=hint, id="bad-setting")


def _new(cls: type[Any], *_: Any, **given: Any) -> Any:
    """`__new__` of the classes that a user makes: a name that is not theirs is said at the user's line."""
    for name in given:
        if name not in cls.__dataclass_fields__:
            _refuse(f"{cls.__name__} has no {name!r}", hint=did_you_mean(name, cls.__dataclass_fields__))
    return object.__new__(cls)


def parse_bytes(text: str | int, what: str) -> int:
    """Bytes of a quantity such as `"4Gi"`, `"500M"` or `1024`.

    Source: https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/

    Raises:
        TraceError: the text is no quantity.
    """
    if isinstance(text, bool) or not isinstance(text, (str, int)):
        _refuse(f"{what}={text!r} is not a size", hint=f'write {what}="4Gi" or a number of bytes')
    if isinstance(text, int):
        size = text
    else:
        match = _QUANTITY.match(text)
        if match is None:
            _refuse(f"{what}={text!r} is not a size", hint=f'write {what}="4Gi" or "500M"')
        number, unit = match.groups()
        size = int(float(number) * (_BINARY.get(unit) or _DECIMAL.get(unit) or 1))
    if size <= 0:
        _refuse(f"{what}={text!r} is not more than nothing", hint=f'write {what}="4Gi", or leave it out')
    return size


def format_bytes(size: int) -> str:
    """The shortest exact text of a size in bytes: `4Gi`, `500M`, `1023`."""
    for units in (dict(reversed(_BINARY.items())), {"T": 10**12, "G": 10**9, "M": 10**6, "k": 10**3}):
        for unit, factor in units.items():
            if size % factor == 0:
                return f"{size // factor}{unit}"
    return str(size)


def parse_cpu(cpu: float | str) -> float:
    """Cores of `2`, `0.5` or `"500m"`."""
    try:
        cores = float(cpu[:-1]) / 1000 if isinstance(cpu, str) and cpu.endswith("m") else float(cpu)
    except (ValueError, TypeError):
        cores = -1.0
    if not 0 < cores < 10_000:
        _refuse(f"cpu={cpu!r} is not a number of cores", hint='write cpu=2, cpu=0.5 or cpu="500m"')
    return round(cores, 3)


def parse_seconds(value: float | str | timedelta, what: str) -> float:
    """Seconds of `90`, `"1h30m"`, `"7d"` or a timedelta."""
    seconds: float | None = None
    if isinstance(value, timedelta):
        seconds = value.total_seconds()
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        seconds = float(value)
    elif isinstance(value, str) and value.strip() and (match := _DURATION.match(value)):
        days, hours, minutes, rest = match.groups()
        seconds = int(days or 0) * 86400.0 + int(hours or 0) * 3600 + int(minutes or 0) * 60 + float(rest or 0)
    if seconds is None or not 0 <= seconds < float("inf"):
        _refuse(f"{what}={value!r} is not a duration", hint=f'write {what}=90 (seconds) or "1h30m"')
    return seconds


@frozen
class Resources:
    """What a task needs of a machine. Requests; limits equal requests.

    Attributes:
        cpu: cores, e.g. `2`, `0.5`, `"500m"`.
        memory: size, e.g. `"4Gi"`.
        gpu: number of accelerators.
        gpu_type: canonical id, e.g. `"nvidia-l4"`.
        disk: scratch space, e.g. `"50Gi"`.
        shm: size of /dev/shm.
        spot: run on preemptible capacity.
    """

    cpu: float | str | None = None
    memory: str | int | None = None
    gpu: int | None = None
    gpu_type: str | None = None
    disk: str | int | None = None
    shm: str | int | None = None
    spot: bool = False

    if not TYPE_CHECKING:
        __new__ = _new

    def __post_init__(self) -> None:
        if self.cpu is not None:
            object.__setattr__(self, "cpu", parse_cpu(self.cpu))
        for name in ("memory", "disk", "shm"):
            size = getattr(self, name)
            if size is not None:
                object.__setattr__(self, name, format_bytes(parse_bytes(size, name)))
        if self.gpu is not None and (isinstance(self.gpu, bool) or not isinstance(self.gpu, int) or self.gpu < 0):
            _refuse(f"gpu={self.gpu!r} is not a number of accelerators", hint="write gpu=1")
        if self.gpu_type is not None and not self.gpu:
            _refuse(f"gpu_type={self.gpu_type!r} without gpu", hint="add gpu=1")

    def bytes_of(self, name: str) -> int | None:
        """Size in bytes of `memory`, `disk` or `shm`; None when it was not asked for."""
        size = getattr(self, name)
        return None if size is None else parse_bytes(size, name)


@frozen
class Retry:
    """How often a task is tried again after its own code failed.

    Attributes:
        max_attempts: attempts in all, the first included.
        delay: seconds (or `"30s"`) before the second attempt.
        backoff: factor on the delay after each further failure.
        on: exception classes, or their names, that are worth another attempt; empty means any.
    """

    max_attempts: int = 3
    delay: float | str | timedelta = 0.0
    backoff: float = 2.0
    on: Sequence[type[BaseException] | str] = ()

    if not TYPE_CHECKING:
        __new__ = _new

    def __post_init__(self) -> None:
        if isinstance(self.max_attempts, bool) or not isinstance(self.max_attempts, int) or self.max_attempts < 1:
            _refuse(f"max_attempts={self.max_attempts!r} is not a count of attempts", hint="write 1 or more")
        if self.max_attempts > 100:
            _refuse(f"max_attempts={self.max_attempts} is more than 100", hint="write 100 or less")
        object.__setattr__(self, "delay", parse_seconds(self.delay, "delay"))
        if isinstance(self.backoff, bool) or not isinstance(self.backoff, (int, float)):
            _refuse(f"backoff={self.backoff!r} is not a factor", hint="write backoff=2.0")
        if not 1 <= self.backoff < float("inf"):
            _refuse(f"backoff={self.backoff!r} would shorten the delay", hint="write 1 or more")
        object.__setattr__(self, "backoff", float(self.backoff))
        kinds = self.on if isinstance(self.on, (tuple, list)) else (self.on,)
        names = []
        for kind in kinds:
            if isinstance(kind, str) and _REFERENCE.match(kind):
                names.append(kind.strip())
            elif isinstance(kind, type) and issubclass(kind, BaseException):
                names.append(f"{kind.__module__}.{kind.__qualname__}".removeprefix("builtins."))
            else:
                _refuse(
                    f"on={kind!r} is not an exception class, and not the name of one",
                    hint='write on=(ConnectionError,), or on=("requests.Timeout",) for one that is not imported here',
                )
        object.__setattr__(self, "on", tuple(names))

    def wait_before(self, attempt: int) -> float:
        """Seconds to wait before attempt number `attempt` (2 is the first that waits)."""
        return float(self.delay) * self.backoff ** max(0, attempt - 2)  # type: ignore[arg-type]


@frozen
class Cache:
    """Whether a finished result may be used again.

    Attributes:
        enabled: False runs the task each time.
        expires: seconds (or `"7d"`) after which a result is not used any more; None means never.
        depends_on: what else the result depends on: texts (a version, a date), or `Path`s of files in the
            project, whose contents count.
    """

    enabled: bool = True
    expires: float | str | timedelta | None = None
    depends_on: Sequence[str | PurePath] = ()

    if not TYPE_CHECKING:
        __new__ = _new

    def __post_init__(self) -> None:
        if self.expires is not None:
            object.__setattr__(self, "expires", parse_seconds(self.expires, "expires"))
        if not isinstance(self.enabled, bool):
            _refuse(f"enabled={self.enabled!r} is not True or False", hint="write Cache(enabled=False)")
        depends = tuple(self.depends_on) if isinstance(self.depends_on, (list, tuple)) else (self.depends_on,)
        for item in depends:
            if not isinstance(item, (str, PurePath)):
                _refuse(
                    f"depends_on={item!r} is neither a text nor a Path",
                    hint=f'write depends_on=("{item}",), or (Path("…"),) for the contents of a file',
                )
        object.__setattr__(self, "depends_on", depends)


@frozen
class Secret:
    """A reference to a secret, resolved where the task runs; the value is in no file of ours.

    - `Secret(env="NAME")` and `Secret(keyring="service/user")`: of this machine.
    - `Secret(kubernetes="name/key")`: for Kubernetes and Kubeflow.
    - `Secret(aws="NAME")`, or the ARN: AWS Secrets Manager. `?stage=AWSPREVIOUS` behind it is another version than the
      present one, and `#KEY` behind that one entry of a JSON object.
    - `Secret(gcp="projects/PROJECT/secrets/NAME")`: Google Secret Manager. `/versions/VERSION` behind it is another one
      than the latest; `NAME` alone is in the credentials' own project.
    - `Secret(azure="https://VAULT.vault.azure.net/secrets/NAME")`, or `VAULT/NAME`: Azure Key Vault. `/VERSION` behind
      it is another one than the latest.
    """

    source: str
    reference: str

    def __init__(self, **reference: str) -> None:
        if len(reference) != 1:
            _refuse("a Secret names one place", hint='write Secret(env="NAME")')
        ((source, text),) = reference.items()
        if source not in SECRET_SOURCES:
            _refuse(f"no secrets come from {source!r}", hint=did_you_mean(source, SECRET_SOURCES))
        example = f'write Secret({source}="{EXAMPLES[source]}")'
        if not isinstance(text, str) or not text:
            _refuse(f"Secret({source}={text!r}) names nothing", hint=example)
        if source in ("keyring", "kubernetes") and "/" not in text:
            _refuse(f"Secret({source}={text!r}) lacks a key", hint=example)
        if parts(source, text) is None:
            _refuse(f"Secret({source}={text!r}) is no reference to a secret", hint=example)
        object.__setattr__(self, "source", source)
        object.__setattr__(self, "reference", text)


_IMAGE = re.compile(r"^[A-Za-z0-9][A-Za-z0-9._:/@-]*$")
_PATTERNS = {"env": _ENV_NAME, "secrets": _ENV_NAME, "labels": _LABEL_KEY}
_EXAMPLES = {
    "env": '"MODE": "fast"',
    "secrets": '"TOKEN": Secret(env="TOKEN")',
    "labels": '"team": "vision"',
    "targets": '"kubeflow": {…}',
}


def _requirements(given: Sequence[str]) -> tuple[str, ...]:
    if isinstance(given, str) or not isinstance(given, (list, tuple)):
        _refuse(f"requirements={given!r} is not a list", hint=f"write requirements=[{given!r}]")
    for item in given:
        if not isinstance(item, str) or not item.strip():
            _refuse(f"{item!r} in requirements is not a text", hint='write requirements=["pandas>=2"]')
    return tuple(sorted({item.strip() for item in given}))


def _check_entry(name: str, key: object, value: object) -> None:
    pattern = _PATTERNS.get(name)
    if not isinstance(key, str) or (pattern and not pattern.match(key)):
        rule = "letters, digits, '-', '_', '.' and '/'" if name == "labels" else "letters, digits and '_'"
        _refuse(f"{key!r} is not a name for {name}", hint=f"{rule}: {name}={{{_EXAMPLES[name]}}}")
    if name in ("env", "secrets") and key.startswith(OUR_PREFIX):
        _refuse(f"{key!r} in {name} is a variable of Crossdock's own", hint=f"take a name without {OUR_PREFIX}")
    if name == "secrets" and not isinstance(value, Secret):
        _refuse(
            f"the secret {key!r} is given by its value, which would stand in the plan",
            hint=f'write secrets={{"{key}": Secret(env="{key}")}}',
        )
    if name in ("env", "labels") and not isinstance(value, str):
        _refuse(f"{name}[{key!r}]={value!r} is not a text", hint=f'write {name}={{"{key}": "{value}"}}')


class ContainerOptions(TypedDict, total=False):
    """The fields of `Settings` as keyword arguments of `container_step`, whose image is a parameter of its own."""

    resources: Resources
    retry: Retry
    timeout: float | str | timedelta
    cache: Cache | bool
    env: Mapping[str, str]
    secrets: Mapping[str, Secret]
    labels: Mapping[str, str]
    targets: Mapping[str, Any]


class Options(ContainerOptions, total=False):
    """The fields of `Settings` as keyword arguments of `@step` and of `with_options`."""

    image: str
    requirements: Sequence[str]


@frozen
class Settings:
    """The settings of a step, a call or a pipeline; None means not set here.

    A call overrides its step, a step overrides its pipeline. `env`, `secrets`, `labels` and `targets` are merged
    key by key, everything else is replaced whole.
    """

    resources: Resources | None = None
    retry: Retry | None = None
    timeout: float | str | timedelta | None = None
    cache: Cache | bool | None = None
    image: str | None = None
    requirements: Sequence[str] | None = None
    env: Mapping[str, str] = field(default_factory=dict)
    secrets: Mapping[str, Secret] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    targets: Mapping[str, Any] = field(default_factory=dict)

    if not TYPE_CHECKING:
        __new__ = _new

    def __post_init__(self) -> None:
        for name, kind in (("resources", Resources), ("retry", Retry)):
            found = getattr(self, name)
            if found is not None and not isinstance(found, kind):
                _refuse(f"{name}={found!r} is not a {kind.__name__}", hint=f"write {name}={kind.__name__}(…)")
        if self.timeout is not None:
            seconds = parse_seconds(self.timeout, "timeout")
            if seconds <= 0:
                _refuse("timeout=0 would end every attempt at once", hint='write timeout="1h", or leave it out')
            object.__setattr__(self, "timeout", seconds)
        if isinstance(self.cache, bool):
            object.__setattr__(self, "cache", Cache(enabled=self.cache))
        if self.cache is not None and not isinstance(self.cache, Cache):
            _refuse(f"cache={self.cache!r} is not a Cache", hint="write cache=False or cache=Cache(…)")
        if self.requirements is not None:
            object.__setattr__(self, "requirements", _requirements(self.requirements))
        if self.image is not None and (not isinstance(self.image, str) or not _IMAGE.match(self.image)):
            _refuse(f"image={self.image!r} is not an image reference", hint='write image="python:3.12-slim"')
        for name in ("env", "secrets", "labels", "targets"):
            found = getattr(self, name)
            if not isinstance(found, Mapping):
                _refuse(f"{name}={found!r} is not a dict", hint=f"write {name}={{{_EXAMPLES[name]}}}")
            for key, value in found.items():
                _check_entry(name, key, value)
        both = sorted(set(self.env) & set(self.secrets))
        if both:
            _refuse(f"{both[0]!r} is in env and in secrets", hint="leave it out of one of them")
        freeze(self, "env", "secrets", "labels", "targets")

    def over(self, base: Settings) -> Settings:
        """These settings on top of `base`."""
        if base is _NOTHING:
            return self
        if self is _NOTHING:
            return base
        changed: dict[str, Any] = {}
        for name in _FIELDS:
            mine, theirs = getattr(self, name), getattr(base, name)
            if isinstance(mine, Mapping):
                changed[name] = {**theirs, **mine} if mine and theirs else (mine or theirs)
            elif mine is None:
                changed[name] = theirs
        for name, other in (("env", "secrets"), ("secrets", "env")):
            # A variable that is set here as a secret is not also taken as a text from there, and the other way round.
            mine = getattr(self, other)
            merged = changed.get(name, getattr(self, name))
            if any(key in mine for key in merged):
                own = getattr(self, name)
                changed[name] = {key: value for key, value in merged.items() if key in own or key not in mine}
        return replace(self, **changed)


_FIELDS = tuple(item.name for item in fields(Settings))
_NOTHING = Settings()


def no_settings() -> Settings:
    """Settings that set nothing."""
    return _NOTHING
