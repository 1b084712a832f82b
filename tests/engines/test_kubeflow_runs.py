"""Runs on Kubeflow Pipelines: from `crossdock submit` to results, against the vendor's contract on loopback."""

from __future__ import annotations

import json
import time
import urllib.parse
import urllib.request
import uuid
from collections.abc import Iterator
from dataclasses import replace
from email.utils import formatdate
from pathlib import Path
from typing import Any

import kfp_server
import pytest
import secret_servers
from kfp_platform import Platform
from kfp_server import Fault, KfpServer
from running import Done, Project, wait_for

from crossdock.client import Client
from crossdock.dsl.errors import BadInput, PlatformError
from crossdock.stacks import NativeRun, NativeTask, RunHandle, Stack
from crossdock_adapters.orchestrators.kubeflow import KubeflowConfig, KubeflowOrchestrator
from crossdock_adapters.orchestrators.kubeflow.client import Server

PIPE = """
    from crossdock import map, on_exit, pipeline, step, when

    @step
    def numbers(n: int, text: str) -> list[int]:
        print("numbers of", text)
        return list(range(n))

    @step
    def double(x: int) -> int:
        return 2 * x

    @step
    def total(xs: list[int]) -> int:
        return sum(xs)

    @step
    def is_large(x: int) -> bool:
        return x > 1000

    @step
    def celebrate(x: int) -> int:
        return x

    @step
    def bye() -> None:
        print("bye")

    @pipeline
    def doubled(n: int = 3, text: str = 'plain "text"', rate: float = 0.5, seeds: list[int] = [1, 2]) -> int:
        on_exit(bye)
        found = total(map(double, numbers(n, text)))
        with when(is_large(found)):
            celebrate(found)
        return found
"""


@pytest.fixture(scope="module")
def bucket_server() -> Iterator[str]:
    with secret_servers.moto() as url:
        yield url


@pytest.fixture
def project(bucket_server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A project with a bucket, and a stack whose orchestrator lacks its host."""
    bucket = f"kfp-{uuid.uuid4().hex[:8]}"
    urllib.request.urlopen(urllib.request.Request(f"{bucket_server}/{bucket}", method="PUT")).close()
    for name, value in ENV.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    found = Project(tmp_path)
    found.write(PIPE)
    found.write(
        f"flavor: s3\nconfig:\n  uri: s3://{bucket}/team\n  allow_http: true\n  endpoint: {bucket_server}\n"
        "  region: us-east-1\n",
        ".crossdock/components/artifact_store/bucket.yaml",
    )
    found.write("components:\n  orchestrator: kfp\n  artifact_store: bucket\n", ".crossdock/stacks/kfp.yaml")
    found.env["CROSSDOCK_STACK"] = "kfp"
    return found


ENV = {"AWS_ACCESS_KEY_ID": "me", "AWS_SECRET_ACCESS_KEY": "mine", "AWS_REGION": "us-east-1"}


@pytest.fixture
def server() -> KfpServer:
    return KfpServer(Platform(ENV))


@pytest.fixture
def url(server: KfpServer, project: Project) -> Iterator[str]:
    with kfp_server.serving(server) as found:
        configure(project, host=found)
        yield found


def configure(project: Project, **config: Any) -> None:
    lines = [f"  {name}: {value}\n" for name, value in {"image": "python:3.11", "packaging": "code", **config}.items()]
    project.write("flavor: kubeflow\nconfig:\n" + "".join(lines), ".crossdock/components/orchestrator/kfp.yaml")


def stack_of(project: Project) -> Stack:
    return Client("kfp", project=project.folder).stack


def ok(done: Done) -> Done:
    assert done.code == 0, str(done)
    return done


def handle_of(project: Project, run: str) -> RunHandle:
    return RunHandle(**json.loads(Client("kfp", project=project.folder).store.read(f"runs/{run}/handle.json")))


def orchestrator_of(project: Project) -> Any:
    return stack_of(project).orchestrator


def native(project: Project, run: str) -> NativeRun:
    stack = stack_of(project)
    found: NativeRun = stack.orchestrator.status(handle_of(project, run), stack)  # type: ignore[attr-defined]
    return found


def submit(project: Project, *words: str, code: int = 0) -> str:
    """`crossdock submit pipe.py …`: the run id, or what it says on stderr."""
    done = project.crossdock("submit", "pipe.py", *words)
    assert done.code == code, str(done)
    if code == 1:
        return str(next(iter(ok(project.crossdock("runs", "list", "--json")).document))["run"])
    return done.err if code else done.out.strip()


def test_a_run_from_the_command_line_to_its_results(project: Project, server: KfpServer, url: str) -> None:
    run = submit(project, "-p", "n=4", "-p", "seeds=[3]", "--wait")
    shown = ok(project.crossdock("runs", "show", run, "--json")).document
    assert shown["status"] == "succeeded"
    assert [body["value"] for body in shown["tasks"]["total"]["outputs"].values()] == [12]
    (made,) = server.runs.values()
    assert made["display_name"] == f"doubled {run}"
    assert made["runtime_config"]["parameters"] == {
        "crossdock_run": run, "n": 4, "text": 'plain "text"', "rate": 0.5, "seeds": "[3]",
    }  # fmt: skip
    found = native(project, run)
    assert found.status == "succeeded"
    assert {name: task.state for name, task in found.tasks.items()} == {
        "numbers": "succeeded",
        **{f"double.{index}": "succeeded" for index in range(4)},
        "total": "succeeded",
        "is-large": "succeeded",
        "celebrate": "skipped",
        "bye": "succeeded",
    }
    stack, handle = stack_of(project), handle_of(project, run)
    orchestrator = orchestrator_of(project)
    assert orchestrator.url(handle, stack) == f"{url}/#/runs/details/{handle.native_id}"
    assert any('numbers of plain "text"' in line for line in orchestrator.logs(handle, stack, "numbers"))
    items = list(orchestrator.logs(handle, stack, "double"))
    assert len(items) == 4 * len(list(orchestrator.logs(handle, stack, "double.2")))


NESTED = """
    from crossdock import map, pipeline, step

    @step
    def rows() -> list[list[int]]:
        return [[1], [2, 30]]

    @step
    def same(row: list[int]) -> list[int]:
        return row

    @step
    def inc(x: int) -> int:
        if x == 30:
            raise ValueError(x)
        return x + 1

    @step
    def total(xs: list[int]) -> int:
        return sum(xs)

    @pipeline
    def nested():
        map(lambda row: total(map(inc, same(row))), rows())
"""


def test_items_of_a_map_in_a_map(project: Project, server: KfpServer, url: str) -> None:
    project.write(NESTED)
    run = submit(project, "--wait", code=1)
    found = native(project, run)
    assert found.status == "failed"
    assert {name: task.state for name, task in found.tasks.items()} == {
        "rows": "succeeded",
        "same.0": "succeeded",
        "same.1": "succeeded",
        "inc.0.0": "succeeded",
        "total.0": "succeeded",
        "inc.1.0": "succeeded",
        "inc.1.1": "failed",
    }


def test_a_pipeline_keeps_one_identity(project: Project, server: KfpServer, url: str) -> None:
    server.platform = None
    submit(project)
    submit(project, "-p", "n=1")
    assert len(server.runs) == 2
    (pipeline,), (version,) = server.pipelines.values(), server.versions.values()
    assert pipeline["name"] == "doubled"
    assert version["pipeline_id"] == pipeline["pipeline_id"]
    compiled = ok(project.crossdock("export", "pipe.py", "--stack", "kfp", "-o", "review"))
    assert compiled
    text = next(Path(project.folder, "review").rglob("pipeline.yaml")).read_bytes()
    assert list(server.texts.values()) == [text]  # byte for byte what was reviewed
    project.write(PIPE.replace("2 * x", "3 * x"))
    submit(project)
    assert len(server.pipelines) == 1
    assert len(server.versions) == 2


ARTIFACTS = """
    from pathlib import Path
    from crossdock import Resources, pipeline, step

    @step(resources=Resources(shm="64Mi"))
    def write(text: str) -> Path:
        path = Path("file")
        path.write_text(text)
        return path

    @step
    def size(path: Path) -> int:
        return path.stat().st_size

    @pipeline
    def files(text: str = "1234") -> int:
        return size(write(text))
"""


def test_json_with_a_platform_document_and_artifacts(project: Project, server: KfpServer, url: str) -> None:
    configure(project, host=url, format="json")
    project.write(ARTIFACTS)
    run = submit(project, "--wait")
    shown = ok(project.crossdock("runs", "show", run, "--json")).document
    assert [body["value"] for body in shown["tasks"]["size"]["outputs"].values()] == [4]
    (spec,) = server.specs.values()
    assert spec["platform_spec"]["platforms"]["kubernetes"]["deploymentSpec"]["executors"]["exec-write"][
        "emptyDirMounts"
    ]
    assert native(project, run).tasks == {"write": NativeTask("succeeded"), "size": NativeTask("succeeded")}


def test_a_step_that_fails(project: Project, server: KfpServer, url: str) -> None:
    project.write(PIPE.replace("return 2 * x", "raise ValueError(x)"))
    said = project.crossdock("submit", "pipe.py", "-p", "n=2", "--wait")
    assert said.code == 1
    assert "ValueError" in said.err
    (native_id,) = server.runs
    run = next(iter(ok(project.crossdock("runs", "list", "--json")).document))["run"]
    found = native(project, run)
    assert found.status == "failed"
    assert found.tasks["double.0"].state == "failed"
    assert found.tasks["numbers"].state == "succeeded"
    assert server.runs[native_id]["state"] == "FAILED"


SLOW = """
    import time
    from crossdock import pipeline, step

    @step
    def slow(n: int) -> int:
        for index in range(n):
            print("line", index, flush=True)
            time.sleep(0.05)
        return n

    @pipeline
    def waits(n: int = 1000) -> int:
        return slow(n)
"""


def test_a_run_is_cancelled(project: Project, server: KfpServer, url: str) -> None:
    project.write(SLOW)
    run = submit(project)
    stack, handle = stack_of(project), handle_of(project, run)
    orchestrator = orchestrator_of(project)
    wait_for(lambda: native(project, run).tasks.get("slow", NOBODY).state == "running", "the task")
    ok(project.crossdock("runs", "cancel", run))
    wait_for(lambda: native(project, run).status != "running", "the end")
    assert ok(project.crossdock("runs", "show", run, "--json")).document["status"] == "cancelled"
    assert native(project, run).status == "cancelled"
    orchestrator.cancel(handle, stack)  # it has ended: nothing to do


NOBODY = NativeTask("pending")


def test_a_log_is_followed_to_its_end_and_each_line_comes_once(project: Project, server: KfpServer, url: str) -> None:
    project.write(SLOW)
    run = submit(project, "-p", "n=80")
    server.faults = [Fault("GET", "/log$", cut=True, times=3)]
    lines = list(orchestrator_of(project).logs(handle_of(project, run), stack_of(project), "slow", follow=True))
    told = [line.split("line ")[1] for line in lines if "line " in line]
    assert told == [str(index) for index in range(80)]
    assert not server.faults


def test_a_log_that_is_cut_again_and_again(project: Project, server: KfpServer, url: str) -> None:
    project.write(SLOW)
    run = submit(project, "-p", "n=20", "--wait")
    server.faults = [Fault("GET", "/log$", cut=True, times=99)]
    with pytest.raises(PlatformError, match=r"the log of waits-\S+ cannot be read: the stream was cut"):
        list(orchestrator_of(project).logs(handle_of(project, run), stack_of(project), "slow"))


@pytest.mark.parametrize(
    "path", ["/experiments$", "/pipelines$", "/upload_version$", "/runs$"], ids=lambda text: text.strip("/$")
)
@pytest.mark.parametrize("fault", [{"cut": True}, {"status": 503}], ids=["cut", "503"])
def test_a_lost_answer_makes_nothing_twice(
    project: Project, server: KfpServer, url: str, path: str, fault: dict[str, Any]
) -> None:
    server.platform = None
    server.faults = [Fault("POST", path, applied=True, **fault)]
    submit(project)
    assert not server.faults
    kept = (server.experiments, server.pipelines, server.versions, server.runs)
    assert [len(found) for found in kept] == [1, 1, 1, 1]


def test_what_was_made_in_vain_is_removed(project: Project, server: KfpServer, url: str) -> None:
    server.platform = None
    server.faults = [Fault("POST", "/upload_version$", 400, b'{"error_message": "no such thing", "error_details": ""}')]
    said = submit(project, code=3)
    assert "the version 'doubled-" in said
    assert "says 400: no such thing [platform-refused]" in said
    assert server.pipelines == {}
    server.faults = [
        Fault("POST", "/upload_version$", 400, b"{}"),
        Fault("DELETE", "/pipelines/", 403, b'{"message": "not yours"}'),
    ]
    assert "the pipeline 'doubled' (" in (said := submit(project, code=3))
    assert "was made for it, and cannot be removed" in said
    shown = ok(project.crossdock("runs", "list", "--json")).document
    assert {item["status"] for item in shown} == {"failed"}


def json_body(message: str) -> bytes:
    return json.dumps({"error": message, "code": 7, "message": message, "details": []}).encode()


REFUSALS = {
    "401": (Fault("GET", "/experiments$", 401, json_body("no user identity header")),
            "says 401: no user identity header [platform-login]", "give the orchestrator a login: token, token_file"),
    "403": (Fault("GET", "/experiments$", 403, json_body("User 'me' is not authorized")),
            "says 403: User 'me' is not authorized [platform-denied]", "kubeflow-edit"),
    "404": (Fault("GET", "/healthz$", 404, b"404 page not found", {"Content-Type": "text/plain"}),
            "says 404: 404 page not found [platform-not-found]", "host of the orchestrator is the API server"),
    "409": (Fault("POST", "/pipelines$", 409, json_body("already exists")), "says 409: already exists", ""),
    "429": (Fault("GET", "/healthz$", 429, b"slow down", {"Retry-After": "3600"}),
            "says 429: slow down [platform-busy]", "it asks to wait for 3600 s"),
    "500": (Fault("GET", "/healthz$", 500, json_body("database is locked"), times=4),
            "says 500: database is locked [platform-failed]", "ml-pipeline"),
    "page": (Fault("GET", "/healthz$", 200, kfp_server.LOGIN_PAGE, {"Content-Type": "text/html; charset=utf-8"}),
             "answers with a page for people (Log in to Your Account), as a login in front of Kubeflow does",
             "the cookies of a session (Dex, oauth2-proxy)"),
    "302": (Fault("GET", "/healthz$", 302, b"", {"Location": "https://dex.example/auth?client_id=1"}),
            "a page for people (302, on to https://dex.example/auth), as a login", "iap_client_id"),
    "cut": (Fault("GET", "/healthz$", cut=True, times=4), "cannot be reached: ('Connection aborted.'", "is it up"),
    "no JSON": (Fault("GET", "/experiments$", 200, b'["a"', {"Content-Type": "application/json"}),
                "otherwise than Kubeflow Pipelines", "host of the orchestrator"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSALS)
def test_what_the_server_refuses_is_said_in_its_words(project: Project, server: KfpServer, url: str, name: str) -> None:
    server.platform = None
    fault, message, hint = REFUSALS[name]
    server.faults = [replace(fault)]
    done = project.crossdock("submit", "pipe.py")
    assert done.code == 3, str(done)
    assert f"{url} " in done.err
    assert message in done.err
    assert hint in done.err
    assert "Traceback" not in done.err
    assert not server.runs
    assert not server.faults  # it has tried as often, and no more


def test_the_server_is_busy_for_a_while(project: Project, server: KfpServer, url: str) -> None:
    server.platform = None
    date = formatdate(time.time() + 1, usegmt=True)
    server.faults = [
        Fault("GET", "/experiments$", 429, b"slow down", {"Retry-After": "1"}),
        Fault("POST", "/runs$", 503, b"soon", {"Retry-After": date}),
    ]
    begin = time.monotonic()
    submit(project)
    assert time.monotonic() - begin > 1
    assert len(server.runs) == 1


def test_a_server_that_does_not_answer(project: Project, server: KfpServer, url: str) -> None:
    configure(project, host=url, timeout=1)
    server.platform = None
    server.faults = [Fault("POST", "/runs$", applied=True, cut=True, seconds=2)]
    submit(project)
    assert len(server.runs) == 1
    configure(project, host="http://127.0.0.1:9", timeout=1)
    said = submit(project, code=3)
    assert "http://127.0.0.1:9 cannot be reached: Failed to establish a new connection" in said
    assert "kubectl port-forward -n kubeflow svc/ml-pipeline 8888" in said


def test_a_server_whose_certificate_nobody_knows(project: Project, server: KfpServer, url: str) -> None:
    configure(project, host=url.replace("http:", "https:"))
    said = submit(project, code=3)
    assert "[platform-unreachable]" in said
    assert "give the orchestrator the server's ca_certificate" in said


# Who asks


def test_a_token(project: Project, server: KfpServer, url: str) -> None:
    server.platform = None
    server.login = ("authorization", "Bearer abc")
    configure(project, host=url, token="{env: KFP_TOKEN}")
    project.env["KFP_TOKEN"] = "abc"
    submit(project)
    project.env["KFP_TOKEN"] = "old"
    said = submit(project, code=3)
    assert "says 401" in said
    assert "what token of the orchestrator gives has ended" in said
    assert "old" not in said.replace("[platform-login]", "")
    del project.env["KFP_TOKEN"]
    assert "[missing-secret]" in submit(project, code=2)


def test_a_token_in_a_file_that_is_renewed(project: Project, server: KfpServer, url: str) -> None:
    server.platform = None
    file = project.folder / "token"
    file.write_text("first\n")
    configure(project, host=url, token_file=file.name)
    made = Server(orchestrator_of(project).config, project.folder)
    server.login = ("authorization", "Bearer first")
    made.check()
    file.write_text("second\n")
    server.login = ("authorization", "Bearer second")
    made.check()
    configure(project, host=url, token_file="nowhere")
    assert "token_file: there is no file" in submit(project, code=2)


def test_the_cookies_of_a_session(project: Project, server: KfpServer, url: str) -> None:
    server.platform = None
    server.login, server.page = ("cookie", "authservice_session=abc"), True
    configure(project, host=url)
    assert "answers with a page for people (Log in to Your Account)" in submit(project, code=3)
    configure(project, host=url, cookies="{env: KFP_COOKIES}")
    project.env["KFP_COOKIES"] = "authservice_session=abc"
    submit(project)


def test_through_the_kubeconfig(project: Project, server: KfpServer, url: str) -> None:
    server.platform = None
    server.prefix = "/api/v1/namespaces/kubeflow/services/ml-pipeline:http/proxy"
    server.login = ("authorization", "Bearer mine")
    configure(project)
    project.env["KUBECONFIG"] = str(project.folder / "kubeconfig")
    assert "nothing says where Kubeflow Pipelines is" in submit(project, code=2)
    project.write(
        f"""
        apiVersion: v1
        kind: Config
        current-context: here
        contexts: [{{name: here, context: {{cluster: one, user: me}}}}]
        clusters: [{{name: one, cluster: {{server: "{url}"}}}}]
        users: [{{name: me, user: {{token: mine}}}}]
        """,
        "kubeconfig",
    )
    submit(project)
    assert len(server.runs) == 1


def test_in_a_pod(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    token = tmp_path / "token"
    token.write_text("pod")
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "10.0.0.1")
    monkeypatch.setenv("KF_PIPELINES_SA_TOKEN_PATH", str(token))
    assert Server(KubeflowConfig(system_namespace="kf")).host == "http://ml-pipeline.kf.svc.cluster.local:8888"


@pytest.fixture
def vendors(tmp_path: Path, server: KfpServer) -> Iterator[secret_servers.Vendors]:
    """Google, and an API server that speaks TLS, as `kfp.lab`."""

    def lab(method: str, path: str, headers: Any, body: bytes) -> secret_servers.Answer:
        path, _, query = path.partition("?")
        return 200, {}, server.answer(method, path, dict(urllib.parse.parse_qsl(query)), headers, body)  # type: ignore[return-value]

    def iap(method: str, path: str, headers: Any, body: bytes) -> secret_servers.Answer:
        assert path == "/oauth2/v4/token"
        return 200, {}, {"id_token": "token-of-iap"}

    found = secret_servers.Vendors(tmp_path, {"kfp.lab": lab, "www.googleapis.com": iap, **secret_servers.google({})})
    yield found
    found.close()


def test_the_identity_aware_proxy(
    project: Project, server: KfpServer, url: str, vendors: secret_servers.Vendors
) -> None:
    server.platform = None
    server.login = ("authorization", "Bearer token-of-iap")
    configure(project, host=url, iap_client_id="1.apps.googleusercontent.com")
    project.env.update(vendors.environment)
    project.env["HOME"] = str(project.folder)
    project.env["GOOGLE_APPLICATION_CREDENTIALS"] = str(secret_servers.service_account(project.folder))
    submit(project)
    assert ("POST", "www.googleapis.com", "/oauth2/v4/token") in vendors.seen
    project.env["GOOGLE_APPLICATION_CREDENTIALS"] = "nowhere"
    said = submit(project, code=3)
    assert "Google gives no login: File nowhere was not found. [platform-login]" in said


def test_a_certificate_of_ones_own_and_a_proxy(
    project: Project, server: KfpServer, url: str, vendors: secret_servers.Vendors
) -> None:
    server.platform = None
    config = {"host": "kfp.lab", "proxy": vendors.environment["HTTPS_PROXY"]}
    configure(project, **config)
    said = submit(project, code=3)
    assert "https://kfp.lab is not trusted: " in said
    assert "certificate verify failed" in said
    orchestrator = KubeflowOrchestrator("kfp", KubeflowConfig(**config, ca_certificate=str(vendors.trust)))
    orchestrator.reachable()
    KubeflowOrchestrator("kfp", KubeflowConfig(**config, verify_tls=False)).reachable()


def test_an_installation_of_several_users(project: Project, server: KfpServer, url: str) -> None:
    server.platform, server.multi_user = None, True
    said = submit(project, code=2)
    assert "has a namespace for each user, and the orchestrator names none [no-namespace]" in said
    configure(project, host=url, namespace="theirs")
    assert "User 'me' is not authorized" in submit(project, code=3)
    configure(
        project, host=url, namespace="mine", experiment="daily", service_account="robot", pipeline_root="s3://b/x"
    )
    submit(project)
    (experiment,), (run,) = server.experiments.values(), server.runs.values()
    assert (experiment["namespace"], experiment["display_name"]) == ("mine", "daily")
    assert run["service_account"] == "robot"
    assert run["runtime_config"]["pipeline_root"] == "s3://b/x"


# What is submitted


def test_parameters_that_would_change_on_the_way(project: Project, server: KfpServer, url: str) -> None:
    said = submit(project, "-p", f"n={2**53 + 1}", code=2)
    assert "Kubeflow Pipelines cannot hold 9007199254740993 exactly as a NUMBER_INTEGER" in said
    assert "nan exactly as a NUMBER_DOUBLE" in submit(project, "-p", "rate=nan", code=2)
    assert not server.pipelines


# How it stands


@pytest.mark.parametrize(
    ("state", "status"),
    [
        ("PENDING", "running"), ("RUNNING", "running"), ("PAUSED", "running"), ("CANCELING", "running"),
        ("RUNTIME_STATE_UNSPECIFIED", "running"), ("SUCCEEDED", "succeeded"), ("SKIPPED", "succeeded"),
        ("FAILED", "failed"), ("CANCELED", "cancelled"),
    ],
)  # fmt: skip
def test_every_state_of_a_run(project: Project, server: KfpServer, url: str, state: str, status: str) -> None:
    server.platform = None
    assert state in vars(kfp_server.api.V2beta1RuntimeState).values()
    run = submit(project)
    server.advance(next(iter(server.runs)), state, "the controller's words")
    found = native(project, run)
    assert (found.status, found.message) == (status, "the controller's words")


def test_a_run_that_was_deleted_there(project: Project, server: KfpServer, url: str) -> None:
    server.platform = None
    run = submit(project)
    server.runs.clear()
    found = native(project, run)
    assert found.status == "lost"
    assert "says 404: ResourceNotFoundError: Run" in found.message


def test_a_pod_that_never_started_is_in_the_record(project: Project, server: KfpServer, url: str) -> None:
    server.platform = None
    run = submit(project)
    (native_id,) = server.runs
    said = "Back-off pulling image example.org/none: ImagePullBackOff"
    history = [{"state": "FAILED", "error": {"code": 13, "message": said}}]
    server.runs[native_id]["run_details"] = {
        "task_details": [
            {"display_name": "numbers", "state": "FAILED", "pod_name": "a-dag-1", "child_tasks": [{"pod_name": "a-2"}]},
            {"display_name": "executor", "state": "FAILED", "pod_name": "a-pod-2", "state_history": history},
        ]
    }
    server.advance(native_id, "FAILED")
    shown = ok(project.crossdock("runs", "show", run, "--json")).document
    assert shown["status"] == "failed"
    assert shown["tasks"]["numbers"]["state"] == "failed"
    assert said in json.dumps(shown["tasks"]["numbers"]["cause"])


# Schedules


def test_schedules(project: Project, server: KfpServer, url: str) -> None:
    server.platform = None
    stack, orchestrator = stack_of(project), orchestrator_of(project)
    said = submit(project, "--cron", "0 3 * * 7", code=2)
    assert "day of week: '7' is not from 0 to 6; Sunday is 0 [bad-cron]" in said
    server.faults = [Fault("POST", "/recurringruns$", applied=True, cut=True)]
    submit(project, "-p", "n=2", "--cron", "0 3 * * mon-fri")
    (made,) = orchestrator.schedules(stack)
    assert (made.pipeline, made.cron, made.paused) == ("doubled", "0 0 3 * * mon-fri", False)
    assert made.url == f"{url}/#/recurringrun/details/{made.id}"
    (job,) = server.recurring_runs.values()
    parameters = {"n": 2, "text": 'plain "text"', "rate": 0.5, "seeds": "[1,2]"}
    assert job["runtime_config"]["parameters"] == parameters  # and no run id: each run derives its own
    assert job["no_catchup"] is True
    for index in range(3):
        server.recurring_runs[f"other-{index}"] = {
            **job, "recurring_run_id": f"other-{index}", "display_name": f"nightly crossdock-{index}",
        }  # fmt: skip
    submit(project, "--cron", "*/5 * * * *")
    (more,) = (item for item in orchestrator.schedules(stack) if item.id != made.id)
    assert {item.id for item in orchestrator.schedules(stack)} == {made.id, more.id}
    assert orchestrator.schedules(stack, "another") == []
    ok(project.crossdock("schedules", "pause", made.id))
    assert {item.id: item.paused for item in orchestrator.schedules(stack, "doubled")} == {
        made.id: True,
        more.id: False,
    }
    ok(project.crossdock("schedules", "resume", made.id))
    assert not any(item.paused for item in orchestrator.schedules(stack))
    for verb in ("pause_schedule", "resume_schedule", "delete_schedule"):
        with pytest.raises(BadInput, match="is not one that crossdock made"):
            getattr(orchestrator, verb)(stack, "other-0")
        with pytest.raises(BadInput, match="has no schedule 'nowhere'"):
            getattr(orchestrator, verb)(stack, "nowhere")
    ok(project.crossdock("schedules", "delete", made.id, "--yes"))
    assert [item.id for item in orchestrator.schedules(stack)] == [more.id]
