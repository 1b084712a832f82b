"""Run a command as a whole process, and learn from the operating system what it cost."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

_LEFT_OUT = ("PYTHONDONTWRITEBYTECODE", "PYTHONPROFILEIMPORTTIME", "PYTHONTRACEMALLOC", "CROSSDOCK_DEBUG")


@dataclass(frozen=True)
class Cost:
    """What one finished process took: CPU seconds (user and system, with its own children), and peak memory.

    Attributes:
        said: what it wrote to stdout.
    """

    cpu: float
    megabytes: float
    said: str


def run(command: Sequence[str], folder: Path, env: Mapping[str, str]) -> Cost:
    """Run a command to its end in a folder; bytecode is written and used.

    Raises:
        SystemExit: the command failed; its stderr is shown.
    """
    environment = {name: value for name, value in os.environ.items() if name not in _LEFT_OUT} | dict(env)
    with (folder / "stdout").open("w+b") as out, (folder / "stderr").open("w+b") as err:
        process = subprocess.Popen(
            command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=out, stderr=err
        )
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        err.seek(0)
        said, complaint = out.read().decode(), err.read().decode()
    if process.returncode:
        sys.exit(f"{' '.join(command)}\nended with {process.returncode}:\n{complaint or said}")
    kilobytes = usage.ru_maxrss / 1024 if sys.platform == "darwin" else usage.ru_maxrss
    return Cost(usage.ru_utime + usage.ru_stime, kilobytes / 1024, said)
