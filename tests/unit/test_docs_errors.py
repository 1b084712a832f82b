"""docs/errors.md lists every error id, with what a user reads; written again by CROSSDOCK_REGENERATE=1."""

from __future__ import annotations

import ast
import os
import re
from collections.abc import Iterator
from pathlib import Path

from crossdock.cli import errors
from crossdock.dsl.error_ids import MEANINGS

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "errors.md"
EXPECTED = ROOT / "tests" / "bad_input" / "expected"
SPECS = ROOT / "tests" / "unit" / "kfp_defects"
OURS = re.compile(r"Error$|Input$|Failed$|Problem$|Corrupt$|Missing$")
REGENERATE = "CROSSDOCK_REGENERATE"
HEAD = """\
# Error ids

Every error has an id, in brackets at the end of its first line. Words may change from one version to the next, an id
does not: it is what to search for, and what a script or a CI log can look for.

```text
{example}```

A problem in a list shows its own id where it says more than that of the whole. `CrossdockError.id` has it in Python.

With `--json` stdout is one JSON document, also when a command fails; the text for people is on stderr as always:

```json
{{"error": {{"id": "unknown-stack", "message": "…", "where": null, "hint": "…", "problems": []}}}}
```

`where` is `file:line`, `problems` is a list of such objects with a `task` where one is concerned. Exit codes: 1 a valid
pipeline whose run, check or diff failed, 2 wrong usage or input, 3 a store or platform that refused or is out of reach.
A task that failed has a cause instead, of a few kinds: [Runs](runs.md).
"""


def ids_in_the_code() -> set[str]:
    return set(errors._IDS.values()) | {
        text
        for root in ("compiler", "runtime", "adapters")
        for file in (ROOT / root).rglob("*.py")
        for text in _ids(ast.parse(file.read_text(encoding="utf-8")))
    }


def _ids(tree: ast.Module) -> Iterator[str]:
    """What is given as `id=` to an error or a problem, and the `id` of an error's class."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and OURS.search(_name(node.func)):
            for keyword in node.keywords:
                if keyword.arg == "id":
                    value = keyword.value
                    parts = (value.body, value.orelse) if isinstance(value, ast.IfExp) else (value,)
                    yield from (part.value for part in parts if isinstance(part, ast.Constant))
        elif isinstance(node, ast.ClassDef):
            for line in node.body:
                target = line.targets[0] if isinstance(line, ast.Assign) else getattr(line, "target", None)
                if isinstance(target, ast.Name) and target.id == "id" and isinstance(line.value, ast.Constant):
                    yield line.value.value


def _name(function: ast.expr) -> str:
    return getattr(function, "attr", "") or getattr(function, "id", "")


def page() -> str:
    examples = _examples()
    lines = [HEAD.format(example=examples["unknown-stack"])]
    for title, meanings in MEANINGS.items():
        lines.append(f"\n## {title}\n")
        for name, meaning in meanings.items():
            lines.append(f"\n### {name}\n\n{meaning}\n")
            if name in examples:
                lines.append(f"\n```text\n{examples[name]}```\n")
    return "".join(lines)


def _examples() -> dict[str, str]:
    """The shortest text of the corpus for each id; of specs where no command failed with it."""
    found: dict[str, str] = {}
    for file in (*sorted(SPECS.glob("*.txt")), *sorted(EXPECTED.rglob("*.txt"))):
        text = re.sub(r"# exit code \d\n", "", file.read_text(encoding="utf-8"))
        for name in re.findall(r" \[([a-z-]+)\]$", text, re.MULTILINE):
            other = found.get(name, "")
            if not other or (other.startswith("$ "), -len(other)) < (text.startswith("$ "), -len(text)):
                found[name] = text
    return found


def test_every_id_is_explained_and_is_used() -> None:
    explained = [name for meanings in MEANINGS.values() for name in meanings]
    assert len(explained) == len(set(explained))
    assert set(explained) == ids_in_the_code()
    assert [name for name in explained if not re.fullmatch(r"[a-z]+(-[a-z]+)*", name)] == []


def test_the_page_is_what_the_code_says() -> None:
    if os.environ.get(REGENERATE):
        assert not os.environ.get("CI"), f"{REGENERATE} is for people who read the difference, not for CI"
        PAGE.write_text(page(), encoding="utf-8")
    assert PAGE.read_text(encoding="utf-8") == page()
