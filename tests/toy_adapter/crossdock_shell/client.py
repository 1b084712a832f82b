"""Run the script. An adapter of a real platform has its SDK here, and nowhere else."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from crossdock.dsl.errors import BadInput
from crossdock.ir import Plan
from crossdock.stacks import RunHandle, RunOptions, Stack
from crossdock_runtime.parameters import native_text

LONGEST_PARAMETER = 100_000
"""Bytes. Linux takes no longer word in a command line or variable of the environment."""


def submit(script: str, plan: Plan, stack: Stack, options: RunOptions, bash: str) -> RunHandle:
    """Run a script; returns when it has ended.

    Raises:
        BadInput: the store is not on this machine, or a parameter is longer than the system takes.
    """
    url = stack.artifact_store.url
    if "://" in url:
        raise BadInput(f"the artifact store {url!r} is elsewhere", hint="give the stack a local artifact store")
    given = {f"PARAM_{name}": native_text(value, plan.parameters[name]) for name, value in options.parameters.items()}
    for name, text in given.items():
        if len(text.encode()) > LONGEST_PARAMETER:
            raise BadInput(f"parameter {name.removeprefix('PARAM_')!r} is longer than {LONGEST_PARAMETER} bytes")
    environment = {
        **os.environ,
        **given,
        "CROSSDOCK_STORE": str(Path(url).absolute()),
        "CROSSDOCK_PROJECT": options.project_root or str(Path.cwd()),
        "CROSSDOCK_RUN": options.run,
        "PYTHON": sys.executable,
    }
    with tempfile.NamedTemporaryFile("w", encoding="utf-8", suffix=".sh") as file:
        file.write(script)
        file.flush()
        done = subprocess.run([bash, file.name], env=environment, stdout=subprocess.PIPE, text=True, check=False)
    status = "failed" if done.returncode else "succeeded"
    return RunHandle("shell", options.run, {"status": status, "output": done.stdout})
