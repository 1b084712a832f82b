"""The Docker Engine, through its own SDK. Every call that it refuses is a `PlatformError` with its own words."""

from __future__ import annotations

import contextlib
import io
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any

from crossdock.dsl.errors import BadInput, PlatformError
from crossdock.dsl.frozen import frozen
from crossdock.stacks import Login
from crossdock_adapters.orchestrators.docker.compose import Service

_SECONDS = 60
"""For an answer of the engine. Waiting for a container to end, and following its log, have no limit."""


class NotStarted(PlatformError):
    """A container that the engine could not start."""

    id = "container-not-started"


@frozen
class Exit:
    """How a container ended."""

    code: int
    out_of_memory: bool


@frozen
class Capacity:
    """What an engine has: cores, and bytes of memory; and whether root in its containers is who runs the engine."""

    cpus: int
    memory: int
    rootless: bool = False


class Engine:
    """A Docker Engine: that of DOCKER_HOST, else of the docker command line's context.

    Args:
        connections: how many calls may go on at once.

    Raises:
        PlatformError: it cannot be reached.
        BadInput: the SDK is not installed.
    """

    def __init__(self, connections: int = 10) -> None:
        try:
            import docker
        except ImportError as error:
            hint = "pip install 'crossdock[docker]'"
            raise BadInput(f"the docker SDK is not installed: {error}", hint=hint, id="missing-library") from None
        self._docker = docker
        self.host = ""
        try:
            self.host = os.environ.get("DOCKER_HOST") or _context_host() or "unix:///var/run/docker.sock"
            self._client = docker.from_env(
                environment={**os.environ, "DOCKER_HOST": self.host}, timeout=_SECONDS, max_pool_size=connections
            )
            self._client.ping()
        except Exception as error:  # requests, urllib3 and the SDK each have their own
            raise self._unreachable(error) from None

    def _unreachable(self, error: Exception) -> PlatformError:
        reason = _words(error)
        if "Permission denied" in reason or "PermissionError" in reason:
            hint = "add your user to the group docker, or use a rootless engine"
        else:
            hint = "start Docker (`docker info` says whether it answers), or set DOCKER_HOST"
        where = f" at {self.host}" if self.host else ""
        what = f"the Docker Engine{where} cannot be reached: {reason}"
        return PlatformError(what, hint=hint, id="engine-unreachable")

    @contextlib.contextmanager
    def _calling(self, what: str, hint: str | None = None) -> Iterator[Any]:
        """The low-level client.

        Raises:
            PlatformError: the call failed.
        """
        from requests import RequestException

        try:
            yield self._client.api
        except self._docker.errors.APIError as error:
            raise PlatformError(f"{what}: {_words(error)}", hint=hint) from None
        except (self._docker.errors.DockerException, RequestException) as error:
            raise self._unreachable(error) from None

    def capacity(self) -> Capacity:
        """What it has."""
        with self._calling("the Docker Engine does not say what it has") as api:
            info = api.info()
        rootless = any("rootless" in option for option in info.get("SecurityOptions") or ())
        return Capacity(info["NCPU"], info["MemTotal"], rootless)

    def has_network(self, name: str) -> bool:
        """Whether there is a network of that name."""
        with self._calling("the Docker Engine does not list its networks") as api:
            return bool(api.networks(names=[name]))

    def has_image(self, image: str) -> bool:
        """Whether the engine has an image already."""
        try:
            with self._calling(f"cannot look at image {image}") as api:
                try:
                    api.inspect_image(image)
                except self._docker.errors.ImageNotFound:
                    return False
        except PlatformError as error:
            if "No such image" in error.message:
                return False
            raise
        return True

    def pull(self, image: str, login: Login | None) -> None:
        """Get an image from its registry.

        Raises:
            PlatformError: the registry refuses, or has none.
        """
        hint = "crossdock build SOURCE makes a pipeline's images; a registry may ask for `docker login`"
        auth = None if login is None else {"username": login.user, "password": login.password}
        with self._calling(f"image {image} is not in the Docker Engine, and cannot be pulled", hint) as api:
            for line in api.pull(image, stream=True, decode=True, auth_config=auth):
                if "error" in line:
                    raise PlatformError(
                        f"image {image} cannot be pulled: {line['error']}", hint=hint, id="image-not-pulled"
                    )

    def create(self, service: Service, name: str, environment: Mapping[str, str], labels: Mapping[str, str]) -> str:
        """Make a container of a service; returns its id."""
        with self._calling(f"cannot make the container {name}") as api:
            types = self._docker.types
            gpus = [types.DeviceRequest(driver="nvidia", count=service.gpus, capabilities=[["gpu"]])]
            host = api.create_host_config(
                binds=list(service.volumes),
                network_mode=service.network or None,
                nano_cpus=None if service.cpus is None else round(service.cpus * 1e9),
                mem_limit=service.memory,
                memswap_limit=service.memory,
                shm_size=service.shm,
                device_requests=gpus if service.gpus else None,
                init=service.init,
            )
            made = api.create_container(
                service.image,
                command=list(service.command) or None,
                entrypoint=list(service.entrypoint) or None,
                environment=dict(environment),
                user=service.user or None,
                name=name,
                labels={**service.labels, **labels},
                host_config=host,
            )
        return str(made["Id"])

    def start(self, container: str) -> None:
        """Start a container.

        Raises:
            NotStarted: with the engine's own words.
        """
        try:
            with self._calling("the container cannot be started") as api:
                api.start(container)
        except PlatformError as error:
            if error.id == "engine-unreachable":
                raise
            raise NotStarted(error.message, hint=error.hint) from None

    def lines(self, container: str) -> Iterator[str]:
        """What a container prints, line by line, until it has ended."""
        rest = b""
        with self._calling("the container's log cannot be read") as api:
            for chunk in api.logs(container, stream=True, follow=True):
                *lines, rest = (rest + chunk).split(b"\n")
                yield from (line.decode("utf-8", "replace") for line in lines)
        if rest:
            yield rest.decode("utf-8", "replace")

    def wait(self, container: str) -> Exit:
        """Wait until a container has ended."""
        with self._calling("the container cannot be waited for") as api:
            api.wait(container, timeout=None)
            state = api.inspect_container(container)["State"]
        return Exit(int(state["ExitCode"]), bool(state.get("OOMKilled")))

    def stop(self, container: str, grace: int) -> None:
        """Send SIGTERM, and after some seconds SIGKILL; one that is gone is fine."""
        with contextlib.suppress(PlatformError), self._calling("cannot stop") as api:
            api.stop(container, timeout=grace)

    def remove(self, container: str) -> None:
        """Remove a container with its anonymous volumes; one that is gone is fine."""
        with contextlib.suppress(PlatformError), self._calling("cannot remove") as api:
            api.remove_container(container, v=True, force=True)

    def containers(self, label: str) -> dict[str, Mapping[str, str]]:
        """All containers with a label: their labels by id."""
        with self._calling("the Docker Engine does not list its containers") as api:
            return {item["Id"]: item["Labels"] for item in api.containers(all=True, filters={"label": label})}

    def put(self, container: str, archive: IO[bytes]) -> None:
        """Unpack a tar at the root of a container, which need not run."""
        with self._calling("files cannot be copied into the container") as api:
            api.put_archive(container, "/", archive)

    @contextlib.contextmanager
    def get(self, container: str, path: str) -> Iterator[IO[bytes]]:
        """A tar of a file or folder of a container, which need not run."""
        with self._calling(f"{path} cannot be copied out of the container") as api:
            chunks, _ = api.get_archive(container, path)
            yield io.BufferedReader(_Chunks(chunks))


class _Chunks(io.RawIOBase):
    """A stream that reads from an iterator of bytes."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self._rest = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._rest:
            try:
                self._rest = next(self._chunks)
            except StopIteration:
                return 0
        count = min(len(buffer), len(self._rest))
        buffer[:count] = self._rest[:count]
        self._rest = self._rest[count:]
        return count


def _context_host() -> str | None:
    """The engine of the docker command line's present context, as Docker Desktop and Colima set it."""
    from docker.context import ContextAPI

    config = Path(os.environ.get("DOCKER_CONFIG", Path.home() / ".docker")) / "config.json"
    if not config.exists() and "DOCKER_CONTEXT" not in os.environ:
        return None
    found = ContextAPI.get_context(os.environ.get("DOCKER_CONTEXT")) or ContextAPI.get_current_context()
    return str(found.Host) if found is not None and found.Host else None


def _words(error: Exception) -> str:
    """What an error says, in a line, in the engine's own words where it has any."""
    said = getattr(error, "explanation", None) or str(error)
    return " ".join(str(said).split()) or type(error).__name__
