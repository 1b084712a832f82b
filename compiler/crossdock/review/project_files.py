"""Which files belong to a project: git says so, else a walk that leaves out what is made."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

from crossdock.dsl.errors import BadInput
from crossdock.review.folder import LOCK
from crossdock.review.ignored import ignores

IGNORE_FILE = ".crossdockignore"
"""In the project's root, in the syntax of .gitignore: what no container needs."""
_NEVER = (".git", ".crossdock", "__pycache__")
_MADE = frozenset((*_NEVER, "node_modules", "site-packages", ".hg", ".svn", ".tox", ".nox", ".eggs"))
"""Folders that a walk passes by: versions, caches, and what is installed."""
_BUILT = frozenset(("build", "dist"))
"""Folders that it passes by where they are no package of Python."""
_ENVIRONMENT = frozenset(("pyvenv.cfg", "conda-meta", "CACHEDIR.TAG"))
"""What is in the folder of an environment or a cache."""
_MADE_ENDS = ("_cache", ".egg-info", ".egg", "-cache")
IMAGES_LOCK = "images.lock"


def project_files(root: Path) -> Iterator[tuple[str, Path]]:
    """Paths below a root with "/", sorted, each once, with the regular file that it stands for.

    Left out are Crossdock's own files: `.crossdock`, `images.lock`, and folders of exported bundles; a build or an
    export would change what is packed otherwise.

    Raises:
        BadInput: a link leads nowhere or out of the project, or git refuses.
    """
    listed = _by_git(root)
    names = sorted(set(_walk(root, "") if listed is None else listed))
    folders = {name.rpartition("/")[0] for name in names if "/" in name}
    bundles = tuple(f"{folder}/" for folder in folders if (root / folder / LOCK).is_file())
    ignored = _ignored(root)
    kept = [
        name
        for name in names
        if not (set(name.split("/")) & set(_NEVER) or name == IMAGES_LOCK or name.endswith((".pyc", ".pyo")))
        and not name.startswith(bundles)
        and not ignored(name)
    ]
    return iter(sorted(_resolved(root, kept)))


def _resolved(root: Path, names: list[str]) -> Iterator[tuple[str, Path]]:
    """Links followed: to a file, it is packed under the link's name; to a folder, its files are."""
    for name in names:
        file = root / name
        try:
            mode = file.lstat().st_mode
        except (FileNotFoundError, NotADirectoryError):
            continue  # deleted, and git knows it still
        if stat.S_ISREG(mode):
            yield name, file
        elif stat.S_ISLNK(mode):
            target = _target(root, name)
            if target.is_file():
                yield name, target
                continue
            inside = f"{target.relative_to(root).as_posix()}/"
            for other in names:
                if other.startswith(inside) and (root / other).is_file() and not (root / other).is_symlink():
                    yield f"{name}/{other[len(inside) :]}", root / other


def _target(root: Path, name: str) -> Path:
    file = root / name
    shown = os.readlink(file)  # noqa: PTH115 - as it was written
    try:
        target = file.resolve(strict=True)
    except (OSError, RuntimeError):
        raise _bad_link(name, f"is a link to {shown!r}, which is not there") from None
    if not target.is_relative_to(root):
        raise _bad_link(name, f"is a link out of the project, to {shown!r}, which no container has")
    if file.parent.resolve().is_relative_to(target):
        raise _bad_link(name, f"is a link to {shown!r}, the folder that it is in")
    return target


def _bad_link(name: str, what: str) -> BadInput:
    return BadInput(what, where=name, hint=f"copy it there, or add {name} to {IGNORE_FILE}", id="bad-link")


def _walk(root: Path, below: str) -> Iterator[str]:
    try:
        entries = sorted(os.scandir(root / below), key=lambda entry: entry.name)
    except OSError as error:
        raise BadInput(
            f"cannot be read: {error.strerror}", where=below or str(root), hint=f"add it to {IGNORE_FILE}",
            id="unreadable-file",
        ) from None  # fmt: skip
    names = {entry.name for entry in entries}
    built = below.rstrip("/").rpartition("/")[2] in _BUILT and "__init__.py" not in names
    if below and (names & _ENVIRONMENT or built):
        return
    for entry in entries:
        name = f"{below}{entry.name}"
        if entry.is_dir(follow_symlinks=False):
            if entry.name not in _MADE and not entry.name.endswith(_MADE_ENDS):
                yield from _walk(root, f"{name}/")
        elif entry.name not in _MADE:
            yield name


def _by_git(root: Path) -> list[str] | None:
    """What git tracks or would track below a folder; None where it is in no work tree, or is ignored itself."""
    if shutil.which("git") is None or not any((folder / ".git").exists() for folder in (root, *root.parents)):
        return None
    if _git(root, "check-ignore", "-q", ".").returncode == 0:
        return None
    done = _git(root, "ls-files", "-z", "--cached", "--others", "--exclude-standard")
    if done.returncode != 0:
        said = os.fsdecode(done.stderr).strip().removeprefix("fatal: ").partition("\n")[0]
        hint = "let git list it: git ls-files; or take .git away"
        raise BadInput(f"git cannot list the project's files: {said}", where=str(root), hint=hint, id="git-failed")
    names: list[str] = []
    for name in os.fsdecode(done.stdout).split("\0"):
        inner = root / name
        if name and inner.is_dir() and not inner.is_symlink():  # a repository of its own, such as a submodule
            name = name.rstrip("/")
            inside = _by_git(inner) if (inner / ".git").exists() else None
            names += [f"{name}/{found}" for found in (_walk(inner, "") if inside is None else inside)]
        elif name:
            names.append(name)
    return names


def _git(folder: Path, *words: str) -> subprocess.CompletedProcess[bytes]:
    env = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    return subprocess.run(
        ["git", "-c", "core.fsmonitor=false", *words],
        cwd=folder, env=env, stdin=subprocess.DEVNULL, capture_output=True, check=False,
    )  # fmt: skip


def _ignored(root: Path) -> Callable[[str], bool]:
    """Says of a path whether `.crossdockignore` names it.

    Raises:
        BadInput: the file cannot be read.
    """
    try:
        return ignores((root / IGNORE_FILE).read_text(encoding="utf-8-sig").splitlines())
    except FileNotFoundError:
        return lambda name: False
    except (OSError, UnicodeDecodeError) as error:
        hint = "write it as text, in the syntax of .gitignore"
        raise BadInput(f"cannot be read: {error}", where=IGNORE_FILE, hint=hint, id="unreadable-file") from None
