"""Torch's tensors and modules, with a real torch.

Its wheel and what that needs are 5 GB, so it has an environment of its own, kept in the cache of the tests. CI makes
it; elsewhere the test is skipped where it is not there.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import crossdock
import crossdock_runtime

TORCH = "torch==2.15.0"
SCRIPT = Path(__file__).with_name("torch_round_trip.py")


@pytest.fixture(scope="session")
def python_with_torch() -> Path:
    """The interpreter of the environment; a folder is only taken when it was finished."""
    cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "crossdock-ci"
    name = f"{TORCH.replace('==', '-')}-py{sys.version_info.major}.{sys.version_info.minor}"
    folder, made = cache / name, cache / f"{name}.{os.getpid()}"
    if not folder.exists():
        if not os.environ.get("CI"):
            pytest.skip(f"{TORCH} is not in {folder}; with CI=true it is installed (5 GB)")
        uv = Path(sys.executable).with_name("uv")
        try:
            subprocess.run([uv, "venv", "--quiet", "--relocatable", "--python", sys.executable, made], check=True)
            subprocess.run(
                [uv, "pip", "install", "--quiet", "--python", made / "bin" / "python", TORCH, "numpy", "obstore"],
                check=True,
            )
            made.rename(folder)
        finally:
            shutil.rmtree(made, ignore_errors=True)
    return folder / "bin" / "python"


def test_torch(python_with_torch: Path, tmp_path: Path) -> None:
    roots = [Path(str(package.__file__)).parents[1] for package in (crossdock, crossdock_runtime)]
    env = {"PATH": os.environ["PATH"], "PYTHONPATH": os.pathsep.join(map(str, roots))}
    done = subprocess.run([python_with_torch, SCRIPT, tmp_path], env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("torch 2.")
