"""The runtime bundle: what a container needs of Crossdock, as one zip that Python imports from (EXECUTION.md)."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from pathlib import Path

import crossdock
import crossdock_runtime

_EPOCH = (1980, 1, 1, 0, 0, 0)
_REGULAR_FILE = 0o100644 << 16


def runtime_bundle() -> bytes:
    """The public face, the DSL and the runtime. The same installed package gives the same bytes everywhere.

    Nothing is compressed: deflate's bytes differ between builds of zlib. `PYTHONPATH=<zip>` is enough to use it;
    beside it, only obstore has to be installed.
    """
    found = io.BytesIO()
    with zipfile.ZipFile(found, "w", zipfile.ZIP_STORED) as bundle:
        for name, file in sorted(_files()):
            about = zipfile.ZipInfo(name, _EPOCH)
            about.create_system = 3
            about.external_attr = _REGULAR_FILE
            bundle.writestr(about, file.read_bytes())
    return found.getvalue()


def _files() -> Iterator[tuple[str, Path]]:
    face = Path(str(crossdock.__file__)).parent
    yield "crossdock/__init__.py", face / "__init__.py"
    for root in (face / "dsl", Path(str(crossdock_runtime.__file__)).parent):
        for file in root.rglob("*.py"):
            yield file.relative_to(root.parents[0] if root.name != "dsl" else face.parent).as_posix(), file
