"""`crossdock stack …`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from crossdock.cli.tables import HELP, JSON, columns, hidden, print_json, settings_text, spelled
from crossdock.dsl.errors import BadInput
from crossdock.stacks.definitions import COMPONENT_TYPES, DEFAULT, REQUIRED, SEVERAL, StackDefinition, dashed, title
from crossdock.stacks.workspace import Workspace

if TYPE_CHECKING:
    from crossdock.stacks.active import Active

F = TypeVar("F", bound=Callable[..., Any])
SHORT = {
    "orchestrator": "-o",
    "artifact_store": "-a",
    "container_registry": "-c",
    "step_operator": "-s",
    "model_deployer": "-d",
    "experiment_tracker": "-e",
    "feature_store": "-f",
    "alerter": "-al",
    "annotator": "-an",
}
_IAM = (
    "These stop accidents. They cannot stop anybody who may edit the stack's file or call the platform directly:",
    "who may really use it is for the IAM of the cloud or the roles of the cluster to say.",
)
_USER = click.option("--user", is_flag=True, help="Write to your own folder instead of the project's.")


@click.group(context_settings={**HELP, "token_normalize_func": spelled})
def stack() -> None:
    """Register, list, describe, set, update, copy, delete and carry stacks.

    Stacks are files, .crossdock/stacks/NAME.yaml. The active one is that of --stack, else of CROSSDOCK_STACK, else the
    project's, else yours, else `default`.
    """


def _members(command: F) -> F:
    for type_ in reversed(COMPONENT_TYPES):
        several = type_ in SEVERAL
        says = f"Name of the {title(type_)}" + ("; as often as needed." if several else ".")
        command = click.option(SHORT[type_], f"--{dashed(type_)}", type_, metavar="NAME", multiple=several, help=says)(
            command
        )
    return command


def _guardrails(command: F) -> F:
    options = (
        click.option("--description", help="What it is for."),
        click.option("--protected/--no-protected", default=None, help="Submitting needs --confirm NAME."),
        click.option(
            "--limit",
            "limits",
            multiple=True,
            metavar="WHAT=MOST",
            help="The most that tasks may ask for: cpu, memory, gpu, timeout, tasks. Without MOST the limit goes.",
        ),
        *(
            click.option(
                f"--{word}-{who}",
                f"{word}_{key}",
                multiple=True,
                metavar="PATTERN",
                help=f"{says} these {key}, shell patterns, instead of those there. '' takes them away.",
            )
            for word, says in (("allow", "Submits are from"), ("deny", "No submits are from"))
            for who, key in (("user", "users"), ("branch", "branches"))
        ),
        click.option("--require-clean-git/--no-require-clean-git", default=None, help="Everything is committed."),
        click.option("--require-reviewed/--no-require-reviewed", default=None, help="Only exported bundles."),
    )
    for option in reversed(options):
        command = option(command)
    return command


def _components(given: Mapping[str, Any]) -> dict[str, Any]:
    return {type_: given[type_] for type_ in COMPONENT_TYPES if given[type_]}


def _rules(given: Mapping[str, Any], before: Mapping[str, Any]) -> dict[str, Any]:
    """The guardrails that a command line asks for; None takes one away."""
    found: dict[str, Any] = {}
    for name in ("protected", "require_clean_git", "require_reviewed"):
        if given[name] is not None:
            found[name] = given[name] or None
    if given["limits"]:
        limits = dict(before.get("limits") or {})
        for text in given["limits"]:
            name, equals, value = text.partition("=")
            if not equals:
                raise click.UsageError(f"--limit {text}: write --limit {text}=MOST")
            limits[name.strip()] = _number(value.strip())
        found["limits"] = {name: value for name, value in limits.items() if value != ""} or None
    for word in ("allow", "deny"):
        there = dict(before.get(word) or {})
        lists = {key: given[f"{word}_{key}"] for key in ("users", "branches") if given[f"{word}_{key}"]}
        there.update({key: [item for item in items if item] for key, items in lists.items()})
        if lists:
            found[word] = {key: items for key, items in there.items() if items} or None
    return found


def _number(text: str) -> int | float | str:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def _say(found: StackDefinition, what: str) -> None:
    click.echo(f"stack {found.name!r} {what}: {found.file}")


@stack.command()
@click.argument("name")
@_members
@_guardrails
@click.option("--set", "activate", is_flag=True, help="Make it the active stack.")
@_USER
def register(name: str, activate: bool, user: bool, description: str | None, **given: Any) -> int:
    """Define the stack NAME; it has an orchestrator and an artifact store, the rest is optional."""
    workspace = Workspace(user=user)
    rules = {key: value for key, value in _rules(given, {}).items() if value is not None}
    found = workspace.create_stack(name, _components(given), description=description or "", guardrails=rules)
    _say(found, "registered")
    if activate:
        _set(workspace, name, user)
    return 0


@stack.command("list")
@JSON
def list_(as_json: bool) -> int:
    """All stacks; * marks the active one. Ends with 2 when a file is damaged, after the others were listed."""
    workspace = Workspace()
    active = workspace.active()
    found = workspace.survey()
    damaged = {name: item for name, item in found.items() if isinstance(item, BadInput)}
    if as_json:
        print_json([_json(name, item, active) for name, item in found.items()])
        return 2 if damaged else 0
    rows = [["", "STACK", *(title(type_).upper() for type_ in COMPONENT_TYPES), "GUARDRAILS", "WHERE"]]
    for name, item in found.items():
        mark = "*" if name == active.name else ""
        if isinstance(item, BadInput):
            rows.append([mark, name, "damaged", *[""] * (len(COMPONENT_TYPES) - 1), "", ""])
            continue
        members = [", ".join(item.components.get(type_, ())) for type_ in COMPONENT_TYPES]
        rules = "protected" if item.guardrails.get("protected") else "yes" if item.guardrails else ""
        rows.append([mark or " ", name, *members, rules, item.level])
    columns(rows)
    for error in damaged.values():
        click.echo(f"crossdock: {error}", err=True)
    if active.name not in found:
        click.echo(f"note: the active stack, {active.name!r} by {active.decided_by}, is not there", err=True)
    return 2 if damaged else 0


def _json(name: str, item: StackDefinition | BadInput, active: Active) -> dict[str, Any]:
    if isinstance(item, BadInput):
        return {"name": name, "active": name == active.name, "damaged": str(item)}
    body = item.document()
    return {
        "name": name,
        "active": name == active.name,
        "level": item.level,
        "file": item.file,
        "description": item.description,
        "components": body["components"],
        "guardrails": dict(item.guardrails),
    }


@stack.command()
@click.argument("name", required=False)
@JSON
def describe(name: str | None, as_json: bool) -> int:
    """What the stack NAME is made of (the active one without NAME), its guardrails, and what decided the active one."""
    from crossdock.stacks.guardrails import Guardrails, explained

    workspace = Workspace()
    active = workspace.active()
    found = workspace.stack(name)
    parts = [(type_, member, workspace.member(found, type_, member)) for type_, member in found.members()]
    if as_json:
        members = {
            f"{type_}/{member}": str(part) if isinstance(part, BadInput) else hidden(part.document())
            for type_, member, part in parts
        }
        decided = {"name": active.name, "decided_by": active.decided_by}
        print_json({**_json(found.name, found, active), "definitions": members, "active_stack": decided})
        return 0
    click.echo(f"stack {found.name!r}, {found.file or 'built in'}")
    if found.description:
        click.echo(found.description)
    if found.name == active.name:
        click.echo(f"active, decided by {active.decided_by}")
    else:
        click.echo(f"not active: {active.name!r} is, decided by {active.decided_by}")
    click.echo("components")
    rows = []
    for type_, member, part in parts:
        about = ("", str(part.message)) if isinstance(part, BadInput) else (part.flavor, settings_text(part.config))
        rows.append((title(type_), member, *about))
    columns([("TYPE", "NAME", "FLAVOR", "SETTINGS"), *rows], "  ")
    lines = list(explained(found.name, Guardrails.of(found)))
    click.echo("guardrails" if lines else "no guardrails")
    for line in (*lines, *_IAM) if lines else ():
        click.echo(f"  {line}")
    return 0


@stack.command()
@click.argument("name")
@click.option("--user", is_flag=True, help="For you everywhere, where a project does not say otherwise.")
def set(name: str, user: bool) -> int:
    """Make NAME the active stack: of the project where there is one, else yours."""
    _set(Workspace(), name, user)
    return 0


def _set(workspace: Workspace, name: str, user: bool) -> None:
    file = workspace.activate(name, user=user)
    now = workspace.active()
    whose = "this project" if file.parent.parent.name == ".crossdock" else "you"
    click.echo(f"{name!r} is the active stack of {whose}")
    if now.name != name:
        click.echo(f"note: here it is {now.name!r} all the same, by {now.decided_by}", err=True)


@stack.command()
@JSON
def get(as_json: bool) -> int:
    """The active stack's name."""
    active = Workspace().active()
    if as_json:
        print_json({"name": active.name, "decided_by": active.decided_by})
    else:
        click.echo(active.name)
    return 0


@stack.command()
@click.argument("name", required=False)
@_members
@_guardrails
def update(name: str | None, description: str | None, **given: Any) -> int:
    """Change what is named of the stack NAME, the active one without NAME; the rest stays."""
    workspace = Workspace()
    before = workspace.stack(name)
    components, rules = _components(given), _rules(given, before.guardrails)
    if not components and not rules and description is None:
        raise click.UsageError("nothing to change: name a component or a guardrail, such as -o NAME")
    _say(workspace.update_stack(before.name, components, description=description, guardrails=rules), "updated")
    return 0


def _flags(command: F) -> F:
    for type_ in reversed(COMPONENT_TYPES):
        if type_ not in REQUIRED:
            says = f"The {title(type_)}" + ("s." if type_ in SEVERAL else ".")
            command = click.option(SHORT[type_], f"--{dashed(type_)}", type_, is_flag=True, help=says)(command)
    return command


@stack.command("remove-component")
@click.argument("name", required=False)
@_flags
def remove_component(name: str | None, **given: bool) -> int:
    """Take optional components out of the stack NAME, the active one without NAME; they stay registered."""
    workspace = Workspace()
    types = [type_ for type_, asked in given.items() if asked]
    if not types:
        raise click.UsageError("name what to take out, such as --container-registry")
    before = workspace.stack(name)
    _say(workspace.update_stack(before.name, remove=types), "updated")
    return 0


@stack.command()
@click.argument("name")
@click.argument("new_name")
def rename(name: str, new_name: str) -> int:
    """Give the stack NAME the name NEW_NAME; where it is active it stays so."""
    _say(Workspace().rename_stack(name, new_name), "renamed")
    return 0


@stack.command()
@click.argument("name")
@click.argument("new_name")
@_USER
def copy(name: str, new_name: str, user: bool) -> int:
    """A stack NEW_NAME with the components and guardrails of NAME."""
    _say(Workspace(user=user).copy_stack(name, new_name), "registered")
    return 0


@stack.command()
@click.argument("name")
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@click.option("-r", "--recursive", is_flag=True, help="Its components too, those that no other stack has.")
def delete(name: str, yes: bool, recursive: bool) -> int:
    """Delete the stack NAME; `default` cannot be deleted."""
    workspace = Workspace()
    if name != DEFAULT:
        workspace.files.stack(name)
        if not yes:
            click.confirm(f"delete stack {name!r}?", abort=True)
    gone = workspace.delete_stack(name, components=recursive)
    click.echo(f"stack {name!r} deleted")
    for type_, member in gone:
        click.echo(f"{title(type_)} {member!r} deleted")
    return 0


@stack.command()
@click.argument("name", required=False)
@click.option("-o", "--output", metavar="FILE", help="Write it there; without it, to stdout.")
@JSON
def export(name: str | None, output: str | None, as_json: bool) -> int:
    """The stack NAME with its components as one document, to import elsewhere; secrets stay references."""
    import json

    from crossdock.stacks.documents import dump
    from crossdock.stacks.files import write_atomically

    workspace = Workspace()
    body = workspace.export_stack(workspace.stack(name).name)
    text = json.dumps(body, indent=1, default=str, ensure_ascii=False) + "\n" if as_json else dump(body)
    if output is None:
        click.echo(text, nl=False)
    else:
        write_atomically(Path(output), text)
        click.echo(output)
    return 0


@stack.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--name", help="Another name for the stack.")
@_USER
def import_(file: Path, name: str | None, user: bool) -> int:
    """Define the stack of FILE and those of its components that are not there yet."""
    _say(Workspace(user=user).import_stack(file, name), "imported")
    return 0


@stack.command()
@click.argument("names", nargs=-1, metavar="[NAME]…")
@JSON
def validate(names: tuple[str, ...], as_json: bool) -> int:
    """Whether stacks can be used: files, flavors, settings, and that the members fit. All of them without NAME."""
    workspace = Workspace()
    asked = names or workspace.files.stack_names()
    found = {name: workspace.why_not(name) for name in asked}
    if as_json:
        print_json(
            [
                {"name": name, "usable": error is None, "problems": [str(error)] if error else []}
                for name, error in found.items()
            ]
        )
    else:
        for name, error in found.items():
            click.echo(f"{name}: ok" if error is None else f"{name}: {error}")
    return 2 if any(found.values()) else 0
