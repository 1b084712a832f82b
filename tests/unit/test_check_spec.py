"""`crossdock check SPEC`: which flavor is asked, and how it is told."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from crossdock.cli.main import run
from crossdock.client import Client
from crossdock.dsl.errors import BadInput

DEFECTS = Path(__file__).parent / "kfp_defects"


def test_a_client_checks_specs() -> None:
    (found,) = Client().check_spec(DEFECTS / "right.yaml")
    assert (found.target, found.problems) == ("kubeflow", ())
    (found,) = Client().check_spec(str(DEFECTS / "no_image.yaml"), "kubeflow")
    assert [problem.id for problem in found.problems] == ["bad-container"]
    with pytest.raises(BadInput, match="no flavor takes this for a spec of its own"):
        Client().check_spec(Path(__file__))


def test_as_json(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(DEFECTS)
    assert run(["check", "cycle.yaml", "--json", "--all-targets"]) == 1
    body = json.loads(capsys.readouterr().out)
    assert body["spec"] == "cycle.yaml"
    assert body["targets"][0] == {
        "target": "kubeflow",
        "problems": [
            {
                "id": "cycle",
                "message": "tasks wait for each other: make → use → make",
                "task": None,
                "where": "cycle.yaml:25: components.comp-guarded.dag.tasks.make",
                "hint": "remove an edge",
            }
        ],
        "warnings": [],
    }


def test_the_stack_s_flavor_is_asked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["check", str(DEFECTS / "right.yaml"), "--stack", "default"]) == 2
    assert "local checks no specs" in capsys.readouterr().err


def test_a_spec_may_have_any_name(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "spec.txt"
    file.write_text((DEFECTS / "right.yaml").read_text(encoding="utf-8"), encoding="utf-8")
    assert run(["check", str(file)]) == 0
    assert capsys.readouterr().out == "kubeflow: ok\n"
