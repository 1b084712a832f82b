"""Runs on a real Docker Engine: how containers end, and what they leave."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import docker_engine
import docker_stack
import pytest
from docker_stack import DockerProject
from running import CROSSDOCK, finish, wait_for

from crossdock_runtime.state import read_state

HEAD = """
    import os, sys, time
    from pathlib import Path
    from crossdock import Resources, Retry, Secret, Settings, container_step, map, pipeline, step, OutputPath, InputPath
"""


class Engine:
    """The docker command line, for what the code under test left."""

    def __init__(self, host: str) -> None:
        self._docker = [docker_engine.docker_program(), "-H", host]

    def __call__(self, *words: str) -> str:
        return subprocess.run([*self._docker, *words], capture_output=True, text=True, check=True).stdout.strip()

    def left(self) -> list[str]:
        """Names of all containers of ours."""
        return self("ps", "-a", "--filter", "label=crossdock.run", "--format", "{{.Names}}").split()


@pytest.fixture
def engine(use_docker: str, runtime_image: str) -> Iterator[Engine]:
    """The engine; a test that leaves a container fails."""
    found = Engine(use_docker)
    yield found
    assert found.left() == []


@pytest.fixture
def project(tmp_path: Path, engine: Engine) -> DockerProject:
    """A project with the stack `docker`."""
    return DockerProject(tmp_path)


def test_resources_are_those_of_the_container(project: DockerProject) -> None:
    project.write(
        HEAD
        + """
    def limit(*names):
        return next(Path(name).read_text().split() for name in names if Path(name).exists())

    @step(resources=Resources(cpu=0.5, memory="128Mi", shm="32Mi"), env={"MODE": "it's $HOME"}, labels={"team": "a"})
    def look() -> dict[str, str]:
        memory = limit("/sys/fs/cgroup/memory/memory.limit_in_bytes", "/sys/fs/cgroup/memory.max")[0]
        cpu = limit("/sys/fs/cgroup/cpu/cpu.cfs_quota_us", "/sys/fs/cgroup/cpu.max")[0]
        shm = os.statvfs("/dev/shm")
        return {"memory": memory, "cpu": cpu, "shm": str(shm.f_blocks * shm.f_frsize), "mode": os.environ["MODE"],
                "user": str(os.getuid())}

    @pipeline
    def looks() -> dict[str, str]:
        return look()
    """
    )
    done = project.run()
    assert done.code == 0, str(done)
    assert done.document["tasks"]["look"]["outputs"]["output"]["value"] == {
        "memory": str(128 * 2**20),
        "cpu": "50000",
        "shm": str(32 * 2**20),
        "mode": "it's $HOME",
        "user": str(os.getuid()),
    }
    assert all(file.stat().st_uid == os.getuid() for file in project.store_path.rglob("*"))


BAD_ENDS = {
    "exception": ("raise ValueError('no')", 1, "user exception", "ValueError: no"),
    "memory": ("data = bytearray(2**30); print(len(data))", 1, "out of memory", "more than its memory, 64m"),
    "killed": ("os.kill(os.getpid(), 9)", 1, "killed", "killed (SIGKILL)"),
    "vanished": ("import ctypes; ctypes.CDLL(None)._exit(0)", 1, "killed", "exit code 0 and no word of its task"),
    "exits": ("import ctypes; ctypes.CDLL(None)._exit(3)", 1, "killed", "exit code 3"),
}


@pytest.mark.parametrize("how", BAD_ENDS)
def test_a_task_that_ends_badly(project: DockerProject, how: str) -> None:
    body, attempts, kind, says = BAD_ENDS[how]
    project.write(
        HEAD
        + f"""
    @step(resources=Resources(memory="64Mi"))
    def bad() -> int:
        {body}
        return 1

    @step
    def after(value: int) -> int:
        return value

    @pipeline
    def ends() -> int:
        return after(bad())
    """
    )
    done = project.run()
    assert done.code == 1, str(done)
    found = done.document["tasks"]["bad"]
    assert (found["state"], found["attempts"], found["cause"]["kind"]) == ("failed", attempts, kind)
    assert says in found["cause"]["message"]
    assert done.document["tasks"]["after"]["state"] == "upstream_failed"
    assert says in project.crossdock("runs", "show", "latest", "--stack", "docker").out.splitlines()[0]


def test_memory_in_a_child_process_is_told_too(project: DockerProject) -> None:
    """A step with a time limit runs in a child of the container's process, which outlives it."""
    project.write(
        HEAD
        + """
    @step(resources=Resources(memory="96Mi"), timeout=60)
    def bad() -> int:
        return len(bytearray(2**30))

    @pipeline
    def ends() -> int:
        return bad()
    """
    )
    found = project.run().document["tasks"]["bad"]
    assert found["cause"]["kind"] == "out of memory", found


def test_a_lost_container_is_tried_again_where_the_stack_says_so(project: DockerProject) -> None:
    project.configure(retries=2, volumes=[f"{project.folder}:{docker_stack.PROJECT}", f"{project.folder}:/marks"])
    project.write(
        HEAD
        + """
    @step
    def lost() -> int:
        marks = Path("/marks/mark")
        if not marks.exists():
            marks.touch()
            os.kill(os.getpid(), 9)
        return 7

    @pipeline
    def ends() -> int:
        return lost()
    """
    )
    done = project.run()
    assert done.code == 0, str(done)
    assert done.document["tasks"]["lost"]["attempts"] == 2


def test_secrets_are_handed_over_and_shown_nowhere(project: DockerProject) -> None:
    project.write(
        HEAD
        + """
    @step(secrets={"TOKEN": Secret(env="MY_TOKEN")})
    def use() -> int:
        print("the token is", os.environ["TOKEN"])
        return len(os.environ["TOKEN"])

    @pipeline
    def uses() -> int:
        return use()
    """
    )
    done = project.run(env={"MY_TOKEN": "s3cr3t-of-mine"})
    assert done.code == 0, str(done)
    assert done.document["tasks"]["use"]["outputs"]["output"]["value"] == 14
    assert "s3cr3t" not in f"{done}"
    assert "the token is •••" in done.err
    done = project.run("--no-cache")
    assert done.code == 1
    assert done.document["tasks"]["use"]["cause"]["kind"] == "missing secret"
    texts = [file.read_bytes() for file in project.store_path.rglob("*") if file.is_file()]
    assert not [text for text in texts if b"s3cr3t" in text]


SLOW = (
    HEAD
    + """
    @step
    def slow(number: int) -> int:
        print("started", flush=True)
        time.sleep(300)
        return number

    @pipeline
    def slowly() -> list[int]:
        return total(map(slow, [1, 2, 3]))

    @step
    def total(numbers: list[int]) -> list[int]:
        return numbers
"""
)


def wait_for_tasks(project: DockerProject) -> None:
    """Until the three of `SLOW` run."""
    pattern = "runs/*/tasks/slow/*/attempts/1/started.json"
    wait_for(lambda: len(list(project.store_path.glob(pattern))) == 3, "three tasks")


@pytest.mark.parametrize("how", ["interrupt", "cancel"])
def test_what_is_stopped_leaves_nothing(project: DockerProject, engine: Engine, how: str) -> None:
    project.write(SLOW)
    process = project.start(CROSSDOCK, "run", "pipe.py", "--stack", "docker", "--run-id", "stopped")
    wait_for_tasks(project)
    if how == "interrupt":
        process.send_signal(signal.SIGINT)
    else:
        assert project.crossdock("runs", "cancel", "stopped", "--stack", "docker").code == 0
    done = finish(process)
    assert done.code == 1, str(done)
    assert engine.left() == []
    state = read_state(project.store, "stopped")
    assert state.status == "cancelled"
    assert {task.state for task in state.tasks} <= {"cancelled", "upstream_failed", "pending"}


def test_a_container_in_the_network_of_the_host_is_not_taken_for_a_process_of_it(project: DockerProject) -> None:
    """It has the host's name, and process ids of its own."""
    project.configure(network="host")
    project.write(SLOW)
    process = project.start(CROSSDOCK, "run", "pipe.py", "--stack", "docker", "--run-id", "beside")
    wait_for_tasks(project)
    shown = project.crossdock("runs", "show", "beside", "--json").document["tasks"]
    assert {body["state"] for name, body in shown.items() if name.startswith("slow.")} == {"running"}
    process.send_signal(signal.SIGINT)
    finish(process)


def test_a_driver_that_was_killed_leaves_containers_that_the_next_one_removes(
    project: DockerProject, engine: Engine
) -> None:
    project.write(SLOW)
    process = project.start(CROSSDOCK, "run", "pipe.py", "--stack", "docker", "--run-id", "killed")
    wait_for_tasks(project)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    assert len(engine.left()) == 3
    project.write(SLOW.replace("time.sleep(300)", "time.sleep(0)"))
    done = project.run("--resume", "killed", "--accept-changes")
    assert done.code == 0, str(done)
    assert "lost" in project.crossdock("runs", "show", "killed", "--stack", "docker").out


def test_a_container_that_is_killed_while_it_writes(project: DockerProject, engine: Engine) -> None:
    """Half an artifact is never read: the run that resumes makes it anew."""
    project.write(
        HEAD
        + """
    from crossdock import scratch

    @step
    def first() -> int:
        return 1

    @step
    def write(number: int) -> Path:
        folder = scratch()
        for name in range(400):
            (folder / str(name)).write_bytes(bytes([number]) * 200_000)
        print("written", flush=True)
        return folder

    @step
    def read(folder: Path) -> int:
        return sum(file.stat().st_size for file in folder.iterdir())

    @pipeline
    def writes() -> int:
        return read(write(first()))
    """
    )
    process = project.start(CROSSDOCK, "run", "pipe.py", "--stack", "docker", "--run-id", "half")
    wait_for(lambda: any(project.store_path.glob("data/half/write/1/output/*")), "the first file")
    engine("kill", *[name for name in engine.left() if "-write-" in name])
    done = finish(process)
    assert done.code == 1, str(done)
    assert "killed (SIGKILL)" in done.err + done.out
    done = project.run("--resume", "half")
    assert done.code == 0, str(done)
    assert done.document["tasks"]["first"]["state"] == "cached"
    assert done.document["tasks"]["read"]["outputs"]["output"]["value"] == 400 * 200_000


def test_container_steps_in_an_image_without_python(project: DockerProject, engine: Engine, tmp_path: Path) -> None:
    """Files and folders go in and come out; they belong to who runs the pipeline."""
    (tmp_path / "program").mkdir()
    dockerfile = f"FROM {docker_engine.BASE_IMAGE}\nRUN rm -f /usr/bin/python* && useradd other\nUSER other\n"
    docker_stack.build(os.environ["DOCKER_HOST"], "crossdock-test/program:1", tmp_path / "program", dockerfile)
    project.write(
        HEAD
        + """
    from crossdock import scratch

    @step
    def make() -> Path:
        folder = scratch()
        (folder / "b").mkdir()
        (folder / "b" / "two words.txt").write_text("two")
        (folder / "a.txt").write_text("one")
        return folder

    pack = container_step(
        name="pack", image="crossdock-test/program:1", command=["sh", "-ec"],
        args=['whoami; mkdir -p "$1/x"; cp -r "$0" "$1/x"; du -a "$1" >&2', InputPath("folder"), OutputPath("packed")],
        inputs={"folder": Path}, outputs={"packed": Path},
    )
    fail = container_step(
        name="fail", image="crossdock-test/program:1", command=["sh", "-ec", "echo about to fail; exit 7"],
        retry=Retry(max_attempts=2, delay=0.0), inputs={"after": str}, outputs={}, args=["x"],
    )

    @step
    def names(folder: Path) -> str:
        return " ".join(sorted(str(file.relative_to(folder)) for file in folder.rglob("*.txt")))

    @pipeline
    def packs(bad: bool = False) -> str:
        found = names(pack(folder=make()))
        fail(after=found)
        return found
    """
    )
    done = project.run()
    tasks = done.document["tasks"]
    assert tasks["pack"]["state"] == "succeeded", str(done)
    assert tasks["names"]["outputs"]["output"]["value"] == "x/folder/a.txt x/folder/b/two words.txt"
    assert "pack | other" in done.err
    assert (tasks["fail"]["state"], tasks["fail"]["attempts"]) == ("failed", 2)
    assert tasks["fail"]["cause"]["message"] == "'sh' ended with exit code 7"
    assert all(file.stat().st_uid == os.getuid() for file in project.store_path.rglob("*"))


def test_a_container_step_whose_program_is_not_in_its_image(project: DockerProject) -> None:
    project.write(
        HEAD
        + f"""
    image = "{docker_engine.BASE_IMAGE}"
    none = container_step(name="none", image=image, command=["nosuch"], inputs={{}}, outputs={{}})

    @pipeline
    def nothing() -> None:
        none()
    """
    )
    cause = project.run().document["tasks"]["none"]["cause"]
    assert cause["kind"] == "program failed"
    assert cause["message"].startswith("'nosuch' cannot be started")
    assert "crossdock build" not in cause.get("hint", "")


def test_a_container_step_out_of_time(project: DockerProject) -> None:
    project.write(
        HEAD
        + f"""
    slow = container_step(
        name="slow", image="{docker_engine.BASE_IMAGE}", command=["sleep", "300"], timeout=1.0,
        inputs={{}}, outputs={{}},
    )

    @pipeline
    def slowly() -> None:
        slow()
    """
    )
    found = project.run().document["tasks"]["slow"]
    assert found["cause"]["kind"] == "timeout"
    assert "longer than 1 seconds" in found["cause"]["message"]


def test_replay_in_the_image_of_the_task(project: DockerProject, engine: Engine) -> None:
    """A run of this machine, one task of it again in a container: nothing but the scratch run changes."""
    project.write(
        HEAD
        + """
    @step
    def give() -> int:
        return 20

    @step
    def where(value: int) -> str:
        return f"{value + 1} {os.path.exists('/.dockerenv')}"

    @pipeline
    def replays() -> str:
        return where(give())
    """
    )
    assert project.crossdock("run", "pipe.py", "--run-id", "here").code == 0
    before = {file for file in project.store_path.rglob("*") if file.is_file()}
    done = project.crossdock("runs", "replay", "here", "where", "--stack", "docker")
    assert done.code == 0, str(done)
    scratch = done.out.split()[-1]
    logs = project.crossdock("runs", "outputs", scratch, "--json")
    assert logs.code == 0, str(logs)
    assert json.loads(logs.out)["where.output"]["value"] == "21 True"
    after = {file for file in project.store_path.rglob("*") if file.is_file()} - before
    assert {str(file.relative_to(project.store_path)).split("/")[0] for file in after} <= {"runs", "plans"}
    assert all("replay-" in str(file) or "/plans/" in str(file) for file in after)


def errors(project: DockerProject, **environment: str) -> tuple[int, str]:
    done = project.run(env=environment)
    assert not list(project.store_path.glob("runs/*")), "a run was recorded that could not start"
    return done.code, done.err


def test_what_is_in_the_way_is_said_before_anything_is_written(project: DockerProject, tmp_path: Path) -> None:
    project.write(
        HEAD
        + """
    @step(resources=Resources(cpu=500, memory="9000Gi"))
    def big() -> int:
        return os.cpu_count()

    @pipeline
    def bigs() -> int:
        return big()
    """
    )
    code, said = errors(project)
    assert code == 2, said
    assert "[too-large]" in said
    assert "cpu=500" in said
    code, said = errors(project, DOCKER_HOST=f"unix://{tmp_path}/nowhere.sock")
    assert code == 3
    assert "[engine-unreachable]" in said
    assert "set DOCKER_HOST" in said
    done = project.crossdock("doctor", "--stack", "docker", env={"DOCKER_HOST": f"unix://{tmp_path}/nowhere.sock"})
    assert done.code == 1
    assert "! docker: compiles" in done.out
    assert "[engine-unreachable]" in done.out or "cannot be reached" in done.out
    assert "✓ docker: compiles and runs" in project.crossdock("doctor", "--stack", "docker").out
    project.configure(cap_resources=True, network="no-such-network")
    code, said = errors(project)
    assert code == 2
    assert "docker network create no-such-network" in said
    project.configure(cap_resources=True, image="127.0.0.1:9/nobody/nothing:1")
    code, said = errors(project)
    assert code == 3
    assert "127.0.0.1:9/nobody/nothing:1" in said
    project.configure(cap_resources=True, image="crossdock/somebodys:1")
    code, said = errors(project)
    assert code == 3
    assert "[image-missing]" in said, "the name may be somebody else's in a registry"
    project.configure(cap_resources=True)
    done = project.run()
    assert done.code == 0, str(done)


@pytest.mark.parametrize(
    ("dockerfile", "says"),
    [
        (f"FROM {docker_engine.BASE_IMAGE}\n", "holds no Crossdock runtime"),
        (f"FROM {docker_engine.BASE_IMAGE}\nRUN rm -f /usr/bin/python*\n", "has no 'python'"),
    ],
)
def test_an_image_that_cannot_run_a_step(project: DockerProject, tmp_path: Path, dockerfile: str, says: str) -> None:
    (tmp_path / "image").mkdir()
    docker_stack.build(os.environ["DOCKER_HOST"], "crossdock-test/poor:1", tmp_path / "image", dockerfile)
    project.configure(image="crossdock-test/poor:1")
    project.write(
        HEAD
        + """
    @step
    def one() -> int:
        return 1

    @pipeline
    def ones() -> int:
        return one()
    """
    )
    found = project.run().document["tasks"]["one"]
    assert found["state"] == "failed"
    assert found["cause"]["kind"] == "import error"
    assert says in found["cause"]["message"]
    assert "crossdock build" in found["cause"]["hint"]
