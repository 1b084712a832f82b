"""Requirements as files: installed on this machine into a folder, for the Python and the platform of an image."""

from __future__ import annotations

import email.parser
import importlib.util
import json
import os
import platform as machine
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import quote, urlsplit, urlunsplit

from crossdock.dsl.errors import BadInput, PlatformError
from crossdock.dsl.frozen import frozen
from crossdock.stacks import PackageIndex
from crossdock.stacks.image_layout import PACKAGES

_ARCHITECTURES = {"amd64": "x86_64", "arm64": "aarch64"}
_SECONDS = 3600
_SHOWN = 600
_ENGINE = "or build with a Docker Engine, where it can be compiled: builder: engine"


@frozen
class Target:
    """What is installed for.

    Attributes:
        python: the minor version, as `3.11`.
        platform: the image's, as `linux/amd64`.
        musl: whether its C library is musl, as in Alpine, not glibc.
    """

    python: str
    platform: str
    musl: bool = False

    @property
    def architecture(self) -> str:
        """As wheels call it.

        Raises:
            BadInput: none that wheels are made for here.
        """
        name = self.platform.split("/")[1]
        if name not in _ARCHITECTURES:
            raise BadInput(
                f"the image builder 'registry' installs nothing for {self.platform}",
                hint=f"it knows linux/{', linux/'.join(_ARCHITECTURES)}; {_ENGINE}",
                id="bad-config",
            )
        return _ARCHITECTURES[name]

    @property
    def here(self) -> bool:
        """Whether what fits this interpreter fits the image."""
        return (
            sys.platform == "linux"
            and machine.machine() == self.architecture
            and self.python == _OUR_PYTHON
            and not self.musl
            and machine.libc_ver()[0] == "glibc"
        )

    def __str__(self) -> str:
        return f"{self.platform}, Python {self.python}{', musl' if self.musl else ''}"


_OUR_PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"


def install(requirements: Path, index: PackageIndex, target: Target, folder: Path, tell: Callable[[str], None]) -> None:
    """Install into a folder what a requirements file asks for.

    pip does it, with this machine's own configuration, where the image is of the same Python and platform as this
    interpreter: pip reads the conditions of requirements (`; sys_platform == …`) for the interpreter it runs in,
    whatever `--platform` says. uv does it elsewhere. Neither the index nor its password is on a command line or in the
    folder.

    A distribution without a wheel is built here, and taken when nothing in it is compiled.

    Raises:
        PlatformError: a requirement cannot be had, or has no wheel that fits.
        BadInput: there is neither pip nor uv, or the password of the index is not there.
    """
    report = folder.with_name(f"{folder.name}.json")
    pip = target.here and importlib.util.find_spec("pip") is not None
    if pip:
        command = [
            sys.executable,
            "-m",
            "pip",
            "install",
            "--no-compile",
            "--no-input",
            "--quiet",
            "--report",
            f"{report}",
        ]
        command += ["--disable-pip-version-check", "--root-user-action=ignore"]
    else:
        libc = "unknown-linux-musl" if target.musl else "manylinux_2_28"
        command = [_uv(target), "pip", "install", "--quiet", "--no-progress", "--python", sys.executable]
        command += ["--python-version", target.python, "--python-platform", f"{target.architecture}-{libc}"]
    tell(f"installing requirements for {target}")
    environment, secret = _environment(index)
    done = subprocess.run(
        [*command, "--target", f"{folder}", "-r", f"{requirements}"],
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        timeout=_SECONDS,
        check=False,
    )
    if done.returncode:
        raise _failed(target, done.stderr.replace(secret, "***") if secret else done.stderr)
    shutil.rmtree(folder / "bin", ignore_errors=True)  # scripts that begin with the path of this machine's Python
    _hold_to_wheels(folder, target, _built_here(report) if pip else frozenset())
    if target.python == _OUR_PYTHON:
        _compile(folder)


def installed(folder: Path) -> tuple[str, ...]:
    """All distributions in a folder as `name==version`, sorted."""
    return tuple(sorted(f"{name}=={version}" for name, version, _ in _distributions(folder)))


def _environment(index: PackageIndex) -> tuple[dict[str, str], str]:
    """Of pip and uv, and the password in it."""
    found = {**os.environ, "PIP_USER": "0", "UV_SYSTEM_CERTS": os.environ.get("UV_SYSTEM_CERTS", "1")}
    secret = ""
    if index.url is not None:
        url = index.url
        if index.user is not None or index.password is not None:
            secret = index.password.resolve("the password of the package index") if index.password is not None else ""
            parts = urlsplit(url)
            login = ":".join(quote(part, safe="") for part in (index.user or "", secret))
            url = urlunsplit(parts._replace(netloc=f"{login}@{parts.netloc.rpartition('@')[2]}"))
        found.update(PIP_INDEX_URL=url, UV_DEFAULT_INDEX=url)
    if index.extra_urls:
        found.update(PIP_EXTRA_INDEX_URL=" ".join(index.extra_urls), UV_INDEX=" ".join(index.extra_urls))
    return found, secret


def _uv(target: Target) -> str:
    beside = Path(sys.executable).with_name("uv")
    found = str(beside) if beside.exists() else shutil.which("uv")
    if found is None:
        why = "there is no pip in this environment" if target.here else f"this is {sys.platform}, Python {_OUR_PYTHON}"
        raise BadInput(
            f"uv is needed to install requirements for {target}: {why}", hint="pip install uv", id="missing-library"
        )
    return found


def _failed(target: Target, said: str) -> PlatformError:
    errors = [line.removeprefix("ERROR: ") for line in said.splitlines() if line.startswith("ERROR: ")]
    text = (errors[-1] if errors else said.strip())[-_SHOWN:] or "nothing was said"
    missing = re.search(r"No matching distribution found for (\S+)", said)
    hint = "try the same here: pip install --dry-run -r requirements.txt"
    if missing:
        hint = f"is {missing[1]} in your index, for Python {target.python}? index: of the orchestrator names another"
    return PlatformError(f"requirements cannot be installed for {target}: {text}", hint=hint, id="build-failed")


def _distributions(folder: Path) -> Iterator[tuple[str, str, list[str]]]:
    """Name, version and tags of each."""
    parser = email.parser.HeaderParser()
    for about in sorted(folder.glob("*.dist-info")):
        metadata = parser.parsestr((about / "METADATA").read_text(encoding="utf-8"))
        wheel = parser.parsestr((about / "WHEEL").read_text(encoding="utf-8"))
        yield _normal(metadata["Name"]), metadata["Version"], wheel.get_all("Tag") or []


def _built_here(report: Path) -> frozenset[str]:
    """What pip had no wheel of. Source: https://pip.pypa.io/en/stable/reference/installation-report/"""
    items = json.loads(report.read_text(encoding="utf-8"))["install"]
    return frozenset(
        _normal(item["metadata"]["name"]) for item in items if not item["download_info"]["url"].endswith(".whl")
    )


def _hold_to_wheels(folder: Path, target: Target, built: frozenset[str]) -> None:
    bad = [
        f"{name}=={version}"
        for name, version, tags in _distributions(folder)
        if not any(_fits(tag, target, built=name in built) for tag in tags)
    ]
    if bad:
        raise PlatformError(
            f"there is no wheel for {target} of {', '.join(bad)}, and what this machine compiles may not fit the image",
            hint=f"another version may have one, or put a wheel in your index; {_ENGINE}",
            id="build-failed",
        )


def _fits(tag: str, target: Target, *, built: bool) -> bool:
    """Source: https://packaging.python.org/en/latest/specifications/platform-compatibility-tags/"""
    python, _, rest = tag.partition("-")
    abi, _, platforms = rest.partition("-")
    if platforms == "any":
        return True
    if built or (not python.startswith(("py3", "py2.py3", f"cp{target.python.replace('.', '')}")) and abi != "abi3"):
        return False
    libc = "musllinux_" if target.musl else "manylinux"
    fitting = (libc,) if target.musl else (libc, "linux_")
    return any(one.startswith(fitting) and one.endswith(target.architecture) for one in platforms.split("."))


def _compile(folder: Path) -> None:
    """Bytecode that holds whatever the time of its source, and names its place in the image.

    Files that are no Python of this version have none, as with pip.
    """
    options = ["-q", "-q", "-s", f"{folder}", "-p", PACKAGES, "--invalidation-mode", "unchecked-hash"]
    subprocess.run(
        [sys.executable, "-I", "-m", "compileall", *options, f"{folder}"],
        env={**os.environ, "PYTHONHASHSEED": "0"},
        capture_output=True,
        check=False,
    )


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
