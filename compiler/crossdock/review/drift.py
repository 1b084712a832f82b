"""Whether the code of the working tree is the code of a plan that was reviewed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from crossdock.dsl.errors import BadInput, CrossdockError, Problem
from crossdock.dsl.step import Step
from crossdock.ir import Plan
from crossdock.passes.code_digest import code_digest
from crossdock.passes.project import find_root
from crossdock.review.code_package import CodePackage
from crossdock.review.lock import Bundle, code_of
from crossdock.review.packaging import pack_project
from crossdock.stacks import Stack
from crossdock_runtime.loading import Project, import_module


def root_of(bundle: Bundle) -> Path:
    """The project whose code a bundle was made of: the working folder's, else that around the bundle.

    Raises:
        BadInput: the file of the pipeline is in neither.
    """
    file = str(bundle.lock["source"]).rpartition(":")[0]
    folders = [Path.cwd(), *([bundle.folder.absolute()] if bundle.folder is not None else [])]
    roots = [find_root(folder) for folder in folders]
    if not file.endswith(".py"):
        return roots[0]
    for root in roots:
        if (root / file).is_file():
            return root
    raise BadInput(
        f"the code that was reviewed is not here: there is no {file!r} below {str(roots[0])!r}",
        hint="run this from the project of the pipeline",
        id="no-code",
    )


def packed_again(bundle: Bundle, stack: Stack) -> CodePackage | None:
    """The code package of a bundle, of the working tree as it is now; None where the bundle has none.

    Raises:
        BadInput: it is not the one that was reviewed.
    """
    expected = bundle.plan.packaging.code if bundle.plan.packaging is not None else None
    if expected is None:
        return None
    found = pack_project(bundle.plan, root_of(bundle), stack)
    if found.digest != expected:
        raise BadInput(
            f"the project is not what was reviewed: it packs to {found.digest[:16]}…, the bundle says {expected[:16]}…",
            hint="check the reviewed commit out; or export again, and have it reviewed",
            id="code-drift",
        )
    return found


def drifted(plan: Plan, root: Path) -> Iterator[Problem]:
    """The steps whose code in the working tree is not that of a plan."""
    project = Project(root, plan.source.python_path)
    project.activate()
    for ref, digest in code_of(plan).items():
        try:
            found = _digest(ref, project)
        except CrossdockError as error:
            yield Problem(f"{ref} cannot be imported: {error.message}", where=error.where)
            continue
        if found is None:
            yield Problem(f"{ref} is not there any more")
        elif found != digest:
            yield Problem(f"{ref}, or code that it reaches, was changed: {found[:19]}… is not {digest[:19]}…")


def _digest(ref: str, project: Project) -> str | None:
    module, _, name = ref.partition(":")
    if module == "__main__":
        return None
    found: object = import_module(module, project)
    for part in name.split("."):
        found = getattr(found, part, None)
    function = found.function if isinstance(found, Step) else found
    return code_digest(function, project) if callable(function) else None
