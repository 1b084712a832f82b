"""The command line. A command's module is imported when the command is called."""

from __future__ import annotations

import io
import os
import sys


def main() -> None:
    """Entry point of `crossdock`."""
    from crossdock.cli.main import run

    _set_up(sys.stdout)
    _set_up(sys.stderr)
    sys.exit(run(sys.argv[1:]))


def _set_up(stream: object) -> None:
    """What goes to a file or another program is UTF-8 with plain line ends, on every system; nothing cannot be said."""
    if not isinstance(stream, io.TextIOWrapper):
        return
    if stream.isatty() or "PYTHONIOENCODING" in os.environ:
        stream.reconfigure(errors="replace")
    else:
        stream.reconfigure(encoding="utf-8", errors="replace", newline="\n")
