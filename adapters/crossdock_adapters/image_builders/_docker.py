"""The docker command line: how it is called, with which logins, and what its errors mean."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from crossdock.dsl.errors import BadInput, CrossdockError, PlatformError
from crossdock.stacks import ComponentConfig, ContainerRegistry, Login
from crossdock_adapters.container_registries._docker_login import IDENTITY

_KEPT = ("currentContext", "proxies")
_LINKED = ("contexts", "cli-plugins")
_SHOWN = 12
_SAID = re.compile(r"#\d+ [\d.]+ ")
_UNREACHABLE = re.compile(
    r"Cannot connect to the Docker daemon|error during connect|permission denied while trying to connect"
    r"|failed to dial|dial unix|Is the docker daemon running|host is not valid|unable to parse docker host"
    r"|no such host.*docker|context .* (?:not found|does not exist)",
    re.IGNORECASE,
)


class Docker:
    """The program `docker`, with an environment.

    Args:
        config: a folder with its configuration; None is the user's own.

    Raises:
        BadInput: it is not installed.
    """

    def __init__(self, config: Path | None = None) -> None:
        program = shutil.which("docker")
        if program is None:
            raise BadInput(
                "there is no docker command here, and the image builder 'engine' builds with it",
                hint="install Docker's command line; or set builder: registry, which needs no engine",
                id="no-docker",
            )
        self._program = program
        self._env = {**os.environ, "DOCKER_BUILDKIT": "1", "BUILDKIT_PROGRESS": "plain"}
        if config is not None:
            self._env["DOCKER_CONFIG"] = str(config)

    def run(self, *words: str) -> subprocess.CompletedProcess[bytes]:
        """Run it to its end, whatever that is.

        Raises:
            PlatformError: the engine cannot be reached.
        """
        done = subprocess.run(
            [self._program, *words], env=self._env, stdin=subprocess.DEVNULL, capture_output=True, check=False
        )
        if done.returncode != 0:
            refuse_unreachable(done.stderr.decode(errors="replace"))
        return done

    def must(self, *words: str) -> str:
        """Run it; its output.

        Raises:
            PlatformError: it failed.
        """
        done = self.run(*words)
        if done.returncode != 0:
            said = done.stderr.decode(errors="replace").strip()
            raise PlatformError(f"docker {words[0]} failed: {said[-600:]}", hint=None, id="platform-failed")
        return done.stdout.decode(errors="replace")

    def follow(self, words: Sequence[str], hear: Callable[[str], None]) -> int:
        """Run it; each line of what it says is heard. Its exit code."""
        with subprocess.Popen(
            [self._program, *words],
            env=self._env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            errors="replace",
        ) as process:
            assert process.stdout is not None
            try:
                for line in process.stdout:
                    hear(line.rstrip("\n"))
            except BaseException:
                process.terminate()
                raise
        return process.returncode


def refuse_unreachable(said: str) -> None:
    """Refuse to go on where the engine did not answer.

    Raises:
        PlatformError: it did not.
    """
    if _UNREACHABLE.search(said):
        host = os.environ.get("DOCKER_HOST")
        where = f"at DOCKER_HOST={host}" if host else "on this machine"
        line = next((line for line in said.splitlines() if _UNREACHABLE.search(line)), "").strip()
        raise PlatformError(
            f"the container engine {where} cannot be reached: {line.removeprefix('ERROR: ')}",
            hint="start it (docker info says whether it runs), or let DOCKER_HOST name another",
            id="engine-unreachable",
        )


@contextlib.contextmanager
def logged_in(registry: ContainerRegistry[ComponentConfig] | None) -> Iterator[Docker]:
    """Docker with the registry's login, in a configuration of its own that is gone afterwards.

    The user's own file is neither changed nor needed; the user's contexts and plugins are found.
    """
    login = registry.login() if registry is not None else None
    if registry is None or login is None:
        yield Docker()
        return
    home = Path(os.environ.get("DOCKER_CONFIG") or Path.home() / ".docker")
    with tempfile.TemporaryDirectory(prefix="crossdock-docker-") as folder:
        for name in _LINKED:
            if (home / name).is_dir():
                Path(folder, name).symlink_to(home / name, target_is_directory=True)
        file = Path(folder, "config.json")
        file.touch(mode=0o600)
        file.write_text(json.dumps(_configuration(home, registry.prefix.partition("/")[0], login)), encoding="utf-8")
        yield Docker(Path(folder))


def _configuration(home: Path, host: str, login: Login) -> Mapping[str, object]:
    try:
        theirs = json.loads((home / "config.json").read_text(encoding="utf-8"))
        kept = {name: theirs[name] for name in _KEPT if name in theirs}
    except (OSError, ValueError, TypeError):
        kept = {}
    token = base64.b64encode(f"{login.user}:{login.password}".encode()).decode()
    entry = {"identitytoken": login.password} if login.user == IDENTITY else {"auth": token}
    key = "https://index.docker.io/v1/" if host in ("docker.io", "index.docker.io", "registry-1.docker.io") else host
    return {**kept, "auths": {key: entry}}


def push_failed(name: str, said: str) -> CrossdockError:
    """Why a push did not work."""
    line = said.strip().splitlines()[-1] if said.strip() else "no reason was given"
    repository = name.rpartition(":")[0]
    if re.search(r"unauthorized|authentication required|denied|forbidden|no basic auth|401|403", said, re.IGNORECASE):
        hint = f"who you are logged in as may not push to {repository}: check the registry's credentials and its policy"
        return PlatformError(f"the registry refuses {name}: {line}", hint=hint, id="registry-refused")
    if re.search(r"does not exist|name unknown|not found|404", said, re.IGNORECASE):
        hint = f"make the repository {repository} first, or check the registry's prefix"
        return PlatformError(f"the registry has no place for {name}: {line}", hint=hint, id="registry-refused")
    hint = "check its address, and that it runs"
    return PlatformError(f"the registry of {name} cannot be reached: {line}", hint=hint, id="registry-unreachable")


def build_failed(lines: Sequence[str], base: str, theirs: bool) -> CrossdockError:
    """What stopped a build.

    Args:
        lines: what BuildKit said, with `--progress=plain`.
        base: the image that it started from.
        theirs: whether the Dockerfile is the user's own.
    """
    said = "\n".join(lines)
    refuse_unreachable(said)
    last = next((line for line in reversed(lines) if line.strip()), "no reason was given")
    last = re.sub(r"^(?:ERROR: )?failed to solve(?: with \S+ \S+)?: (?:failed to create LLB definition: )?", "", last)
    for find in (_of_tools, _of_base, _of_index, _of_requirements):
        error = find(said, lines, base, last)
        if error is not None:
            return error
    if "dockerfile parse error" in said.lower():
        return PlatformError(last, where="Dockerfile", hint="mend the dockerfile", id="bad-dockerfile")
    step = re.search(r"^ > \[[^]]*\] (.*?):?$", said, re.MULTILINE)
    what = f"its step fails: {step[1][:200]}" if step else last
    tail = [text for line in lines if _SAID.match(line) and (text := _bare(line)).strip()][-_SHOWN:]
    shown = "".join(f"\n  | {line[:300]}" for line in tail)
    whose = "the dockerfile" if theirs else "the image's Dockerfile"
    hint = "mend that step; crossdock build builds again"
    return PlatformError(f"{whose} does not build: {what}{shown}", hint=hint, id="build-failed")


def _of_tools(said: str, lines: Sequence[str], base: str, last: str) -> CrossdockError | None:
    if re.search(r"buildx component is missing|buildkit.*(?:not supported|disabled|required)", said, re.IGNORECASE):
        return PlatformError(
            "this docker command has no BuildKit, which builds with secrets need",
            hint="install the plugin docker-buildx (docker buildx version says whether it is there)",
            id="no-buildkit",
        )
    if "no space left on device" in said:
        return PlatformError("the container engine has no space left", hint="docker system prune", id="build-failed")
    return None


def _of_base(said: str, lines: Sequence[str], base: str, last: str) -> CrossdockError | None:
    ours = re.findall(r"^#\d+ [\d.]+ crossdock: (.*)$", said, re.MULTILINE)
    if ours:
        hint = "choose another image of the step, or image of the orchestrator; or write a dockerfile of your own"
        return PlatformError(f"{ours[-1]}: {base}", hint=hint, id="bad-base-image")
    if re.search(r"exec: \"/bin/sh\".*no such file", said):
        hint = "choose one that has a shell and Python, such as python:3.12-slim"
        return PlatformError(
            f"the base image {base} has no shell, so nothing is installed in it", hint=hint, id="bad-base-image"
        )
    asked = re.findall(r"^#(\d+) \[internal\] load metadata for", said, re.MULTILINE)
    if not any(re.search(rf"^#{number} ERROR", said, re.MULTILINE) for number in asked):
        return None
    if re.search(r"connection refused|no such host|timeout|unreachable|TLS|certificate|lookup ", last):
        hint = "check its name (docker image ls says which are here), and that its registry can be reached"
        return PlatformError(f"the base image {base} cannot be had: {last}", hint=hint, id="base-image-unreachable")
    hint = "check its name; a private one needs docker login"
    return PlatformError(f"there is no base image {base}: {last}", hint=hint, id="bad-base-image")


def _of_index(said: str, lines: Sequence[str], base: str, last: str) -> CrossdockError | None:
    if re.search(r"\b(?:401|403) (?:Client )?Error|401 Unauthorized|^#\d+ [\d.]+ User for ", said, re.MULTILINE):
        hint = "check user and password of index: in the orchestrator"
        return PlatformError(f"the package index refuses: {_reason(lines)}", hint=hint, id="index-refused")
    if re.search(r"Max retries exceeded|CERTIFICATE_VERIFY_FAILED|NewConnectionError|Temporary failure in name", said):
        hint = (
            "pip's configuration on this machine holds in the build too; index: of the orchestrator names another one"
        )
        what = f"the package index cannot be reached from the build: {_reason(lines)}"
        return PlatformError(what, hint=hint, id="index-unreachable")
    return None


def _of_requirements(said: str, lines: Sequence[str], base: str, last: str) -> CrossdockError | None:
    missing = re.search(r"No matching distribution found for (.*)", said)
    if missing:
        # pip says no more than this where an index refuses a login, too.
        hint = "check its name and version; index: of the orchestrator names a private index, and who logs in to it"
        return PlatformError(
            f"there is no distribution {missing[1].strip()} for {base}", hint=hint, id="bad-requirements"
        )
    if "ResolutionImpossible" in said or "conflicting dependencies" in said:
        conflict = [line.strip() for line in map(_bare, lines) if "depends on" in line or "requested" in line]
        hint = "the requirements of a step, those of the orchestrator and obstore go into one image"
        return PlatformError(
            f"requirements exclude each other: {'; '.join(conflict[:4])}", hint=hint, id="bad-requirements"
        )
    if re.search(r"Invalid requirement|is not a valid (?:requirement|editable)", said):
        hint = "write it as pip reads it: name>=version"
        return PlatformError(f"a requirement cannot be read: {_reason(lines)}", hint=hint, id="bad-requirements")
    return None


def _bare(line: str) -> str:
    return _SAID.sub("", line, count=1)


def _reason(lines: Sequence[str]) -> str:
    found = [text for line in lines if "ERROR: " in (text := _bare(line)) or "Could not fetch URL" in text]
    return (found or [lines[-1] if lines else ""])[0].strip()[:300]
