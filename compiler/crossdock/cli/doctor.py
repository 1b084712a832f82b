"""`crossdock doctor`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

import click

from crossdock.client import Client

if TYPE_CHECKING:
    from crossdock.dsl.errors import Problem
    from crossdock.review.health import Health, StoreHealth
    from crossdock.review.installed import Flavor

_STORE = {
    "writable": "there, and can be written to",
    "new": "not there yet; the first run makes it",
    "not asked": "not on this machine, so it was not asked; add --network",
    "broken": "cannot be used",
}


@click.command()
@click.option("--stack", help="Look at this stack instead of the active one.")
@click.option("--network", is_flag=True, help="Also ask an artifact store that is not on this machine.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")
def doctor(stack: str | None, network: bool, as_json: bool) -> int:
    """Say what is installed, which stacks would work here, and what is in the way; 0 when the active one works."""
    from crossdock.review.health import examine

    health = examine(Client(stack).workspace, stack, network=network)
    if as_json:
        import json

        click.echo(json.dumps(_document(health), indent=1))
    else:
        for line in _lines(health):
            click.echo(line)
    return 0 if health.works else 1


def _lines(health: Health) -> Iterator[str]:
    yield f"crossdock {health.crossdock}, Python {health.python}, {health.system}"
    yield f"  {health.executable}"
    yield ""
    yield "flavors"
    for flavor in health.flavors:
        mark = "✗" if flavor.problem else "!" if flavor.missing else "✓"
        yield f"{mark} {flavor.type.replace('_', ' '):<18} {flavor.name:<17} {_flavor(flavor)}".rstrip()
        if flavor.install and not flavor.adds:
            yield f"  hint: {flavor.install}"
    yield ""
    yield "stacks"
    for stack in health.stacks:
        is_active = f" (active; decided by {health.active.decided_by})" if stack.name == health.active.name else ""
        does = {"run": "compiles and runs", "compile": "compiles", "nothing": "cannot be used"}[stack.can]
        yield f"{ {'run': '✓', 'compile': '!', 'nothing': '✗'}[stack.can] } {stack.name}: {does}{is_active}"
        yield from _problems(stack.problems)
    if health.store is not None:
        yield ""
        yield f"artifact store of {health.active.name!r}"
        yield f"{_store_mark(health.store)} {health.store.url}: {_STORE[health.store.state]}"
        yield from _problems([health.store.problem] if health.store.problem else [])
    if health.environment:
        yield ""
        yield "environment"
        for problem in health.environment:
            yield f"! {problem}"
    yield ""
    yield f"the active stack {health.active.name!r} {'works' if health.works else 'does not work'} here"


def _flavor(flavor: Flavor) -> str:
    parts = [flavor.problem or {True: "compiles and runs", False: "compiles", None: ""}[flavor.runs]]
    if not flavor.offered_by.startswith("crossdock "):
        parts.append(f"from {flavor.offered_by}")
    parts += [f"{library.name} {library.version}" for library in flavor.libraries if library.fits]
    parts += [
        f"{library.name}{library.wanted} is {'missing' if library.version is None else library.version}"
        for library in flavor.missing
    ]
    if flavor.install and flavor.adds:
        parts.append(f"{flavor.install} adds {flavor.adds}")
    return ", ".join(part for part in parts if part)


def _store_mark(store: StoreHealth) -> str:
    return {"broken": "✗", "not asked": "!"}.get(store.state, "✓")


def _problems(problems: Iterable[Problem]) -> Iterator[str]:
    for problem in problems:
        yield from f"- {problem}".splitlines()


def _document(health: Health) -> dict[str, Any]:
    store = health.store
    return {
        "works": health.works,
        "crossdock": health.crossdock,
        "python": {"version": health.python, "executable": health.executable, "system": health.system},
        "active": {"name": health.active.name, "decided_by": health.active.decided_by},
        "flavors": [
            {
                "type": flavor.type,
                "name": flavor.name,
                "offered_by": flavor.offered_by,
                "extra": flavor.extra,
                "libraries": [
                    {"name": library.name, "wanted": library.wanted, "version": library.version, "fits": library.fits}
                    for library in flavor.libraries
                ],
                "runs": flavor.runs,
                "problem": flavor.problem,
                "install": flavor.install,
            }
            for flavor in health.flavors
        ],
        "stacks": [
            {"name": stack.name, "can": stack.can, "problems": _listed(stack.problems)} for stack in health.stacks
        ],
        "store": None
        if store is None
        else {"url": store.url, "state": store.state, "problems": _listed([store.problem] if store.problem else [])},
        "environment": _listed(health.environment),
    }


def _listed(problems: Iterable[Problem]) -> list[dict[str, Any]]:
    return [problem.document() for problem in problems]
