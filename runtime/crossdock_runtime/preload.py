"""Imported once by the process that children are forked from: loads the user's modules ahead."""

from __future__ import annotations

import contextlib
import importlib
import os
import sys

_text = os.environ.get("CROSSDOCK_PRELOAD", "")
_head, _, _tail = _text.partition("\n\n") if not _text.startswith("\n") else ("", "", _text[1:])
sys.path[:0] = [line for line in _head.splitlines() if line not in sys.path]
for _name in _tail.splitlines():
    # a module that cannot be imported is reported by the task that needs it, with its cause
    with contextlib.suppress(Exception):
        importlib.import_module(_name)
