"""From a pipeline and a stack to the plan that is published: which images its tasks run in, and where their code is.

Offline: what an image became is read from `images.lock`. What is not there yet is named by its content hash.
"""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections.abc import Mapping
from dataclasses import field, replace
from pathlib import Path
from typing import Any

from crossdock import registry
from crossdock.dsl.errors import BadInput, Problem
from crossdock.dsl.frozen import frozen
from crossdock.ir import Packaging, Plan, PythonCode, Task, libraries_of
from crossdock.passes.load import Loaded
from crossdock.review.code_package import CodePackage, pack
from crossdock.review.dockerfile import base_of, copies_project, dockerfile, requirements_text
from crossdock.review.images_lock import ImagesLock
from crossdock.review.runtime_bundle import runtime_bundle
from crossdock.stacks import ComponentConfig, ContainerConfig, ContainerRegistry, ImageRecipe, Stack
from crossdock.stacks.image_layout import LOCAL

OBSTORE = "obstore>=0.8"
"""What the runtime needs beside the standard library."""
FOLDER = "images"
"""In a bundle: a folder for each image that is built."""
_TAG = 16


@frozen
class Packaged:
    """A plan as it is published for a stack.

    Attributes:
        plan: with its packaging; as it was where the stack's tasks run in no containers.
        recipes: of the images that are built, by task.
        names: the `repository:tag` that a recipe is built to, by the recipe's digest.
        project: the project's files, where an image or a code package holds them.
        files: what a bundle says of the images, by name: Dockerfiles and requirements.
        unbuilt: those of the names that `images.lock` does not know.
        warnings: what was left out of the project, and what is not built yet.
    """

    plan: Plan
    recipes: Mapping[str, ImageRecipe] = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict)
    project: CodePackage | None = None
    files: Mapping[str, str] = field(default_factory=dict)
    unbuilt: tuple[str, ...] = ()
    warnings: tuple[Problem, ...] = ()

    @property
    def images(self) -> dict[str, str]:
        """The `repository:tag` of each image that is built, by how tasks name it."""
        return {
            str(self.plan.image_of(self.plan.by_id[task])): self.names[r.digest] for task, r in self.recipes.items()
        }

    @property
    def code(self) -> CodePackage | None:
        """The code package that the store has to have; None where no task fetches one."""
        return self.project if self.plan.packaging is not None and self.plan.packaging.code is not None else None


def packaged(loaded: Loaded, stack: Stack, project: CodePackage | None = None) -> Packaged:
    """The plan of a pipeline as a stack's tasks find it: with its images and its code.

    Args:
        loaded: the pipeline.
        stack: where it is to run.
        project: its files, where they are packed already.

    Raises:
        BadInput: the project cannot be packed, `images.lock` is damaged, the Dockerfile is not there, or images are to
            be built with no place for them.
    """
    plan, config = loaded.plan, stack.orchestrator.config
    if not isinstance(config, ContainerConfig):
        return Packaged(plan)
    tasks = [task for task in plan.tasks if isinstance(task.code, PythonCode)]
    builds = are_built(stack) and bool(tasks)
    theirs = _their_dockerfile(loaded.root, config) if builds else None
    in_image = config.packaging == "image" and builds
    by_code = config.packaging == "code" and bool(tasks)
    needs_files = in_image or by_code or (theirs is not None and copies_project(theirs))
    if needs_files and project is None:
        project = pack_project(plan, loaded.root, stack)
    warnings = list(project.warnings) if project is not None else []
    code = project.digest if project is not None and by_code else None
    if not builds:
        own = {task.id: task.settings.image for task in tasks if task.settings.image is not None}
        return Packaged(_with(plan, code, config.image, own), project=project, warnings=tuple(warnings))
    lock = ImagesLock(loaded.root)
    repository = _repository(stack, _project_name(loaded))
    recipes = {task.id: _recipe(task, config, theirs, project, in_image) for task in tasks}
    names, references, files = {}, {}, {}
    unbuilt = []
    for recipe in recipes.values():
        digest = recipe.digest
        if digest in names:
            continue
        names[digest] = f"{repository}:{digest[:_TAG]}"
        known = lock.reference(names[digest], recipe)
        references[digest] = known or names[digest]
        if known is None:
            unbuilt.append(names[digest])
            hint = f"crossdock build SOURCE --stack {stack.name} builds it, and writes {lock.file.name}"
            warnings.append(
                Problem(f"image {names[digest]} is unpinned: it is not built yet", hint=hint, id="unpinned")
            )
        for name, text in context_texts(recipe, lock, theirs).items():
            files[f"{FOLDER}/{digest[:_TAG]}/{name}"] = text
    found = {task: references[recipe.digest] for task, recipe in recipes.items()}
    packaging_plan = _with(plan, code, _most_used(found), found)
    return Packaged(packaging_plan, recipes, names, project, files, tuple(unbuilt), tuple(warnings))


def pack_project(plan: Plan, root: Path, stack: Stack) -> CodePackage:
    """The files of a project as one of the stack's tasks is to find them.

    Raises:
        BadInput: it cannot be packed.
    """
    return pack(root, needed=_step_files(plan, root), without=_stores(stack))


def are_built(stack: Stack) -> bool:
    """Whether images are built for a stack.

    Raises:
        BadInput: they are to be, and there is no place for them.
    """
    config = stack.orchestrator.config
    if not isinstance(config, ContainerConfig) or config.build is False:
        return False
    has_place = stack.orchestrator.local_images or registry_of(stack) is not None
    if config.build and not has_place:
        raise BadInput(
            f"stack {stack.name!r} builds images, and has no container registry for them",
            hint=f"crossdock stack update {stack.name} --container-registry NAME; or build: false, with an image that "
            "holds all",
            id="no-registry",
        )
    return has_place


def registry_of(stack: Stack) -> ContainerRegistry[ComponentConfig] | None:
    """The stack's container registry, if it has one."""
    return next((item for item in stack.components.values() if isinstance(item, ContainerRegistry)), None)


def context_texts(recipe: ImageRecipe, lock: ImagesLock, theirs: str | None) -> dict[str, str]:
    """Dockerfile and requirements of an image, pinned as far as the lock knows."""
    pins = lock.pins(recipe)
    text = recipe.dockerfile
    if pins is not None and theirs is None:
        text = dockerfile(pins.base, project=recipe.project is not None)
    requirements = requirements_text(recipe.requirements, pins.requirements if pins is not None else None)
    return {"Dockerfile": text, "requirements.txt": requirements}


def their_dockerfile(root: Path, recipe: ImageRecipe, config: ContainerConfig) -> str | None:
    """The user's own Dockerfile, where a recipe is made of it."""
    theirs = _their_dockerfile(root, config)
    return theirs if theirs is not None and recipe.dockerfile.startswith(theirs.rstrip("\n")) else None


def _recipe(
    task: Task, config: ContainerConfig, theirs: str | None, project: CodePackage | None, in_image: bool
) -> ImageRecipe:
    own = task.settings.image
    theirs = theirs if own is None else None
    base = own or (base_of(theirs) if theirs is not None else None) or config.base
    requirements = {OBSTORE, *config.requirements, *(task.settings.requirements or ()), *libraries_of(task)}
    holds = in_image or (theirs is not None and copies_project(theirs))
    return ImageRecipe(
        base=base,
        platform=config.platform,
        requirements=tuple(sorted(requirements)),
        runtime=hashlib.sha256(runtime_bundle()).hexdigest(),
        project=project.digest if project is not None and holds else None,
        dockerfile=dockerfile(base, project=in_image, theirs=theirs),
    )


def _with(plan: Plan, code: str | None, image: str | None, images: Mapping[str, str]) -> Plan:
    images = {task: found for task, found in images.items() if found != image}
    packaging = Packaging(code, image, images)
    return plan if packaging == Packaging() else replace(plan, packaging=packaging)


def _most_used(images: Mapping[str, str]) -> str:
    """The image of most tasks, the first of them: it is said once, and others by task."""
    counts = dict.fromkeys(images.values(), 0)
    for found in images.values():
        counts[found] += 1
    return max(counts, key=lambda found: counts[found])


def _their_dockerfile(root: Path, config: ContainerConfig) -> str | None:
    if config.dockerfile is None:
        return None
    if not registry.image_builder(config.builder).takes_dockerfile:
        raise BadInput(
            f"the image builder {config.builder!r} cannot follow dockerfile {config.dockerfile!r}: it adds layers to "
            "the base image, and runs nothing in it",
            hint="builder: engine follows it; or build it yourself, push it, and name it as image:",
            id="dockerfile-not-taken",
        )
    file = root / config.dockerfile
    if not file.resolve().is_relative_to(root.resolve()):
        hint = "move it into the project: its path begins there"
        raise BadInput(f"dockerfile {config.dockerfile!r} is outside of the project", hint=hint, id="bad-dockerfile")
    try:
        text = file.read_text(encoding="utf-8").replace("\r\n", "\n")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is no text"
        hint = f"its path begins in the project's root, {root.name!r}"
        raise BadInput(
            f"dockerfile {config.dockerfile!r} cannot be read: {why}", hint=hint, id="bad-dockerfile"
        ) from None
    if base_of(text) is None:
        hint = "begin it with FROM and an image that has Python"
        raise BadInput("has no FROM", where=config.dockerfile, hint=hint, id="bad-dockerfile")
    return text


def _step_files(plan: Plan, root: Path) -> list[Path]:
    """The files below the root that define the steps of a plan."""
    modules = dict.fromkeys(task.code.ref.partition(":")[0] for task in plan.tasks if isinstance(task.code, PythonCode))
    found = []
    for module in modules:
        below = module.replace(".", "/")
        for folder in plan.source.python_path:
            for name in (f"{below}.py", f"{below}/__init__.py"):
                if (root / folder / name).is_file():
                    found.append(root / folder / name)
    return found


def _stores(stack: Stack) -> list[Path]:
    """The folder of the stack's artifact store, where that is one: it is no code."""
    url = stack.artifact_store.url
    if "://" in url and not url.startswith("file://"):
        return []
    return [Path(url.removeprefix("file://"))]


def _project_name(loaded: Loaded) -> str:
    """The project's name as `pyproject.toml` says it, else the pipeline's; the folder's is one machine's."""
    try:
        body: dict[str, Any] = tomllib.loads((loaded.root / "pyproject.toml").read_text(encoding="utf-8"))
        name = body.get("project", {}).get("name")
    except (OSError, ValueError, AttributeError):
        name = None
    return name if isinstance(name, str) and name else loaded.plan.name


def _repository(stack: Stack, name: str) -> str:
    short = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") or "pipeline"
    registry = registry_of(stack)
    return registry.repository(short) if registry is not None else f"{LOCAL}{short}"
