"""The tests that every orchestrator passes. Subclass it in a test module, and say which orchestrator:

    class TestMine(OrchestratorConformance):
        @pytest.fixture
        def orchestrator(self):
            return MyOrchestrator("mine", MyConfig())

What is expected comes from the orchestrator's own `features` and `rules`: a case that it declares it can take must
translate; any other must be refused by `check`, with the declared reason. Where it can start runs, subclass
`RunConformance`: what it takes must run, too, with the results that the case says.
"""

from __future__ import annotations

import abc
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import pytest
from pydantic import BaseModel, ValidationError

from crossdock import registry
from crossdock.client import Client
from crossdock.dsl.errors import CrossdockError, Problem, UnsupportedError
from crossdock.ir import Feature, Support, check_support
from crossdock.passes.load import Loaded
from crossdock.review.check import check_target
from crossdock.stacks import ArtifactStore, CanCheckSpecs, Orchestrator, Stack
from crossdock.testing import project, rules
from crossdock.testing.case import Case
from crossdock.testing.cases import CASES
from crossdock.testing.elsewhere import Answer, Recipe, translate_elsewhere
from crossdock.testing.running import environment, run_case
from crossdock_runtime.record import newest_runs

SEED = 4711

each_case = pytest.mark.parametrize("case", CASES, ids=str)


class OrchestratorConformance(abc.ABC):
    """What an orchestrator has to keep.

    Attributes:
        sdk: top-level modules that neither importing nor translating may load, beside those of its `extra`.
    """

    sdk: ClassVar[tuple[str, ...]] = ()

    @pytest.fixture
    @abc.abstractmethod
    def orchestrator(self) -> Orchestrator[Any]:
        """The orchestrator under test. Its class and its configuration are enough to make it again."""

    # What it declares

    def test_class(self, orchestrator: Orchestrator[Any]) -> None:
        """Its flavor is found by entry point, and its own word."""
        assert isinstance(orchestrator, Orchestrator)
        assert registry.flavor("orchestrator", orchestrator.flavor) is type(orchestrator)

    def test_every_feature_has_a_support(self, orchestrator: Orchestrator[Any]) -> None:
        """Each feature is answered for, each hole has its reason."""
        supports = {feature: orchestrator.features.get(feature) for feature in Feature}
        assert [feature.name for feature, support in supports.items() if not isinstance(support, Support)] == []
        holes = {feature.name: support for feature, support in supports.items() if support and not support.works}
        assert [name for name, support in holes.items() if not support.reason.strip()] == []

    @pytest.mark.parametrize("model", ["Config", "Overrides"])
    def test_models_take_no_unknown_key(self, orchestrator: Orchestrator[Any], model: str) -> None:
        kind = getattr(orchestrator, model)
        assert issubclass(kind, BaseModel)
        with pytest.raises(ValidationError) as caught:
            kind(crossdock_knows_no_such_key=1)
        assert [
            error["type"] for error in caught.value.errors() if error["loc"][:1] == ("crossdock_knows_no_such_key",)
        ] == ["extra_forbidden"]

    # What it makes of each case

    @pytest.fixture
    def loaded(self) -> Mapping[str, Loaded]:
        """Every case's pipeline, compiled."""
        return project.loaded()

    @pytest.fixture
    def elsewhere(self, orchestrator: Orchestrator[Any], loaded: Mapping[str, Loaded]) -> Answer:
        """The specs of all cases that it takes, as another process makes them."""
        taken = tuple(name for name, found in loaded.items() if not declared(orchestrator, found))
        return translate_elsewhere(Recipe.of(orchestrator), taken, SEED)

    @each_case
    def test_check(self, orchestrator: Orchestrator[Any], loaded: Mapping[str, Loaded], case: Case) -> None:
        """`check` refuses exactly what the features say, all at once, and names task and line."""
        found = loaded[case.name]
        expected = declared(orchestrator, found)
        if not expected:
            check_target(found, orchestrator)
            return
        with pytest.raises(UnsupportedError) as caught:
            check_target(found, orchestrator)
        assert sorted(map(str, caught.value.problems)) == sorted(map(str, expected))
        message = str(caught.value)
        module = case.source.partition(":")[0]
        for problem in caught.value.problems:
            assert str(problem) in message
            if problem.task is not None:
                assert problem.where == found.traced.locations[problem.task]
                assert Path(problem.where.rpartition(":")[0]).name == f"{module}.py"

    @each_case
    def test_translate(
        self, orchestrator: Orchestrator[Any], loaded: Mapping[str, Loaded], elsewhere: Answer, case: Case
    ) -> None:
        """The spec is text that depends on the plan alone, here and elsewhere."""
        found = loaded[case.name]
        if declared(orchestrator, found):
            assert case.name not in elsewhere.specs
            return
        secrets = {name: text for once in case.runs for name, text in once.env.items()}
        with environment(secrets):
            spec = orchestrator.translate(found.plan)
            again = orchestrator.translate(type(found.plan).from_json(found.plan.to_json()))
        assert rules.broken(spec, orchestrator.flavor, found.root, tuple(secrets.values())) == []
        assert dict(again.files) == dict(spec.files), "the plan read back from JSON gives another spec"
        assert dict(elsewhere.specs[case.name]) == dict(spec.files), "another process makes another spec"
        if isinstance(orchestrator, CanCheckSpecs):
            name = next(iter(spec.files))
            assert orchestrator.reads(name, spec.main)
            assert [str(problem) for problem in orchestrator.check_spec(name, spec.main)] == []

    def test_no_sdk_is_loaded(self, orchestrator: Orchestrator[Any], elsewhere: Answer) -> None:
        """Importing the adapter and translating need none of what its `extra` installs."""
        banned = {*self.sdk, *rules.vendor_modules(orchestrator)}
        assert sorted({name.partition(".")[0] for name in elsewhere.modules} & banned) == []


class RunConformance(OrchestratorConformance):
    """What an orchestrator has to keep whose runs can be started here.

    Attributes:
        runs_large_cases: False where a task costs a process or a pod: cases of hundreds of tasks only translate.
    """

    runs_large_cases: ClassVar[bool] = True

    @pytest.fixture
    def stack(self, orchestrator: Orchestrator[Any], tmp_path: Path) -> Stack:
        """The stack that cases run on: the orchestrator, with an empty store."""
        store = registry.flavor("artifact_store", "local")
        kept: ArtifactStore[Any] = store("store", store.Config(path=str(tmp_path / "store")))
        return Stack("conformance", orchestrator, kept)

    @pytest.fixture
    def scratch(self, tmp_path: Path) -> str:
        """A folder that all attempts of one task can write to, as the task sees it."""
        (tmp_path / "scratch").mkdir()
        return str(tmp_path / "scratch")

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """The cases that are run."""
        if "run_of" in metafunc.fixturenames:
            found = [case for case in CASES if case.runs and (self.runs_large_cases or not case.large)]
            metafunc.parametrize("run_of", found, ids=str)

    def test_run(
        self,
        orchestrator: Orchestrator[Any],
        loaded: Mapping[str, Loaded],
        stack: Stack,
        scratch: str,
        run_of: Case,
    ) -> None:
        """The run ends as the case says; what is refused does not start."""
        found, client = loaded[run_of.name], Client(stack)
        if declared(orchestrator, found):
            with pytest.raises(UnsupportedError):
                client.run(found)
            assert list(newest_runs(stack.artifact_store.open())) == []
            return
        try:
            wrong = list(run_case(run_of, client, found, scratch))
        except CrossdockError as error:
            pytest.fail(f"{run_of.source}: {error}")
        assert not wrong, "\n".join([run_of.source, *wrong])


def declared(orchestrator: Orchestrator[Any], loaded: Loaded) -> list[Problem]:
    """What an orchestrator's features and rules say against a pipeline."""
    problems, _ = check_support(
        loaded.plan, orchestrator.flavor, orchestrator.features, orchestrator.rules, loaded.traced.locations
    )
    return problems
