"""What a step may ask for: resources, retries, time, cache, image, environment and secrets."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import field, fields, replace
from datetime import timedelta
from pathlib import PurePath
from typing import Any

from crossdock.dsl.errors import TraceError
from crossdock.dsl.frozen import frozen

_BINARY = {"Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40, "Pi": 2**50}
_DECIMAL = {"k": 10**3, "K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12, "P": 10**15}
_QUANTITY = re.compile(r"^\s*(\d+(?:\.\d+)?)\s*([KMGTP]i|[kKMGTP])?B?\s*$")
_DURATION = re.compile(r"^\s*(?:(\d+)d)?\s*(?:(\d+)h)?\s*(?:(\d+)m)?\s*(?:(\d+(?:\.\d+)?)s)?\s*$")
_LABEL_KEY = re.compile(r"^[A-Za-z0-9]([A-Za-z0-9._/-]{0,251}[A-Za-z0-9])?$")
_ENV_NAME = re.compile(r"^[A-Za-z_][A-Za-z0-9_]*$")
SECRET_SOURCES = ("env", "keyring", "kubernetes", "aws", "gcp", "azure")


def parse_bytes(text: str | int, what: str) -> int:
    """Bytes of a quantity such as `"4Gi"`, `"500M"` or `1024`.

    Source: https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/

    Raises:
        TraceError: the text is no quantity.
    """
    if isinstance(text, bool) or not isinstance(text, (str, int)):
        raise TraceError(f"{what}={text!r} is not a size", hint=f'write {what}="4Gi" or a number of bytes')
    if isinstance(text, int):
        size = text
    else:
        match = _QUANTITY.match(text)
        if match is None:
            raise TraceError(f"{what}={text!r} is not a size", hint=f'write {what}="4Gi" or "500M"')
        number, unit = match.groups()
        size = int(float(number) * (_BINARY.get(unit) or _DECIMAL.get(unit) or 1))
    if size <= 0:
        raise TraceError(f"{what}={text!r} must be more than nothing")
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
    except ValueError:
        cores = -1.0
    if not 0 < cores < 10_000:
        raise TraceError(f"cpu={cpu!r} is not a number of cores", hint='write cpu=2, cpu=0.5 or cpu="500m"')
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
        raise TraceError(f"{what}={value!r} is not a duration", hint=f'write {what}=90 (seconds) or "1h30m"')
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

    def __post_init__(self) -> None:
        if self.cpu is not None:
            object.__setattr__(self, "cpu", parse_cpu(self.cpu))
        for name in ("memory", "disk", "shm"):
            size = getattr(self, name)
            if size is not None:
                object.__setattr__(self, name, format_bytes(parse_bytes(size, name)))
        if self.gpu is not None and (isinstance(self.gpu, bool) or not isinstance(self.gpu, int) or self.gpu < 0):
            raise TraceError(f"gpu={self.gpu!r} is not a number of accelerators", hint="write gpu=1")
        if self.gpu_type is not None and not self.gpu:
            raise TraceError(f"gpu_type={self.gpu_type!r} without gpu", hint="add gpu=1")

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
    on: tuple[Any, ...] = ()

    def __post_init__(self) -> None:
        if isinstance(self.max_attempts, bool) or not isinstance(self.max_attempts, int) or self.max_attempts < 1:
            raise TraceError(f"max_attempts={self.max_attempts!r} is not a count of attempts", hint="write 1 or more")
        if self.max_attempts > 100:
            raise TraceError(f"max_attempts={self.max_attempts} is more than 100")
        object.__setattr__(self, "delay", parse_seconds(self.delay, "delay"))
        if self.backoff < 1:
            raise TraceError(f"backoff={self.backoff!r} would shorten the delay", hint="write 1 or more")
        object.__setattr__(self, "backoff", float(self.backoff))
        kinds = self.on if isinstance(self.on, (tuple, list)) else (self.on,)
        names = []
        for kind in kinds:
            if isinstance(kind, str):
                names.append(kind)
            elif isinstance(kind, type) and issubclass(kind, BaseException):
                names.append(f"{kind.__module__}.{kind.__qualname__}".removeprefix("builtins."))
            else:
                raise TraceError(f"on={kind!r} is not an exception class", hint="write on=(ConnectionError,)")
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
    depends_on: tuple[Any, ...] = ()

    def __post_init__(self) -> None:
        if self.expires is not None:
            object.__setattr__(self, "expires", parse_seconds(self.expires, "expires"))
        depends = (self.depends_on,) if isinstance(self.depends_on, (str, PurePath)) else tuple(self.depends_on)
        for item in depends:
            if not isinstance(item, (str, PurePath)):
                raise TraceError(f"depends_on={item!r} is neither text nor a Path")
        object.__setattr__(self, "depends_on", depends)


@frozen
class Secret:
    """A reference to a secret, resolved where the task runs; the value is in no file of ours.

    `Secret(env="NAME")` and `Secret(keyring="service/user")` are for local runs, `Secret(kubernetes="name/key")`
    for Kubernetes and Kubeflow, `aws=`, `gcp=`, `azure=` name an entry of that cloud's secret manager.
    """

    source: str
    reference: str

    def __init__(self, **reference: str) -> None:
        if len(reference) != 1:
            raise TraceError("a Secret names one place", hint='write Secret(env="NAME")')
        ((source, text),) = reference.items()
        if source not in SECRET_SOURCES:
            raise TraceError(f"no secrets come from {source!r}", hint=f"one of {', '.join(SECRET_SOURCES)}")
        if not isinstance(text, str) or not text:
            raise TraceError(f"Secret({source}={text!r}) names nothing")
        if source in ("keyring", "kubernetes") and "/" not in text:
            raise TraceError(f"Secret({source}={text!r}) lacks a key", hint=f'write Secret({source}="name/key")')
        object.__setattr__(self, "source", source)
        object.__setattr__(self, "reference", text)


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
    requirements: tuple[str, ...] | None = None
    env: Mapping[str, str] = field(default_factory=dict)
    secrets: Mapping[str, Secret] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    targets: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, kind in (("resources", Resources), ("retry", Retry)):
            found = getattr(self, name)
            if found is not None and not isinstance(found, kind):
                raise TraceError(f"{name}={found!r} is not a {kind.__name__}", hint=f"write {name}={kind.__name__}(…)")
        if self.timeout is not None:
            seconds = parse_seconds(self.timeout, "timeout")
            if seconds <= 0:
                raise TraceError("timeout=0 would end every attempt at once")
            object.__setattr__(self, "timeout", seconds)
        if isinstance(self.cache, bool):
            object.__setattr__(self, "cache", Cache(enabled=self.cache))
        if self.cache is not None and not isinstance(self.cache, Cache):
            raise TraceError(f"cache={self.cache!r} is not a Cache", hint="write cache=False or cache=Cache(…)")
        if self.requirements is not None:
            if isinstance(self.requirements, str):
                raise TraceError("requirements is a list", hint=f"write requirements=[{self.requirements!r}]")
            object.__setattr__(self, "requirements", tuple(sorted(self.requirements)))
        if self.image is not None and (not isinstance(self.image, str) or not self.image or " " in self.image):
            raise TraceError(f"image={self.image!r} is not an image reference")
        for name, pattern in (("env", _ENV_NAME), ("secrets", _ENV_NAME), ("labels", _LABEL_KEY)):
            for key, value in getattr(self, name).items():
                if not isinstance(key, str) or not pattern.match(key):
                    raise TraceError(f"{key!r} is not a name for {name}")
                if name == "secrets" and not isinstance(value, Secret):
                    raise TraceError(
                        f"the secret {key!r} is given by value",
                        hint=f'write secrets={{"{key}": Secret(env="{key}")}}',
                    )
                if name != "secrets" and not isinstance(value, str):
                    raise TraceError(f"{name}[{key!r}]={value!r} is not text", hint=f'write "{value}"')
        both = sorted(set(self.env) & set(self.secrets))
        if both:
            raise TraceError(f"{both[0]!r} is in env and in secrets")

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
        return replace(self, **changed)


_FIELDS = tuple(item.name for item in fields(Settings))
_NOTHING = Settings()


def no_settings() -> Settings:
    """Settings that set nothing."""
    return _NOTHING
