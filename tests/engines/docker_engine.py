"""A real Docker Engine, a base image and an OCI registry, started for the tests and stopped by pid."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

CACHE = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "crossdock-ci"
BASE_IMAGE = "python-base:3.11"
"""Debian 12 with its Python 3.11 and pip, and nothing else."""
_PACKAGES = "python3,python3-pip,python-is-python3,ca-certificates"
_BASE_FILE = "python-base-bookworm-1.tar"
_READY_SECONDS = 60.0


def need(program: str) -> str:
    """Where a program is; without it the test is skipped, and fails in CI, where nothing may be missing."""
    found = shutil.which(program)
    if found is None:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(f"{program} is not installed")
    return str(found)


def free_port() -> int:
    """A port of the loopback interface that nobody listens on."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def wait_until(ready: Callable[[], bool], process: subprocess.Popen[bytes], log: Path) -> None:
    """Wait until a server answers.

    Raises:
        AssertionError: it has ended, or does not answer in time; with the end of its log.
    """
    deadline = time.monotonic() + _READY_SECONDS
    while not ready():
        ended, late = process.poll() is not None, time.monotonic() > deadline
        if ended or late:
            tail = log.read_text(errors="replace")[-3000:]
            raise AssertionError(f"{process.args!r} {'ended' if ended else 'is not ready'}:\n{tail}")
        time.sleep(0.1)


def answers(url: str) -> bool:
    """Whether a server answers at a URL, be it with an error."""
    try:
        with urllib.request.urlopen(url, timeout=2):
            return True
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False


@contextlib.contextmanager
def running(command: list[str], log: Path, **options: object) -> Iterator[subprocess.Popen[bytes]]:
    """A server, until the end of the block; it is ended by its pid."""
    with log.open("wb") as out:
        process = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, **options)  # type: ignore[call-overload]
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextlib.contextmanager
def docker_engine(folder: Path) -> Iterator[str]:
    """An engine of its own, as the value of DOCKER_HOST.

    Args:
        folder: for its data; short, since the path of a Unix socket has at most 107 characters.
    """
    host = f"unix://{folder}/docker.sock"
    command = [need("dockerd"), "--data-root", f"{folder}/data", "--exec-root", f"{folder}/exec", "-H", host]
    with running([*command, "--pidfile", f"{folder}/pid"], folder / "log") as process:
        docker = [docker_program(), "-H", host]
        wait_until(lambda: _works([*docker, "info"]), process, folder / "log")
        try:
            yield host
        finally:
            left = subprocess.run([*docker, "ps", "-aq"], capture_output=True, text=True, check=False).stdout.split()
            if left:
                subprocess.run([*docker, "rm", "-f", *left], capture_output=True, check=False)


def docker_program() -> str:
    """The docker command line that comes with the engine, and has BuildKit; another one on the path may not."""
    beside = Path(need("dockerd")).parents[1] / "bin" / "docker"
    return str(beside) if beside.exists() else need("docker")


def _works(command: list[str]) -> bool:
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def base_image_file() -> Path:
    """The file system of the base image as a tar; made once, and kept in the cache."""
    file = CACHE / _BASE_FILE
    if not file.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        root = CACHE / f"{_BASE_FILE}.{os.getpid()}"
        made = root.with_suffix(".part")
        try:
            command = [need("debootstrap"), "--variant=minbase", f"--include={_PACKAGES}", "bookworm", str(root)]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            assert done.returncode == 0, done.stdout[-3000:]
            shutil.rmtree(root / "var" / "cache" / "apt" / "archives", ignore_errors=True)
            subprocess.run(["tar", "-C", str(root), "-cf", str(made), "."], check=True)
            made.rename(file)
        finally:
            shutil.rmtree(root, ignore_errors=True)
            made.unlink(missing_ok=True)
    return file


def import_base_image(host: str) -> None:
    """Give an engine the base image, if it has none yet."""
    docker = [docker_program(), "-H", host]
    if not _works([*docker, "image", "inspect", BASE_IMAGE]):
        with base_image_file().open("rb") as file:
            subprocess.run([*docker, "import", "-", BASE_IMAGE], stdin=file, check=True, capture_output=True)


@contextlib.contextmanager
def oci_registry(folder: Path, config: str = "") -> Iterator[str]:
    """A registry on loopback, as `127.0.0.1:port`.

    Args:
        folder: for its data.
        config: further sections of its configuration, such as `auth`.
    """
    port = free_port()
    (folder / "config.yml").write_text(
        f"version: 0.1\nlog: {{level: warn}}\nhttp: {{addr: '127.0.0.1:{port}'}}\n"
        f"storage: {{filesystem: {{rootdirectory: '{folder}/data'}}, delete: {{enabled: true}}}}\n{config}"
    )
    with running([need("docker-registry"), "serve", f"{folder}/config.yml"], folder / "log") as process:
        wait_until(lambda: answers(f"http://127.0.0.1:{port}/v2/"), process, folder / "log")
        yield f"127.0.0.1:{port}"
