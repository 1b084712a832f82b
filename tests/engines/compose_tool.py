"""Docker Compose itself, and the schema of its files: from the Go modules of its makers, built once and kept."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

from docker_engine import CACHE, need

COMPOSE = "github.com/docker/compose/v2"
VERSION = "v2.40.3"
SCHEMA_MODULE = "github.com/compose-spec/compose-go/v2@v2.9.1"
_TOOLS = f'//go:build tools\n\npackage tools\n\nimport _ "{COMPOSE}/cmd"\n'


def compose() -> Path:
    """The program."""
    program = CACHE / f"docker-compose-{VERSION}"
    if not program.exists():
        folder = CACHE / f"docker-compose-{VERSION}.{os.getpid()}"
        folder.mkdir(parents=True)
        try:
            (folder / "tools.go").write_text(_TOOLS)
            _go(folder, "mod", "init", "tools")
            _go(folder, "get", f"{COMPOSE}/cmd@{VERSION}")
            _go(folder, "build", "-o", "compose", f"{COMPOSE}/cmd")
            (folder / "compose").rename(program)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    return program


def schema() -> dict[str, Any]:
    """The JSON schema of Compose files."""
    folder = CACHE / "compose-schema"
    folder.mkdir(parents=True, exist_ok=True)
    found = json.loads(_go(folder, "mod", "download", "-json", SCHEMA_MODULE))
    text = (Path(found["Dir"]) / "schema" / "compose-spec.json").read_text(encoding="utf-8")
    body: dict[str, Any] = json.loads(text)
    return body


def _go(folder: Path, *words: str) -> str:
    env = {**os.environ, "CGO_ENABLED": "0", "GOFLAGS": "-mod=mod"}
    done = subprocess.run([need("go"), *words], cwd=folder, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout
