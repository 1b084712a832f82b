"""The bundle that is reviewed, and the lock that says what is in it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from crossdock import __version__
from crossdock.dsl.errors import BadInput, PlanError, Problem, did_you_mean
from crossdock.dsl.frozen import frozen
from crossdock.ir import Plan, PythonCode
from crossdock.review.folder import LOCK, read_lock
from crossdock.stacks import Orchestrator, Spec, Stack
from crossdock_runtime.contract import CONTRACT

PLAN_FILE = "plan.json"
REVIEW_FILE = "REVIEW.md"
PICTURE_FILE = "dag.svg"
STACKS_FILE = "STACKS.md"
OURS = (PLAN_FILE, REVIEW_FILE, PICTURE_FILE, LOCK)
_PLACEHOLDER = "crossdock-placeholder"


@frozen
class Bundle:
    """What is reviewed of one pipeline on one stack.

    Attributes:
        files: name to text, the spec's first; without the lock.
        spec_files: names of those that are the spec.
        lock: what the lock says.
        plan: of its `plan.json`.
        folder: where it was read from; None for one that was just made.
    """

    files: Mapping[str, str]
    spec_files: tuple[str, ...]
    lock: Mapping[str, Any]
    plan: Plan
    folder: Path | None = None

    @property
    def target(self) -> str:
        """The flavor."""
        return str(self.lock["target"])

    @property
    def stack(self) -> str | None:
        """The stack's name; None when it was made for a target alone."""
        return self.lock.get("stack")

    @property
    def spec(self) -> Spec:
        """Its spec, byte for byte."""
        return Spec(self.target, {name: self.files[name] for name in self.spec_files})

    def all_files(self) -> dict[str, str]:
        """Every file, the lock last."""
        return {**self.files, LOCK: dump(self.lock)}

    def placeholders(self) -> tuple[str, ...]:
        """Names of the spec's files that hold marked placeholders."""
        return tuple(name for name in self.spec_files if _PLACEHOLDER in self.files[name])


def new_lock(
    plan: Plan,
    source: str,
    orchestrator: Orchestrator[Any],
    stack: Stack | None,
    spec: Spec,
    files: Mapping[str, str],
    images: Mapping[str, str],
) -> dict[str, Any]:
    """The lock of a bundle: no time, user, host or path in it. `images`: tags by how tasks name them."""
    return {
        "crossdock_bundle": 1,
        "crossdock": __version__,
        "contract": CONTRACT,
        "pipeline": plan.name,
        "source": source,
        "target": orchestrator.flavor,
        **({"stack": stack.name, "components": components(stack)} if stack is not None else {}),
        "plan": plan.digest,
        "code": code_digest_of(plan),
        **({"images": dict(images)} if images else {}),
        "spec": list(spec.files),
        "files": {name: digest(text) for name, text in files.items()},
    }


def components(stack: Stack) -> dict[str, dict[str, str]]:
    """Flavor and digest of the configuration of each component that a spec is made with, by `type/name`."""
    members = {
        f"orchestrator/{stack.orchestrator.name}": stack.orchestrator,
        f"artifact_store/{stack.artifact_store.name}": stack.artifact_store,
        **stack.components,
    }
    return {
        name: {
            "flavor": member.flavor,
            "config": digest(json.dumps(member.config.model_dump(mode="json"), sort_keys=True)),
        }
        for name, member in sorted(members.items())
    }


def code_of(plan: Plan) -> dict[str, str]:
    """The digest of each step function's code, by `module:name`."""
    codes = (task.code for task in plan.tasks)
    return {code.ref: code.digest for code in codes if isinstance(code, PythonCode)}


def code_digest_of(plan: Plan) -> str:
    """One digest over the code of all steps."""
    return digest("".join(f"{ref} {found}\n" for ref, found in sorted(code_of(plan).items())))


def digest(text: str) -> str:
    """`sha256:…` of a text."""
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


def dump(body: Mapping[str, Any]) -> str:
    """A lock's text."""
    return json.dumps(body, indent=1) + "\n"


def read_bundle(folder: Path, stack: str | None = None) -> Bundle:
    """The bundle in a folder, as it is there; `tampered` says whether that is what was exported.

    Args:
        folder: of a bundle, or of several by stack.
        stack: which of several.

    Raises:
        BadInput: there is none, or more than one; or a file of it is not there or cannot be read.
    """
    found = bundle_folders(folder)
    if stack is not None and stack not in found:
        raise BadInput(
            f"{str(folder)!r} has no bundle of stack {stack!r}",
            hint=did_you_mean(stack, map(str, found)),
            id="unknown-bundle",
        )
    if stack is None and len(found) > 1:
        names = ", ".join(map(str, found))
        raise BadInput(
            f"{str(folder)!r} has bundles of {len(found)} stacks: {names}",
            hint="choose one: --stack NAME",
            id="several-bundles",
        )
    place = found[stack] if stack is not None else next(iter(found.values()))
    lock = read_lock(place)
    assert lock is not None
    missing = [key for key in ("pipeline", "source", "target", "plan", "code", "spec", "contract") if key not in lock]
    missing += [name for name in lock.get("spec", ()) if name not in lock["files"]]
    if missing or PLAN_FILE not in lock["files"]:
        raise BadInput(
            f"the lock lacks {', '.join(missing) or PLAN_FILE}",
            where=str(place / LOCK),
            hint="export anew",
            id="bad-lock",
        )
    files = {name: _read(place, name, expected) for name, expected in lock["files"].items()}
    try:
        plan = Plan.from_json(files[PLAN_FILE])
    except PlanError as error:
        raise BadInput(error.message, where=str(place / PLAN_FILE), hint=error.hint, id="bad-plan") from None
    return Bundle(files, tuple(lock["spec"]), lock, plan, place)


def bundle_folders(folder: Path) -> dict[str | None, Path]:
    """The folders of the bundles in a folder, by stack; None for one that was made for a target alone.

    Raises:
        BadInput: there is none.
    """
    lock = read_lock(folder)
    if lock is None:
        what = "is no folder" if not folder.is_dir() else "is no bundle: it has no crossdock.lock"
        raise BadInput(f"{str(folder)!r} {what}", hint="crossdock export SOURCE -o DIR", id="not-a-bundle")
    if "stacks" not in lock:
        return {lock.get("stack"): folder}
    names = [str(name) for name in lock["stacks"] if f"{name}/{LOCK}" in lock["files"]]
    found: dict[str | None, Path] = {name: folder / name for name in names if read_lock(folder / name) is not None}
    if not found:
        raise BadInput(f"{str(folder)!r} has no bundle of any stack", hint="export anew", id="bad-lock")
    return found


def _read(folder: Path, name: str, expected: str) -> str:
    file = folder / name
    try:
        text = file.read_bytes().decode("utf-8")
    except FileNotFoundError:
        raise BadInput(
            f"{file} is in the lock, and not there", hint="take it from git again, or export anew", id="tampered"
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(
            f"{file} cannot be read: {error}", hint="take it from git again, or export anew", id="unreadable-bundle"
        ) from None
    unix = text.replace("\r\n", "\n")
    # git on Windows may have changed how lines end; the bytes that were reviewed are those of the lock.
    return unix if unix != text and digest(unix) == expected else text


def tampered(bundle: Bundle) -> list[Problem]:
    """What is not as it was exported."""
    where = bundle.folder or Path()
    problems = [
        Problem("was changed after the export", where=str(where / name))
        for name, text in bundle.files.items()
        if digest(text) != bundle.lock["files"][name]
    ]
    if not problems:
        if bundle.plan.digest != bundle.lock["plan"]:
            problems.append(Problem("is not the plan that the lock names", where=str(where / PLAN_FILE)))
        elif code_digest_of(bundle.plan) != bundle.lock["code"]:
            problems.append(Problem("its code digest is not the plan's", where=str(where / LOCK)))
    return problems


def tampered_table(folder: Path) -> list[Problem]:
    """Whether the table of several stacks is not as it was exported."""
    lock = read_lock(folder) or {}
    expected = lock.get("files", {}).get(STACKS_FILE)
    if expected is None or digest(_read(folder, STACKS_FILE, expected)) == expected:
        return []
    return [Problem("was changed after the export", where=str(folder / STACKS_FILE), id="tampered")]


def refuse_tampered(bundle: Bundle) -> None:
    """Refuse a bundle that is not as it was exported.

    Raises:
        BadInput: it is not, or was made for another contract.
    """
    problems = tampered(bundle)
    if problems:
        raise BadInput(
            f"the bundle {str(bundle.folder)!r} is not what was exported",
            problems=problems,
            hint="look at it with git diff; then export anew, and have it reviewed",
            id="tampered",
        )
    contract = bundle.lock["contract"]
    if contract != CONTRACT:
        older = "bundle" if isinstance(contract, int) and contract < CONTRACT else "installation"
        raise BadInput(
            f"the bundle has contract {contract}, this installation {CONTRACT}: the {older} is the older side",
            hint="export it with the version that submits it",
            id="contract-differs",
        )
