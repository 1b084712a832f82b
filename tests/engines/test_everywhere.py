"""The main example, unchanged, on every pair of a machine or its containers and a store: equal to the last digit."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import docker_engine
import pytest
from running import Done, Project
from stores import Place

EXAMPLE = Path(__file__).parents[2] / "examples" / "flight_delays" / "pipeline.py"
PARAMETERS = ("-p", "sample=20000")


class Example(Project):
    """The example as a project of its own, with stacks that tests add."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        shutil.copy(EXAMPLE, self.folder / "pipeline.py")
        for packaging in ("image", "code"):
            config = {"image": docker_engine.BASE_IMAGE, "packaging": packaging, "network": "host"}
            self.component("orchestrator", packaging, "docker", config)
        self.component("orchestrator", "here", "local", {})
        self.component("artifact_store", "folder", "local", {})

    def component(self, type_: str, name: str, flavor: str, config: Mapping[str, Any]) -> None:
        body = json.dumps({"flavor": flavor, **({"config": config} if config else {})})
        self.write(body, f".crossdock/components/{type_}/{name}.yaml")

    def stack(self, orchestrator: str, place: Place | None, name: str) -> str:
        """A stack of an orchestrator with a store; a folder when that is None."""
        store = "folder"
        if place is not None:
            store = f"store-{name}"
            self.component("artifact_store", store, place.flavor, place.config)
            self.env.update(place.env)
        members = {"components": {"orchestrator": orchestrator, "artifact_store": store}}
        self.write(json.dumps(members), f".crossdock/stacks/{name}.yaml")
        return name

    def example(self, stack: str, *more: str) -> Done:
        return self.run("--stack", stack, *PARAMETERS, *more, source="pipeline.py")


def values(done: Done) -> dict[str, Any]:
    """What a run computed: every value, and the digest of all else that is the same on every machine."""
    assert done.code == 0, str(done)
    tasks = done.document["tasks"]
    assert {body["state"] for body in tasks.values()} <= {"succeeded", "cached"}
    return {
        f"{task}.{name}": output.get("value", output["type"])
        for task, body in tasks.items()
        for name, output in body["outputs"].items()
    }


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> Example:
    return Example(tmp_path_factory.mktemp("everywhere"))


@pytest.fixture(scope="module")
def expected(example: Example) -> dict[str, Any]:
    """Of a run on this machine, with a store in a folder."""
    found = values(example.example(example.stack("here", None, "plain")))
    assert found["compare.output"]["fields"]["rmse"] > 0
    return found


PLACES = ("folder", "s3", "gcs", "azure")
PAIRS = [("here", "s3"), *((packaging, place) for place in PLACES for packaging in ("image", "code"))]


@pytest.mark.parametrize(("orchestrator", "place"), PAIRS)
def test_equal_metrics(
    example: Example,
    expected: dict[str, Any],
    orchestrator: str,
    place: str,
    use_docker: str,
    base_image: str,
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(example.env, "DOCKER_HOST", use_docker)
    monkeypatch.setitem(example.env, "PATH", f"/usr/bin:{example.env['PATH']}")
    found = None if place == "folder" else request.getfixturevalue(f"{place}_store").fresh()
    stack = example.stack(orchestrator, found, f"{orchestrator}-{place}")
    more = ("--no-cache",) if place == "folder" else ()  # a bucket that nobody has used has no cache
    assert values(example.example(stack, *more)) == expected


def test_what_one_stack_computed_is_a_cache_hit_in_the_next(
    example: Example, expected: dict[str, Any], s3_store: Place, use_docker: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(example.env, "DOCKER_HOST", use_docker)
    monkeypatch.setitem(example.env, "PATH", f"/usr/bin:{example.env['PATH']}")
    shared = s3_store.fresh()
    first = example.example(example.stack("image", shared, "shared-image"))
    assert {body["state"] for body in first.document["tasks"].values()} == {"succeeded"}
    for orchestrator in ("code", "here"):
        done = example.example(example.stack(orchestrator, shared, f"shared-{orchestrator}"))
        assert values(done) == expected
        assert {body["state"] for body in done.document["tasks"].values()} == {"cached"}, orchestrator
