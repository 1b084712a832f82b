"""What a plan says about the user's code: the name a step is imported by, and the digest of all that it reaches."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path, PurePath
from typing import Any

from crossdock.dsl.errors import TraceError
from crossdock.dsl.settings import Cache, Settings
from crossdock.dsl.step import Step, location
from crossdock.ir import PythonCode
from crossdock.passes.code_digest import code_digest, imported_distributions
from crossdock.passes.project import find_project, module_name_of
from crossdock_runtime.loading import Project


class CodeBook:
    """Names and digests of one project's steps, each worked out once."""

    def __init__(self, project: Project, main_file: Path | None = None) -> None:
        self.project = project
        self.main_file = main_file
        self._codes: dict[int, tuple[Any, PythonCode]] = {}
        self._settings: dict[int, tuple[Settings, Settings]] = {}

    @classmethod
    def of(cls, function: Callable[..., Any]) -> CodeBook:
        """The book of the project that a function's file stands in; the working folder's for a notebook."""
        file = function.__code__.co_filename
        path = Path(file) if Path(file).exists() else Path.cwd() / "__main__.py"
        return cls(find_project(path))

    def of_step(self, step: Step[Any, Any], where: str) -> PythonCode:
        """The code of a step.

        Raises:
            TraceError: it could not be imported in a container.
        """
        function = step.function
        known = self._codes.get(id(function))
        if known is None:
            known = self._codes[id(function)] = (function, self._read(step, where))
        return known[1]

    def _read(self, step: Step[Any, Any], where: str) -> PythonCode:
        function = step.function
        name = function.__qualname__
        if "<locals>" in name or "<lambda>" in name:
            raise TraceError(
                f"step {step.name!r} is defined inside a function, so a container cannot import it",
                where=location(function),
                hint="move it to the top level of a module",
                id="not-importable",
            )
        module = sys.modules.get(function.__module__)
        found: Any = module
        for part in name.split("."):
            found = getattr(found, part, None)
        if (
            module is not None
            and found is not function
            and not (isinstance(found, Step) and found.function is function)
        ):
            what = "is not there" if found is None else f"is another {type(found).__name__} by now"
            raise TraceError(
                f"step {step.name!r} cannot be imported: {function.__module__}.{name} {what}",
                where=location(function),
                hint="give the two different names; @step is the outermost decorator",
                id="not-importable",
            )
        return PythonCode(
            ref=f"{self._module(function)}:{name}",
            digest=code_digest(function, self.project),
            shape=step.signature.shape,
            imports=tuple(imported_distributions(function, self.project)),
        )

    def _module(self, function: Callable[..., Any]) -> str:
        if function.__module__ != "__main__":
            return function.__module__
        file = Path(function.__code__.co_filename)
        return module_name_of(file, self.project) if file.exists() and file.suffix == ".py" else "__main__"

    def settings(self, settings: Settings, where: str) -> Settings:
        """Settings as they stand in a plan: files by their digest, typed overrides as data.

        Raises:
            TraceError: a file that the cache depends on is not there.
        """
        cache, targets = settings.cache, settings.targets
        if isinstance(cache, Cache) and any(isinstance(item, PurePath) for item in cache.depends_on):
            cache = replace(cache, depends_on=tuple(self._depends(item, where) for item in cache.depends_on))
        if any(not isinstance(value, Mapping) for value in targets.values()):
            targets = {name: _dumped(name, value, where) for name, value in targets.items()}
        if cache is settings.cache and targets is settings.targets:
            return settings
        return replace(settings, cache=cache, targets=targets)

    def _depends(self, item: str | PurePath, where: str) -> str:
        if isinstance(item, str):
            return item
        path = self.project.root / item
        try:
            data = path.read_bytes()
        except OSError as error:
            raise TraceError(
                f"the cache depends on {str(item)!r}, which cannot be read: {error.strerror}",
                where=where,
                hint=f"paths are relative to {self.project.root.name}/",
                id="unreadable-file",
            ) from None
        return f"{item.as_posix()}@sha256:{hashlib.sha256(data).hexdigest()}"


def _dumped(target: str, value: Any, where: str) -> Mapping[str, Any]:
    if isinstance(value, Mapping):
        return value
    dump = getattr(value, "model_dump", None)
    if dump is None:
        raise TraceError(
            f"targets[{target!r}]={value!r} is neither a dict nor the target's model",
            where=where,
            hint=f'write targets={{"{target}": {{…}}}}',
            id="bad-setting",
        )
    body: Mapping[str, Any] = dump(mode="json", exclude_unset=True)
    return body
