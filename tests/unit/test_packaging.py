"""From a pipeline and a stack to images and code: recipes, Dockerfiles, images.lock, and what reviews say of them."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import pytest
from running import Done, Project

from crossdock.dsl.errors import BadInput
from crossdock.ir import Packaging
from crossdock.passes.load import Loaded, load
from crossdock.review.dockerfile import base_of, copies_project, copies_runtime, dockerfile, requirements_text
from crossdock.review.images_lock import ImagesLock, environment_digest, lock_file
from crossdock.review.packaging import OBSTORE, Packaged, packaged
from crossdock.review.runtime_bundle import runtime_bundle
from crossdock.stacks import BuiltImage, ComponentConfig, ContainerRegistry, ImageRecipe, Login, Stack
from crossdock.stacks.workspace import Workspace
from crossdock_adapters.orchestrators.kubeflow import KubeflowConfig, KubeflowOrchestrator

SOURCE = """
    from crossdock import container_step, pipeline, step, Secret


    @step(requirements=["pandas>=2"])
    def load_(n: int) -> int:
        return n


    @step(image="example.org/team/gpu:1")
    def train(n: int) -> int:
        return n


    @step
    def report(n: int) -> int:
        return n


    @step
    def again(n: int) -> int:
        return n

    shout = container_step(name="shout", image="busybox:1", command=["echo", "hi"])


    @pipeline
    def flights(n: int = 1) -> int:
        shout()
        return again(report(train(load_(n))))
"""
PINS = ("obstore==0.12.1", "pandas==2.3.0", "pip==23.0", "wheel==1")


@pytest.fixture
def project(tmp_path: Path) -> Project:
    found = Project(tmp_path)
    found.write(SOURCE)
    found.write('[project]\nname = "My Flights"\n', "pyproject.toml")
    return found


def stack(project: Project, *lines: str, name: str = "dev", flavor: str = "docker") -> Stack:
    """A stack's files, and the stack."""
    config = "".join(f"  {line}\n" for line in lines)
    body = f"flavor: {flavor}\n" + (f"config:\n{config}" if lines else "")
    project.write(body, f".crossdock/components/orchestrator/{name}.yaml")
    project.write(f"components:\n  orchestrator: {name}\n  artifact_store: default\n", f".crossdock/stacks/{name}.yaml")
    return Workspace(project.folder).build(name)


def loaded(project: Project) -> Loaded:
    return load(str(project.folder / "pipe.py"))


def found_of(project: Project, *lines: str, **options: Any) -> Packaged:
    return packaged(loaded(project), stack(project, *lines, **options))


def ok(done: Done, code: int = 0) -> Done:
    assert done.code == code, str(done)
    return done


class Registry(ContainerRegistry[ComponentConfig]):
    """A registry that nothing is pushed to."""

    flavor: ClassVar[str] = "toy"
    prefix = "registry.example.org/team"

    def repository(self, name: str) -> str:
        return f"{self.prefix}/{name}"

    def login(self) -> Login | None:
        return None


# Recipes


def test_one_image_for_each_environment(project: Project) -> None:
    found = found_of(project, "image: python:3.12-slim", "requirements: [numpy]")
    recipes = found.recipes
    assert set(recipes) == {"load", "train", "report", "again"}
    assert recipes["report"] == recipes["again"]
    assert len(found.names) == 3
    assert recipes["load"].requirements == ("numpy", OBSTORE, "pandas>=2")
    assert recipes["train"].base == "example.org/team/gpu:1"
    assert {recipes[task].base for task in ("load", "report")} == {"python:3.12-slim"}
    assert {recipe.platform for recipe in recipes.values()} == {"linux/amd64"}
    assert {recipe.runtime for recipe in recipes.values()} == {hashlib.sha256(runtime_bundle()).hexdigest()}
    for recipe in recipes.values():
        assert found.names[recipe.digest] == f"crossdock/my-flights:{recipe.digest[:16]}"
        assert recipe.project == found.project.digest  # type: ignore[union-attr]
        assert f"FROM {recipe.base}\n" in recipe.dockerfile


def test_the_plan_names_images_by_task_and_leaves_programs_alone(project: Project) -> None:
    found = found_of(project)
    plan = found.plan
    assert plan.packaging is not None
    assert plan.packaging.code is None
    assert plan.packaging.image == plan.image_of(plan.by_id["report"]) == plan.image_of(plan.by_id["again"])
    assert set(plan.packaging.images) == {"load", "train"}
    assert plan.image_of(plan.by_id["shout"]) == "busybox:1"
    assert plan.unpackaged == loaded(project).plan
    assert found.code is None


def test_packaging_by_code_leaves_the_project_out_of_images(project: Project) -> None:
    found = found_of(project, "packaging: code")
    assert found.code is not None
    assert found.plan.packaging is not None
    assert found.plan.packaging.code == found.code.digest
    assert {recipe.project for recipe in found.recipes.values()} == {None}
    assert not any("project" in recipe.dockerfile.partition("COPY runtime")[2] for recipe in found.recipes.values())
    project.write("x = 1\n", "new.py")
    again = found_of(project, "packaging: code")
    assert again.recipes == found.recipes
    assert again.plan.packaging != found.plan.packaging


def test_an_edit_is_another_image_and_a_moved_line_too_but_no_other_plan(project: Project) -> None:
    before = found_of(project)
    project.write(SOURCE.replace("    @step\n    def report", "    # a comment\n    @step\n    def report"))
    after = found_of(project)
    assert before.plan.unpackaged.digest == after.plan.unpackaged.digest
    assert before.plan.packaging != after.plan.packaging


def test_images_as_they_are(project: Project) -> None:
    found = found_of(project, "build: false", "image: example.org/all:1")
    assert found.recipes == {}
    assert found.project is None
    assert found.plan.packaging == Packaging(None, "example.org/all:1", {"train": "example.org/team/gpu:1"})
    found = found_of(project, "build: false", "packaging: code", "image: example.org/all:1")
    assert found.plan.packaging is not None
    assert found.plan.packaging.code == found.code.digest  # type: ignore[union-attr]


def test_where_images_are_built(project: Project) -> None:
    assert found_of(project, flavor="local").plan == loaded(project).plan
    project.write(SOURCE.replace("        shout()\n", ""))
    pipeline, near = loaded(project), stack(project)

    def kubeflow(**components: Any) -> Stack:
        config = {"image": "example.org/all:1", **components.pop("config", {})}
        return Stack("kfp", KubeflowOrchestrator("kfp", KubeflowConfig(**config)), near.artifact_store, components)

    assert packaged(pipeline, kubeflow()).recipes == {}
    found = packaged(pipeline, kubeflow(registry=Registry("toy", ComponentConfig())))
    assert set(found.names.values()) == {f"registry.example.org/team/my-flights:{d[:16]}" for d in found.names}
    with pytest.raises(BadInput, match="has no container registry") as caught:
        packaged(pipeline, kubeflow(config={"build": True}))
    assert caught.value.id == "no-registry"


def test_a_secret_manager_brings_its_library(project: Project) -> None:
    source = SOURCE.replace("    @step\n    def report", '    @step(secrets={"T": Secret(aws="t")})\n    def report')
    project.write(source)
    found = found_of(project)
    assert "boto3>=1.34" in found.recipes["report"].requirements
    assert not any("boto3" in item for item in found.recipes["again"].requirements)


def test_the_name_is_the_projects_not_the_folders(project: Project) -> None:
    project.write("", "pyproject.toml")
    assert all(name.startswith("crossdock/flights:") for name in found_of(project).names.values())
    project.write("[project\n", "pyproject.toml")
    assert all(name.startswith("crossdock/flights:") for name in found_of(project).names.values())


def test_what_the_runtime_needs_is_what_is_declared() -> None:
    text = (Path(__file__).parents[2] / "pyproject.toml").read_text(encoding="utf-8")
    assert f'"{OBSTORE}",' in text
    for library in ("boto3>=1.34", "azure-identity>=1.16", "azure-keyvault-secrets>=4.8"):
        assert f'"{library}"' in text


# Dockerfiles


def test_the_dockerfile_is_this_text() -> None:
    golden = Path(__file__).parents[1] / "golden" / "Dockerfile"
    assert dockerfile("python:3.11-slim", project=True) == golden.read_text(encoding="utf-8")
    without = dockerfile("python:3.11-slim", project=False)
    assert "project" not in without.partition("COPY runtime")[2]


def test_the_users_own_dockerfile(project: Project) -> None:
    theirs = "FROM python:3.12 AS base\nRUN apt-get update\nFROM base AS last\nRUN true\n"
    project.write(theirs, "docker/Dockerfile")
    found = found_of(project, "dockerfile: docker/Dockerfile")
    assert found.recipes["report"].dockerfile.startswith(theirs)
    assert "COPY runtime.zip" in found.recipes["report"].dockerfile
    assert found.recipes["report"].base == "base"
    assert found.recipes["train"].dockerfile.startswith("# Made by Crossdock.")
    whole = "FROM python:3.12\nCOPY runtime.zip /x.zip\nCOPY project/x.txt /\n"
    project.write(whole, "docker/Dockerfile")
    found = found_of(project, "dockerfile: docker/Dockerfile", "packaging: code")
    assert found.recipes["report"].dockerfile == whole
    assert found.recipes["report"].project == found.project.digest  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("text", "what"),
    [(None, "cannot be read: No such file"), ("RUN x\n", "has no FROM"), (b"\xff\xfe", "it is no text")],
)
def test_a_dockerfile_that_is_none(project: Project, text: str | bytes | None, what: str) -> None:
    if text is not None:
        (project.folder / "Dockerfile").write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(BadInput, match=what) as caught:
        found_of(project, "dockerfile: Dockerfile")
    assert caught.value.id == "bad-dockerfile"
    with pytest.raises(BadInput, match="outside of the project"):
        found_of(project, "dockerfile: ../Dockerfile")


def test_what_a_dockerfile_says() -> None:
    assert base_of("FROM --platform=linux/amd64 \\\n  a:1 AS x\nfrom b:2\n") == "b:2"
    assert base_of("RUN x") is None
    assert copies_project("COPY --chown=1 project/a /a")
    assert copies_project("ADD . /app")
    assert copies_project('COPY ["project/", "/x"]')
    assert not copies_project("RUN cp project/a /a")
    assert not copies_project("COPY requirements.txt /")
    assert copies_runtime("COPY \\\n  runtime.zip /x")
    assert not copies_runtime("# COPY runtime.zip")


def test_requirements_are_pinned_where_they_can_be() -> None:
    declared = ("numpy", "Mine_Own @ git+https://example.org/x.git", "pip>=20")
    assert requirements_text(declared, None) == "".join(f"{item}\n" for item in declared)
    pinned = ("numpy==2.0", "mine-own==1.0", "pip==24.0", "setuptools==60")
    text = requirements_text(declared, pinned)
    assert text == "Mine_Own @ git+https://example.org/x.git\nnumpy==2.0\npip==24.0\n"


# images.lock


def built(found: Packaged, project: Project, task: str = "load", **changes: Any) -> tuple[str, ImageRecipe]:
    """Take an image down in the lock, as if it was built."""
    lock = ImagesLock(project.folder)
    recipe = found.recipes[task]
    name = found.names[recipe.digest]
    body = {"reference": f"{name.partition(':')[0]}@sha256:{'1' * 64}", "base": "python@sha256:" + "2" * 64}
    lock.add(name, recipe, BuiltImage(**{**body, "requirements": PINS, **changes}))
    lock.write()
    return name, recipe


def test_export_reads_the_lock(project: Project) -> None:
    before = found_of(project)
    assert len(before.unbuilt) == len(before.warnings) == 3
    assert {problem.id for problem in before.warnings} == {"unpinned"}
    name, recipe = built(before, project)
    after = found_of(project)
    assert name not in after.unbuilt
    assert after.plan.packaging is not None
    assert after.plan.packaging.images["load"] == f"crossdock/my-flights@sha256:{'1' * 64}"
    files = {file: text for file, text in after.files.items() if recipe.digest[:16] in file}
    assert set(files) == {f"images/{recipe.digest[:16]}/{name}" for name in ("Dockerfile", "requirements.txt")}
    assert f"FROM python@sha256:{'2' * 64}\n" in files[f"images/{recipe.digest[:16]}/Dockerfile"]
    assert files[f"images/{recipe.digest[:16]}/requirements.txt"] == "obstore==0.12.1\npandas==2.3.0\n"


def test_pins_outlive_an_edit(project: Project) -> None:
    built(found_of(project), project)
    project.write("x = 1\n", "new.py")
    after = found_of(project)
    recipe = after.recipes["load"]
    assert after.names[recipe.digest] in after.unbuilt
    assert "pandas==2.3.0\n" in after.files[f"images/{recipe.digest[:16]}/requirements.txt"]
    built(after, project)
    assert len(json.loads(lock_file(project.folder).read_text())["images"]) == 1  # the edited one took its place


def test_the_lock_is_stable_and_says_nothing_of_the_machine(project: Project) -> None:
    found = found_of(project)
    built(found, project)
    built(found, project, "train")
    file = lock_file(project.folder)
    assert file == project.folder / ".crossdock" / "images.lock"
    text = file.read_text(encoding="utf-8")
    file.unlink()
    built(found, project, "train")
    built(found, project)
    assert file.read_text(encoding="utf-8") == text
    moment = file.stat().st_mtime_ns
    built(found, project)
    assert file.stat().st_mtime_ns == moment
    assert str(project.folder) not in text


def test_without_a_crossdock_folder_the_lock_is_in_the_root(tmp_path: Path) -> None:
    assert lock_file(tmp_path) == tmp_path / "images.lock"


def test_another_base_platform_or_requirement_is_another_environment() -> None:
    recipe = ImageRecipe("a", "linux/amd64", ("x",), "r", None, "d")
    same = [replace(recipe, runtime="s"), replace(recipe, project="p"), replace(recipe, dockerfile="e")]
    assert {environment_digest(item) for item in same} == {environment_digest(recipe)}
    other = [replace(recipe, base="b"), replace(recipe, platform="linux/arm64"), replace(recipe, requirements=())]
    assert len({environment_digest(item) for item in (*other, recipe)}) == 4
    assert len({item.digest for item in (*same, *other, recipe)}) == 7


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "{}", '{"crossdock_images": 2, "environments": {}, "images": {}}',
     '{"crossdock_images": 1, "environments": {"x": {}}, "images": {}}',
     '{"crossdock_images": 1, "environments": {}, "images": {"x": {"recipe": "r"}}}',
     '{"crossdock_images": 1, "environments": {"x": {"base": 1, "requirements": []}}, "images": {}}',
     '{"crossdock_images": 1, "environments": [], "images": {}}'],
)  # fmt: skip
def test_a_damaged_lock_is_an_error(project: Project, text: str) -> None:
    stack(project)
    lock_file(project.folder).write_text(text)
    with pytest.raises(BadInput) as caught:
        found_of(project)
    assert caught.value.id == "bad-images-lock"


# Through the command line


def test_review_and_diff_say_what_runs(project: Project) -> None:
    stack(project, "packaging: code")
    done = ok(project.crossdock("export", "pipe.py", "--stack", "dev", "-o", "review"))
    assert "is unpinned: it is not built yet" in done.err
    review = (project.folder / "review" / "REVIEW.md").read_text(encoding="utf-8")
    assert "## Code and images" in review
    assert "2 files, " in review
    assert "unpinned" in review
    lock = json.loads((project.folder / "review" / "crossdock.lock").read_text(encoding="utf-8"))
    assert any(name.endswith("/Dockerfile") for name in lock["files"])
    assert all(name.startswith("crossdock/my-flights:") for name in lock["images"].values())
    ok(project.crossdock("diff", "pipe.py", "review"))
    project.write("x = 1\n", "new.py")
    done = ok(project.crossdock("diff", "pipe.py", "review"), 1)
    assert "    code package: " in done.out
    assert "task" not in done.out
    done = ok(project.crossdock("publish", "review"), 2)
    assert "the project is not what was reviewed" in done.err
    (project.folder / "new.py").unlink()
    done = ok(project.crossdock("publish", "review"))
    assert "2 files, " in done.err
    assert done.out.count("\n") == 1
    packaging = json.loads((project.folder / "review" / "plan.json").read_text(encoding="utf-8"))["packaging"]
    assert project.store.exists(f"code/{packaging['code']}.zip")


def test_a_changed_dockerfile_of_a_bundle_is_seen(project: Project) -> None:
    stack(project)
    ok(project.crossdock("export", "pipe.py", "--stack", "dev", "-o", "review"))
    (file, *_) = (project.folder / "review" / "images").glob("*/Dockerfile")
    file.write_text(file.read_text() + "RUN curl evil\n")
    assert "was changed after the export" in ok(project.crossdock("publish", "review"), 2).err


def test_compile_for_a_stack_names_the_images_of_export(project: Project) -> None:
    stack(project)
    ok(project.crossdock("export", "pipe.py", "--stack", "dev", "-o", "review"))
    done = ok(project.crossdock("compile", "pipe.py", "--stack", "dev"))
    assert done.out == (project.folder / "review" / "compose.yaml").read_text(encoding="utf-8")
    target = ok(project.crossdock("compile", "pipe.py", "--target", "docker"))
    assert "crossdock-placeholder" in target.out


def test_build_where_nothing_is_built(project: Project) -> None:
    done = ok(project.crossdock("build", "pipe.py"))
    assert done.out == ""
    assert "in no containers" in done.err
    assert ok(project.crossdock("build", "pipe.py", "--json")).document["images"] == []
    assert not (project.folder / "images.lock").exists()
