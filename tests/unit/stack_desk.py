"""For tests of stacks: flavors of every component type in a package of their own, and a desk to work at."""

from __future__ import annotations

import contextlib
import io
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from running import CROSSDOCK, Done, finish

from crossdock import registry
from crossdock.cli.main import run as run_command
from crossdock.stacks.workspace import Workspace

FLAVORS = '''
"""Flavors for tests: found by entry points, as anybody's."""

from typing import Annotated, Literal

from pydantic import Field

from crossdock.ir import Feature, Level, Support
from crossdock.stacks import ArtifactStore, ComponentConfig, Orchestrator, SecretReference, Spec, StackComponent


class FarConfig(ComponentConfig):
    region: str = "here"


class Far(Orchestrator[FarConfig]):
    """Runs tasks on machines far away."""

    flavor = "far"
    Config = FarConfig
    features = dict.fromkeys(Feature, Support(Level.FULL))
    remote = True

    def translate(self, plan, stack=None):
        return Spec("far", {"plan.json": plan.to_json()})


class BucketConfig(ComponentConfig):
    """Settings.

    Attributes:
        url: where it is, `s3://bucket/prefix`.
        password: the key to it.
    """

    url: str
    password: SecretReference | None = None


class Bucket(ArtifactStore[BucketConfig]):
    """A bucket."""

    flavor = "bucket"
    Config = BucketConfig

    @property
    def url(self):
        return self.config.url

    def open(self):
        raise AssertionError("nobody opens it")


class Limits(ComponentConfig):
    retries: int = 3
    tags: list[str] = []


class TrackerConfig(ComponentConfig):
    """Settings.

    Attributes:
        token: what it is opened with.
    """

    token: SecretReference | None = None
    user: str | None = None
    verify: bool = True
    port: Annotated[int | None, Field(ge=1)] = None
    mode: Literal["on", "off"] = "on"
    labels: dict[str, str] = {}
    limits: Limits = Limits()


class Tracker(StackComponent[TrackerConfig]):
    """Tracks experiments."""

    type = "experiment_tracker"
    flavor = "tracker"
    Config = TrackerConfig


class ToyConfig(ComponentConfig):
    uri: str = ""


def _toy(component_type):
    return type("Toy", (StackComponent,), {"type": component_type, "flavor": "toy", "Config": ToyConfig})


ContainerRegistry = _toy("container_registry")
StepOperator = _toy("step_operator")
ModelDeployer = _toy("model_deployer")
FeatureStore = _toy("feature_store")
Alerter = _toy("alerter")
Annotator = _toy("annotator")
'''
POINTS = {
    "orchestrators": "far = desk_flavors:Far",
    "artifact_stores": "bucket = desk_flavors:Bucket",
    "experiment_trackers": "tracker = desk_flavors:Tracker",
    "container_registries": "toy = desk_flavors:ContainerRegistry",
    "step_operators": "toy = desk_flavors:StepOperator",
    "model_deployers": "toy = desk_flavors:ModelDeployer",
    "feature_stores": "toy = desk_flavors:FeatureStore",
    "alerters": "toy = desk_flavors:Alerter",
    "annotators": "toy = desk_flavors:Annotator",
}


def install_flavors(folder: Path) -> Path:
    """A folder for the path of Python, with the flavors and their entry points."""
    info = folder / "desk_flavors-1.dist-info"
    info.mkdir(parents=True)
    (folder / "desk_flavors.py").write_text(FLAVORS)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: desk-flavors\nVersion: 1\n")
    (info / "entry_points.txt").write_text(
        "".join(f"[crossdock.{group}]\n{point}\n" for group, point in POINTS.items())
    )
    return folder


@dataclass
class Desk:
    """A project's folder that is the working folder, a user's folder, and the command line in this process."""

    folder: Path
    user: Path
    env: dict[str, str]

    @property
    def workspace(self) -> Workspace:
        return Workspace()

    @property
    def files(self) -> list[str]:
        """The definitions in the project's folder."""
        found = (self.folder / ".crossdock").rglob("*")
        return sorted(path.relative_to(self.folder / ".crossdock").as_posix() for path in found if path.is_file())

    def do(self, line: str, *more: str, code: int = 0) -> Done:
        """Run `crossdock <line>` here; it must end with that code."""
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            found = run_command([*line.split(), *more])
        done = Done(found, out.getvalue(), err.getvalue())
        assert done.code == code, str(done)
        assert "Traceback" not in done.err
        return done

    def process(self, line: str, *more: str, env: dict[str, str] | None = None) -> Done:
        """Run `crossdock <line>` in a process of its own."""
        return finish(self.start(CROSSDOCK, *line.split(), *more, env=env))

    def start(self, *words: str, env: dict[str, str] | None = None) -> subprocess.Popen[str]:
        """Start a program here."""
        return subprocess.Popen(
            words, cwd=self.folder, env={**self.env, **(env or {})}, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True, encoding="utf-8", start_new_session=True,
        )  # fmt: skip

    def python(self, code: str, *arguments: str) -> subprocess.Popen[str]:
        """Start a Python program here."""
        return self.start(sys.executable, "-c", code, *arguments)

    def write(self, name: str, text: str) -> Path:
        """Write a file of the project's folder."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    def stack(self, name: str = "dev", **guardrails: Any) -> None:
        """A stack with a store and an orchestrator of its own."""
        self.workspace.create_component("orchestrator", f"{name}-runner", "local")
        self.workspace.create_component("artifact_store", f"{name}-store", "local", {"path": f"/stores/{name}"})
        members = {"orchestrator": f"{name}-runner", "artifact_store": f"{name}-store"}
        self.workspace.create_stack(name, members, guardrails=guardrails)


def make_desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """A desk with the flavors above, in a new project."""
    flavors = install_flavors(tmp_path / "flavors")
    folder, user = tmp_path / "project", tmp_path / "user"
    folder.mkdir()
    (folder / "pyproject.toml").touch()
    monkeypatch.syspath_prepend(str(flavors))
    registry._points.cache_clear()
    monkeypatch.setattr("crossdock.registry._points", registry._points.__wrapped__)
    sys.modules.pop("desk_flavors", None)
    for name in ("CROSSDOCK_STACK", "CROSSDOCK_DEBUG"):
        monkeypatch.delenv(name, raising=False)
    new = {
        "CROSSDOCK_CONFIG": str(user),
        "CROSSDOCK_STORE": str(tmp_path / "store"),
        "HOME": str(tmp_path),
        "PYTHONPATH": str(flavors),
        "NO_COLOR": "1",
    }
    for name, value in new.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(folder)
    return Desk(folder, user, dict(os.environ))
