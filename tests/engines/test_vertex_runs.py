"""Runs and schedules on Vertex AI's contract, over gRPC and REST."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import kfp_pipelines as pipelines
import pytest
import vertex_contract
import vertex_server
from vertex_contract import PARENT, Fault, Refusal, VertexServer, denied, invalid

from crossdock import registry
from crossdock.dsl.errors import BadInput, CrossdockError, PlatformError
from crossdock.ir import Plan
from crossdock.passes import compile_pipeline
from crossdock.stacks import NativeTask, RunHandle, RunOptions, Spec, Stack
from crossdock_adapters.orchestrators.vertex import VertexConfig, VertexOrchestrator, jobs, run
from crossdock_adapters.orchestrators.vertex.client import Vertex
from crossdock_adapters.orchestrators.vertex.connection import Connection

RUN = "8f3c-run"
JOB = {
    "displayName": "a-pipeline",
    "labels": {"team": "ml"},
    "serviceAccount": "runner@crossdock-tests.iam.gserviceaccount.com",
    "network": "projects/12345/global/networks/shared",
    "reservedIpRanges": ["range-1"],
    "encryptionSpec": {"kmsKeyName": "projects/p/locations/europe-west4/keyRings/r/cryptoKeys/k"},
    "runtimeConfig": {
        "gcsOutputDirectory": "gs://bucket/vertex",
        "failurePolicy": "PIPELINE_FAILURE_POLICY_FAIL_FAST",
    },
}


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits between attempts, nor for a log to go on."""
    monkeypatch.setattr("crossdock_adapters.orchestrators.vertex.client._LONGEST_WAIT", 0.01)
    monkeypatch.setattr("crossdock_adapters.orchestrators.vertex.run._FOLLOW_SECONDS", 0.01)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[VertexServer]:
    with vertex_server.running() as found:
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{found.rest_port}")  # nothing of google-auth's gets out
        yield found


@pytest.fixture(params=["grpc", "rest"])
def vertex(request: pytest.FixtureRequest, server: VertexServer) -> Vertex:
    return connect(server, request.param)


def connect(server: VertexServer, transport: str, **config: Any) -> Vertex:
    return Vertex(Connection(**config_of(server, transport, **config)))


def config_of(server: VertexServer, transport: str, **config: Any) -> dict[str, Any]:
    port = server.grpc_port if transport == "grpc" else server.rest_port
    given = {
        "project": "crossdock-tests",
        "location": "europe-west4",
        "endpoint": f"http://127.0.0.1:{port}",
        "logs_endpoint": f"http://127.0.0.1:{server.rest_port}",
        "allow_http": True,
        "anonymous": True,
        "transport": transport,
        "timeout": 5,
    }
    return {**given, **config}


def spec_of(plan: Plan) -> Spec:
    target = VertexOrchestrator("vertex", VertexConfig(image="r.example/i@sha256:1"))
    spec = target.translate(plan, stack_of("gs://bucket/store"))
    return Spec("vertex", {**spec.files, "job.json": json.dumps(JOB)})


def stack_of(url: str) -> Stack:
    kind = registry.flavor("artifact_store", {"gs": "gcs", "s3": "s3"}[url[:2]])
    orchestrator = VertexOrchestrator("vertex", VertexConfig())
    return Stack("s", orchestrator, kind("store", kind.Config(uri=url)))


def made(pipeline: Any, **parameters: Any) -> tuple[Spec, RunOptions]:
    plan = compile_pipeline(pipeline).plan
    values = {item.name: item.default for item in plan.parameters.values() if not item.required}
    return spec_of(plan), RunOptions(RUN, plan, {**values, **parameters})


def started(vertex: Vertex, pipeline: Any, **parameters: Any) -> RunHandle:
    return run.submit(vertex, *made(pipeline, **parameters))


def test_a_run_goes_through_its_life(server: VertexServer, vertex: Vertex) -> None:
    handle = started(vertex, pipelines.chain, n=3)
    assert handle == RunHandle("vertex", f"{PARENT}/pipelineJobs/crossdock-{RUN}")
    assert run.url(handle) == (
        "https://console.cloud.google.com/vertex-ai/locations/europe-west4/pipelines/runs/"
        f"crossdock-{RUN}?project=crossdock-tests"
    )
    id = f"crossdock-{RUN}"
    assert run.status(vertex, handle).message == "pending in Vertex AI"
    server.moves(id, "RUNNING")
    server.task(id, "inc", "SUCCEEDED")
    server.task(id, "inc-2", "RUNNING")
    server.task(id, "some-dag-of-theirs", "RUNNING")
    native = run.status(vertex, handle)
    assert (native.status, native.message) == ("running", "")
    assert native.tasks == {"inc": NativeTask("succeeded"), "inc-2": NativeTask("running")}
    server.moves(id, "SUCCEEDED")
    assert run.status(vertex, handle).status == "succeeded"


def test_the_job_is_the_spec_and_what_only_the_run_knows(server: VertexServer, vertex: Vertex) -> None:
    spec, options = made(pipelines.parameters, n=2**53, nan={"$float": "nan"}, text="x", y=False, f=0.1)
    run.submit(vertex, spec, options)
    from google.cloud.aiplatform_v1.types import PipelineJob

    sent = PipelineJob.to_dict(server.job(f"crossdock-{RUN}"), use_integers_for_enums=False)
    assert sent["pipeline_spec"] == json.loads(spec.files["pipeline.json"])
    assert sent["display_name"] == "a-pipeline"
    assert sent["labels"] == {
        "team": "ml",
        "crossdock-pipeline": "parameters",
        "crossdock-plan": options.plan.digest[:63],
        "crossdock-run": RUN,
    }
    assert sent["service_account"] == JOB["serviceAccount"]
    assert sent["encryption_spec"] == {"kms_key_name": JOB["encryptionSpec"]["kmsKeyName"]}  # type: ignore[index]
    runtime = sent["runtime_config"]
    assert runtime["gcs_output_directory"] == "gs://bucket/vertex"
    assert runtime["failure_policy"] == "PIPELINE_FAILURE_POLICY_FAIL_FAST"
    assert runtime["parameter_values"] == {
        "n": 2**53,
        "y": False,
        "f": 0.1,
        "text": "x",
        "colour": options.plan.parameters["colour"].default and runtime["parameter_values"]["colour"],
        "maybe": "null",
        "given": "null and void",
        "pair": runtime["parameter_values"]["pair"],
        "big": str(2**70),
        "nan": "nan",
        "data": "s3://bucket/key",
        "crossdock_run": RUN,
    }


@pytest.mark.parametrize(
    ("state", "status"),
    [
        ("UNSPECIFIED", "running"),
        ("QUEUED", "running"),
        ("PENDING", "running"),
        ("RUNNING", "running"),
        ("SUCCEEDED", "succeeded"),
        ("FAILED", "failed"),
        ("CANCELLING", "running"),
        ("CANCELLED", "cancelled"),
        ("PAUSED", "running"),
    ],
)
def test_every_state_of_a_job(server: VertexServer, state: str, status: str) -> None:
    from google.cloud.aiplatform_v1.types import PipelineState

    assert len(PipelineState) == 9
    vertex = connect(server, "grpc")
    handle = started(vertex, pipelines.chain, n=3)
    server.moves(f"crossdock-{RUN}", state)
    assert run.status(vertex, handle).status == status


def test_every_state_of_a_task(server: VertexServer, vertex: Vertex) -> None:
    from google.cloud.aiplatform_v1.types import PipelineTaskDetail

    states = {
        "STATE_UNSPECIFIED": "pending",
        "PENDING": "pending",
        "RUNNING": "running",
        "SUCCEEDED": "succeeded",
        "CANCEL_PENDING": "running",
        "CANCELLING": "running",
        "CANCELLED": "cancelled",
        "FAILED": "failed",
        "SKIPPED": "succeeded",
        "NOT_TRIGGERED": "skipped",
    }
    assert set(states) == set(PipelineTaskDetail.State.__members__)
    handle = started(vertex, pipelines.chain, n=3)
    for native, ours in states.items():
        server.job(f"crossdock-{RUN}").job_detail.task_details = []
        server.task(f"crossdock-{RUN}", "inc", native)
        assert run.status(vertex, handle).tasks["inc"].state == ours


def test_a_failure_is_told_in_googles_words(server: VertexServer, vertex: Vertex) -> None:
    handle = started(vertex, pipelines.chain, n=3)
    id = f"crossdock-{RUN}"
    server.moves(id, "FAILED", "The DAG failed because some tasks failed. The failed tasks are: [inc, inc-2].")
    server.task(id, "inc", "FAILED", "The replica workerpool0-0 exited with a non-zero status of 12.")
    server.task(id, "inc-2", "FAILED", "The replica workerpool0-0 ran out-of-memory and exited with 137(SIGKILL).")
    native = run.status(vertex, handle)
    assert native.status == "failed"
    assert native.message == "The DAG failed because some tasks failed. The failed tasks are: [inc, inc-2]."
    assert native.tasks["inc"].kind == "timeout"
    assert native.tasks["inc"].message == "The replica workerpool0-0 exited with a non-zero status of 12."
    assert native.tasks["inc-2"].kind == "out of memory"


def test_items_and_branches(server: VertexServer, vertex: Vertex) -> None:
    handle = started(vertex, pipelines.dynamic_map, n=3)
    id = f"crossdock-{RUN}"
    (item,) = jobs.places(json.loads(spec_of(compile_pipeline(pipelines.dynamic_map).plan).main))["inc"].items
    server.task(id, "inc", "SUCCEEDED", inputs={item: "0"})
    server.task(id, "inc", "FAILED", "Internal error.", inputs={item: "1"})
    assert set(run.status(vertex, handle).tasks) == {"inc.0", "inc.1"}
    server.task(id, "inc", "RUNNING")
    server.task(id, "inc", "FAILED", "Quota.", code="RESOURCE_EXHAUSTED")
    assert run.status(vertex, handle).tasks["inc"] == NativeTask("failed", "", "Quota.")


def test_tasks_of_a_branch_that_was_not_taken_are_skipped(server: VertexServer, vertex: Vertex) -> None:
    handle = started(vertex, pipelines.branches)
    spec = json.loads(spec_of(compile_pipeline(pipelines.branches).plan).main)
    around = next(name for name in spec["root"]["dag"]["tasks"] if name.startswith("condition-branches-"))
    (node,) = spec["components"][f"comp-{around}"]["dag"]["tasks"]
    server.task(f"crossdock-{RUN}", node, "NOT_TRIGGERED")
    skipped = run.status(vertex, handle).tasks
    assert skipped
    assert set(skipped.values()) == {NativeTask("skipped")}


def test_cancelling_is_confirmed(server: VertexServer, vertex: Vertex) -> None:
    handle = started(vertex, pipelines.chain, n=3)
    run.cancel(vertex, handle)
    assert server.job(f"crossdock-{RUN}").state.name == "PIPELINE_STATE_CANCELLING"
    server.moves(f"crossdock-{RUN}", "CANCELLED")
    run.cancel(vertex, handle)  # it has ended
    assert run.status(vertex, handle).status == "cancelled"


def test_a_job_that_goes_on_is_not_cancelled(server: VertexServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("crossdock_adapters.orchestrators.vertex.run._CONFIRM_SECONDS", 0.0)
    vertex = connect(server, "rest")
    handle = started(vertex, pipelines.chain, n=3)
    server.fail("CancelPipelineJob", Fault(text="{}", cut=False))
    server.fail("GetPipelineJob")
    monkeypatch.setattr(server, "cancel_job", server.get_job)
    with pytest.raises(PlatformError, match="was asked to cancel the run, which is PENDING after 0 seconds"):
        run.cancel(vertex, handle)


def test_a_job_that_is_gone_is_lost(server: VertexServer, vertex: Vertex) -> None:
    native = run.status(vertex, RunHandle("vertex", f"{PARENT}/pipelineJobs/other"))
    assert native.status == "lost"
    assert native.message.startswith("Vertex AI does not say how the run is: The PipelineJob")


# Starting it once


@pytest.mark.parametrize(
    "fault",
    [
        Fault(Refusal("UNAVAILABLE", "The service is currently unavailable."), done=True),
        Fault(Refusal("DEADLINE_EXCEEDED", "Deadline Exceeded"), done=True),
        Fault(cut=True),
    ],
    ids=["unavailable", "deadline", "cut"],
)
def test_a_job_that_was_made_before_its_answer_was_lost_is_made_once(
    server: VertexServer, vertex: Vertex, fault: Fault
) -> None:
    server.fail("CreatePipelineJob", replace(fault))
    handle = started(vertex, pipelines.chain, n=3)
    assert handle.native_id in server.jobs
    assert server.calls == ["CreatePipelineJob", "CreatePipelineJob", "GetPipelineJob"]


def test_another_run_with_the_same_id_is_refused(server: VertexServer, vertex: Vertex) -> None:
    started(vertex, pipelines.chain, n=3)
    with pytest.raises(BadInput, match=f"another job 'crossdock-{RUN}' already") as caught:
        started(vertex, pipelines.branches)
    assert caught.value.id == "run-id-taken"


@pytest.mark.parametrize("name", ["8f3c-run", "8F3C.run", "a" * 63, "A_" * 31 + "b", "x--y"])
def test_ids_of_jobs(name: str) -> None:
    assert vertex_contract.JOB_ID.fullmatch(jobs.job_id(name))
    others = {jobs.job_id(other) for other in (name.lower(), name.replace("_", "-"), name.replace(".", "-"))}
    assert len({jobs.job_id(name), *others}) == len(
        {name, name.lower(), name.replace("_", "-"), name.replace(".", "-")}
    )


# What is refused

REFUSALS: list[tuple[str, Any, str, str, str]] = [
    ("CreatePipelineJob", Refusal("UNAUTHENTICATED", "Request had invalid authentication credentials."),
     "platform-login", "(UNAUTHENTICATED)", "take `anonymous` out of the orchestrator"),
    ("CreatePipelineJob", denied("aiplatform.pipelineJobs.create", PARENT),
     "platform-denied", "Permission 'aiplatform.pipelineJobs.create' denied",
     "give yourself roles/aiplatform.user in project crossdock-tests, which has aiplatform.pipelineJobs.create"),
    ("CreatePipelineJob", Refusal("PERMISSION_DENIED", "You do not have permission to act as service_account: r@p."),
     "platform-denied", "act as service_account", "roles/iam.serviceAccountUser"),
    ("CreatePipelineJob", Refusal("NOT_FOUND", "The project is not there."),
     "platform-not-found", "The project is not there. (NOT_FOUND)", "project 'crossdock-tests'"),
    ("CreatePipelineJob", invalid("pipeline_job.labels", "A=B is no label"),
     "platform-refused", "- pipeline_job.labels: A=B is no label", ""),
    ("CreatePipelineJob", Refusal("RESOURCE_EXHAUSTED", "Quota exceeded for quota metric."),
     "platform-busy", "Quota exceeded for quota metric.", "console.cloud.google.com/iam-admin/quotas"),
    ("CreatePipelineJob", Refusal("UNAVAILABLE", "The service is currently unavailable."),
     "platform-unreachable", "currently unavailable. (UNAVAILABLE)", "check the network to http://127.0.0.1"),
    ("CreatePipelineJob", Refusal("INTERNAL", "Internal error encountered."),
     "platform-unreachable", "Internal error encountered. (INTERNAL)", ""),
    ("CreatePipelineJob", Refusal("DEADLINE_EXCEEDED", "Deadline Exceeded"),
     "platform-unreachable", "Deadline Exceeded (DEADLINE_EXCEEDED)", ""),
]  # fmt: skip


@pytest.mark.parametrize(("method", "refusal", "id", "said", "hint"), REFUSALS, ids=[item[1].name for item in REFUSALS])
def test_refusals_are_told(
    server: VertexServer, vertex: Vertex, method: str, refusal: Refusal, id: str, said: str, hint: str
) -> None:
    server.fail(method, *[refusal] * 9)
    with pytest.raises(PlatformError) as caught:
        started(vertex, pipelines.chain, n=3)
    assert (caught.value.id, caught.value.exit_code) == (id, 3)
    assert said in caught.value.text()
    assert hint in (caught.value.hint or "")
    assert len(server.calls) == (4 if refusal.name in jobs_that_are_tried_again() else 1)


def jobs_that_are_tried_again() -> tuple[str, ...]:
    from crossdock_adapters.orchestrators.vertex.refusals import AGAIN

    return AGAIN


def test_it_waits_as_long_as_it_is_told(server: VertexServer, vertex: Vertex) -> None:
    from google.rpc.error_details_pb2 import RetryInfo

    delay = RetryInfo()
    delay.retry_delay.FromMilliseconds(1)
    server.fail("CreatePipelineJob", Refusal("RESOURCE_EXHAUSTED", "Slow down.", delay))
    assert started(vertex, pipelines.chain, n=3).native_id in server.jobs


def test_a_disabled_service_says_how_it_is_enabled(server: VertexServer, vertex: Vertex) -> None:
    from google.rpc.error_details_pb2 import ErrorInfo

    info = ErrorInfo(reason="SERVICE_DISABLED", metadata={"service": "aiplatform.googleapis.com"})
    words = "Vertex AI API has not been used in project crossdock-tests before or it is disabled."
    server.fail("ListPipelineJobs", Refusal("PERMISSION_DENIED", words, info))
    with pytest.raises(PlatformError) as caught:
        vertex.answers()
    assert caught.value.hint == "gcloud services enable aiplatform.googleapis.com --project crossdock-tests"


def test_nobody_answers(server: VertexServer) -> None:
    for transport in ("grpc", "rest"):
        vertex = connect(server, transport, endpoint="http://127.0.0.1:1")
        with pytest.raises(PlatformError) as caught:
            started(vertex, pipelines.chain, n=3)
        assert caught.value.id == "platform-unreachable"
        assert "http://127.0.0.1:1" in str(caught.value.hint)


def test_nobody_answers_in_time(server: VertexServer) -> None:
    for transport in ("grpc", "rest"):
        server.fail("CreatePipelineJob", *[Fault(hang=0.3)] * 4)
        with pytest.raises(PlatformError) as caught:
            started(connect(server, transport, timeout=0.05), pipelines.chain, n=3)
        assert caught.value.id == "platform-unreachable"


def test_another_program_answers(server: VertexServer) -> None:
    server.fail("GetPipelineJob", *[Fault(text="<html>Sign in to the proxy</html>")] * 4)
    vertex = connect(server, "rest")
    handle = started(vertex, pipelines.chain, n=3)
    with pytest.raises(PlatformError, match="does not speak the API"):
        run.status(vertex, handle)


@pytest.mark.parametrize(
    ("job", "said"),
    [
        ({**JOB, "colour": "red"}, 'has no field named "colour"'),
        ({**JOB, "reservedIpRanges": "one"}, "reservedIpRanges"),
    ],
)
def test_a_job_that_googles_classes_do_not_take(
    server: VertexServer, vertex: Vertex, job: dict[str, Any], said: str
) -> None:
    spec, options = made(pipelines.chain, n=3)
    broken = Spec("vertex", {**spec.files, "job.json": json.dumps(job)})
    with pytest.raises(BadInput) as caught:
        run.submit(vertex, broken, options)
    assert said in str(caught.value)
    assert not server.calls


@pytest.mark.parametrize("value", [{"$int": str(2**60)}, {"$int": str(-(2**70))}])
def test_a_number_that_a_double_does_not_hold(server: VertexServer, value: Any) -> None:
    with pytest.raises(BadInput, match="the platform keeps a NUMBER_INTEGER as a double"):
        started(connect(server, "grpc"), pipelines.chain, n=value)
    assert not server.calls


def test_parameters_are_those_of_the_spec(server: VertexServer) -> None:
    vertex = connect(server, "grpc")
    with pytest.raises(BadInput, match="the spec wants the parameter 'n'"):
        started(vertex, pipelines.chain)
    with pytest.raises(BadInput, match="the spec has no parameter 'm'"):
        started(vertex, pipelines.chain, n=1, m=2)
    assert not server.calls


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"labels": {"Team": "ml"}}, "pipeline_job.labels: Team=ml is no label"),
        ({"displayName": "n" * 129}, "pipeline_job.display_name: has more than 128 characters"),
        ({"runtimeConfig": {}}, "gcs_output_directory: '' is no gs:// URI"),
    ],
)
def test_the_contract_refuses_what_it_refuses(
    server: VertexServer, vertex: Vertex, change: dict[str, Any], said: str
) -> None:
    spec, options = made(pipelines.chain, n=3)
    broken = Spec("vertex", {**spec.files, "job.json": json.dumps({**JOB, **change})})
    with pytest.raises(PlatformError, match="Vertex AI does not start the run: Request contains") as caught:
        run.submit(vertex, broken, options)
    assert said in caught.value.text()


# Before it


@pytest.mark.parametrize("transport", ["grpc", "rest"])
def test_preflight_asks(server: VertexServer, transport: str) -> None:
    spec, _ = made(pipelines.chain, n=3)
    stack = stack_of("gs://bucket/store")
    VertexOrchestrator("v", VertexConfig(**config_of(server, transport))).preflight(spec, stack)
    assert server.calls == ["ListPipelineJobs"]
    elsewhere = VertexOrchestrator("v", VertexConfig(**config_of(server, transport, location="mars-west1")))
    with pytest.raises(PlatformError, match="is not there") as caught:
        elsewhere.preflight(spec, stack)
    assert caught.value.hint == "check project 'crossdock-tests' and location 'mars-west1'"


def test_preflight_refuses_what_cannot_be(server: VertexServer) -> None:
    vertex = connect(server, "grpc")
    target = VertexOrchestrator("v", VertexConfig(**config_of(server, "grpc")))
    spec, options = made(pipelines.chain, n=3)
    with pytest.raises(BadInput, match="the stack's artifact store is 's3://bucket/store'"):
        target.preflight(spec, stack_of("s3://bucket/store"))
    files = {**spec.files, "job.json": json.dumps({**JOB, "runtimeConfig": {"gcsOutputDirectory": "s3://b"}})}
    with pytest.raises(BadInput, match="gcsOutputDirectory of the spec is 's3://b'"):
        target.preflight(Spec("vertex", files), stack_of("gs://bucket/store"))
    files = {**spec.files, "pipeline.json": spec.main.replace("r.example/i", "crossdock-placeholder/i")}
    with pytest.raises(BadInput, match=r"pipeline\.json of the spec has placeholders"):
        run.submit(vertex, Spec("vertex", files), options)
    assert not server.calls


# Who asks


def key(server: VertexServer) -> str:
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    pem = rsa.generate_private_key(public_exponent=65537, key_size=2048).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return json.dumps(
        {
            "type": "service_account",
            "project_id": "crossdock-tests",
            "private_key_id": "1",
            "private_key": pem.decode(),
            "client_email": "submitter@crossdock-tests.iam.gserviceaccount.com",
            "token_uri": f"http://127.0.0.1:{server.rest_port}/token",
        }
    )


@pytest.mark.parametrize("as_file", [True, False], ids=["file", "text"])
def test_credentials_by_reference(
    server: VertexServer, as_file: bool, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = key(server)
    (tmp_path / "key.json").write_text(text)
    monkeypatch.setenv("VERTEX_KEY", str(tmp_path / "key.json") if as_file else text)
    vertex = connect(server, "rest", anonymous=False, credentials={"env": "VERTEX_KEY"}, project=None)
    assert started(vertex, pipelines.chain, n=3).native_id in server.jobs
    assert server.calls == ["Token", "CreatePipelineJob"]
    assert server.authorization == [None, "Bearer of-the-key"]


def test_application_default_credentials(server: VertexServer, tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "key.json").write_text(key(server))
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "key.json"))
    vertex = connect(server, "rest", anonymous=False)
    handle = started(vertex, pipelines.chain, n=3)
    assert run.status(vertex, handle).status == "running"
    assert server.authorization == [None, *["Bearer of-the-key"] * 2], "one token for both"


def test_credentials_that_google_does_not_take(server: VertexServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VERTEX_KEY", key(server))
    config = config_of(server, "rest", anonymous=False, credentials={"env": "VERTEX_KEY"})
    vertex = Vertex(Connection(**config))
    server.fail("CreatePipelineJob", *[Refusal("UNAUTHENTICATED", "Request had invalid credentials.")] * 9)
    with pytest.raises(PlatformError) as caught:
        started(vertex, pipelines.chain, n=3)
    words = "Vertex AI does not start the run: Request had invalid credentials. (UNAUTHENTICATED)"
    assert caught.value.message == words
    server.fail("Token", *[Refusal("INVALID_ARGUMENT", "Invalid JWT Signature.")] * 9)
    with pytest.raises(PlatformError, match="Google gives no login for Vertex AI") as caught:
        Vertex(Connection(**config))
    assert caught.value.id == "platform-login"


@pytest.mark.parametrize("text", ["/nowhere/key.json", "{no json", '{"type": "unknown"}'])
def test_credentials_that_are_none(server: VertexServer, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VERTEX_KEY", text)
    with pytest.raises(PlatformError) as caught:
        connect(server, "rest", anonymous=False, credentials={"env": "VERTEX_KEY"})
    assert caught.value.id == "platform-login"
    assert "check what the orchestrator's `credentials` refer to" in str(caught.value.hint)


def test_nobody_is_logged_in(server: VertexServer, tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("CLOUDSDK_CONFIG", str(tmp_path))
    monkeypatch.setenv("NO_GCE_CHECK", "true")
    monkeypatch.delenv("GOOGLE_APPLICATION_CREDENTIALS", raising=False)
    with pytest.raises(PlatformError, match="Google gives no login for Vertex AI") as caught:
        started(connect(server, "rest", anonymous=False), pipelines.chain, n=3)
    assert "gcloud auth application-default login" in str(caught.value.hint)


def test_impersonation_asks_googles_iam(server: VertexServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VERTEX_KEY", key(server))
    config = {"credentials": {"env": "VERTEX_KEY"}, "impersonate": "runner@crossdock-tests.iam.gserviceaccount.com"}
    with pytest.raises(PlatformError) as caught:
        started(connect(server, "rest", anonymous=False, **config), pipelines.chain, n=3)
    assert caught.value.id == "platform-unreachable"
    assert "iamcredentials.googleapis.com:443" in server.proxied


def test_a_project_is_wanted(server: VertexServer) -> None:
    with pytest.raises(BadInput, match="say a project"):
        started(connect(server, "grpc", project=None), pipelines.chain, n=3)


@pytest.mark.parametrize(
    "config",
    [
        {"endpoint": "http://10.0.0.1"},
        {"endpoint": "eu.example.com"},
        {"endpoint": "https://user@example.com"},
        {"endpoint": "https://example.com/v1"},
        {"logs_endpoint": "http://10.0.0.1"},
        {"transport": "http"},
        {"timeout": 0},
        {"credentials": "key.json"},
        {"impersonate": "nobody"},
    ],
)
def test_connections_that_are_none(config: dict[str, Any]) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - pydantic's own
        Connection(**config)


# Logs


def entry(second: int, text: str, **more: Any) -> dict[str, Any]:
    return {"timestamp": f"2026-01-01T00:00:{second:02}Z", "insertId": text, "textPayload": text, **more}


def test_logs_of_all_attempts(server: VertexServer, vertex: Vertex) -> None:
    handle = started(vertex, pipelines.chain, n=3)
    server.task(f"crossdock-{RUN}", "inc", "SUCCEEDED", custom_jobs=("11", "12"))
    server.logs["11"] = [entry(1, "first"), entry(2, "dies")]
    payload = {"timestamp": "2026-01-01T00:00:04Z", "insertId": "x"}
    server.logs["12"] = [
        entry(3, "second\n"),
        {**payload, "jsonPayload": {"message": "structured", "levelname": "INFO"}},
        {**payload, "insertId": "y", "jsonPayload": {"accuracy": 0.5}},
    ]
    lines = ["first", "dies", "second", "structured", '{"accuracy": 0.5}']
    assert list(run.logs(vertex, handle, "inc")) == lines
    assert list(run.logs(vertex, handle, "inc-2")) == []
    with pytest.raises(BadInput, match="has no task 'other'"):
        list(run.logs(vertex, handle, "other"))


def test_logs_are_followed_to_the_end(server: VertexServer, vertex: Vertex) -> None:
    handle = started(vertex, pipelines.chain, n=3)
    id = f"crossdock-{RUN}"
    lines = run.logs(vertex, handle, "inc", follow=True)
    server.task(id, "inc", "RUNNING", custom_jobs=("7",))
    server.logs["7"] = [entry(1, "a"), entry(2, "b")]
    assert [next(lines), next(lines)] == ["a", "b"]
    server.logs["7"] += [entry(2, "c"), entry(3, "d")]
    server.job(id).job_detail.task_details = []
    server.task(id, "inc", "SUCCEEDED", custom_jobs=("7",))
    assert list(lines) == ["c", "d"]


def test_logs_that_may_not_be_read(server: VertexServer, vertex: Vertex) -> None:
    handle = started(vertex, pipelines.chain, n=3)
    server.task(f"crossdock-{RUN}", "inc", "RUNNING", custom_jobs=("7",))
    server.fail("ListEntries", denied("logging.logEntries.list", "projects/crossdock-tests"))
    with pytest.raises(PlatformError, match="Cloud Logging does not give the log") as caught:
        list(run.logs(vertex, handle, "inc"))
    assert caught.value.hint == (
        "give yourself roles/logging.viewer in project crossdock-tests, which has logging.logEntries.list; or: gcloud"
        ' logging read \'resource.type="ml_job" AND resource.labels.job_id=("7")\' --project crossdock-tests'
        " --order asc"
    )


# Schedules


def test_a_schedule_goes_through_its_life(server: VertexServer, vertex: Vertex) -> None:
    found = run.schedule(vertex, *made(pipelines.odd_names), "0 3 * * 1-5")
    assert (found.pipeline, found.cron, found.paused) == ("Odd_Name-", "TZ=UTC 0 3 * * 1-5", False)
    assert found.url == (
        "https://console.cloud.google.com/vertex-ai/locations/europe-west4/pipelines/schedules/"
        f"{found.id}?project=crossdock-tests"
    )
    native = server.schedules[f"{PARENT}/schedules/{found.id}"]
    assert native.max_concurrent_run_count == 1
    assert "crossdock_run" not in native.create_pipeline_job_request.pipeline_job.runtime_config.parameter_values
    for pipeline in (pipelines.branches, pipelines.chain):
        run.schedule(vertex, *made(pipeline, n=3), "*/5 * * * *")
    assert [item.pipeline for item in run.schedules(vertex)] == ["Odd_Name-", "branches", "chain"]
    assert run.schedules(vertex, "Odd_Name-") == [found]
    run.pause_schedule(vertex, found.id)
    run.pause_schedule(vertex, found.id)
    assert [item.paused for item in run.schedules(vertex, "Odd_Name-")] == [True]
    run.resume_schedule(vertex, f"{PARENT}/schedules/{found.id}")
    run.resume_schedule(vertex, found.id)
    assert [item.paused for item in run.schedules(vertex, "Odd_Name-")] == [False]
    run.delete_schedule(vertex, found.id)
    assert run.schedules(vertex, "Odd_Name-") == []


@pytest.mark.parametrize(
    "do", [run.pause_schedule, run.resume_schedule, run.delete_schedule], ids=["pause", "resume", "delete"]
)
def test_schedules_of_others_are_left_alone(
    server: VertexServer, vertex: Vertex, do: Callable[[Vertex, str], None]
) -> None:
    found = run.schedule(vertex, *made(pipelines.branches), "0 3 * * *")
    server.schedules[f"{PARENT}/schedules/{found.id}"].create_pipeline_job_request.pipeline_job.labels = {"x": "y"}
    assert run.schedules(vertex) == []
    for id in (found.id, "77"):
        with pytest.raises(BadInput, match="of ours") as caught:
            do(vertex, id)
        assert caught.value.id == "unknown-schedule"


@pytest.mark.parametrize("cron", ["", "0 3 * *", "0 0 3 * * *", "TZ=UTC 0 3 * * *", "@daily", "0 3 * * $(x)"])
def test_crons_that_are_none(server: VertexServer, cron: str) -> None:
    with pytest.raises(BadInput, match="no cron expression of five fields"):
        run.schedule(connect(server, "grpc"), *made(pipelines.branches), cron)
    assert not server.calls


def test_a_schedule_is_not_made_twice(server: VertexServer, vertex: Vertex) -> None:
    server.fail("CreateSchedule", Fault(Refusal("UNAVAILABLE", "Gone."), done=True))
    with pytest.raises(CrossdockError) as caught:
        run.schedule(vertex, *made(pipelines.branches), "0 3 * * *")
    assert "schedules list" in str(caught.value.hint)
    assert len(server.schedules) == 1
