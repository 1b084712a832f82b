"""Values that are too large for a manifest, as canonical JSON."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

from crossdock_runtime.materializers.base import Materializer
from crossdock_runtime.values import canonical_bytes, decode, loads

FILE = "value.json"


class ValueMaterializer(Materializer):
    """Tagged canonical JSON (see `crossdock_runtime.values`)."""

    name: ClassVar[str] = "value"

    def save(self, value: Any, folder: Path) -> None:
        (folder / FILE).write_bytes(canonical_bytes(value))

    def load(self, folder: Path, as_type: type | None) -> Any:
        return decode(loads((folder / FILE).read_bytes()))
