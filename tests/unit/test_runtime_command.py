"""`python -m crossdock_runtime`, the one command of every target, as a platform starts it."""

from __future__ import annotations

import datetime
import itertools
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from running import LIMIT, Done, Project, finish, lines, wait_for

from crossdock_runtime.record import RunRecord, TaskRecord
from crossdock_runtime.store import Store

SOURCE = """
    import datetime
    import os
    import signal
    import sys
    import time
    from dataclasses import dataclass
    from pathlib import Path

    from crossdock import (
        Artifact, InputValue, OutputPath, Retry, Secret, container_step, map, on_exit, one_of, pipeline, step, when,
    )


    @dataclass(frozen=True)
    class Point:
        x: int
        y: float


    def note(text):
        with open(os.environ["JOURNAL"], "a") as journal:
            journal.write(f"{text} {os.getpid()}\\n")


    def times(text):
        return sum(line.startswith(text) for line in open(os.environ["JOURNAL"]))


    @step
    def tells() -> int:
        print("said", "-".join(["of", "the", "store"]))
        return sum("STORE_SECRET" in name for name in os.environ)


    @step
    def ok(number: int) -> int:
        note("ok")
        print("one", number)
        print("two", file=sys.stderr)
        return number + 1


    @step
    def said(flag: bool, text: str, ratio: float, day: datetime.date, point: Point, maybe: int | None) -> str:
        return repr((flag, text, ratio, day, point, maybe))


    @step
    def raises() -> None:
        note("raises")
        deeper()


    def deeper():
        raise ValueError("broken here")


    @step
    def wrong_output() -> int:
        return "text"


    @step(timeout=0.5)
    def too_slow() -> None:
        note("too_slow")
        time.sleep(600)


    @step(secrets={"TOKEN": Secret(env="NOT_THERE_AT_ALL")})
    def needs_secret() -> None:
        note("needs_secret")


    @step
    def needs_memory() -> None:
        raise MemoryError("no more")


    @step(timeout="1h")
    def dies() -> None:
        note("dies")
        os.kill(os.getpid(), signal.SIGKILL)


    @step(retry=Retry(max_attempts=4, delay=0.05, backoff=2, on=(ConnectionError,)))
    def flaky() -> str:
        note("flaky")
        if times("flaky") < 4:
            raise ConnectionResetError("again")
        return "came through"


    @step(retry=Retry(max_attempts=4, on=("ConnectionError",)))
    def not_worth_it() -> None:
        note("not_worth_it")
        raise ValueError("no connection has to do with it")


    @step(retry=Retry(max_attempts=3))
    def never() -> None:
        note("never")
        raise RuntimeError(f"attempt {times('never')}")


    @step(retry=Retry(max_attempts=2), timeout=4)
    def slow_once() -> int:
        note("slow_once")
        if times("slow_once") < 2:
            time.sleep(600)
        return times("slow_once")


    @step
    def waits() -> bytes:
        note("waits")
        if times("waits") < 2:
            time.sleep(600)
        return b"done"


    @step(timeout="1h")
    def waits_apart() -> bytes:
        note("waits_apart")
        if times("waits_apart") < 2:
            time.sleep(600)
        return b"done"


    program_waits = container_step(
        name="program_waits",
        image="debian:12-slim",
        command=["sh", "-c", 'echo "program $$" >> "$0"; exec sleep 600', InputValue("journal")],
        inputs={"journal": str},
        outputs={},
    )

    fails_as_program = container_step(
        name="fails_as_program", image="debian:12-slim", command=["sh", "-c", "echo said; exit 3"], outputs={}
    )


    @step(secrets={"TOKEN": Secret(env="MY_TOKEN")})
    def leaks(fail: bool) -> str:
        print("the token is", os.environ["TOKEN"])
        print(f"{os.environ['TOKEN']}{os.environ['TOKEN']}", file=sys.stderr)
        os.system("echo from a program: $TOKEN")
        if fail:
            raise ValueError("refused: " + os.environ["TOKEN"])
        return "fine"


    @step
    def names(count: int) -> list[str]:
        return [f"n{number}" for number in range(count)]


    @step
    def greet(name: str, count: int) -> str:
        note(f"greet-{name}")
        if name == "n7":
            raise ValueError("not this one")
        return f"hello {name}"


    @step
    def gather(greetings: list[str]) -> int:
        return len(greetings)


    @step
    def seven() -> int:
        return 7


    @step
    def if_more() -> str:
        note("if_more")
        return "more"


    @step
    def if_less() -> str:
        note("if_less")
        return "less"


    @step
    def size_of(data: Path) -> int:
        return len(data.read_bytes())


    @step
    def writes(number: int) -> Path:
        place = Path("written.txt")
        place.write_text("x" * number)
        return place


    @step
    def writes_maybe(number: int) -> Path:
        return Path("pipe.py")


    @pipeline
    def main(
        number: int = 1, count: int = 3, flag: bool = False, text: str = "plain", ratio: float = 0.5,
        day: datetime.date = datetime.date(2013, 1, 1), point: Point = Point(1, 2.0), maybe: int | None = 5,
        fail: bool = False, journal: str = "",
    ) -> None:
        tells()
        ok(number)
        said(flag, text, ratio, day, point, maybe)
        raises()
        wrong_output()
        too_slow()
        needs_secret()
        needs_memory()
        dies()
        flaky()
        not_worth_it()
        never()
        slow_once()
        waits()
        waits_apart()
        program_waits(journal=journal)
        fails_as_program()
        leaks(fail)
        gather(map(lambda name: greet(name, count), names(count)))
        limit = seven()
        with when(limit > number) as more:
            if_more()
        with more.otherwise():
            if_less()
            writes_maybe(number)
        size_of(Artifact.from_uri("file:///not/there/at/all"))
        writes(number)
"""
PUBLISH = """
import sys
from crossdock import Client
client = Client()
plan = client.load("pipe.py").plan
client.store.create(f"plans/{plan.digest}.json", plan.to_json().encode())
print(plan.digest)
"""
_runs = (f"r1234567-{number:06}" for number in itertools.count())


class Platform:
    """Starts the command for one run of a published plan."""

    def __init__(self, project: Project, plan: Path, store: Path) -> None:
        self.project = project
        self.store_path = store
        (store / "plans").mkdir(parents=True, exist_ok=True)
        self.plan = f"{store}/plans/{plan.name}"
        Path(self.plan).write_bytes(plan.read_bytes())
        self.run = next(_runs)
        self.journal = project.folder / f"journal-{self.run}"
        self.journal.touch()
        self.env = {"JOURNAL": str(self.journal), "CROSSDOCK_STORE": str(store)}

    def another(self) -> Platform:
        """Another run in the same store."""
        return Platform(self.project, Path(self.plan), self.store_path)

    @property
    def store(self) -> Store:
        """The store."""
        return Store.open(self.store_path)

    @property
    def record(self) -> RunRecord:
        """The record of the run."""
        return RunRecord(self.store, self.run)

    def task(self, task: str, *index: int) -> TaskRecord:
        """The record of a task."""
        return self.record.task(task, index)

    def fact(self, task: str, name: str = "finished", attempt: int = 1) -> dict[str, Any]:
        """A fact of an attempt."""
        found = self.task(task).fact(attempt, name)
        assert found is not None
        return found

    def value(self, task: str, *index: int) -> Any:
        """The committed value of a task's only output."""
        result = self.task(task, *index).result()
        assert result is not None
        return result.outputs["output"].value

    def log(self, task: str, attempt: int = 1) -> str:
        """The stored log of an attempt."""
        return b"".join(self.task(task).log_chunks(attempt)).decode()

    def ran(self, what: str) -> int:
        """How often a step noted something."""
        return sum(line.startswith(f"{what} ") for line in lines(self.journal))

    def words(self, task: str, *more: str) -> list[str]:
        """The command line."""
        known = ["--contract", "1", "--plan", self.plan, "--task", task, "--run", self.run]
        return [sys.executable, "-m", "crossdock_runtime", *known, *more]

    def start(self, task: str, *more: str, env: dict[str, str] | None = None) -> subprocess.Popen[str]:
        """Start the command."""
        return self.project.start(*self.words(task, *more), env={**self.env, **(env or {})})

    def __call__(self, task: str, *more: str, env: dict[str, str] | None = None) -> Done:
        """Run the command."""
        return finish(self.start(task, *more, env=env))

    def bare(self, *words: str, env: dict[str, str] | None = None) -> Done:
        """Run the command with these words only."""
        return self.project.command(sys.executable, "-m", "crossdock_runtime", *words, env={**self.env, **(env or {})})


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> tuple[Project, Path]:
    project = Project(tmp_path_factory.mktemp("runtime"))
    project.write(SOURCE)
    done = project.command(sys.executable, "-c", PUBLISH)
    assert done.code == 0, str(done)
    return project, project.store_path / "plans" / f"{done.out.strip()}.json"


@pytest.fixture
def platform(published: tuple[Project, Path], tmp_path: Path) -> Platform:
    return Platform(*published, tmp_path / "store")


# Exit codes


def test_0_done(platform: Platform) -> None:
    done = platform("ok")
    assert done.code == 0, str(done)
    assert platform.value("ok") == 2
    assert platform.fact("ok")["state"] == "succeeded"
    again = platform("ok")
    assert (again.code, platform.ran("ok")) == (0, 1)
    assert "succeeded" in again.out


def test_0_cached(platform: Platform) -> None:
    assert platform("ok").code == 0
    other = platform.another()
    done = other("ok")
    assert (done.code, other.ran("ok")) == (0, 0)
    assert other.task("ok").attempts() == []
    result = other.task("ok").result()
    assert result is not None
    assert result.state == "cached"
    assert "ok: cached" in done.out


def test_10_user_code(platform: Platform) -> None:
    done = platform("raises")
    assert done.code == 10
    assert "ValueError: broken here" in done.err
    assert "crossdock_runtime" not in done.err
    assert 'in deeper\n    raise ValueError("broken here")' in done.err
    cause = platform.fact("raises")["cause"]
    assert (cause["kind"], cause["message"]) == ("user exception", "ValueError: broken here")
    assert platform.task("raises").result() is None


def test_10_a_program(platform: Platform) -> None:
    done = platform("fails-as-program")
    assert done.code == 10
    assert "exit code 3" in platform.fact("fails-as-program")["cause"]["message"]
    assert "said" in platform.log("fails-as-program")


def test_11_wrong_output(platform: Platform) -> None:
    assert platform("wrong-output").code == 11
    assert platform.fact("wrong-output")["cause"]["kind"] == "wrong output"


def test_11_code_that_is_not_there(platform: Platform, tmp_path: Path) -> None:
    done = platform("ok", env={"CROSSDOCK_PROJECT": str(tmp_path), "PYTHONSAFEPATH": "1"})
    assert done.code == 11, str(done)
    assert platform.fact("ok")["cause"]["kind"] == "import error"


def test_11_upstream_failed(platform: Platform) -> None:
    done = platform("gather")
    assert done.code == 11, str(done)
    assert "names" in done.out
    assert platform.task("gather").attempts() == []


def test_12_timed_out(platform: Platform) -> None:
    done = platform("too-slow")
    assert done.code == 12, str(done)
    cause = platform.fact("too-slow")["cause"]
    assert cause["kind"] == "timeout"
    assert "0.5 seconds" in cause["message"]


def test_30_no_secret(platform: Platform) -> None:
    done = platform("needs-secret")
    assert done.code == 30
    cause = platform.fact("needs-secret")["cause"]
    assert cause["kind"] == "missing secret"
    assert "TOKEN" in cause["message"]
    assert platform.ran("needs_secret") == 0


def test_30_no_memory(platform: Platform) -> None:
    assert platform("needs-memory").code == 30
    assert platform.fact("needs-memory")["cause"]["kind"] == "out of memory"


def test_30_killed(platform: Platform) -> None:
    done = platform("dies")
    assert done.code == 30, str(done)
    cause = platform.fact("dies")["cause"]
    assert cause["kind"] == "killed"
    assert "SIGKILL" in cause["message"]


def test_30_a_store_that_cannot_be_used(platform: Platform) -> None:
    name = Path(platform.plan).name
    root = platform.project.folder / "broken-store"
    (root / "plans").mkdir(parents=True)
    (root / "plans" / name).write_bytes(Path(platform.plan).read_bytes())
    (root / "runs").write_text("a file where a folder has to be")
    done = platform.bare("--contract", "1", "--plan", f"{root}/plans/{name}", "--task", "ok", "--run", "r1")
    assert done.code == 30, str(done)
    assert "Traceback" not in done.err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--task", "okk"], "no task 'okk'"),
        (["--task", ""], "--task"),
        (["--plan", "nowhere.json"], "<store>/plans/<sha256>.json"),
        (["--index", "1.x"], "'1.x'"),
        (["--shard", "3/3"], "'3/3'"),
        (["--shard", "a/b"], "'a/b'"),
        (["--param", "number"], "'number'"),
        (["--param", "nmber=1"], "nmber"),
        (["--param", "number=one"], "'one'"),
        (["--param", "point=[1"], "[1"),
        (["--param", "flag=perhaps"], "'perhaps'"),
        (["--emit", "nothing=/dev/null"], "'nothing'"),
    ],
    ids=str,
)
def test_20_bad_input(platform: Platform, words: list[str], said: str) -> None:
    done = platform("ok", *words)
    assert done.code == 20, str(done)
    assert said in done.err
    assert "Traceback" not in done.err


def test_20_an_index_that_there_is_not(platform: Platform) -> None:
    assert platform("names").code == 0
    for words in (["--index", "3"], ["--index", "0.1"], []):
        done = platform("greet", *words)
        assert done.code == 20, f"{words} {done}"
    assert platform.ran("greet-n0") == 0
    done = platform("ok", "--index", "0")
    assert done.code == 20, str(done)


def test_20_data_that_is_not_there(platform: Platform) -> None:
    done = platform("size-of")
    assert done.code == 20, str(done)
    assert "/not/there/at/all" in done.out + done.err


def test_credentials_of_the_store_are_no_secret_of_the_step_and_in_no_log(platform: Platform) -> None:
    done = platform("tells", env={"CROSSDOCK_STORE_SECRET_TOKEN": "of-the-store"})
    assert done.code == 0, str(done)
    assert platform.value("tells") == 0
    assert "said •••" in done.out
    assert "said •••" in platform.log("tells")


# Contract and plan


@pytest.mark.parametrize(("number", "older"), [("2", "image"), ("10", "image"), ("0", "spec"), ("", "spec")])
def test_another_contract(platform: Platform, number: str, older: str) -> None:
    done = platform("ok", "--contract", number)
    assert done.code == 20
    assert f"the {older} is the older side" in done.err
    assert platform.record.document() is None


def test_a_plan_that_was_changed(platform: Platform) -> None:
    folder = platform.project.folder / "tampered" / "plans"
    folder.mkdir(parents=True, exist_ok=True)
    text = Path(platform.plan).read_text()
    changed = folder / Path(platform.plan).name
    changed.write_text(text.replace('"text":"plain"', '"text":"other"') + " ")
    done = platform("ok", "--plan", str(changed))
    assert done.code == 20
    assert "not the one that its name says" in done.err
    assert platform.ran("ok") == 0


def test_a_plan_that_is_not_there(platform: Platform) -> None:
    done = platform("ok", "--plan", platform.plan.replace(".json", "0.json"))
    assert done.code == 30
    assert "Traceback" not in done.err


def test_a_variable_names_the_store(platform: Platform) -> None:
    digest = Path(platform.plan).name
    done = platform("ok", "--plan", f"$CROSSDOCK_STORE/plans/{digest}")
    assert done.code == 0, str(done)
    assert platform.value("ok") == 2


# Arguments


def test_every_argument_has_a_twin_in_the_environment(platform: Platform) -> None:
    env = {
        "CROSSDOCK_CONTRACT": "1",
        "CROSSDOCK_PLAN": platform.plan,
        "CROSSDOCK_RUN": platform.run,
        "CROSSDOCK_NATIVE_ID": "workflow-uid",
    }
    done = platform.bare(env={**env, "CROSSDOCK_TASK": "names"})
    assert done.code == 0, str(done)
    assert platform.value("names") == ["n0", "n1", "n2"]
    assert platform.fact("names", "started")["native_id"] == "workflow-uid"
    assert platform.bare(env={**env, "CROSSDOCK_TASK": "greet", "CROSSDOCK_INDEX": "1"}).code == 0
    assert platform.value("greet", 1) == "hello n1"
    assert platform.bare(env={**env, "CROSSDOCK_TASK": "greet", "CROSSDOCK_SHARD": "0/2"}).code == 0
    assert [platform.task("greet", number).result() is not None for number in range(3)] == [True, True, True]
    assert [platform.ran(f"greet-n{number}") for number in range(3)] == [1, 1, 1]


def test_an_argument_wins_over_its_twin(platform: Platform) -> None:
    assert platform("ok", env={"CROSSDOCK_TASK": "raises", "CROSSDOCK_RUN": "r0"}).code == 0
    assert platform.value("ok") == 2


@pytest.mark.parametrize(
    ("texts", "wanted"),
    [
        ([], "(False, 'plain', 0.5, DAY, POINT, 5)"),
        (["flag=true", "text=a=b, c", "ratio=1"], "(True, 'a=b, c', 1.0, DAY, POINT, 5)"),
        (["flag=False", "text=", "ratio=-1e-3"], "(False, '', -0.001, DAY, POINT, 5)"),
        (["text=12", "ratio=inf", "maybe="], "(False, '12', inf, DAY, POINT, None)"),
        (["text=ü \n'", "maybe=7"], '(False, "ü \\n\'", 0.5, DAY, POINT, 7)'),
    ],
)
def test_parameters(platform: Platform, texts: list[str], wanted: str) -> None:
    done = platform("said", *(word for text in texts for word in ("--param", text)))
    assert done.code == 0, str(done)
    wanted = wanted.replace("DAY", "datetime.date(2013, 1, 1)").replace("POINT", "Point(x=1, y=2.0)")
    assert platform.value("said") == wanted


def test_a_parameter_that_is_no_scalar_comes_as_json(platform: Platform) -> None:
    """As it stands in the record of a run that was started with it."""
    done = platform.project.crossdock("run", "pipe.py", "-p", 'point={"x": 3, "y": 4}', "-p", "day=2014-02-03",
                                      "--run-id", f"{platform.run}x", env=platform.env)  # fmt: skip
    document = RunRecord(platform.store, f"{platform.run}x").document()
    assert document is not None, str(done)
    found = document["parameters"]
    words = [word for name in ("point", "day") for word in ("--param", f"{name}={json.dumps(found[name])}")]
    assert platform("said", *words).code == 0
    assert "datetime.date(2014, 2, 3), Point(x=3, y=4.0)" in platform.value("said")


# Maps, gates, emit


def test_items_and_shards(platform: Platform) -> None:
    more = ["--param", "count=5"]
    assert platform("names", *more).code == 0
    assert platform("greet", "--shard", "1/2", *more).code == 0
    assert [platform.task("greet", number).result() is not None for number in range(5)] == [
        False, True, False, True, False,
    ]  # fmt: skip
    assert platform("greet", "--shard", "0/2", *more).code == 0
    assert platform("greet", "--shard", "7/8", *more).code == 0  # an idle shard
    assert platform("gather", *more).code == 0
    assert platform.value("gather") == 5
    assert platform.value("greet", 4) == "hello n4"


def test_a_shard_with_a_failed_item(platform: Platform) -> None:
    more = ["--param", "count=9"]
    assert platform("names", *more).code == 0
    assert platform("greet", "--shard", "0/1", *more).code == 10
    assert platform.task("greet", 6).result() is not None
    assert platform.task("greet", 7).result() is None
    assert platform.task("greet", 8).result() is None, "it finds the run stopped, as it would beside the shard"


def test_emit(platform: Platform, tmp_path: Path) -> None:
    plan = json.loads(Path(platform.plan).read_text())
    (scope,) = [name for name, body in scopes(plan) if "items" in json.dumps(body) and "gate" not in body]
    place = tmp_path / "deep" / "items"
    assert platform("names", "--emit", f"{scope}={place}").code == 0
    assert json.loads(place.read_text()) == ["0", "1", "2"]
    (gate,) = gates(plan)
    for number, text in ((1, "true"), (7, "false")):
        other = platform.another()
        place = tmp_path / f"gate-{number}"
        done = other("seven", "--param", f"number={number}", "--emit", f"{gate}={place}")
        assert done.code == 0, str(done)
        assert place.read_text() == text
        for task, wanted in (("if-more", "true"), ("if-less", "false")):
            assert other(task, "--param", f"number={number}").code == 0
            result = other.task(task).result()
            assert result is not None
            assert (result.state == "skipped") == (text != wanted)
        assert other.ran("if_more") + other.ran("if_less") <= 1


def scopes(plan: Any) -> list[tuple[str, Any]]:
    found = plan["scopes"]
    return list(found.items()) if isinstance(found, dict) else [(body["id"], body) for body in found]


def gates(plan: Any) -> list[str]:
    found = plan["gates"]
    return list(found) if isinstance(found, dict) else [body["id"] for body in found]


# Attempts


def test_retries_wait_longer_each_time(platform: Platform) -> None:
    assert platform("flaky").code == 0
    assert platform.value("flaky") == "came through"
    assert platform.task("flaky").attempts() == [1, 2, 3, 4]
    states = [platform.fact("flaky", attempt=number)["state"] for number in range(1, 5)]
    assert states == ["failed", "failed", "failed", "succeeded"]

    def moment(attempt: int, fact: str) -> datetime.datetime:
        return datetime.datetime.fromisoformat(platform.fact("flaky", fact, attempt)[fact])

    waits = [(moment(n + 1, "started") - moment(n, "finished")).total_seconds() for n in (1, 2, 3)]
    assert [wait >= least for wait, least in zip(waits, (0.048, 0.098, 0.198), strict=True)] == [True] * 3, waits


def test_an_error_that_is_not_worth_another_attempt(platform: Platform) -> None:
    assert platform("not-worth-it").code == 10
    assert platform.ran("not_worth_it") == 1


def test_a_timeout_is_for_one_attempt(platform: Platform) -> None:
    assert platform("slow-once").code == 0
    assert platform.value("slow-once") == 2
    assert platform.fact("slow-once")["cause"]["kind"] == "timeout"


def test_spent_attempts_are_not_run_again(platform: Platform) -> None:
    assert platform("never").code == 10
    assert platform.ran("never") == 3
    again = platform("never")
    assert again.code == 10
    assert "attempt 3" in again.out
    assert platform.ran("never") == 3
    assert platform.task("never").attempts() == [1, 2, 3]


@pytest.mark.parametrize(("task", "code"), [("raises", 10), ("wrong-output", 11), ("too-slow", 12)])
def test_the_recorded_code_is_given_again(platform: Platform, task: str, code: int) -> None:
    assert platform(task).code == code
    assert platform(task).code == code
    assert platform.task(task).attempts() == [1]


def test_a_machine_that_dies_costs_no_attempt_but_not_for_ever(platform: Platform) -> None:
    codes = []
    for _ in range(12):
        process = platform.start("waits")
        wait_for(lambda: platform.ran("waits") or process.poll() is not None, "the step")  # noqa: B023
        if platform.ran("waits"):
            os.killpg(process.pid, signal.SIGKILL)
            platform.journal.write_text("")
        codes.append(finish(process).code)
        if codes[-1] != -signal.SIGKILL:
            break
    assert len(codes) >= 3, "a second attempt is needed after the first was lost"
    assert codes[-1] == 30, codes
    assert platform.task("waits").attempts() == list(range(1, len(codes)))


# SIGTERM


@pytest.mark.parametrize("task", ["waits", "waits-apart", "program-waits"])
def test_sigterm(platform: Platform, task: str) -> None:
    noted = {"waits": "waits", "waits-apart": "waits_apart", "program-waits": "program"}[task]
    more = ["--param", f"journal={platform.journal}"]
    process = platform.start(task, *more)
    wait_for(lambda: platform.ran(noted), "the step")
    (pid,) = [int(line.split()[1]) for line in lines(platform.journal)]
    process.terminate()
    done = finish(process)
    assert done.code == 30, str(done)
    wait_for(lambda: not alive(pid), "the end of the step's process")
    finished = platform.fact(task)
    assert finished["state"] in ("cancelled", "failed")
    assert finished["cause"]["kind"] in ("terminated", "cancelled")
    assert platform.task(task).result() is None
    if task != "program-waits":
        assert platform(task).code == 0  # the platform starts it again
        assert platform.task(task).attempts() == [1, 2]


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    shown = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, timeout=LIMIT)
    return not shown.stdout.startswith("Z") and bool(shown.stdout.strip())


# Logs and secrets


def test_log_lines_have_time_and_task(platform: Platform) -> None:
    done = platform("ok")
    printed = [line.split(" ", 3) for line in done.out.splitlines() if " | " in line]
    assert [(place, bar, text) for _, place, bar, text in printed] == [("ok", "|", "one 1"), ("ok", "|", "two")]
    stored = [line.split(" ", 1) for line in platform.log("ok").splitlines()]
    assert [text for _, text in stored] == ["one 1", "two"]
    for time, *_ in [*printed, *stored]:
        assert datetime.datetime.fromisoformat(time).tzinfo is not None
    assert platform("names").code == 0
    done = platform("greet", "--index", "2")
    assert any(line.split(" ")[1] == "greet.2:" for line in done.out.splitlines()), done.out


@pytest.mark.parametrize("fail", ["false", "true"])
def test_secrets_are_blanked(platform: Platform, fail: str) -> None:
    secret = "s3cret-of-mine"
    done = platform("leaks", "--param", f"fail={fail}", env={"MY_TOKEN": secret})
    assert done.code == (10 if fail == "true" else 0), str(done)
    assert secret not in done.out + done.err
    assert "the token is •••" in done.out
    stored = [path for path in platform.store_path.rglob("*") if path.is_file() and platform.run in str(path)]
    assert stored
    assert [path for path in stored if secret.encode() in path.read_bytes()] == []
    log = platform.log("leaks")
    assert "the token is •••" in log
    assert "••••••" in log
    assert "from a program: •••" in log


# After a failure


def test_a_failure_stops_the_run(platform: Platform) -> None:
    assert platform("raises").code == 10
    done = platform("ok")
    assert (done.code, platform.ran("ok")) == (11, 0), str(done)
    assert "the run was stopped" in done.out
    assert platform("raises").code == 10, "the recorded code is given again, stopped or not"


def test_what_the_platform_may_start_again_stops_nothing(platform: Platform) -> None:
    assert platform("needs-memory").code == 30
    assert platform("ok").code == 0


def test_a_failed_task_emits_nothing(platform: Platform, tmp_path: Path) -> None:
    place = tmp_path / "items"
    assert platform("raises", "--emit", f"map-1={place}").code == 10
    assert not place.exists()


# What KFP's platforms are told of artifacts


def executor_input(root: Path, *names: str) -> str:
    """As the launcher writes it."""
    artifacts = {
        name: {"artifacts": [{"name": name, "type": {"schemaTitle": "system.Artifact"}, "uri": f"{root}/{name}"}]}
        for name in names
    }
    outputs = {"outputFile": f"{root}/deep/output_metadata.json", "artifacts": artifacts}
    return json.dumps({"inputs": {"parameterValues": {"number": 3}}, "outputs": outputs})


def executor_output(root: Path) -> dict[str, Any]:
    """What was written, as strictly as the launcher reads it."""
    from google.protobuf import json_format
    from kfp.pipeline_spec import pipeline_spec_pb2 as protos

    text = (root / "deep" / "output_metadata.json").read_text()
    json_format.Parse(text, protos.ExecutorOutput())
    found: dict[str, Any] = json.loads(text)
    return found


def test_references_of_artifacts(platform: Platform, tmp_path: Path) -> None:
    done = platform("writes", "--param", "number=3", "--executor-input", executor_input(tmp_path / "place", "output"))
    assert done.code == 0, str(done)
    (found,) = executor_output(tmp_path / "place")["artifacts"]["output"]["artifacts"]
    result = platform.task("writes").result()
    assert result is not None
    manifest = result.outputs["output"]
    assert found["uri"] == f"{tmp_path}/place/output"
    assert found["metadata"] == {
        "uri": f"{platform.store.url.rstrip('/')}/{manifest.uri}",
        "digest": manifest.digest,
        "size": manifest.size,
        "type": manifest.type,
    }
    assert json.loads((tmp_path / "place" / "output").read_text()) == found["metadata"]


def test_a_skipped_task_lists_its_artifacts_too(platform: Platform, tmp_path: Path) -> None:
    assert platform("seven", "--param", "number=3").code == 0
    done = platform("writes-maybe", "--param", "number=3", "--executor-input", executor_input(tmp_path, "output"))
    assert done.code == 0, str(done)
    (found,) = executor_output(tmp_path)["artifacts"]["output"]["artifacts"]
    assert found["metadata"] == {"skipped": True}


def test_a_reference_that_cannot_be_written_fails_no_task(platform: Platform, tmp_path: Path) -> None:
    (tmp_path / "deep").write_text("a file, where a folder is to be")
    done = platform("writes", "--executor-input", executor_input(tmp_path, "output"))
    assert done.code == 0, str(done)
    assert "the platform is not told of an artifact" in done.err
    done = platform("writes", "--executor-input", "{{$}}")
    assert done.code == 20
    assert "ExecutorInput" in done.err
    assert "Traceback" not in done.err
