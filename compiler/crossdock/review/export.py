"""From a pipeline and a stack to the bundle that is reviewed; offline, and the same bytes everywhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from crossdock.dsl.errors import BadInput, Problem, UnsupportedError
from crossdock.dsl.frozen import frozen
from crossdock.passes.load import Loaded
from crossdock.review.check import Checked, check_stack, check_target
from crossdock.review.folder import LOCK
from crossdock.review.lock import (
    OURS,
    PICTURE_FILE,
    PLAN_FILE,
    REVIEW_FILE,
    STACKS_FILE,
    Bundle,
    digest,
    dump,
    new_lock,
)
from crossdock.review.packaging import FOLDER, Packaged, packaged
from crossdock.review.pictures import svg
from crossdock.review.report import report
from crossdock.review.secrets import refuse_secrets
from crossdock.review.stacks_table import stacks_table
from crossdock.stacks import Orchestrator, Stack


@frozen
class Exported:
    """What an export writes.

    Attributes:
        files: name to text, with "/" for folders; the lock last.
        bundles: by the name of the stack; None for a target alone.
        warnings: what the targets do otherwise.
        refused: why other stacks cannot run it, where all were asked for.
    """

    files: Mapping[str, str]
    bundles: Mapping[str | None, Bundle]
    warnings: tuple[Problem, ...] = ()
    refused: Mapping[str, UnsupportedError] | None = None


def make_bundle(
    loaded: Loaded, orchestrator: Orchestrator[Any], stack: Stack | None, found: Packaged | None = None
) -> tuple[Bundle, Checked]:
    """The bundle of a pipeline on a stack, or on a target alone.

    Args:
        loaded: the pipeline.
        orchestrator: the stack's, or the target's.
        stack: None writes placeholders.
        found: what is packaged already.

    Raises:
        UnsupportedError: it cannot run there.
        BadInput: a file holds what looks like a secret, or the project cannot be packed.
    """
    checked = check_stack(loaded, stack) if stack is not None else check_target(loaded, orchestrator)
    if found is None:
        found = packaged(loaded, stack) if stack is not None else Packaged(loaded.plan)
    plan = found.plan
    spec = orchestrator.translate(plan, stack)
    plan_text = plan.to_json(indent=1) + "\n"
    for name in spec.files:
        reserved = name in OURS or name.startswith(f"{FOLDER}/")
        if reserved and not (name == PLAN_FILE and spec.files[name] == plan_text):
            raise BadInput(
                f"the {orchestrator.flavor} spec has a file {name!r}, which the bundle needs for itself",
                id="reserved-file",
            )
    files = {
        **spec.files,
        PLAN_FILE: plan_text,
        REVIEW_FILE: report(found, loaded.source, orchestrator, stack, spec),
        PICTURE_FILE: svg(plan),
        **found.files,
    }
    refuse_secrets(plan, files)
    lock = new_lock(plan, loaded.source, orchestrator, stack, spec, files, found.images)
    warnings = (*checked.warnings, *found.warnings, *orchestrator.warnings(spec))
    return Bundle(files, tuple(spec.files), lock, plan), replace(checked, warnings=warnings)


def export_one(loaded: Loaded, orchestrator: Orchestrator[Any], stack: Stack | None) -> Exported:
    """The files of one bundle.

    Raises:
        UnsupportedError, BadInput: see `make_bundle`.
    """
    bundle, checked = make_bundle(loaded, orchestrator, stack)
    return Exported(bundle.all_files(), {bundle.stack: bundle}, checked.warnings)


def export_several(loaded: Loaded, stacks: Sequence[Stack], *, all_that_can: bool) -> Exported:
    """The files of a bundle for each stack, and a table of what differs between them.

    Args:
        loaded: the pipeline.
        stacks: in the table's order.
        all_that_can: stacks that cannot run it are named in the table, instead of refusing all.

    Raises:
        UnsupportedError: one of them cannot run it, or none can; has every reason at once.
        BadInput: a file holds what looks like a secret.
    """
    made: dict[str, tuple[Stack, Bundle]] = {}
    refused: dict[str, UnsupportedError] = {}
    warnings: list[Problem] = []
    for stack in stacks:
        try:
            bundle, checked = make_bundle(loaded, stack.orchestrator, stack)
        except UnsupportedError as error:
            refused[stack.name] = error
        else:
            made[stack.name] = (stack, bundle)
            warnings += checked.warnings
    if refused and (not made or not all_that_can):
        problems = [problem for error in refused.values() for problem in error.problems]
        names = ", ".join(map(repr, refused))
        raise UnsupportedError(f"{loaded.plan.name!r} cannot run on {names}: {len(problems)} problems", tuple(problems))
    files = {STACKS_FILE: stacks_table(loaded.plan, made, refused)}
    refuse_secrets(loaded.plan, files)
    for name, (_, bundle) in made.items():
        files.update({f"{name}/{file}": text for file, text in bundle.all_files().items()})
    kept = {name: digest(text) for name, text in files.items() if name == STACKS_FILE or name.endswith(f"/{LOCK}")}
    files[LOCK] = dump({"crossdock_bundle": 1, "pipeline": loaded.plan.name, "stacks": list(made), "files": kept})
    return Exported(files, {name: bundle for name, (_, bundle) in made.items()}, tuple(warnings), refused)
