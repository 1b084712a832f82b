"""What changed between a bundle and the pipeline as it is now: tasks field by field, then files."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator, Mapping
from dataclasses import field
from typing import Any

from crossdock.dsl.errors import Problem
from crossdock.dsl.frozen import frozen
from crossdock.ir import MapScope, Plan, PythonCode, Task
from crossdock.review import words
from crossdock.review.lock import Bundle, tampered
from crossdock_runtime.bindings import binding_json, predicate_json
from crossdock_runtime.nodes_json import input_json, parameter_json, scope_json, settings_json, task_json

_LONGEST = 100

Change = tuple[str | None, str | None]
"""A field before and after, in words; None where it was not set."""
_Fields = Mapping[str, tuple[Any, str]]
"""Fields as exact data, and in words."""


@frozen
class Difference:
    """What differs between a bundle and the present.

    Attributes:
        stack, target: of the bundle.
        tampered: what is not as it was exported; said first.
        added, removed: tasks, with what they run.
        changed: fields of tasks that are in both.
        pipeline: fields of the pipeline as a whole.
        made_with: components, versions, code package and images that the bundle was made with.
        files: lines that were added and removed, of each file that differs.
        patches: each as a unified diff.
        notes: what differs without changing what runs.
    """

    pipeline_name: str
    stack: str | None
    target: str
    tampered: tuple[Problem, ...] = ()
    added: Mapping[str, str] = field(default_factory=dict)
    removed: Mapping[str, str] = field(default_factory=dict)
    changed: Mapping[str, Mapping[str, Change]] = field(default_factory=dict)
    pipeline: Mapping[str, Change] = field(default_factory=dict)
    made_with: Mapping[str, Change] = field(default_factory=dict)
    files: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    patches: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @property
    def same(self) -> bool:
        """Whether an export would write the same files again."""
        found = (self.tampered, self.added, self.removed, self.changed, self.pipeline, self.made_with, self.files)
        return not any(found)

    def document(self) -> dict[str, Any]:
        """As JSON-able data."""

        def changes(found: Mapping[str, Change]) -> dict[str, Any]:
            return {name: {"before": before, "after": after} for name, (before, after) in found.items()}

        return {
            "pipeline": self.pipeline_name,
            "stack": self.stack,
            "target": self.target,
            "same": self.same,
            "tampered": [{"message": item.message, "where": item.where} for item in self.tampered],
            "tasks": {
                "added": dict(self.added),
                "removed": dict(self.removed),
                "changed": {task: changes(found) for task, found in self.changed.items()},
            },
            "settings": changes(self.pipeline),
            "made_with": changes(self.made_with),
            "files": {name: {"added": added, "removed": gone} for name, (added, gone) in self.files.items()},
            "notes": list(self.notes),
        }

    def lines(self, *, full: bool = False) -> Iterator[str]:
        """For people; with `full` also the files as unified diffs."""
        where = f"stack {self.stack}" if self.stack else f"target {self.target}"
        for problem in self.tampered:
            yield f"TAMPERED {problem}"
        verdict = "the same as in the bundle" if self.same else "differs from the bundle"
        yield f"{self.pipeline_name} on {where}: {verdict}"
        yield from _indented("pipeline", self.pipeline)
        yield from _indented("made with", self.made_with)
        for task, runs in self.removed.items():
            yield f"- task {task} ({runs})"
        for task, runs in self.added.items():
            yield f"+ task {task} ({runs})"
        for task, changes in self.changed.items():
            yield from _indented(f"~ task {task}", changes)
        for name, (added, gone) in self.files.items():
            yield f"~ file {name}: +{added} -{gone} lines"
            if full:
                yield from self.patches[name].splitlines()
        yield from (f"note: {note}" for note in self.notes)


def _indented(head: str, changes: Mapping[str, Change]) -> Iterator[str]:
    if changes:
        yield head
    for name, (before, after) in changes.items():
        yield f"    {name}: {'(none)' if before is None else before} → {'(none)' if after is None else after}"


def compare(reviewed: Bundle, present: Bundle) -> Difference:
    """What changed since a bundle was exported.

    Args:
        reviewed: as it is in its folder.
        present: made of the pipeline as it is now.
    """
    old, new = reviewed.plan, present.plan
    pipeline = _changes(_pipeline_fields(old), _pipeline_fields(new))
    changed = {
        task: changes
        for task in old.by_id
        if task in new.by_id
        and (changes := _changes(_task_fields(old, old.by_id[task]), _task_fields(new, new.by_id[task])))
    }
    added = {task.id: words.code_text(task.code) for task in new.tasks if task.id not in old.by_id}
    removed = {task.id: words.code_text(task.code) for task in old.tasks if task.id not in new.by_id}
    before, after = old.unpackaged.digest, new.unpackaged.digest
    if before != after and not (pipeline or changed or added or removed):
        pipeline = {"plan": (before[:12], after[:12])}
    names = dict.fromkeys((*reviewed.files, *present.files))
    patches = {
        name: patch
        for name in names
        if (patch := _patch(name, reviewed.files.get(name, ""), present.files.get(name, "")))
    }
    versions = [str(bundle.lock.get("crossdock")) for bundle in (reviewed, present)]
    note = f"the bundle was made with crossdock {versions[0]}, this is {versions[1]}"
    return Difference(
        pipeline_name=new.name,
        stack=reviewed.stack,
        target=reviewed.target,
        tampered=tuple(tampered(reviewed)),
        added=added,
        removed=removed,
        changed=changed,
        pipeline=pipeline,
        made_with={**_made_with(reviewed, present), **_changes(_packaging_fields(old), _packaging_fields(new))},
        files={name: _counted(patch) for name, patch in patches.items()},
        patches=patches,
        notes=(note,) if versions[0] != versions[1] else (),
    )


def _made_with(reviewed: Bundle, present: Bundle) -> dict[str, Change]:
    def fields(bundle: Bundle) -> dict[str, tuple[Any, str]]:
        found = {"contract": (bundle.lock["contract"], str(bundle.lock["contract"]))}
        found["target"] = (bundle.target, bundle.target)
        for name, about in bundle.lock.get("components", {}).items():
            found[name] = (about, f"{about.get('flavor')}, configuration {str(about.get('config'))[:19]}…")
        return found

    return _changes(fields(reviewed), fields(present))


def _packaging_fields(plan: Plan) -> dict[str, tuple[Any, str]]:
    if plan.packaging is None:
        return {}
    found = {"code package": plan.packaging.code, "image": plan.packaging.image}
    found |= {f"image of task {task}": image for task, image in plan.packaging.images.items()}
    return {name: (value, value) for name, value in found.items() if value is not None}


def _changes(before: _Fields, after: _Fields) -> dict[str, Change]:
    found: dict[str, Change] = {}
    for name in dict.fromkeys((*before, *after)):
        old, new = before.get(name), after.get(name)
        if old is not None and new is not None:
            if json.dumps(old[0]) == json.dumps(new[0]):
                continue
            same_words = old[1] == new[1]
            found[name] = (old[1], f"{new[1]} (differs further on)" if same_words else new[1])
        else:
            found[name] = (old[1] if old else None, new[1] if new else None)
    return found


def _pipeline_fields(plan: Plan) -> dict[str, tuple[Any, str]]:
    found: dict[str, tuple[Any, str]] = {"name": (plan.name, plan.name)}
    for item in plan.parameters.values():
        text = words.parameter_text(item).partition(": ")[2]
        found[f"parameter {item.name}"] = (parameter_json(item), text)
    for name, output in plan.outputs.items():
        found[f"output {name}"] = (input_json(output), words.binding_text(output.binding))
    found["after a failure"] = (plan.on_failure, plan.on_failure)
    if plan.on_exit is not None:
        found["exit task"] = (plan.on_exit, plan.on_exit)
    path = list(plan.source.python_path)
    found["python path"] = (path, ", ".join(path))
    return found


def _task_fields(plan: Plan, task: Task) -> dict[str, tuple[Any, str]]:
    code = task_json(task)["code"]
    found: dict[str, tuple[Any, str]] = {"step": (task.step, task.step)}
    if isinstance(task.code, PythonCode):
        found["code"] = (task.code.digest, f"{task.code.digest[:19]}…")
        found["function"] = (task.code.ref, task.code.ref)
        found["returns"] = (task.code.shape, task.code.shape)
        if task.code.imports:
            found["imports"] = (list(task.code.imports), ", ".join(task.code.imports))
    else:
        found["command"] = (code, words.shortened(words.code_text(task.code), _LONGEST))
    for name, item in task.inputs.items():
        found[f"input {name}"] = (input_json(item), f"{words.binding_text(item.binding)} ({item.type})")
    for name, output in task.outputs.items():
        found[f"output {name}"] = ([output.type, output.artifact, output.materializer], output.type)
    if task.after:
        found["after"] = (list(task.after), ", ".join(task.after))
    if task.group:
        found["group"] = (list(task.group), " / ".join(task.group))
    scopes = plan.scopes_of(task.scope)
    if scopes:
        exact = [_scope_data(plan, scope) for scope in scopes]
        found["runs"] = (exact, "; ".join(words.scope_text(plan, scope) for scope in scopes))
    gates = plan.gates_of.get(task.id, ())
    if gates:
        texts = "; ".join(words.predicate_text(gate.predicate) for gate in gates)
        found["evaluates"] = ([[gate.id, predicate_json(gate.predicate)] for gate in gates], texts)
    for name, value in _flat(settings_json(task.settings), ""):
        found[name] = (value, words.shortened(value if isinstance(value, str) else json.dumps(value), _LONGEST))
    return found


def _scope_data(plan: Plan, scope: Any) -> Any:
    if isinstance(scope, MapScope):
        return [scope_json(scope), binding_json(scope.items)]
    return [scope_json(scope), predicate_json(plan.gates[scope.gate].predicate)]


def _flat(body: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, Any]]:
    for key, value in body.items():
        if isinstance(value, Mapping) and value:
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def _patch(name: str, before: str, after: str) -> str:
    if before == after:
        return ""
    lines = difflib.unified_diff(
        before.splitlines(), after.splitlines(), f"{name} (reviewed)", f"{name} (now)", lineterm=""
    )
    return "\n".join(lines) or f"--- {name} (reviewed)\n+++ {name} (now)\n@@ only how lines end @@"


def _counted(patch: str) -> tuple[int, int]:
    body = patch.splitlines()[2:]
    return sum(line.startswith("+") for line in body), sum(line.startswith("-") for line in body)
