"""On the path of a process it ends that process by SIGKILL just before its n-th change of the files in a store.

$DIES_AT is n; $DIES_IN the store; to $DIES_COUNT a process that lives on writes how many changes it made.
"""

import atexit
import os
import signal
import sys
from pathlib import Path

CHANGES = {"os.link", "os.mkdir", "os.remove", "os.rename", "os.rmdir"}
folder, last = os.environ["DIES_IN"], int(os.environ["DIES_AT"])
count = 0


def hook(event: str, arguments: tuple[object, ...]) -> None:
    """Count a change; a file that is opened for writing is one, and what is written to it comes after."""
    global count
    writes = event == "open" and isinstance(arguments[2], int) and arguments[2] & (os.O_WRONLY | os.O_RDWR)
    if (event in CHANGES or writes) and str(arguments[0]).startswith(folder):
        count += 1
        if count == last:
            os.kill(os.getpid(), signal.SIGKILL)


sys.addaudithook(hook)
atexit.register(lambda: Path(os.environ["DIES_COUNT"]).write_text(str(count)))
