"""One artifact: its manifest, how it is written, and how it is read after its bytes were verified."""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from crossdock.dsl.errors import StoreError
from crossdock_runtime.manifest import ABSENT, ArtifactCorrupt, Manifest, Member
from crossdock_runtime.materializers import base
from crossdock_runtime.materializers.value import FILE as VALUE_FILE
from crossdock_runtime.store import Store
from crossdock_runtime.values import NotAValue, Tagged, decode, digest, dumps, encode, loads
from crossdock_runtime.values import type_name as _type_name

__all__ = [
    "ABSENT",
    "INLINE_LIMIT",
    "ArtifactCorrupt",
    "Manifest",
    "Member",
    "load",
    "read_inline",
    "read_tagged",
    "save",
]

INLINE_LIMIT = 32 * 1024
"""Values of at most so many canonical bytes stay inside their manifest."""


def save(
    store: Store,
    value: object,
    key: str,
    *,
    type_name: str | None = None,
    producer: Mapping[str, Any] | None = None,
    materializer: str | None = None,
) -> Manifest:
    """Write an artifact and say what was written; small values go into the manifest itself.

    Args:
        store: where to.
        value: the object.
        key: an attempt-unique folder, such as `data/<run>/<task>/1/model`.
        type_name: the dotted name for the manifest; that of the object's type when None.
        producer: run, task, index, attempt and output.
        materializer: `module:Class`, or a built-in name, when the step says which.

    Raises:
        MaterializerError: the object cannot be written, or the materializer cannot be found.
        StoreError: the store refused or cannot be reached, or there is something under the key.
    """
    about = {"type": type_name or _type_name(type(value)), "producer": producer}
    why: str | None = None
    if materializer in (None, "value") and not base.is_file_type(value):
        try:
            tagged = encode(value)
        except NotAValue as error:
            why = str(error) if error.path else None
        else:
            return _save_value(store, tagged, key, about)
    chosen = base.find(materializer) if materializer is not None else base.choose_files(value)
    reason = chosen.refuses(value)
    if reason is None:
        try:
            return _save_files(store, value, key, chosen, about, why)
        except base.CannotKeep as error:
            reason = str(error)
    if materializer is not None:
        raise base.MaterializerError(
            f"{materializer} cannot keep this {about['type']}: {reason}",
            hint="annotate the output with another materializer, or with none",
        )
    return _save_files(store, value, key, base.find("pickle"), about, reason)


def _save_value(store: Store, tagged: Tagged, key: str, about: dict[str, Any]) -> Manifest:
    data = dumps(tagged)
    found, name = digest(data), base.identity(base.find("value"))
    if len(data) <= INLINE_LIMIT:
        return Manifest(digest=found, size=len(data), materializer=name, value=tagged, **about)
    if not store.create(f"{key}/{VALUE_FILE}", data):
        raise _taken(store, key)
    member = Member(VALUE_FILE, found, len(data))
    return Manifest(digest=found, size=len(data), materializer=name, uri=key, members=(member,), **about)


def _save_files(
    store: Store, value: object, key: str, chosen: base.Materializer, about: dict[str, Any], why: str | None
) -> Manifest:
    if chosen.weaker is not None:
        _warn(f"{about['type']}{f' ({why})' if why else ''} is stored by {chosen.name}: {chosen.weaker}")
    with _writing(store, key) as (folder, upload):
        chosen.save(value, folder)
        files = {f"{key}/{name}": folder / name for name in _own_files(folder)}
        digests = store.upload_all(files) if upload else {where: _file_digest(path) for where, path in files.items()}
        members = tuple(
            Member(where.removeprefix(f"{key}/"), digests[where], path.stat().st_size) for where, path in files.items()
        )
    return Manifest(
        digest=_digest_of(members),
        size=sum(member.size for member in members),
        materializer=base.identity(chosen),
        uri=key,
        members=members,
        **about,
    )


@contextlib.contextmanager
def _writing(store: Store, key: str) -> Iterator[tuple[Path, bool]]:
    """A folder for a materializer: the final one in a local store, else a temporary one to upload from."""
    folder = store.local_path(key)
    if folder is None:
        import tempfile

        with tempfile.TemporaryDirectory(prefix="crossdock-") as temporary:
            yield Path(temporary), True
        return
    try:
        folder.mkdir(parents=True)
    except FileExistsError:
        raise _taken(store, key) from None
    except OSError as error:
        raise StoreError(
            f"cannot write {key} in {store.url}: {error.strerror}",
            hint="check that the folder can be written",
        ) from error
    try:
        yield folder, False
    except BaseException as error:
        import shutil

        shutil.rmtree(folder, ignore_errors=True)
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise StoreError(
                f"cannot write {key} in {store.url}: {error.strerror}",
                hint="free some disk space, or use a store elsewhere",
            ) from error
        raise


def _taken(store: Store, key: str) -> StoreError:
    return StoreError(
        f"{store.url} has something under {key} already, and data is never overwritten",
        hint="start a new attempt or a new run",
    )


def _warn(text: str) -> None:
    import logging

    logging.getLogger("crossdock").warning("%s", text)


def _files(folder: Path) -> list[str]:
    found = []
    for top, _, names in os.walk(folder):
        inside = Path(top).relative_to(folder).as_posix()
        found += [name if inside == "." else f"{inside}/{name}" for name in names]
    return sorted(found)


def _own_files(folder: Path) -> Iterator[str]:
    for name in _files(folder):
        if (folder / name).is_symlink():
            raise base.MaterializerError(f"a materializer wrote {name} as a symbolic link", hint="copy the file")
        yield name


def _file_digest(path: Path) -> str:
    import hashlib

    with path.open("rb") as file:
        return "sha256:" + hashlib.file_digest(file, "sha256").hexdigest()


def _digest_of(members: tuple[Member, ...]) -> str:
    return digest(dumps([[member.path, member.digest, member.size] for member in members]))


def load(store: Store, manifest: Manifest, as_type: type | None = None, scratch: Path | None = None) -> Any:
    """Read an artifact, after the size and digest of every member were verified.

    Args:
        store: the store that the manifest comes from.
        manifest: what to read.
        as_type: the type that the consumer declares, if any; a hint for the materializer.
        scratch: a folder for copies, which stay there when a `Path` points to them; a temporary one if None.

    Raises:
        ArtifactCorrupt: bytes are missing or are not those that the manifest vouches for.
        MaterializerError: the object cannot be read here.
        StoreError: the store cannot be reached.
    """
    if manifest.skipped:
        raise StoreError(
            "the producer of this artifact was skipped, so there is nothing to read",
            hint="type the input Optional, or choose with one_of(a, b)",
        )
    if manifest.is_value:
        return read_inline(manifest, store)
    name, _, version = manifest.materializer.partition("@")
    materializer = base.find(name)
    if version.isdigit() and int(version) > materializer.version:
        raise base.MaterializerError(
            f"written by {manifest.materializer}, and only version {materializer.version} is here",
            hint="upgrade the package that has it",
        )
    if _digest_of(manifest.members) != manifest.digest:
        raise _corrupt(store, manifest.uri or "", manifest.digest, _digest_of(manifest.members))
    source, key = _place(store, manifest)
    folder = source.local_path(key) if key else source.local_root
    if folder is not None and not materializer.hands_out_paths:
        _verify(source, key, folder, manifest.members)
        return materializer.load(folder, as_type)
    keep = materializer.hands_out_paths
    with _scratch(scratch, keep=keep) as private:
        _fetch(source, key, private, manifest.members)
        return materializer.load(private, as_type)


def read_inline(manifest: Manifest, store: Store | None = None) -> Any:
    """The value of a manifest, verified.

    Raises:
        ArtifactCorrupt, StoreError: as `read_tagged`.
        MaterializerError: its class is not there, or is another one by now.
    """
    tagged = read_tagged(manifest, store)
    try:
        return decode(tagged)
    except ValueError as error:
        raise base.MaterializerError(
            f"a stored {manifest.type} cannot be read: {error}",
            hint="use the code that wrote it, or run its producer again",
        ) from error


def read_tagged(manifest: Manifest, store: Store | None = None) -> Tagged:
    """The value of a manifest as tagged JSON, verified; its class is not imported.

    Args:
        manifest: of a value.
        store: where its bytes are, needed when they are not in the manifest.

    Raises:
        ArtifactCorrupt: the bytes are missing or are not those that the manifest vouches for.
        StoreError: the manifest has no value, or its value is in a store and none is given.
    """
    if manifest.value is not ABSENT:
        made = manifest.producer or {}
        data, where = dumps(manifest.value), f"the inline value of {made.get('task')}.{made.get('output')}"
    elif store is not None and manifest.is_value:
        source, key = _place(store, manifest)
        where = f"{key}/{VALUE_FILE}" if key else VALUE_FILE
        found = source.try_read(where)
        if found is None:
            raise _corrupt(source, where, manifest.digest, None)
        data = found
    else:
        raise StoreError(
            f"{manifest.type or 'a skipped output'} is not a value in its manifest",
            hint="read it by load(store, manifest)",
        )
    if digest(data) != manifest.digest:
        raise _corrupt(store, where, manifest.digest, digest(data))
    return loads(data)


def _place(store: Store, manifest: Manifest) -> tuple[Store, str]:
    """The store of a manifest's members, and the key of their folder in it."""
    uri = manifest.uri or ""
    return (store.at(uri), "") if "://" in uri else (store, uri)


@contextlib.contextmanager
def _scratch(scratch: Path | None, *, keep: bool) -> Iterator[Path]:
    import shutil
    import tempfile

    if scratch is not None:
        scratch.mkdir(parents=True, exist_ok=True)
    private = Path(tempfile.mkdtemp(prefix="crossdock-", dir=scratch))
    done = False
    try:
        yield private
        done = True
    finally:
        if not (keep and done):
            shutil.rmtree(private, ignore_errors=True)


def _fetch(store: Store, key: str, folder: Path, members: tuple[Member, ...]) -> None:
    """Copy the members into a folder; what comes is verified on its way."""
    wanted = {f"{key}/{member.path}" if key else member.path: member for member in members}
    files = {where: folder / member.path for where, member in wanted.items()}
    for parent in {path.parent for path in files.values()}:
        parent.mkdir(parents=True, exist_ok=True)
    with contextlib.closing(
        store.download_all(files, {where: member.size for where, member in wanted.items()})
    ) as all_:
        for where, found in all_:
            if found != wanted[where].digest:
                raise _corrupt(store, where, wanted[where].digest, found)


def _verify(store: Store, key: str, folder: Path, members: tuple[Member, ...]) -> None:
    """See that a folder of a local store has the members, and nothing else."""
    for member in members:
        path = folder / member.path
        where = f"{key}/{member.path}" if key else member.path
        try:
            found = _file_digest(path) if path.stat().st_size == member.size else None
        except (FileNotFoundError, NotADirectoryError):
            raise _corrupt(store, where, member.digest, None) from None
        if found != member.digest:
            raise _corrupt(store, where, member.digest, found or _file_digest(path))
    extra = set(_files(folder)) - {member.path for member in members}
    if extra:
        names = ", ".join(sorted(extra))
        raise ArtifactCorrupt(
            f"{key} in {store.url} has files that its manifest does not vouch for: {names}",
            hint="remove them",
        )


def _corrupt(store: Store | None, where: str, expected: str, found: str | None) -> ArtifactCorrupt:
    state = f"is damaged: expected {expected}, found {found}" if found else f"is missing: expected {expected}"
    place = f"{where} in {store.url}" if store is not None else where
    return ArtifactCorrupt(
        f"{place} {state}", hint="run the task that produced it again with its cache off, or start a new run"
    )
