"""What a developer does here, with nothing but Python and git installed.

    python3 dev.py example     run examples/flight_delays on the embedded default stack
    python3 dev.py test        run the tests; further arguments go to pytest
    python3 dev.py lint        ruff, mypy and import-linter
    python3 dev.py docs        build the site of docs/ in `site`; every warning is an error
    python3 dev.py format      ruff format and the fixes that ruff is sure of
    python3 dev.py lock        compile constraints.txt again
    python3 dev.py install     only make the environment that the tests need

The environment is `.venv`, or the folder that CROSSDOCK_VENV or CI_VENV names. It is made once, and again
when pyproject.toml or constraints.txt changes. Standard library only.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent
OLDEST = (3, 11)
CONSTRAINTS = "constraints.txt"
TOY_ADAPTER = Path("tests", "toy_adapter")
EXAMPLE = Path("examples", "flight_delays", "pipeline.py")
ALL_EXTRAS = ("dev", "docs", "examples", "aws", "azure", "docker", "gcp", "kubeflow", "registry", "vertex")


def main(arguments: list[str]) -> int:
    """Do what the first argument names; its exit code is returned."""
    if sys.version_info < OLDEST:
        print(
            f"crossdock needs Python {OLDEST[0]}.{OLDEST[1]} or newer; this is {sys.version.split()[0]}",
            file=sys.stderr,
        )
        return 2
    command, rest = (arguments[0], arguments[1:]) if arguments else ("help", [])
    if command not in COMMANDS:
        print(__doc__.strip(), file=sys.stderr if arguments else sys.stdout)
        return 2 if arguments else 0
    try:
        return COMMANDS[command](rest)
    except subprocess.CalledProcessError as error:
        print(f"dev.py: `{' '.join(map(str, error.cmd))}` ended with {error.returncode}", file=sys.stderr)
        return 1


def example(rest: list[str]) -> int:
    """Run the main example."""
    install(("examples",))
    code = run("crossdock", "run", str(EXAMPLE), *rest)
    print(f"the environment with the command `crossdock` is {environment_folder()}", file=sys.stderr)
    return code


def test(rest: list[str]) -> int:
    """Run the tests."""
    install(ALL_EXTRAS, toy_adapter=True)
    return run("python", "-m", "pytest", *rest)


def lint(rest: list[str]) -> int:
    """Run each checker, all of them also when one fails."""
    install(ALL_EXTRAS, toy_adapter=True)
    checks = (
        ("ruff", "check", *rest),
        ("ruff", "format", "--check"),
        ("mypy",),
        ("lint-imports", "--no-logo"),
    )
    return max([run(*check) for check in checks])


def docs(rest: list[str]) -> int:
    """Build the site."""
    install(ALL_EXTRAS, toy_adapter=True)
    os.environ["NO_MKDOCS_2_WARNING"] = "1"  # the theme's advertisement for another program
    return run("mkdocs", "build", "--strict", "--quiet", *rest)


def format_(rest: list[str]) -> int:
    """Format the tree."""
    install(ALL_EXTRAS, toy_adapter=True)
    return max([run("ruff", "check", "--fix", *rest), run("ruff", "format", *rest)])


def lock(rest: list[str]) -> int:
    """Compile constraints.txt: no index, no host and no path in it."""
    install(("dev",))  # the others may be what cannot be installed by the old constraints
    options = [
        "--all-extras",
        "--universal",
        "--python-version",
        "3.11",
        "--no-header",
        "--no-emit-index-url",
    ]
    return run("uv", "pip", "compile", "--quiet", *options, "pyproject.toml", "-o", CONSTRAINTS, *rest)


def install_all(rest: list[str]) -> int:
    """Make the environment of the tests."""
    install(ALL_EXTRAS, toy_adapter=True)
    return 0


COMMANDS = {
    "example": example,
    "test": test,
    "lint": lint,
    "docs": docs,
    "format": format_,
    "lock": lock,
    "install": install_all,
}


def environment_folder() -> Path:
    """Where the virtual environment is."""
    named = os.environ.get("CROSSDOCK_VENV") or os.environ.get("CI_VENV")
    return Path(named).expanduser().absolute() if named else ROOT / ".venv"


def program(name: str) -> str:
    """The path of a program of the environment."""
    folder = environment_folder()
    return str(folder / "Scripts" / f"{name}.exe" if os.name == "nt" else folder / "bin" / name)


def run(*command: str) -> int:
    """Run a program of the environment in the repository's folder and return its exit code."""
    return subprocess.run([program(command[0]), *command[1:]], cwd=ROOT, check=False).returncode


def install(extras: tuple[str, ...], *, toy_adapter: bool = False) -> None:
    """Make the environment, unless a stamp in it says that it is there already."""
    folder = environment_folder()
    toy = toy_adapter and (ROOT / TOY_ADAPTER / "pyproject.toml").exists()
    wanted = {
        "digest": digest_of([ROOT / "pyproject.toml", ROOT / CONSTRAINTS]),
        "root": str(ROOT),
        "python": sys.version,
        "parts": sorted({*extras, *(["toy_adapter"] if toy else [])}),
        "toy_adapter": digest_of(sorted((ROOT / TOY_ADAPTER).rglob("*.py"))),
    }
    stamp = folder / "crossdock-dev.json"
    found = json.loads(stamp.read_text()) if stamp.exists() else {}
    same = all(found.get(key) == wanted[key] for key in ("digest", "root", "python"))
    enough = same and set(wanted["parts"]) <= set(found["parts"])
    if enough and (not toy or found.get("toy_adapter") == wanted["toy_adapter"]):
        return
    if same:
        wanted["parts"] = sorted({*wanted["parts"], *found["parts"]})
    else:
        print(f"Making the environment in {folder}", file=sys.stderr)
        venv.create(folder, with_pip=True, clear=True)
    installer = choose_installer()
    if not enough:
        listed = ",".join(part for part in wanted["parts"] if part != "toy_adapter")
        quietly([*installer, "-c", CONSTRAINTS, "-e", f".[{listed}]"])
    if toy:
        quietly([*installer, "--no-deps", "--force-reinstall", str(TOY_ADAPTER)])
    stamp.write_text(json.dumps(wanted, indent=1) + "\n")


def digest_of(files: list[Path]) -> str:
    """What the contents of files come to."""
    found = hashlib.sha256()
    for file in files:
        found.update(file.read_bytes())
    return found.hexdigest()


def choose_installer() -> list[str]:
    """Prefer uv, which is several times faster; pip does the same where uv cannot be had."""
    pip = [program("python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    try:
        quietly([*pip, "-c", CONSTRAINTS, "uv"])
    except subprocess.CalledProcessError:
        return pip
    return [program("uv"), "pip", "install", "--quiet", "--python", program("python")]


def quietly(command: list[str]) -> None:
    """Run an installer, with no standard input and with the machine's own certificates."""
    environment = {"UV_SYSTEM_CERTS": "1", **os.environ}
    subprocess.run(command, cwd=ROOT, check=True, stdin=subprocess.DEVNULL, env=environment)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
