"""`crossdock compile` and `crossdock check`."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import click

from crossdock.client import Client
from crossdock.dsl.errors import BadInput, Problem, UnsupportedError


def _warn(warnings: Iterable[Problem]) -> None:
    for problem in warnings:
        click.echo(f"note: {problem}", err=True)


def _only_one(stack: str | None, target: str | None) -> None:
    if stack and target:
        raise click.UsageError("--stack and --target exclude each other")


@click.command()
@click.argument("source")
@click.option("--target", metavar="FLAVOR", help="The orchestrator's flavor; marked placeholders stand for the stack.")
@click.option("--stack", help="Name of the stack.")
@click.option("-o", "--output", metavar="DIR", help="Write the files there; without it a one-file spec goes to stdout.")
def compile(source: str, target: str | None, stack: str | None, output: str | None) -> int:
    """Write the native spec of the pipeline SOURCE."""
    _only_one(stack, target)
    from crossdock.stacks.files import write_atomically

    spec, checked = Client(stack).compile(source, target)
    _warn(checked.warnings)
    if output is None:
        if len(spec.files) > 1:
            raise BadInput(f"the spec has {len(spec.files)} files", hint="add -o DIR", id="several-files")
        click.echo(spec.main, nl=False)
        return 0
    folder = Path(output)
    for name, text in spec.files.items():
        write_atomically(folder / name, text)
        click.echo(str(folder / name))
    return 0


@click.command()
@click.argument("source")
@click.option("--target", metavar="FLAVOR", help="An orchestrator's flavor.")
@click.option("--stack", help="Name of the stack.")
@click.option("--all-targets", is_flag=True, help="Every installed flavor.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")
def check(source: str, target: str | None, stack: str | None, all_targets: bool, as_json: bool) -> int:
    """Say everything that a target cannot do with the pipeline SOURCE, or that is wrong with the native spec SOURCE."""
    from crossdock import registry

    _only_one(stack, target)
    client = Client(stack)
    if _is_spec(source):
        return _check_spec(
            client, source, target or (client.stack.orchestrator.flavor if stack else None), all_targets, as_json
        )
    loaded = client.load(source)
    targets = registry.flavors("orchestrator") if all_targets else (target,)
    worst = 0
    found = []
    for name in targets:
        shown = name or client.stack.orchestrator.flavor
        problems: tuple[Problem, ...] = ()
        warnings: tuple[Problem, ...] = ()
        try:
            warnings = client.check(loaded, name).warnings
        except UnsupportedError as error:
            problems = error.problems
            worst = 1
        found.append({"target": shown, "problems": _list(problems), "warnings": _list(warnings)})
        if not as_json:
            _show(shown, problems, warnings)
    if as_json:
        import json

        click.echo(json.dumps({"pipeline": loaded.plan.name, "targets": found}, indent=1))
    return worst


def _is_spec(source: str) -> bool:
    """Whether SOURCE is a file that is no Python source."""
    path = Path(source)
    return path.suffix.lower() in (".yaml", ".yml", ".json") or (path.suffix != ".py" and path.is_file())


def _check_spec(client: Client, source: str, target: str | None, all_targets: bool, as_json: bool) -> int:
    checked = client.check_spec(source, target, all_targets=all_targets)
    if as_json:
        import json

        found = [{"target": item.target, "problems": _list(item.problems), "warnings": []} for item in checked]
        click.echo(json.dumps({"spec": source, "targets": found}, indent=1))
    else:
        for item in checked:
            _show(item.target, item.problems, ())
    return int(any(item.problems for item in checked))


def _list(problems: Iterable[Problem]) -> list[dict[str, str | None]]:
    return [item.document() for item in problems]


def _show(target: str, problems: tuple[Problem, ...], warnings: tuple[Problem, ...]) -> None:
    click.echo(f"{target}: {'cannot run it' if problems else 'ok'}")
    for problem in problems:
        click.echo(f"- {problem}")
    for problem in warnings:
        click.echo(f"- note: {problem}")
