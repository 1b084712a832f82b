"""The command line. A command's module is imported when the command is called."""

from __future__ import annotations

import sys


def main() -> None:
    """Entry point of `crossdock`."""
    from crossdock.cli.main import run

    sys.exit(run(sys.argv[1:]))
