"""Check what a wheel holds: every file of the three source roots, and nothing else."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SOURCES = ("adapters", "compiler", "runtime")


def expected() -> set[str]:
    """The files git would ship, named as in the wheel: tracked, or new and not ignored."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", *SOURCES]
    listed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout.split("\0")
    return {name.partition("/")[2] for name in listed if name and (ROOT / name).is_file()}


def main(wheel: str) -> int:
    """Print the differences; 1 when there is one."""
    names = zipfile.ZipFile(wheel).namelist()
    shipped = {name for name in names if ".dist-info/" not in name}
    wanted = expected()
    for name in sorted(wanted - shipped):
        print(f"missing from the wheel: {name}")
    for name in sorted(shipped - wanted):
        print(f"must not be in the wheel: {name}")
    if not any(name.endswith("/licenses/LICENSE") for name in names):
        print("missing from the wheel: LICENSE")
        return 1
    print(f"{Path(wheel).name}: {len(shipped)} files")
    return int(shipped != wanted)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
