"""`crossdock init`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from crossdock.dsl.errors import BadInput

if TYPE_CHECKING:
    from crossdock.review.first_project import FirstProject

_NAME, _TARGET = "dev", "local"


@click.command()
@click.argument("folder", metavar="[DIR]", default=".", type=click.Path())
@click.option("--name", help=f"Name of the stack; {_NAME} unless said otherwise.")
@click.option("--target", metavar="FLAVOR", help=f"Where pipelines are to run in the end; {_TARGET} unless said.")
@click.option("--store", metavar="PATH", help="Folder of the artifact store; the user's data folder unless said.")
@click.option("-y", "--yes", is_flag=True, help="Ask nothing.")
def init(folder: str, name: str | None, target: str | None, store: str | None, yes: bool) -> int:
    """Write a first stack and a pipeline that runs at once, in DIR or here; what is there is never overwritten."""
    from crossdock import registry
    from crossdock.review.first_project import refuse_to_overwrite, write_first_project

    place = Path(folder)
    refuse_to_overwrite(place)
    if not yes:
        flavors = ", ".join(registry.flavors("orchestrator"))
        name = name or _ask("Name of the stack", _NAME)
        target = target or _ask(f"Where are pipelines to run in the end ({flavors})", _TARGET)
        if store is None:
            store = _ask("Folder of the artifact store (empty: your data folder)", "") or None
    done = write_first_project(place, name=name or _NAME, target=target or _TARGET, store=store or None)
    for line in _told(done):
        click.echo(line)
    return 0


def _ask(question: str, default: str) -> str:
    try:
        answer: str = click.prompt(question, default=default, show_default=bool(default), err=True)
    except click.Abort:
        click.echo(err=True)
        raise BadInput("no answer", hint="add --yes, or --name, --target and --store", id="no-answer") from None
    return answer.strip()


def _told(done: FirstProject) -> Iterator[str]:
    for file in done.files:
        yield (done.folder / file).as_posix()
    runs = done.target if done.runs_there else "local"
    yield f"stack {done.stack!r} is active here; it runs on {runs}"
    yield ""
    yield "next:"
    if done.folder.absolute() != Path.cwd():
        yield f"  cd {done.folder.as_posix()}"
    yield "  crossdock run pipeline.py"
    yield "  crossdock runs outputs latest"
    if not done.runs_there:
        yield f"  crossdock check pipeline.py --target {done.target}"
        yield f"  crossdock compile pipeline.py --target {done.target} -o specs"
        if not done.registered:
            yield f"  crossdock orchestrator register {done.target} --flavor {done.target} …"
        yield "  crossdock artifact-store register NAME --flavor …, one that the target reaches"
        yield f"  crossdock stack register NAME -o {done.target} -a NAME"
