"""The files of a project as one package: what a container needs to run its steps, under a digest of what is in it."""

from __future__ import annotations

import hashlib
import os
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from crossdock.dsl.errors import BadInput, Problem
from crossdock.dsl.frozen import frozen
from crossdock.review.project_files import IGNORE_FILE, project_files
from crossdock.review.secret_files import secret_in, secret_name
from crossdock_runtime.code import is_safe, package_digest

LARGE_FILE = 5_000_000
"""Bytes. A file above this is named in a warning."""
LIMIT = 100_000_000
"""Bytes. A package above this is refused: it is fetched by every container."""
_EPOCH = (1980, 1, 1, 0, 0, 0)
_SHOWN = 5


@frozen
class PackedFile:
    """A file of a package.

    Attributes:
        path: below the root, with "/".
        digest: sha256 of its bytes, in hex.
        size: in bytes.
        source: where it was read from.
    """

    path: str
    executable: bool
    digest: str
    size: int
    source: Path


@frozen
class CodePackage:
    """The files of a project.

    Attributes:
        files: sorted by path.
        warnings: what was left out because it looks like a secret, and what is surprisingly large.
    """

    root: Path
    files: tuple[PackedFile, ...]
    warnings: tuple[Problem, ...] = ()

    @property
    def digest(self) -> str:
        """sha256 in hex over paths, executable bits and contents: the same wherever and whenever it was packed."""
        return package_digest((file.path, file.executable, file.digest) for file in self.files)

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(file.size for file in self.files)

    def summary(self) -> str:
        """What it holds, in a line: how many files, how large, and the largest few."""
        largest = sorted(self.files, key=lambda file: (-file.size, file.path))[:_SHOWN]
        listed = ", ".join(f"{file.path} ({bytes_text(file.size)})" for file in largest)
        count = "1 file" if len(self.files) == 1 else f"{len(self.files)} files"
        return f"code package {self.digest[:16]}: {count}, {bytes_text(self.size)}; the largest: {listed}"

    def contents(self) -> Iterator[tuple[PackedFile, bytes]]:
        """Each file with its bytes.

        Raises:
            BadInput: one is not any more what it was when it was packed.
        """
        for file in self.files:
            data = _read(file.source, file.path)
            if hashlib.sha256(data).hexdigest() != file.digest:
                raise BadInput(
                    "was changed while it was packed", where=file.path, hint="try again", id="changed-while-packing"
                )
            yield file, data

    def write(self, archive: Path) -> None:
        """Write the package as a zip; equal packages are equal bytes. Deflate's differ between builds of zlib.

        Raises:
            BadInput: a file is not any more what it was when it was packed.
        """
        with zipfile.ZipFile(archive, "w", zipfile.ZIP_STORED) as found:
            for file, data in self.contents():
                about = zipfile.ZipInfo(file.path, _EPOCH)
                about.create_system = 3
                about.external_attr = (0o100755 if file.executable else 0o100644) << 16
                found.writestr(about, data)


def pack(root: Path, *, needed: Iterable[Path] = (), without: Iterable[Path] = ()) -> CodePackage:
    """Pack a project: what git tracks or would track, as it is in the working tree; without git, what looks like code.

    Args:
        root: the project's folder.
        needed: files that have to be in it, as they hold the pipeline's steps.
        without: folders that are left out, such as an artifact store in the project.

    Raises:
        BadInput: it is too large, a link leads out of it, a file cannot be read or has no portable name, or a needed
            file is not in it.
    """
    root = root.resolve()
    kept, warnings, problems = [], [], []
    secrets: dict[str, str] = {}
    outside = tuple(folder.resolve() for folder in without)
    for path, source in project_files(root):
        if any(source.is_relative_to(folder) for folder in outside):
            continue
        if not is_safe(path) or not _is_text(path):
            problems.append(Problem(f"{path!r} is no name on every system", hint=f"rename it, or {_left_out(path)}"))
            continue
        what = secret_name(path)
        if what is None:
            status = source.stat()
            if status.st_size > LIMIT:
                kept.append(PackedFile(path, False, "", status.st_size, source))
                continue
            data = _read(source, path)
            what = secret_in(path, data)
            if what is None:
                sha = hashlib.sha256(data).hexdigest()
                kept.append(PackedFile(path, bool(status.st_mode & 0o100), sha, len(data), source))
                continue
        secrets[path] = what
        hint = f"{_left_out(path)}, and this is not said; a step gets it by secrets={{…}}"
        warnings.append(Problem(f"not packed: {what}", where=path, hint=hint, id="secret-not-packed"))
    if problems:
        raise BadInput(f"the project {root.name!r} cannot be packed", problems=problems, id="not-packable")
    package = CodePackage(root, tuple(sorted(kept, key=lambda file: file.path)), (*warnings, *_large(kept)))
    if package.size > LIMIT:
        raise _too_large(package)
    _hold_needed(package, secrets, needed)
    return package


def _hold_needed(package: CodePackage, secrets: dict[str, str], needed: Iterable[Path]) -> None:
    packed = {file.path for file in package.files}
    for file in needed:
        file = file.resolve()
        if not file.is_relative_to(package.root):
            continue
        path = file.relative_to(package.root).as_posix()
        if path in secrets:
            hint = f"give it as secrets={{…}} to the step, and take it out of {path}"
            raise BadInput(
                f"holds steps, and cannot be packed: {secrets[path]}", where=path, hint=hint, id="secret-not-packed"
            )
        if path not in packed:
            hint = f"take it out of .gitignore and {IGNORE_FILE}"
            raise BadInput("holds steps, and is ignored, so no container has it", where=path, hint=hint, id="no-code")


def _large(files: Iterable[PackedFile]) -> Iterator[Problem]:
    for file in sorted(files, key=lambda file: -file.size):
        if file.size > LARGE_FILE:
            hint = f"{_left_out(file.path)} where no step reads it; data belongs into the artifact store"
            yield Problem(f"{bytes_text(file.size)} in the code package", where=file.path, hint=hint, id="large-file")


def _too_large(package: CodePackage) -> BadInput:
    return BadInput(
        f"too large, more than {bytes_text(LIMIT)}: {package.summary()}",
        hint=f"name what no step needs in {IGNORE_FILE} in {package.root.name!r}, as in .gitignore",
        id="package-too-large",
    )


def _left_out(path: str) -> str:
    return f"add {path} to {IGNORE_FILE}"


def _is_text(path: str) -> bool:
    try:
        path.encode()
    except UnicodeEncodeError:
        return False
    return path.isprintable()


def _read(source: Path, path: str) -> bytes:
    try:
        return source.read_bytes()
    except OSError as error:
        raise BadInput(
            f"cannot be read: {os.strerror(error.errno or 0)}", where=path, hint=_left_out(path), id="unreadable-file"
        ) from None


def bytes_text(count: int) -> str:
    """A size for people, in decimal units."""
    for unit in ("bytes", "kB", "MB"):
        if count < 1000 or unit == "MB":
            return f"{count:.0f} {unit}" if unit == "bytes" or count >= 100 else f"{count:.1f} {unit}"
        count /= 1000  # type: ignore[assignment]
    raise AssertionError
