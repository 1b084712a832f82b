"""`images.lock`: which image each recipe became, and what its base and its requirements were pinned to. It is for git.

{"crossdock_images": 1,
 "environments": {<digest>: {"from", "platform", "declared", "base", "requirements"}},
 "images": {<repository:tag>: {"recipe", "environment", "project", "reference"}}}
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from crossdock.dsl.errors import BadInput
from crossdock.dsl.frozen import frozen
from crossdock.review.project_files import IMAGES_LOCK
from crossdock.stacks import BuiltImage, ImageRecipe
from crossdock.stacks.files import project_folder, write_atomically

FORMAT = 1


@frozen
class Pins:
    """What an environment was made of when it was built first.

    Attributes:
        base: the image that it starts from, with its digest.
        requirements: all installed distributions as `name==version`.
    """

    base: str
    requirements: tuple[str, ...]


class ImagesLock:
    """The lock of a project.

    Args:
        root: the project's root.

    Raises:
        BadInput: the file is damaged.
    """

    def __init__(self, root: Path) -> None:
        self.file = lock_file(root)
        body = _read(self.file)
        self._environments: dict[str, dict[str, Any]] = dict(body["environments"])
        self._images: dict[str, dict[str, Any]] = dict(body["images"])

    def pins(self, recipe: ImageRecipe) -> Pins | None:
        """What the recipe's environment is pinned to; None where nothing like it was built yet."""
        found = self._environments.get(environment_digest(recipe))
        return Pins(found["base"], tuple(found["requirements"])) if found is not None else None

    def reference(self, name: str, recipe: ImageRecipe) -> str | None:
        """How an image is referred to that was built of a recipe; None where it was not built yet."""
        found = self._images.get(name)
        return found["reference"] if found is not None and found["recipe"] == recipe.digest else None

    def add(self, name: str, recipe: ImageRecipe, built: BuiltImage) -> None:
        """Take a built image down; one of an earlier state of the same project goes."""
        environment = environment_digest(recipe)
        pins = self.pins(recipe)
        if pins is None or (built.requirements and not pins.requirements) or "@" not in pins.base:
            self._environments[environment] = {
                "from": recipe.base,
                "platform": recipe.platform,
                "declared": list(recipe.requirements),
                "base": built.base,
                "requirements": sorted(built.requirements or (pins.requirements if pins else ()), key=str.lower),
            }
        repository = name.rpartition(":")[0]
        for other, entry in list(self._images.items()):
            same_place = other.rpartition(":")[0] == repository and entry["environment"] == environment
            if same_place and (entry["project"] is None) == (recipe.project is None):
                del self._images[other]
        self._images[name] = {
            "recipe": recipe.digest,
            "environment": environment,
            "project": recipe.project,
            "reference": built.reference,
        }

    def write(self) -> None:
        """Write the file, whole or not at all; nothing where it says that already.

        Raises:
            BadInput: it cannot be written.
        """
        used = {entry["environment"] for entry in self._images.values()}
        body = {
            "crossdock_images": FORMAT,
            "environments": {key: self._environments[key] for key in sorted(used & self._environments.keys())},
            "images": dict(sorted(self._images.items())),
        }
        text = json.dumps(body, indent=1) + "\n"
        if not self.file.is_file() or self.file.read_text(encoding="utf-8") != text:
            write_atomically(self.file, text)


def lock_file(root: Path) -> Path:
    """`images.lock` of a project: in the nearest `.crossdock`, else in the project's root; no folder is made for it."""
    return (project_folder(root) or root) / IMAGES_LOCK


def environment_digest(recipe: ImageRecipe) -> str:
    """sha256 in hex of what an image holds beside the runtime and the project."""
    body = [recipe.base, recipe.platform, list(recipe.requirements)]
    return hashlib.sha256(json.dumps(body).encode()).hexdigest()


def _read(file: Path) -> Mapping[str, Any]:
    try:
        text = file.read_text(encoding="utf-8")
    except FileNotFoundError:
        return {"environments": {}, "images": {}}
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(
            f"cannot be read: {error}", where=str(file), hint="take it from git again", id="bad-images-lock"
        ) from None
    try:
        body = json.loads(text)
        version = body["crossdock_images"]
        known = all(
            isinstance(entry["base"], str) and all(isinstance(item, str) for item in entry["requirements"])
            for entry in body["environments"].values()
        ) and all(
            isinstance(entry[key], str) for entry in body["images"].values() for key in ("recipe", "reference")
        )  # fmt: skip
        known = known and all({"environment", "project"} <= entry.keys() for entry in body["images"].values())
    except (ValueError, KeyError, TypeError, AttributeError):
        version = known = None
    if version != FORMAT or not known:
        what = "is no images.lock" if version is None or not known else f"has version {version!r}, not {FORMAT}"
        hint = "take it from git again; or delete it, and crossdock build SOURCE"
        raise BadInput(what, where=str(file), hint=hint, id="bad-images-lock")
    return body  # type: ignore[no-any-return]
