"""What we refuse of conditions and amounts, held to the libraries that KFP's backend reads them with.

Those are cel-go and Kubernetes' apimachinery, in a small program of ours that Go builds once. The compiler of KFP's
backend itself, `argocompiler`, is a Go package that the module proxy does not hand out.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import shutil
import subprocess
from pathlib import Path

import pytest
from docker_engine import CACHE, need

from crossdock_adapters.orchestrators._kfp_ir.checks.cel import NoExpression, inputs_of
from crossdock_adapters.orchestrators._kfp_ir.checks.containers import QUANTITY

SOURCE = Path(__file__).parent / "kfp_oracle"
WORDS = (
    "inputs.parameter_values['a']", "inputs.parameters['b'].string_value", "inputs", ".a", "['a']", "[0]", "==", "!=",
    "<", ">=", "&&", "||", "!", "-", "+", "*", "%", "in", "?", ":", "(", ")", "[", "]", "{", "}", ",", "int(", "size(",
    "string(", "parseJson(", "lots(", "true", "false", "null", "1", "2.5", "1e3", "0x1f", "7u", ".5", "'x'", '"y"',
    "r'\\d'", "'''z'''", "b'q'", "'a", "count", "if", "x", ".exists(x, x > 1)", ".map(x, x)", ".startsWith('h')", "=",
    "&", "@", "// why", "\n", "has(inputs.a)", "1.", "'\\n'", "'\\q'",
)  # fmt: skip
AMOUNTS = (
    "", "1", "+2", "-1", "0.5", ".5", "5.", "500m", "4Gi", "4gi", "1K", "1k", "1Ki", "1e3", "1E3", "1E", "1e", "2 Gi",
    "lots", "10n", "3u", "1.5Mi", "1,5", "0x1", "1GB", "1G", "2T", "7P", "1e+3", "1e-3", "1_000", "1Zi", "m1",
)  # fmt: skip


@pytest.fixture(scope="module")
def oracle() -> Path:
    """The program, named by a hash of what it is built of."""
    files = sorted(file for file in SOURCE.iterdir() if file.suffix in (".go", ".mod", ".sum"))
    digest = hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:12]
    program = CACHE / f"kfp-oracle-{digest}"
    if not program.exists():
        folder = CACHE / f"kfp-oracle-{digest}.{os.getpid()}"
        folder.mkdir(parents=True)
        try:
            for file in files:
                shutil.copy(file, folder)
            env = {**os.environ, "CGO_ENABLED": "0", "GOFLAGS": "-mod=readonly -buildvcs=false"}
            words = [need("go"), "build", "-o", "oracle", "."]
            done = subprocess.run(words, cwd=folder, env=env, capture_output=True, text=True, check=False)
            assert done.returncode == 0, done.stderr[-3000:]
            (folder / "oracle").rename(program)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    return program


def answers(oracle: Path, kind: str, texts: list[str]) -> list[str]:
    lines = "".join(json.dumps([kind, text]) + "\n" for text in texts)
    done = subprocess.run([oracle], input=lines, capture_output=True, text=True, check=True, timeout=120)
    found = done.stdout.splitlines()
    assert len(found) == len(texts)
    return found


def taken(text: str) -> bool:
    try:
        inputs_of(text)
    except NoExpression:
        return False
    return True


def grown(choose: random.Random, depth: int = 3) -> str:
    """An expression that is one, of any names and types."""
    if depth == 0:
        return choose.choice(["inputs.parameter_values['a']", "'x'", "1", "true", "inputs.artifacts['m'].n[0]", "[]"])
    one, other = grown(choose, depth - 1), grown(choose, depth - 1)
    return choose.choice(
        [
            f"{one} == {other}", f"({one})", f"!{one}", f"{one} && {other}", f"{one} in [{other}]", f"-{one}",
            f"int({one}) + {other}", f"{one} ? {other} : {one}", f"{{'k': {one}}}['k']", f"{one} || {other}",
            f"[{one}, {other}].exists(i, i == {one})", f"string({one}).startsWith('a')", f"{one} != {other}",
            f"size({one}) >= 2",
        ]
    )  # fmt: skip


def test_conditions(oracle: Path) -> None:
    choose = random.Random(5)
    texts = [grown(choose) for _ in range(1500)]
    texts += [" ".join(choose.choices(WORDS, k=choose.randint(1, 6))) for _ in range(6000)]
    for _ in range(2500):
        text = grown(choose, 2)
        at = choose.randrange(len(text))
        texts.append(text[:at] + choose.choice(["", *WORDS]) + text[at + choose.randrange(2) :])
    said = answers(oracle, "cel", texts)
    assert min(said.count("taken"), said.count("refused")) > 500
    wrong = [
        (answer, text)
        for answer, text in zip(said, texts, strict=True)
        if (answer == "taken" and not taken(text)) or (answer == "refused" and taken(text))
    ]
    assert wrong == []


def test_amounts(oracle: Path) -> None:
    said = answers(oracle, "quantity", list(AMOUNTS))
    wrong = [
        (answer, text)
        for answer, text in zip(said, AMOUNTS, strict=True)
        if (answer == "taken") != bool(QUANTITY.match(text))
    ]
    assert wrong == []
