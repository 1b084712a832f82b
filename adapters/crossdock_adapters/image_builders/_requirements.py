"""Requirements as files: installed on this machine into a folder, for the Python and the platform of an image."""

from __future__ import annotations

import configparser
import csv
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

from crossdock.dsl.errors import BadInput, PlatformError
from crossdock.dsl.frozen import frozen
from crossdock.stacks import PackageIndex
from crossdock.stacks.image_layout import PACKAGES
from crossdock_adapters.image_builders._pip import PipConfiguration, pip_configuration

_ARCHITECTURES = {"amd64": "x86_64", "arm64": "aarch64"}
_SECONDS = 3600
_SHOWN = 600
_REFUSES = re.compile(r"\b40[13] (?:Client Error|Error|Unauthorized|Forbidden)")
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
    report, log = folder.with_name(f"{folder.name}.json"), folder.with_name(f"{folder.name}.log")
    pip = target.here and importlib.util.find_spec("pip") is not None
    if pip:
        command = [sys.executable, "-m", "pip", "install", "--no-compile", "--no-input", "--quiet"]
        command += ["--disable-pip-version-check", "--root-user-action=ignore"]
        command += ["--report", f"{report}", "--log", f"{log}"]
    else:
        libc = "unknown-linux-musl" if target.musl else "manylinux_2_28"
        command = [_uv(target), "pip", "install", "--quiet", "--no-progress", "--python", sys.executable]
        command += ["--python-version", target.python, "--python-platform", f"{target.architecture}-{libc}"]
    tell(f"installing requirements for {target}")
    configured = pip_configuration(index)
    try:
        done = subprocess.run(
            [*command, "--target", f"{folder}", "-r", f"{requirements}"],
            env=_environment(configured),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise PlatformError(
            f"requirements were not installed within {_SECONDS // 60} minutes",
            hint="does the package index answer? index: of the orchestrator names another one",
            id="index-unreachable",
        ) from None
    if done.returncode:
        said = done.stderr
        # Why an index gives nothing, pip says in its log alone.
        refuses = _REFUSES.search(said + (log.read_text(errors="replace") if log.exists() else "")) is not None
        for secret in configured.secrets:
            said = said.replace(secret, "***")
        raise _failed(target, said, refuses)
    _settle(folder)
    _hold_to_wheels(folder, target, _built_here(report) if pip else frozenset())
    if target.python == _OUR_PYTHON:
        _compile(folder)


def installed(folder: Path) -> tuple[str, ...]:
    """All distributions in a folder as `name==version`, sorted."""
    return tuple(sorted(f"{name}=={version}" for name, version, _ in _distributions(folder)))


def _environment(pip: PipConfiguration) -> dict[str, str]:
    """Of pip and of uv, which is told what pip is configured with: it does not read that itself."""
    parser = configparser.RawConfigParser()
    parser.read_string(pip.text)
    options = dict(parser["global"])
    found = {**os.environ, "PIP_USER": "0"}
    index, extra = options.get("index-url"), options.get("extra-index-url", "").split()
    if index is not None:
        found.update(PIP_INDEX_URL=index, UV_DEFAULT_INDEX=index)
    if extra:
        found.update(PIP_EXTRA_INDEX_URL=" ".join(extra), UV_INDEX=" ".join(extra))
    if pip.certificates is not None:
        found["SSL_CERT_FILE"] = str(pip.certificates)
    return found


def _uv(target: Target) -> str:
    beside = Path(sys.executable).with_name("uv")
    found = str(beside) if beside.exists() else shutil.which("uv")
    if found is None:
        why = "there is no pip in this environment" if target.here else f"this is {sys.platform}, Python {_OUR_PYTHON}"
        raise BadInput(
            f"uv is needed to install requirements for {target}: {why}", hint="pip install uv", id="missing-library"
        )
    return found


def _failed(target: Target, said: str, refuses: bool) -> PlatformError:
    errors = [line.removeprefix("ERROR: ") for line in said.splitlines() if line.startswith("ERROR: ")]
    text = (errors[-1] if errors else said.strip())[-_SHOWN:] or "nothing was said"
    if refuses:
        hint = "check user and password of index: in the orchestrator"
        return PlatformError(f"the package index refuses: {text}", hint=hint, id="index-refused")
    if re.search(r"Max retries exceeded|CERTIFICATE_VERIFY_FAILED|NewConnectionError|error sending request", said):
        hint = "pip's configuration on this machine holds here; index: of the orchestrator names another index"
        return PlatformError(f"the package index cannot be reached: {text}", hint=hint, id="index-unreachable")
    return PlatformError(
        f"requirements cannot be installed for {target}: {text}",
        hint="check names and versions; index: of the orchestrator names a private index",
        id="bad-requirements",
    )


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
            id="bad-requirements",
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


def _settle(folder: Path) -> None:
    """Take out what is of this machine (scripts that begin with the path of its Python) and of this call.

    The same distributions are the same bytes then, asked for by ranges or pinned: what is asked for by name is marked.
    """
    shutil.rmtree(folder / "bin", ignore_errors=True)
    for about in folder.glob("*.dist-info"):
        (about / "REQUESTED").unlink(missing_ok=True)
        record = about / "RECORD"
        lines = record.read_text(encoding="utf-8").splitlines()
        there = [line for line in lines if line and (folder / next(csv.reader([line]))[0]).exists()]
        record.write_text("".join(f"{line}\n" for line in there), encoding="utf-8")


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
