"""`crossdock init`: what it writes runs, it writes all or nothing, and never over anything."""

from __future__ import annotations

import ast
import subprocess
from pathlib import Path

import pytest
from running import CROSSDOCK, Project, finish

from crossdock.review.first_project import SOURCE

FILES = {
    ".crossdock/.gitignore",
    ".crossdock/components/artifact_store/dev.yaml",
    ".crossdock/components/orchestrator/dev.yaml",
    ".crossdock/stacks/dev.yaml",
    "pipeline.py",
}


@pytest.fixture
def project(tmp_path: Path) -> Project:
    found = Project(tmp_path)
    found.env["CROSSDOCK_CONFIG"] = str(tmp_path / "config")
    return found


def files(folder: Path) -> set[str]:
    """The files of a folder that are for git."""
    found = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    return {name for name in found if not name.startswith(".crossdock/local/")}


def test_what_it_writes_runs(project: Project) -> None:
    done = project.crossdock("init", "demo", "--yes", "--store", "")
    assert done.code == 0, str(done)
    demo = project.folder / "demo"
    assert (demo / ".crossdock/components/artifact_store/dev.yaml").read_text() == "flavor: local\n"
    assert files(demo) == FILES
    assert done.out.splitlines()[: len(FILES)] == [f"demo/{name}" for name in sorted(FILES)]
    typed = [line.strip() for line in done.out.partition("next:\n")[2].splitlines()]
    assert typed == ["cd demo", "crossdock run pipeline.py", "crossdock runs outputs latest"]
    project.folder = demo
    for line in typed[1:]:
        done = project.crossdock(*line.split()[1:])
        assert done.code == 0, str(done)
    assert "publish.output  'published the line'" in done.out
    found = project.crossdock("doctor", "--json").document
    assert found["active"] == {"name": "dev", "decided_by": "this project (crossdock stack set)"}
    assert found["works"]


def test_for_a_target_that_needs_more_it_runs_here_and_compiles_for_there(project: Project) -> None:
    done = project.crossdock("init", "--yes", "--target", "kubeflow", "--name", "laptop")
    assert done.code == 0, str(done)
    assert files(project.folder) == {
        "pyproject.toml",
        *(name.replace("dev", "laptop") for name in FILES),
        ".crossdock/components/orchestrator/kubeflow.yaml",
    }
    assert "stack 'laptop' is active here; it runs on local" in done.out
    typed = [line.split()[1:] for line in done.out.splitlines() if line.startswith("  crossdock ")]
    assert [words[0] for words in typed] == ["run", "runs", "check", "compile", "artifact-store", "stack"]
    for words in typed[:4]:
        done = project.crossdock(*words)
        assert done.code == 0, str(done)
    assert (project.folder / "specs" / "pipeline.yaml").is_file()


def test_the_store_is_where_it_is_said_to_be(project: Project) -> None:
    assert project.crossdock("init", "demo", "--yes", "--store", "here").code == 0
    text = (project.folder / "demo/.crossdock/components/artifact_store/dev.yaml").read_text()
    assert text == f"flavor: local\nconfig:\n  path: {project.folder}/here\n"
    project.folder = project.folder / "demo"
    assert project.run(source="pipeline.py").code == 0
    assert (project.folder.parent / "here" / "runs").is_dir()
    assert not project.store_path.exists()


def test_a_store_below_home_is_written_without_its_name(project: Project) -> None:
    done = project.crossdock("init", "--yes", "--store", "a/b", env={"HOME": str(project.folder)})
    assert done.code == 0, str(done)
    text = (project.folder / ".crossdock/components/artifact_store/dev.yaml").read_text()
    assert text.splitlines()[-1].split() == ["path:", "~/a/b"]


def ask(project: Project, answers: str, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [CROSSDOCK, "init", *words], input=answers, cwd=project.folder, env=project.env, capture_output=True, text=True
    )


def test_questions(project: Project) -> None:
    done = ask(project, "first\n\n~/data\n", "demo")
    assert done.returncode == 0, done.stderr
    assert "Name of the stack [dev]: " in done.stderr
    assert "docker, kubeflow, local" in done.stderr
    assert "demo/.crossdock/stacks/first.yaml" in done.stdout.splitlines()
    assert "~/data" in (project.folder / "demo/.crossdock/components/artifact_store/first.yaml").read_text()


def test_no_question_is_asked_twice_that_a_flag_has_answered(project: Project) -> None:
    done = ask(project, "", "--name", "a", "--target", "local", "--store", "b")
    assert (done.returncode, done.stderr) == (0, "")


def test_without_an_answer_nothing_is_written(project: Project) -> None:
    done = ask(project, "first\n", "demo")
    assert done.returncode == 2
    assert done.stderr.endswith(
        "\ncrossdock: no answer [no-answer]\n  hint: add --yes, or --name, --target and --store\n"
    )
    assert files(project.folder) == {"pyproject.toml"}


@pytest.mark.parametrize("there", ["pipeline.py", ".crossdock/mine", ".crossdock"])
def test_it_writes_over_nothing(there: str, project: Project) -> None:
    project.write("mine", there)
    done = project.crossdock("init", "--yes")
    assert done.code == 2
    name = there.partition("/")[0]
    assert done.err.startswith(f"crossdock: there is {name} already in '.': nothing is written [name-taken]\n")
    assert files(project.folder) == {"pyproject.toml", there}
    assert (project.folder / there).read_text() == "mine"


def test_a_link_that_points_nowhere_is_something(project: Project) -> None:
    (project.folder / "pipeline.py").symlink_to("elsewhere.py")
    assert project.crossdock("init", "--yes").code == 2
    assert not (project.folder / "elsewhere.py").exists()


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--name", "default"], "the stack 'default' is built in"),
        (["--name", "../up"], "'../up' is no name for a stack"),
        (["--name", "con"], "'con' is the name of a device on Windows"),
        (
            ["--target", "kubeflw"],
            "there is no orchestrator flavor 'kubeflw' [unknown-flavor]\n  hint: did you mean 'kubeflow'?",
        ),
        (["--store", "s3://bucket"], "s3://bucket is not on this machine"),
    ],
)
def test_what_cannot_be_leaves_nothing(words: list[str], told: str, project: Project) -> None:
    done = project.crossdock("init", "new/deep", "--yes", *words)
    assert done.code == 2, str(done)
    assert told in done.err
    assert "Traceback" not in done.err
    assert [path.name for path in project.folder.iterdir()] == ["pyproject.toml"]


def test_a_file_in_the_place_of_the_folder(project: Project) -> None:
    done = project.crossdock("init", "pyproject.toml", "--yes")
    assert done.code == 2, str(done)
    assert "the folder 'pyproject.toml' cannot be made" in done.err


def test_a_stack_of_the_user_with_the_same_name(project: Project) -> None:
    mine = project.folder.parent / "config" / "stacks" / "dev.yaml"
    mine.parent.mkdir(parents=True)
    mine.write_text("components:\n  orchestrator: default\n  artifact_store: default\n")
    done = project.crossdock("init", "demo", "--yes")
    assert done.code == 2
    assert "'dev'" in done.err
    assert not (project.folder / "demo").exists()


def test_of_those_that_race_one_wins_and_all_is_whole(project: Project) -> None:
    racing = [project.start(CROSSDOCK, "init", "--yes", "--name", f"s{number}") for number in range(4)]
    ended = [finish(process) for process in racing]
    assert sorted(done.code for done in ended) == [0, 2, 2, 2], [str(done) for done in ended]
    winner = next(number for number, done in enumerate(ended) if done.code == 0)
    assert files(project.folder) == {"pyproject.toml", *(name.replace("dev", f"s{winner}") for name in FILES)}
    assert (project.folder / ".crossdock/local/active-stack").read_text() == f"s{winner}\n"


def test_the_pipeline_is_plain(project: Project) -> None:
    imported = {
        node.module or "" if isinstance(node, ast.ImportFrom) else node.names[0].name
        for node in ast.walk(ast.parse(SOURCE))
        if isinstance(node, (ast.Import, ast.ImportFrom))
    }
    assert imported == {"crossdock", "dataclasses"}
    assert max(map(len, SOURCE.splitlines())) <= 120
