"""Run the code blocks of README.md and docs/**/*.md.

A block that opens with ```python is run as a file of its own in a temporary folder, which all blocks of one
page share: a line `# file: pipeline.py` at its top gives it a name to import or to run by. In a ```console
block every line `$ crossdock …` is run in that folder and must end with 0, or with what `# exit 1` behind it
says. The lines below it must be in its output, in that order; `…` in them stands for anything. A block whose
opening line says `no-run` is left out.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
FENCE = re.compile(r"^(?P<indent> *)```(?P<info>[^`\n]*)\n(?P<body>.*?)^(?P=indent)```\s*$", re.MULTILINE | re.DOTALL)
NAMED = re.compile(r"# file: (?P<name>[\w./-]+)\n")
SECONDS = 120


class Block(NamedTuple):
    """A fenced block of a page."""

    page: Path
    line: int
    words: list[str]
    body: str


def pages() -> list[Path]:
    """The pages whose blocks are checked."""
    return [page for page in [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))] if page.is_file()]


def blocks(page: Path) -> Iterator[Block]:
    """The blocks of a page that are to be run."""
    text = page.read_text(encoding="utf-8")
    for found in FENCE.finditer(text):
        words = found["info"].split()
        if words and words[0] in {"python", "console"} and "no-run" not in words:
            indent = len(found["indent"])
            body = "".join(line[indent:] for line in found["body"].splitlines(keepends=True))
            yield Block(page, text.count("\n", 0, found.start()) + 1, words, body)


class Command(NamedTuple):
    """What is run for a block, and what must come of it."""

    words: list[str]
    exit_code: int = 0
    lines: tuple[str, ...] = ()


def commands(block: Block, folder: Path, number: int) -> Iterator[Command]:
    """What has to be run for one block."""
    if block.words[0] == "python":
        named = NAMED.match(block.body)
        file = folder / (named["name"] if named else f"block_{number}.py")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(block.body, encoding="utf-8")
        yield Command([sys.executable, str(file)])
        return
    for text in re.split(r"^\$ ", block.body, flags=re.MULTILINE)[1:]:
        line, *output = text.splitlines()
        typed, _, expected = line.partition("# exit ")
        words = shlex.split(typed)
        if words[0] == "crossdock":
            words[0] = str(Path(sys.executable).with_name("crossdock"))
            yield Command(words, int(expected or 0), tuple(filter(str.strip, output)))


def missing(lines: Iterable[str], output: str) -> str | None:
    """The first line that is not in an output after those before it."""
    found = iter(output.splitlines())
    for line in lines:
        pattern = r"\s+".join(".*".join(map(re.escape, word.split("…"))) for word in line.split())
        if not any(re.search(pattern, text) for text in found):
            return line
    return None


def main() -> int:
    """Run every block; 1 when one of them failed."""
    ran = failed = 0
    for page in pages():
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name).resolve()
            outer = {key: value for key, value in os.environ.items() if key != "CROSSDOCK_STORE"}
            environment = {**outer, "HOME": name, "XDG_DATA_HOME": f"{name}/.data", "NO_COLOR": "1"}
            for number, block in enumerate(blocks(page)):
                for command in commands(block, folder, number):
                    ran += 1
                    done = subprocess.run(
                        command.words,
                        cwd=folder,
                        env=environment,
                        capture_output=True,
                        text=True,
                        timeout=SECONDS,
                        check=False,
                        stdin=subprocess.DEVNULL,
                    )
                    line = missing(command.lines, done.stdout + done.stderr)
                    if done.returncode != command.exit_code or line is not None:
                        failed += 1
                        where = f"{block.page.relative_to(ROOT)}:{block.line}"
                        why = f"ended with {done.returncode}" if line is None else f"does not say {line!r}"
                        print(f"{where}: {shlex.join(command.words)} {why}")
                        print(done.stdout + done.stderr)
    print(f"{ran} commands of {len(pages())} pages, {failed} failed")
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
