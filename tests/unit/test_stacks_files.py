"""Files of definitions: what is written is read again, in every form, and no text is more than refused."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some
from stack_desk import Desk, make_desk

from crossdock.dsl.errors import BadInput
from crossdock.stacks import documents
from crossdock.stacks.definitions import COMPONENT_TYPES, GUARDRAILS, ComponentDefinition, StackDefinition, check_name
from crossdock.stacks.exchange import exported, read_exported
from crossdock.stacks.guardrails import Guardrails
from crossdock.stacks.workspace import Workspace

QUIET = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    return make_desk(tmp_path, monkeypatch)


def _is_name(text: str) -> bool:
    try:
        check_name(text, "a stack")
    except BadInput:
        return False
    return text != "default"


NAMES = some.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,20}", fullmatch=True).filter(_is_name) | some.sampled_from(
    ["on", "no", "null", "1e5", "0x10", "2024-01-01", "1_000", "true", "y", "12"]
)
TEXTS = some.text(some.characters(blacklist_categories=("Cs",)), max_size=30)
VALUES: Any = some.recursive(
    some.none() | some.booleans() | some.integers() | some.floats(allow_nan=False, allow_infinity=False) | TEXTS,
    lambda inner: some.lists(inner, max_size=3) | some.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)
PATTERNS = some.fixed_dictionaries(
    {}, optional={"users": some.lists(TEXTS, max_size=3), "branches": some.lists(TEXTS, max_size=3)}
)
RULES = some.fixed_dictionaries(
    {},
    optional={
        "protected": some.booleans(),
        "limits": some.fixed_dictionaries(
            {},
            optional={
                "cpu": some.integers(1, 99) | some.just("500m"),
                "memory": some.sampled_from(["4Gi", "500M", 1024]),
                "gpu": some.integers(0, 8),
                "tasks": some.integers(0, 1000),
                "timeout": some.sampled_from(["1h", "90m", 60, 1.5]),
            },
        ),
        "allow": PATTERNS,
        "deny": PATTERNS,
        "require_clean_git": some.booleans(),
        "require_reviewed": some.booleans(),
    },
)


@some.composite
def stacks(draw: Any) -> StackDefinition:
    """A stack as a file may say it."""
    types = draw(some.sets(some.sampled_from(COMPONENT_TYPES))) | {"orchestrator", "artifact_store"}
    members = {
        type_: tuple(draw(some.lists(NAMES, min_size=1, max_size=3 if type_ == "step_operator" else 1)))
        for type_ in COMPONENT_TYPES
        if type_ in types
    }
    drawn = draw(RULES)
    rules = {name: drawn[name] for name in GUARDRAILS if name in drawn}
    return StackDefinition(draw(NAMES), members, draw(TEXTS), rules)


@QUIET
@given(stacks())
def test_a_stack_is_read_as_it_was_written(tmp_path: Path, stack: StackDefinition) -> None:
    file = tmp_path / f"{stack.name}.yaml"
    text = documents.dump(stack.document())
    file.write_text(text, encoding="utf-8")
    again = documents.read_stack(file, "x.yaml", "built-in")
    assert again == StackDefinition(stack.name, stack.components, stack.description, stack.guardrails, "x.yaml")
    assert documents.dump(again.document()) == text
    Guardrails.of(again)


@QUIET
@given(NAMES, some.sampled_from(COMPONENT_TYPES), NAMES, some.dictionaries(TEXTS, VALUES, max_size=4))
def test_a_component_is_read_as_it_was_written(
    tmp_path: Path, name: str, type_: str, flavor: str, config: dict[str, Any]
) -> None:
    part = ComponentDefinition(type_, name, flavor, config)
    file = tmp_path / f"{name}.yaml"
    file.write_text(documents.dump(part.document()), encoding="utf-8")
    assert documents.read_component(type_, file, "x.yaml", "built-in") == ComponentDefinition(
        type_, name, flavor, config, "x.yaml"
    )


@QUIET
@given(stacks(), some.booleans())
def test_an_exported_stack_is_read_as_it_was(tmp_path: Path, stack: StackDefinition, as_json: bool) -> None:
    parts = [ComponentDefinition(type_, name, "toy", {"uri": f"{name}:1"}) for type_, name in stack.members()]
    body = exported(stack, parts)
    file = tmp_path / "stack"
    file.write_text(json.dumps(body) if as_json else documents.dump(body), encoding="utf-8")
    found = read_exported(file)
    assert (found.stack, list(found.components)) == (stack, parts)


PIECES = some.sampled_from(
    ["components", "orchestrator", "artifact_store", ":", " ", "\n", "  ", "- ", "[", "]", "{", "}", "default", "'",
     '"', "&a", "*a", "limits", "cpu", "!!python/object:os.system", "<<", "?", "|", "#", "\t", "12", "2024-99-99", "é"]
)  # fmt: skip


@settings(deadline=None, max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(some.lists(PIECES, max_size=25).map("".join) | TEXTS)
def test_any_text_is_a_definition_or_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "any.yaml"
    file.write_text(text, encoding="utf-8")
    for read in (
        lambda: documents.read_stack(file, "any.yaml", "project"),
        lambda: documents.read_component("alerter", file, "any.yaml", "project"),
        lambda: read_exported(file),
    ):
        with contextlib.suppress(BadInput):
            read()


def test_export_and_import_of_everything(desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    space = desk.workspace
    for type_ in COMPONENT_TYPES[2:]:
        if type_ != "experiment_tracker":
            space.create_component(type_, f"my-{type_}", "toy", {"uri": "x"})
    space.create_component("step_operator", "other", "toy")
    space.create_component(
        "experiment_tracker", "my-experiment_tracker", "tracker", {"token": {"env": "TOKEN"}, "limits.tags": ["a"]}
    )
    space.create_component("orchestrator", "my-orchestrator", "far")
    bucket = {"url": "s3://b", "password": {"keyring": "b/me"}}
    space.create_component("artifact_store", "my-artifact_store", "bucket", bucket)
    members = {type_: [f"my-{type_}"] for type_ in COMPONENT_TYPES}
    rules = {"protected": True, "limits": {"memory": "1Gi"}, "deny": {"users": ["guest*"]}}
    space.create_stack("prod", {**members, "step_operator": ["my-step_operator", "other"]}, guardrails=rules)
    document = documents.dump(space.export_stack("prod"))
    file = tmp_path / "prod.yaml"
    file.write_text(document)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "pyproject.toml").touch()
    monkeypatch.chdir(elsewhere)
    imported = Workspace().import_stack(file)
    assert documents.dump(Workspace().export_stack("prod")) == document
    assert imported.guardrails == rules
    assert Workspace().build("prod").artifact_store.url == "s3://b"
    assert Workspace().import_stack(file, "second").components == imported.components


IMPORTS = [
    ("- 1", "stack.yaml:1: this is no mapping"),
    ("stack: {}", "stack.yaml:1: this is no exported stack"),
    ("crossdock: 2\nstack: {}\n", "stack.yaml:1: this is format 2, and 1 is known here"),
    ("crossdock: 1\nstack:\n  name: ../x\n", "stack.yaml:3: '../x' is no name"),
    ("crossdock: 1\nstack:\n  name: x\n  components: 4\n", "stack.yaml:4: a stack has `components:`"),
    (
        "crossdock: 1\nstack:\n  name: x\n  components: {orchestrator: default, artifact_store: default}\n"
        "components:\n- {type: alertr, name: a, flavor: toy}\n- {type: alerter, name: b}\n- 7\n",
        "stack.yaml:6: 'alertr' is no component type",
    ),
    (
        "crossdock: 1\nstack:\n  name: x\n  components: {orchestrator: default, artifact_store: default, alerter: a}\n"
        "components:\n- {type: alerter, name: a, flavor: toi}\n",
        "there is no alerter flavor 'toi'",
    ),
    (
        "crossdock: 1\nstack:\n  name: x\n  components: {orchestrator: gone, artifact_store: default}\n",
        "there is no orchestrator 'gone'",
    ),
]


@pytest.mark.parametrize(("text", "said"), IMPORTS)
def test_what_is_no_exported_stack(text: str, said: str, desk: Desk) -> None:
    file = desk.write("stack.yaml", text)
    with pytest.raises(BadInput) as caught:
        desk.workspace.import_stack(file)
    assert said in str(caught.value)
    assert not (desk.folder / ".crossdock").exists()


def test_an_import_never_overwrites(desk: Desk) -> None:
    desk.stack("dev")
    file = desk.write("dev.yaml", documents.dump(desk.workspace.export_stack("dev")))
    with pytest.raises(BadInput, match="there is a stack 'dev' already"):
        desk.workspace.import_stack(file)
    assert desk.workspace.import_stack(file, "again").orchestrator == "dev-runner"
    desk.workspace.update_component("artifact_store", "dev-store", {"path": "/other"})
    with pytest.raises(BadInput, match="there is another artifact store 'dev-store' already"):
        desk.workspace.import_stack(file, "third")
    assert desk.workspace.component("artifact_store", "dev-store").config == {"path": "/other"}
