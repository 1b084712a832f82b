"""The kit itself: it covers every feature, and an adapter that breaks a promise fails the test that guards it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import textwrap
from collections import Counter
from pathlib import Path

import pytest

from crossdock.ir import Feature, features_of
from crossdock.testing import CASES, project
from crossdock.testing.case import Holds, Shown, same
from crossdock.testing.project import PIPELINES

BROKEN = """
from dataclasses import replace
from pathlib import Path

import pytest

from crossdock.ir import Feature, Level, Support
from crossdock.stacks import Spec
from crossdock.testing import RunConformance
from crossdock_adapters.orchestrators.local import LocalConfig, LocalOrchestrator


class _Local(LocalOrchestrator):
    def _text(self, plan):
        return ""

    def translate(self, plan, stack=None):
        return Spec("local", {"plan.txt": super().translate(plan, stack).main + self._text(plan) + "\\n"})

    def submit(self, spec, stack, options):
        return super().submit(spec, stack, replace(options, plan=self._changed(options.plan)))

    def _changed(self, plan):
        return plan


class Intact(_Local):
    pass


class NamesAFolder(_Local):
    def _text(self, plan):
        return str(Path.cwd())


class DependsOnHashes(_Local):
    def _text(self, plan):
        return " ".join({str(number) for number in range(50)})


class LoadsAnSdk(_Local):
    def _text(self, plan):
        import wave

        return ""


class ForgetsAFeature(_Local):
    features = {feature: support for feature, support in LocalOrchestrator.features.items() if feature.name != "SPOT"}


class TakesAnyKey(_Local):
    class Overrides(LocalOrchestrator.Overrides):
        model_config = {"extra": "ignore"}


class RefusesWithoutSaying(_Local):
    def _text(self, plan):
        raise ValueError("not this one")


class LosesTheEnvironment(_Local):
    def _changed(self, plan):
        tasks = [replace(task, settings=replace(task.settings, env={})) for task in plan.tasks]
        return replace(plan, tasks=tuple(tasks))


class RunsNothing(_Local):
    def submit(self, spec, stack, options):
        from crossdock.stacks import RunHandle

        return RunHandle("local", options.run, {"status": "succeeded"})


class Kit(RunConformance):
    sdk = ("wave",)
    kind = None

    @pytest.fixture
    def orchestrator(self):
        return self.kind("local", LocalConfig())


for kind in (
    Intact, NamesAFolder, DependsOnHashes, LoadsAnSdk, ForgetsAFeature, TakesAnyKey, RefusesWithoutSaying,
    LosesTheEnvironment, RunsNothing,
):
    globals()[f"Test{kind.__name__}"] = type(f"Test{kind.__name__}", (Kit,), {"kind": kind, "__module__": __name__})
"""
GUARDS = {
    ("NamesAFolder", "test_translate[single]"),
    ("DependsOnHashes", "test_translate[single]"),
    ("LoadsAnSdk", "test_no_sdk_is_loaded"),
    ("ForgetsAFeature", "test_every_feature_has_a_support"),
    ("TakesAnyKey", "test_models_take_no_unknown_key[Overrides]"),
    ("RefusesWithoutSaying", "test_translate[single]"),
    ("LosesTheEnvironment", "test_run[environment]"),
    ("RunsNothing", "test_run[single]"),
}


def test_a_broken_adapter_fails(tmp_path: Path) -> None:
    (tmp_path / "test_broken.py").write_text(textwrap.dedent(BROKEN), encoding="utf-8")
    tests = sorted({*GUARDS, *(("Intact", test) for _, test in GUARDS)})
    wanted = [f"test_broken.py::Test{kind}::{test}" for kind, test in tests]
    command = [sys.executable, "-m", "pytest", "-q", "-rfE", "--tb=no", "-p", "no:cacheprovider", *wanted]
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(entry for entry in sys.path if entry)}
    done = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, check=False)
    failed = set(re.findall(r"^(?:FAILED|ERROR) test_broken\.py::Test(\w+)::(\S+)", done.stdout, re.MULTILINE))
    assert failed == GUARDS, done.stdout


def test_every_feature_is_used() -> None:
    """But one: a step of `__main__` is none of a project that is imported."""
    used = {feature for found in project.loaded().values() for feature, _ in features_of(found.plan)}
    assert set(Feature) - used == {Feature.NOTEBOOK_STEPS}


def test_every_pipeline_is_a_case() -> None:
    found = set()
    for file in PIPELINES.glob("conformance_*.py"):
        defined = re.findall(r"^@pipeline.*\ndef (\w+)", file.read_text(encoding="utf-8"), re.MULTILINE)
        found |= {f"{file.stem}:{name}" for name in defined}
    assert found - {case.source for case in CASES} == {"conformance_shapes:inner", "conformance_shapes:middle"}
    assert not [name for name, count in Counter(case.name for case in CASES).items() if count > 1]


def test_every_task_of_a_case_is_expected() -> None:
    """A run says how each task ends: none of its plan is left out."""
    for case in CASES:
        tasks = set(project.loaded()[case.name].plan.by_id)
        for once in case.runs:
            named = {name.split(".")[0] for name in once.tasks}
            assert named <= tasks, case.name
            assert tasks - named <= ({"double", "double-2"} if "map" in case.name else set()), case.name


@pytest.mark.parametrize(
    ("found", "expected", "wanted"),
    [
        (1, 1, True),
        (1, True, False),
        (1.0, 1, False),
        (float("nan"), float("nan"), True),
        (0.0, -0.0, False),
        ((1,), [1], False),
        ([1, [2.0]], [1, [2]], False),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}, False),
        ({1, 2}, {2, 1}, True),
        (None, None, True),
        (b"x", "x", False),
        (KeyError("x"), Shown("KeyError('x')"), True),
        (Path(__file__), Holds(Path(__file__).read_bytes()), True),
        (Path(__file__), Holds(b""), False),
        (Path(__file__).read_bytes(), Holds(Path(__file__).read_bytes()), False),
    ],
)
def test_same(found: object, expected: object, wanted: bool) -> None:
    assert same(found, expected) is wanted
