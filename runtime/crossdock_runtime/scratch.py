"""A folder for a task's temporary files."""

from __future__ import annotations

from pathlib import Path


class Scratch:
    """A temporary folder that is made only when it is asked for."""

    def __init__(self) -> None:
        self._made: Path | None = None

    def path(self) -> Path:
        """The folder."""
        if self._made is None:
            import tempfile

            self._made = Path(tempfile.mkdtemp(prefix="crossdock-"))
        return self._made

    def __enter__(self) -> Scratch:
        return self

    def __exit__(self, *_: object) -> None:
        if self._made is not None:
            import shutil

            shutil.rmtree(self._made, ignore_errors=True)
