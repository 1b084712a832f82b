"""The code package of a plan: fetched from the store, held to its digest, unpacked once in a container."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from crossdock.dsl.errors import StoreError
from crossdock_runtime.store import Store, StoreKeyMissing

FORMAT = "crossdock code package 1"
_EXECUTABLE = 0o100


def code_key(digest: str) -> str:
    """Where a store has a code package.

    Args:
        digest: sha256 in hex, as in the plan's packaging.
    """
    return f"code/{digest}.zip"


def package_digest(files: Iterable[tuple[str, bool, str]]) -> str:
    """sha256 in hex of a code package: over what is in it, so that it is the same however it was zipped.

    Args:
        files: of each file its path with "/", whether it is executable, and the sha256 of its bytes in hex.
    """
    body = "".join(f"{json.dumps([path, executable, digest])}\n" for path, executable, digest in sorted(files))
    return hashlib.sha256(f"{FORMAT}\n{body}".encode()).hexdigest()


def fetch_code(store: Store, digest: str) -> Path:
    """The folder with the files of a code package; a second process in the same container finds it there.

    Raises:
        StoreError: the package is not in the store, or is not what its name says.
    """
    folder = Path(tempfile.gettempdir()) / f"crossdock-code-{_user()}" / digest
    if _is_mine(folder.parent) and folder.is_dir():
        return folder
    with tempfile.TemporaryDirectory(prefix="crossdock-code-", ignore_cleanup_errors=True) as scratch:
        archive, unpacked = Path(scratch, "code.zip"), Path(scratch, digest)
        try:
            store.download(code_key(digest), archive)
        except StoreKeyMissing as error:
            raise StoreError(
                f"the store has no code package {digest}: {error.message}",
                hint="crossdock publish DIR puts that of a bundle there; crossdock submit does so too",
                id="no-code-package",
            ) from None
        found = _unpack(archive, unpacked, digest)
        if found != digest:
            raise _damaged(digest, f"its files have the digest {found}")
        return _settle(unpacked, folder)


def _unpack(archive: Path, folder: Path, digest: str) -> str:
    """Write the files of an archive below a folder; the digest of what was written."""
    import zipfile

    listed = []
    try:
        with zipfile.ZipFile(archive) as found:
            for about in found.infolist():
                name = about.filename
                if not is_safe(name) or about.compress_type != zipfile.ZIP_STORED:
                    raise _damaged(digest, f"{name!r} is no file that crossdock packs")
                place = folder / name
                place.parent.mkdir(parents=True, exist_ok=True)
                mode = about.external_attr >> 16
                sha = hashlib.sha256()
                with found.open(about) as source, place.open("xb") as target:
                    while block := source.read(1 << 20):
                        sha.update(block)
                        target.write(block)
                place.chmod(0o755 if mode & _EXECUTABLE else 0o644)
                listed.append((name, bool(mode & _EXECUTABLE), sha.hexdigest()))
    except (zipfile.BadZipFile, OSError, EOFError, ValueError, NotImplementedError, RuntimeError) as error:
        raise _damaged(digest, f"{type(error).__name__}: {error}") from None
    return package_digest(listed)


def is_safe(name: str) -> bool:
    """Whether a name in a code package is a file below its folder, on every system."""
    path = PurePosixPath(name)
    return bool(name) and str(path) == name and not path.is_absolute() and not ({"..", "."} & set(path.parts)) and not (
        set("\\:\0") & set(name)
    )  # fmt: skip


def _settle(unpacked: Path, folder: Path) -> Path:
    """Give unpacked files their place at once; what another process has put there meanwhile is as good."""
    folder.parent.mkdir(mode=0o700, exist_ok=True)
    if not _is_mine(folder.parent):
        # Somebody else's folder has our name: whoever made it could change what we run.
        folder = Path(tempfile.mkdtemp(prefix="crossdock-code-")) / folder.name
    try:
        unpacked.rename(folder)
    except OSError:
        if not folder.is_dir():
            shutil.move(unpacked, folder)
    return folder


def _is_mine(folder: Path) -> bool:
    try:
        status = folder.lstat()
    except OSError:
        return False
    return not hasattr(os, "getuid") or (status.st_uid == os.getuid() and not status.st_mode & 0o022)


def _user() -> str:
    return str(os.getuid()) if hasattr(os, "getuid") else "user"


def _damaged(digest: str, why: str) -> StoreError:
    return StoreError(
        f"the code package {digest} in the store is damaged: {why}",
        hint=f"delete {code_key(digest)} from the store, then crossdock publish DIR",
        id="damaged-code-package",
    )
