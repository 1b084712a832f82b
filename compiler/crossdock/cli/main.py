"""The command group: names and help are here, each command's code in a file of its own."""

from __future__ import annotations

import errno
import gc
import importlib
import os
import sys
from collections.abc import Sequence
from typing import Any

import click

from crossdock import __version__

COMMANDS = {
    "alerter": ("crossdock.cli.components", "Register, list, describe and change alerters."),
    "annotator": ("crossdock.cli.components", "Register, list, describe and change annotators."),
    "artifact-store": ("crossdock.cli.components", "Register, list, describe and change artifact stores."),
    "build": ("crossdock.cli.build", "Build the images that a pipeline's tasks run in, and write images.lock."),
    "check": ("crossdock.cli.compile", "Say what a target cannot do with a pipeline."),
    "compile": ("crossdock.cli.compile", "Write the native spec of a pipeline."),
    "diff": ("crossdock.cli.diff", "Say what changed since a bundle was exported."),
    "doctor": ("crossdock.cli.doctor", "Say what is installed, which stacks work here, and what is in the way."),
    "export": ("crossdock.cli.export", "Write the bundle that is reviewed before anything runs."),
    "gc": ("crossdock.cli.gc", "Delete what nothing in the artifact store points to."),
    "init": ("crossdock.cli.init", "Write a first stack and a pipeline that runs at once."),
    "container-registry": ("crossdock.cli.components", "Register, list, describe and change container registries."),
    "experiment-tracker": ("crossdock.cli.components", "Register, list, describe and change experiment trackers."),
    "feature-store": ("crossdock.cli.components", "Register, list, describe and change feature stores."),
    "flavor": ("crossdock.cli.flavors", "The flavors that components can have."),
    "model-deployer": ("crossdock.cli.components", "Register, list, describe and change model deployers."),
    "orchestrator": ("crossdock.cli.components", "Register, list, describe and change orchestrators."),
    "publish": ("crossdock.cli.submit", "Upload the plan and the code of a bundle to its stack's artifact store."),
    "run": ("crossdock.cli.run", "Run a pipeline and wait for its end."),
    "runs": ("crossdock.cli.runs", "Look at runs, resume, replay, cancel and delete them."),
    "schedules": ("crossdock.cli.schedules", "List, pause, resume and delete what starts runs by the clock."),
    "show": ("crossdock.cli.show", "Show the tasks of a pipeline as a tree or a picture."),
    "stack": ("crossdock.cli.stack", "Register, list, describe, set, update, copy, delete and carry stacks."),
    "submit": ("crossdock.cli.submit", "Start a run of a pipeline, or of a reviewed bundle."),
    "step-operator": ("crossdock.cli.components", "Register, list, describe and change step operators."),
}


class LazyGroup(click.Group):
    """Imports a command when it is called; `--help` needs none."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        cmd_name = cmd_name.replace("_", "-")
        if cmd_name not in COMMANDS:
            return None
        home = COMMANDS[cmd_name][0]
        if home not in sys.modules:
            _import_for_good(home)
        command: click.Command = getattr(sys.modules[home], cmd_name.replace("-", "_"))
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in sorted(COMMANDS.items())])

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
        if args and args[0].replace("_", "-") not in COMMANDS and not args[0].startswith("-"):
            import difflib

            near = difflib.get_close_matches(args[0], list(COMMANDS), 1)
            hint = f"did you mean {near[0]!r}?" if near else f"one of {', '.join(sorted(COMMANDS))}"
            from crossdock.cli.errors import UnknownCommand

            raise UnknownCommand(f"there is no command {args[0]!r}; {hint}", ctx)
        return super().resolve_command(ctx, args)


def _import_for_good(module: str) -> None:
    """Import a command. What that makes stays to the end: to look for garbage in it is a fifth of a short command."""
    gc.disable()
    try:
        importlib.import_module(module)
        gc.freeze()
    finally:
        gc.enable()


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="crossdock")
@click.option("--debug", is_flag=True, help="Show tracebacks.")
def cli(debug: bool) -> None:
    """Write an ML pipeline once in plain Python; compile it to the workflow engine you have."""
    if debug:
        os.environ["CROSSDOCK_DEBUG"] = "1"


def run(arguments: Sequence[str]) -> int:
    """Run a command line; returns the exit code."""
    args = list(arguments)
    if "--debug" in args:
        args.remove("--debug")
        os.environ["CROSSDOCK_DEBUG"] = "1"
    try:
        result = cli.main(args, prog_name="crossdock", standalone_mode=False)
        return result if isinstance(result, int) else 0
    except (click.Abort, KeyboardInterrupt):
        click.echo("cancelled", err=True)
        return 1
    except BrokenPipeError:
        _print_no_more()
        return 0
    except OSError as error:
        if error.errno not in _CANNOT_PRINT or error.filename is not None:
            return _report(error, args)
        from crossdock.dsl.errors import PlatformError

        _print_no_more()
        hint = "print to a place that has room"
        return _report(PlatformError(f"cannot print: {error.strerror}", hint=hint, id="cannot-print"), args)
    except Exception as error:
        return _report(error, args)


_CANNOT_PRINT = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)


def _print_no_more() -> None:
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


def _report(error: Exception, args: Sequence[str]) -> int:
    if os.environ.get("CROSSDOCK_DEBUG") and not isinstance(error, click.ClickException):
        raise error
    from crossdock.cli.errors import report

    return report(error, args)
