"""A file or a folder of the user's, kept under its own name.

Contents and names are kept; owners, times and permissions are not, because object stores have none.
"""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any, ClassVar

from crossdock_runtime.materializers.base import Materializer, MaterializerError

_FOLDER = ".crossdock-folder.json"


class PathMaterializer(Materializer):
    """A `pathlib.Path` that names a file or a folder; what a consumer gets is a copy of its own."""

    name: ClassVar[str] = "path"
    types: ClassVar[tuple[str, ...]] = ("pathlib.Path",)
    hands_out_paths: ClassVar[bool] = True

    def save(self, value: Any, folder: Path) -> None:
        source = Path(value)
        if not source.exists():
            raise MaterializerError(
                f"the path {source} was returned, and nothing is there",
                hint="write the file before returning its path; a relative path starts at the working folder",
            )
        name = source.name if source.name not in ("", "..") else source.resolve().name or "root"
        if name == _FOLDER:
            raise MaterializerError(f"{name} is a name that Crossdock uses itself", hint="rename the file")
        if source.is_file():
            shutil.copyfile(source, folder / name)
        elif source.is_dir():
            root = source.resolve()
            if root in folder.resolve().parents:
                raise MaterializerError(
                    f"the folder {source} holds the artifact store itself",
                    hint="return a folder that has only this step's results",
                )
            empty: list[str] = []
            (folder / name).mkdir()
            _copy_folder(source, folder / name, root, (root,), "", empty)
            about = {"name": name, "empty": sorted(empty)}
            (folder / _FOLDER).write_text(json.dumps(about), encoding="utf-8")
        else:
            raise MaterializerError(
                f"{source} is neither a file nor a folder", hint="copy what it gives into a file first"
            )

    def load(self, folder: Path, as_type: type | None) -> Path:
        about = folder / _FOLDER
        if not about.is_file():
            (only,) = folder.iterdir()
            return only
        facts = json.loads(about.read_text(encoding="utf-8"))
        top: Path = folder / Path(facts["name"]).name
        top.mkdir(exist_ok=True)
        for relative in facts["empty"]:
            place = top / relative
            if ".." in place.parts:
                raise MaterializerError(f"a stored folder names {relative!r}, which is outside of it")
            place.mkdir(parents=True, exist_ok=True)
        return top


def _copy_folder(
    source: Path, target: Path, root: Path, above: tuple[Path, ...], inside: str, empty: list[str]
) -> None:
    """Copy what is in a folder; a symbolic link becomes what it names, if that is in the folder too."""
    entries = sorted(source.iterdir())
    if inside and not entries:
        empty.append(inside)
    for entry in entries:
        where = f"{inside}/{entry.name}" if inside else entry.name
        real = Path(os.path.realpath(entry))  # unlike resolve(), it takes a loop of links
        if entry.is_symlink() and not real.exists():
            raise MaterializerError(f"{entry} is a symbolic link to nothing", hint="remove it, or mend it")
        if entry.is_symlink() and root not in real.parents:
            raise MaterializerError(
                f"{entry} is a symbolic link to {real}, outside of the folder that was returned",
                hint="put a copy into the folder, or return that path as an output of its own",
            )
        if entry.is_dir():
            if real in above:
                raise MaterializerError(f"{entry} is a symbolic link to a folder above it", hint="remove it")
            (target / entry.name).mkdir()
            _copy_folder(entry, target / entry.name, root, (*above, real), where, empty)
        elif entry.is_file():
            shutil.copyfile(entry, target / entry.name)
        else:
            raise MaterializerError(f"{entry} is neither a file nor a folder", hint="remove it from the folder")
