"""The record of a run: paths and facts in the artifact store. Facts are written once; state is derived from them."""

from __future__ import annotations

import hashlib
import json
import os
import re
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from crossdock.dsl.errors import StoreError
from crossdock.dsl.frozen import frozen
from crossdock_runtime.manifest import Manifest
from crossdock_runtime.store import Store

if TYPE_CHECKING:
    from crossdock_runtime.nodes import Parameter

Index = tuple[int, ...]

STATES = (
    "succeeded",
    "cached",
    "skipped",
    "failed",
    "upstream_failed",
    "cancelled",
    "lost",
    "running",
    "pending",
)
DONE = ("succeeded", "cached", "skipped")
HEARTBEAT_SECONDS = 15.0
LOST_SECONDS = 90.0
_HORIZON = 2**44
_RUN_ID = re.compile(r"r[0-9a-z]{9}-[0-9a-z]{6}$")
"""An id of ours, which carries its own time."""
_DIGITS = "0123456789abcdefghjkmnpqrstvwxyz"


def now() -> str:
    """The time in UTC, as it stands in records."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


_FIRST_PID_NAMESPACE = "pid:[4026531836]"
"""Source: PROC_PID_INIT_INO in https://github.com/torvalds/linux/blob/master/include/linux/proc_ns.h"""


def host_name() -> str:
    """The name of this machine, or of the container in it: one whose network is the host's has the host's name, but
    process ids of its own."""
    if not hasattr(os, "uname"):
        return os.environ.get("COMPUTERNAME", "")
    name = os.uname().nodename
    try:
        space = os.readlink("/proc/self/ns/pid")  # noqa: PTH115 - pathlib is not loaded for this
    except OSError:
        return name
    return name if space == _FIRST_PID_NAMESPACE else f"{name}/{space}"


def seconds_since(text: str) -> float:
    """Seconds since a recorded time."""
    return time.time() - datetime.fromisoformat(text).timestamp()


def inverted_time() -> str:
    """Nine characters that sort the newest first, by the millisecond."""
    left = _HORIZON - int(time.time() * 1000)
    return "".join(_DIGITS[left >> shift & 31] for shift in range(40, -1, -5))


def new_run_id() -> str:
    """A run id: safe in a URI and in a label, newest first when sorted."""
    return f"r{inverted_time()}-{''.join(_DIGITS[byte & 31] for byte in os.urandom(6))}"


def is_alive(pid: int) -> bool:
    """Whether a process of this machine lives; one that has ended lives no more when nobody has waited for it yet."""
    if sys.platform == "win32":
        return True  # signal 0 is Ctrl-C there; whether the heartbeat goes on is told by its age
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:  # noqa: PTH123 - pathlib is not loaded for this
            return file.read().rpartition(b")")[2].split()[0] not in (b"Z", b"X")
    except (OSError, IndexError):
        return True


def derived_run_id(native_id: str) -> str:
    """The run id of a native run that nobody gave one to: the same in each of its tasks.

    Args:
        native_id: the platform's own id, with flavor and namespace so that no two platforms collide.
    """
    return f"n{hashlib.sha256(native_id.encode()).hexdigest()[:24]}"


_encode = json.JSONEncoder(separators=(",", ":")).encode


def dumps(body: Mapping[str, Any]) -> bytes:
    """A fact as bytes."""
    return _encode(body).encode()


def load_fact(store: Store, key: str) -> dict[str, Any] | None:
    """A fact, or None when it is not there.

    Raises:
        StoreError: it is damaged.
    """
    data = store.try_read(key)
    if data is None:
        return None
    try:
        body = json.loads(data)
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise StoreError(f"{key} in {store.url} is damaged: no JSON object", hint=_advice(key), id="damaged-record")
    return body


def _advice(key: str) -> str:
    top, _, rest = key.partition("/")
    return f"crossdock runs delete {rest.partition('/')[0]}" if top == "runs" else f"delete {key} from the store"


@frozen
class Result:
    """The committed result of a task: what all readers use.

    Attributes:
        state: `succeeded`, `cached` or `skipped`.
        outputs: the winning manifests, tombstones when skipped.
        gates: `"true"`, `"false"` or `"skipped"` for each gate that the task evaluates.
        attempt: the attempt that won; 0 when nothing ran.
        key: the cache key.
        fields: what the key is made of, name to digest.
        code: digest of the code.
        reason: why it was skipped, or whose result it is.
    """

    state: str
    outputs: Mapping[str, Manifest] = field(default_factory=dict)
    gates: Mapping[str, str] = field(default_factory=dict)
    attempt: int = 0
    key: str | None = None
    fields: Mapping[str, str] = field(default_factory=dict)
    reason: str | None = None
    started: str | None = None
    finished: str | None = None

    def to_json(self) -> dict[str, Any]:
        """The fact's JSON."""
        body: dict[str, Any] = {
            "state": self.state,
            "outputs": {name: item.to_json() for name, item in self.outputs.items()},
            "attempt": self.attempt,
        }
        for name in ("gates", "key", "fields", "reason", "started", "finished"):
            value = getattr(self, name)
            if value:
                body[name] = dict(value) if isinstance(value, Mapping) else value
        return body

    @classmethod
    def from_json(cls, body: Mapping[str, Any]) -> Result:
        """The result of its JSON.

        Raises:
            StoreError: it is damaged.
        """
        try:
            return cls(
                state=body["state"],
                outputs={name: Manifest.from_json(item) for name, item in body["outputs"].items()},
                gates=body.get("gates", {}),
                attempt=body["attempt"],
                key=body.get("key"),
                fields=body.get("fields", {}),
                reason=body.get("reason"),
                started=body.get("started"),
                finished=body.get("finished"),
            )
        except (KeyError, AttributeError, TypeError) as error:
            raise StoreError(f"{type(error).__name__}: {error}", id="damaged-record") from None


class TaskRecord:
    """The facts of one task, or of one item of a mapped one."""

    __slots__ = ("index", "key", "store", "task")

    def __init__(self, store: Store, run: str, task: str, index: Index = ()) -> None:
        self.store = store
        self.task = task
        self.index = index
        self.key = "/".join([f"runs/{run}/tasks/{task}", *map(str, index)])

    def result(self) -> Result | None:
        """The committed result, if there is one."""
        key = f"{self.key}/result.json"
        body = load_fact(self.store, key)
        try:
            return None if body is None else Result.from_json(body)
        except StoreError as error:
            raise StoreError(
                f"{key} in {self.store.url} is damaged: {error.message}", hint=_advice(key), id="damaged-record"
            ) from None

    def commit(self, result: Result) -> tuple[Result, bool]:
        """Make a result the task's own, unless another one was first; returns the winner, and whether it is ours."""
        if self.store.create(f"{self.key}/result.json", dumps(result.to_json())):
            return result, True
        winner = self.result()
        if winner is None:
            raise StoreError(f"{self.key}/result.json vanished while it was read", id="damaged-record")
        return winner, False

    def attempts(self) -> list[int]:
        """Numbers of the attempts that were started."""
        folders, _ = self.store.children(f"{self.key}/attempts")
        return sorted(int(name) for name in folders if name.isdigit())

    def start(self, first: int = 1, native_id: str | None = None) -> int:
        """Claim the next free attempt number."""
        number = first
        body = {"started": now(), "host": host_name(), "pid": os.getpid()}
        if native_id:
            body["native_id"] = native_id
        data = dumps(body)
        while not self.store.create(f"{self.key}/attempts/{number}/started.json", data):
            number += 1
        return number

    def fact(self, attempt: int, name: str) -> dict[str, Any] | None:
        """`started`, `finished`, `again` or `heartbeat` of an attempt."""
        return load_fact(self.store, f"{self.key}/attempts/{attempt}/{name}.json")

    def finish(self, attempt: int, body: Mapping[str, Any]) -> bool:
        """Write how an attempt ended."""
        return self.store.create(f"{self.key}/attempts/{attempt}/finished.json", dumps({**body, "finished": now()}))

    def wait(self, attempt: int, seconds: float) -> None:
        """Note that a failed attempt is followed by another one, after so many seconds."""
        until = datetime.fromtimestamp(time.time() + seconds, UTC).isoformat(timespec="milliseconds")
        self.store.create(f"{self.key}/attempts/{attempt}/again.json", dumps({"until": until}))

    def beat(self, attempt: int) -> None:
        """Say that the attempt is alive."""
        self.store.replace(f"{self.key}/attempts/{attempt}/heartbeat.json", dumps({"time": now()}))

    def log_chunks(self, attempt: int, after: int = 0) -> Iterator[bytes]:
        """The attempt's log, in order, without the first so many chunks."""
        prefix = f"{self.key}/attempts/{attempt}/log"
        _, names = self.store.children(prefix)
        for name in sorted(names)[after:]:
            yield self.store.read(f"{prefix}/{name}")


class RunRecord:
    """The facts of one run."""

    __slots__ = ("id", "key", "store")

    def __init__(self, store: Store, run: str) -> None:
        self.store = store
        self.id = run
        self.key = f"runs/{run}"

    def create(self, body: Mapping[str, Any]) -> bool:
        """Write what the run is: pipeline, plan, parameters, resume_from, cache; False when it is there already."""
        if not self.store.create(f"{self.key}/run.json", dumps({**body, "run": self.id, "created": now()})):
            return False
        time_ = self.id[1:10] if _RUN_ID.match(self.id) else inverted_time()
        self.store.create(f"index/{time_}-{self.id}", b"")
        return True

    def document(self) -> dict[str, Any] | None:
        """`run.json`; None where the run is not there, or is being deleted."""
        body = load_fact(self.store, f"{self.key}/run.json")
        return None if body is None or "deleted" in body else body

    def plan_bytes(self, digest: str) -> bytes:
        """The plan that the run executes."""
        return self.store.read(f"plans/{digest}.json")

    def task(self, task: str, index: Index = ()) -> TaskRecord:
        """The record of a task."""
        return TaskRecord(self.store, self.id, task, index)

    def stop(self, task: str) -> bool:
        """Let no further task start, since one has failed."""
        body = {"reason": "failed", "time": now(), "task": task}
        return self.store.create(f"{self.key}/stop.json", dumps(body))

    def cancel(self) -> None:
        """Let no further task start, and end those that run; also where a failure has stopped the run already."""
        self.store.replace(f"{self.key}/stop.json", dumps({"reason": "cancelled", "time": now()}))

    def stopped(self) -> dict[str, Any] | None:
        """Why no further task starts, if so."""
        return load_fact(self.store, f"{self.key}/stop.json")

    def begin(self) -> None:
        """Note which process schedules the tasks, where it is one of ours."""
        body = {"host": host_name(), "pid": os.getpid(), "time": now()}
        self.store.create(f"{self.key}/driver.json", dumps(body))

    def driver_is_alive(self) -> bool | None:
        """Whether the process that schedules the tasks lives; None where that cannot be told from here."""
        driver = load_fact(self.store, f"{self.key}/driver.json")
        if driver is None or driver.get("host") != host_name():
            return None
        return is_alive(int(driver.get("pid", 0)))

    def end(self, status: str, done: int = 0, of: int = 0) -> bool:
        """Note that whoever schedules the tasks is done.

        Args:
            status: how the run ended.
            done: how many tasks, and items of mapped ones, have a result.
            of: how many there are.
        """
        body = {"status": status, "time": now(), "done": done, "of": of}
        return self.store.create(f"{self.key}/end.json", dumps(body))

    def fix_native(self, native_id: str) -> str:
        """Tie the run to a native run, the first time; returns the native run that it is tied to."""
        key = f"{self.key}/native.json"
        if self.store.create(key, dumps({"native_id": native_id, "time": now()})):
            return native_id
        return str((load_fact(self.store, key) or {}).get("native_id", native_id))

    def add_handle(self, flavor: str, native_id: str, details: Mapping[str, str]) -> None:
        """Keep how the native run is found again."""
        body = {"flavor": flavor, "native_id": native_id, "details": dict(details)}
        self.store.create(f"{self.key}/handle.json", dumps(body))

    def handle(self) -> dict[str, Any] | None:
        """`handle.json`: how the native run is found again."""
        return load_fact(self.store, f"{self.key}/handle.json")

    def add_parameter(self, name: str, tagged: Any) -> None:
        """Keep a parameter's value that a platform gave and `run.json` does not have."""
        self.store.create(f"{self.key}/parameters/{name}.json", dumps({"value": tagged}))

    def parameters(self, declared: Mapping[str, Parameter]) -> dict[str, Any]:
        """Tagged values of all parameters that are known: the defaults, where nothing else was said."""
        document = self.document() or {}
        found: dict[str, Any] = {name: item.default for name, item in declared.items() if not item.required}
        found.update(document.get("parameters", {}))
        if document.get("origin") == "native":
            _, names = self.store.children(f"{self.key}/parameters")
            for file in names:
                found[file.removesuffix(".json")] = (load_fact(self.store, f"{self.key}/parameters/{file}") or {})[
                    "value"
                ]
        return found

    def ended(self) -> dict[str, Any] | None:
        """How the run ended, where its scheduler lived to say so."""
        return load_fact(self.store, f"{self.key}/end.json")


def newest_runs(store: Store) -> Iterator[str]:
    """Ids of the runs, newest first."""
    for key in store.keys("index/"):
        yield key.partition("-")[2]
