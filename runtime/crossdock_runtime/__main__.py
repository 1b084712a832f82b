"""`python -m crossdock_runtime`: the constant command (EXECUTION.md, "The command")."""

from __future__ import annotations

import gc
import sys


def main() -> int:
    """Run one task; returns the exit code."""
    # What is imported stays to the end: to look for garbage in it meanwhile is a tenth of a step's start.
    gc.disable()
    from crossdock_runtime.command import main as run

    gc.freeze()
    gc.enable()
    return run()


if __name__ == "__main__":
    sys.exit(main())
