"""A bundle of a third party's target: its script is reviewed, and that script is what runs."""

from __future__ import annotations

from pathlib import Path

from running import Project

SOURCE = """
    from crossdock import pipeline, step


    @step
    def double(number: int) -> int:
        return 2 * number


    @pipeline
    def doubled(number: int = 4) -> int:
        return double(number)
"""


def test_a_bundle_of_a_third_party(tmp_path: Path) -> None:
    project = Project(tmp_path)
    project.write(SOURCE)
    project.write("flavor: shell\n", ".crossdock/components/orchestrator/sh.yaml")
    project.write("components:\n  orchestrator: sh\n  artifact_store: default\n", ".crossdock/stacks/shells.yaml")
    done = project.crossdock("export", "pipe.py", "--stack", "shells", "-o", "review")
    assert done.code == 0, str(done)
    script = project.folder / "review/run.sh"
    assert "double" in script.read_text(encoding="utf-8")
    done = project.crossdock("submit", "review", "-p", "number=21", "--run-id", "reviewed")
    assert (done.code, done.out) == (0, "reviewed\n"), str(done)
    assert "42" in project.crossdock("runs", "outputs", "reviewed").out
    script.write_text(script.read_text(encoding="utf-8") + "echo more\n", encoding="utf-8")
    done = project.crossdock("submit", "review")
    assert done.code == 2
    assert "review/run.sh: was changed after the export" in done.err
