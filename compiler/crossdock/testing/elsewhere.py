"""Translate every case in a process of its own: another hash seed, checkout, folder, user and time zone.

    python -m crossdock.testing.elsewhere < request.json

The request says which orchestrator and which cases; the answer, on stdout, has the files of each spec, and the
modules that the process loaded.
"""

from __future__ import annotations

import functools
import importlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from crossdock.stacks import Orchestrator
from crossdock.testing import project
from crossdock.testing.cases import BY_NAME


@dataclass(frozen=True, slots=True)
class Answer:
    """What the other process made.

    Attributes:
        specs: case to file name to text.
        modules: names of the modules that were loaded when all was translated, without packages that hold no code:
            distributions of Google's put `google` into every interpreter.
    """

    specs: Mapping[str, Mapping[str, str]]
    modules: frozenset[str]


@dataclass(frozen=True, slots=True)
class Recipe:
    """How to make an orchestrator again: `module:Class`, its name, its configuration as JSON."""

    path: str
    name: str
    config: str

    @classmethod
    def of(cls, orchestrator: Orchestrator[Any]) -> Recipe:
        kind = type(orchestrator)
        return cls(f"{kind.__module__}:{kind.__qualname__}", orchestrator.name, orchestrator.config.model_dump_json())

    def make(self) -> Orchestrator[Any]:
        """The orchestrator."""
        module, _, name = self.path.partition(":")
        kind = getattr(importlib.import_module(module), name)
        made: Orchestrator[Any] = kind(self.name, kind.Config.model_validate_json(self.config))
        return made


@functools.cache
def translate_elsewhere(recipe: Recipe, cases: tuple[str, ...], seed: int) -> Answer:
    """Translate cases in another process, once.

    Args:
        recipe: of the orchestrator.
        cases: their names.
        seed: PYTHONHASHSEED.
    """
    request = {"recipe": asdict(recipe), "cases": cases}
    with tempfile.TemporaryDirectory(prefix="elsewhere-") as folder:
        env = {
            **os.environ,
            "PYTHONHASHSEED": str(seed),
            "PYTHONPATH": os.pathsep.join(entry for entry in sys.path if entry),
            "HOME": folder,
            "USER": "somebody-else",
            "TZ": "Pacific/Kiritimati",
        }
        done = subprocess.run(
            [sys.executable, "-m", "crossdock.testing.elsewhere"],
            input=json.dumps(request),
            cwd=folder,
            env=env,
            capture_output=True,
            text=True,
            check=False,
        )
    if done.returncode:
        raise AssertionError(f"translating in another process failed:\n{done.stderr}")
    answer = json.loads(done.stdout)
    return Answer(answer["specs"], frozenset(answer["modules"]))


def _main() -> None:
    from crossdock.client import Client

    request = json.load(sys.stdin)
    orchestrator = Recipe(**request["recipe"]).make()
    checkout = project.write(Path.cwd() / "another" / "checkout")
    client = Client()
    specs = {}
    for case in request["cases"]:
        plan = client.load(project.source_of(BY_NAME[case], checkout)).plan
        specs[case] = dict(orchestrator.translate(plan).files)
    modules = sorted(name for name, module in sys.modules.items() if getattr(module, "__file__", None))
    json.dump({"specs": specs, "modules": modules}, sys.stdout)


if __name__ == "__main__":
    _main()
