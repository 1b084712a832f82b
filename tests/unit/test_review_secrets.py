"""No secret value in an exported file: planted ones are found by task and field, and nothing else is."""

from __future__ import annotations

import random
import string
from pathlib import Path

import pytest
from running import Project

from crossdock.client import Client
from crossdock.dsl.errors import UnsupportedError
from crossdock.passes.load import load
from crossdock.review.secrets import in_file, in_plan, suspicion

ROOT = Path(__file__).resolve().parents[2]
_random = random.Random(7)


def noise(length: int, letters: str = string.ascii_letters + string.digits) -> str:
    """What looks like a key, and is in no repository as a whole, so that scanners of other people are not alarmed."""
    return "".join(_random.choice(letters) for _ in range(length))


CAPITALS = string.ascii_uppercase + string.digits
KNOWN = {
    "an AWS access key": "AKIA" + noise(16, CAPITALS),
    "a private key": "-----BEGIN RSA " + "PRIVATE KEY-----",
    "a GitHub token": "ghp_" + noise(36),
    "a GitLab token": "glpat-" + noise(20),
    "a Slack token": "xoxb-" + noise(24),
    "a Google API key": "AIza" + noise(35),
    "a Hugging Face token": "hf_" + noise(34),
    "an OpenAI or Anthropic key": "sk-proj-" + noise(48),
    "a Stripe key": "sk_live_" + noise(24),
    "a Databricks token": "dapi" + noise(32, "0123456789abcdef"),
    "a JSON web token": f"eyJ{noise(20)}.eyJ{noise(30)}.{noise(20)}",
    "an Azure storage key": f"DefaultEndpointsProtocol=https;AccountName=a;AccountKey={noise(86)}==",
    "a signed URL": f"https://bucket.example.org/file?X-Amz-Signature={noise(64, '0123456789abcdef')}",
    "a URL with a password": "postgresql://reader:" + noise(9) + "@db.example.org:5432/sales",
}


@pytest.mark.parametrize("what", KNOWN)
def test_known_kinds_are_found_under_any_name(what: str) -> None:
    found = suspicion("greeting", f"before {KNOWN[what]} after")
    assert found is not None
    assert found[0] == what


@pytest.mark.parametrize(
    "name",
    ["DB_PASSWORD", "password", "userPassword", "PGPASS_PASSWD", "API_KEY", "apiKey", "AUTH_TOKEN", "client-secret",
             "aws_secret_access_key", "SIGNING_KEY", "credentials", "--token"],
)  # fmt: skip
def test_values_under_names_that_say_secret(name: str) -> None:
    assert suspicion(name, noise(24) + "7") is not None


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("MODE", noise(40) + "1"),  # an id, a digest, a commit
        ("digest", "sha256:" + noise(64, "0123456789abcdef")),
        ("tokenizer", "bert-base-uncased-2024-v1"),
        ("max_tokens", "4096"),
        ("token_count", "1234567890123456789"),
        ("API_KEY", "$API_KEY"),
        ("API_KEY", "{{inputs.key}}"),
        ("API_KEY", "<secret>"),
        ("SECRET_NAME", "prod/warehouse-reader-2024"),
        ("password_file", "/run/secrets/db-2024"),
        ("token_url", "https://login.example.org/oauth2/v2.0/token"),
        ("TOKEN_ENV", "WAREHOUSE_TOKEN_2024_V1"),
        ("secret", "the quick brown fox has 4 legs"),
        ("image", "ghcr.io/team/trainer@sha256:" + noise(64, "0123456789abcdef")),
        ("uri", "s3://bucket/data/2024/file.parquet"),
        ("endpoint", "https://host.example.org:8443/path@v2"),
        ("uri", "postgresql://reader:$PASSWORD@db.example.org/sales"),
        ("name", "sk-learn-random-forest-model-v2-training-job"),
        ("keyboard", noise(30) + "2"),
        ("primary_key", noise(30) + "2"),
        ("compass", noise(30) + "2"),
    ],
)
def test_what_is_harmless(name: str, text: str) -> None:
    assert suspicion(name, text) is None


TOKEN = KNOWN["a GitHub token"]
PASSWORD = "hunter2" + noise(8)
PLANTED = {
    "env": (f'@step(env={{"DB_PASSWORD": "{PASSWORD}"}})', "", "task 'work': env['DB_PASSWORD']"),
    "label": (f'@step(labels={{"owner": "{TOKEN}"}})', "", "task 'work': labels['owner']"),
    "override": (f'@step(targets={{"kubeflow": {{"annotations": {{"a": "{TOKEN}"}}}}}})', "", "targets['kubeflow']"),
    "requirement": (
        f'@step(requirements=["lib @ git+https://user:{PASSWORD}@git.example.org/lib.git"])', "", "requirements",
    ),
    "default": ("@step", f'key: str = "{TOKEN}"', "the default of parameter 'key'"),
    "named default": ("@step", f'api_key: str = "{PASSWORD}{PASSWORD}"', "the default of parameter 'api_key'"),
}  # fmt: skip
PIPELINE = """
from crossdock import pipeline, step

{decorator}
def work(text: str) -> str:
    return text

@pipeline
def flow({parameter}) -> str:
    return work({argument})
"""


@pytest.mark.parametrize("where", PLANTED)
@pytest.mark.parametrize("verb", ["export", "compile"])
def test_a_planted_secret_is_refused_by_place_and_not_shown(where: str, verb: str, tmp_path: Path) -> None:
    decorator, parameter, place = PLANTED[where]
    project = Project(tmp_path)
    project.write(PIPELINE.format(decorator=decorator, parameter=parameter, argument='"text"'))
    done = project.crossdock(verb, "pipe.py", "--target", "kubeflow", "-o", "out")
    assert done.code == 2, str(done)
    assert place in done.err
    assert "looks like" in done.err
    assert TOKEN not in done.err
    assert PASSWORD not in done.err
    assert not (project.folder / "out").exists()


def test_a_literal_argument_and_a_command_are_looked_at(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").touch()
    file = tmp_path / "planted.py"
    file.write_text(
        PIPELINE.format(decorator="@step", parameter="", argument=f'"{TOKEN}"')
        + f"""
from crossdock import container_step

fetch = container_step(name="fetch", image="alpine:3", command=["fetch", "--token", "{PASSWORD}{PASSWORD}", "--out=x"])

@pipeline
def fetching() -> None:
    fetch()
""",
        encoding="utf-8",
    )
    (argument,) = in_plan(load(f"{file}:flow").plan)
    assert (argument.task, "input 'text'" in argument.message) == ("work", True)
    (command,) = in_plan(load(f"{file}:fetching").plan)
    assert (command.task, "the command" in command.message) == ("fetch", True)


def test_what_an_adapter_adds_is_looked_at_too() -> None:
    spec = f"""
containers:
- name: main
  env:
  - {{name: "SMTP_PASSWORD", value: "{PASSWORD}"}}
  - name: MODE
    value: fast
  args: ["--key", "{KNOWN["an AWS access key"]}"]
"""
    found = [str(problem) for problem in in_file("pipeline.yaml", spec)]
    assert len(found) == 2
    assert found[0].startswith("pipeline.yaml:8: the text looks like an AWS access key: AKIA…")
    assert found[1].startswith("pipeline.yaml: SMTP_PASSWORD looks like a password")
    (script,) = in_file("dag.py", f'DB_PASSWORD = "{PASSWORD}"\nTOKEN_URL = "https://example.org/a/b/c1"\n')
    assert "DB_PASSWORD" in script.message


def test_a_reference_is_no_secret(tmp_path: Path) -> None:
    project = Project(tmp_path)
    decorator = '@step(secrets={"DB_PASSWORD": Secret(kubernetes="warehouse/password-2024-reader")})'
    project.write("from crossdock import Secret\n" + PIPELINE.format(decorator=decorator, parameter="", argument='"x"'))
    done = project.crossdock("export", "pipe.py", "--target", "kubeflow", "-o", "out")
    assert done.code == 0, str(done)
    report = (project.folder / "out/REVIEW.md").read_text(encoding="utf-8")
    assert "DB_PASSWORD from kubernetes: warehouse/password-2024-reader" in report


@pytest.mark.parametrize("target", ["local", "kubeflow"])
@pytest.mark.parametrize("file", sorted(ROOT.glob("examples/*/pipeline.py")), ids=lambda file: file.parent.name)
def test_no_example_is_suspected(file: Path, target: str) -> None:
    client = Client()
    try:
        exported = client.export(str(file), target=target)
    except UnsupportedError:
        return  # it has no bundle
    assert exported.files


def test_no_golden_is_suspected() -> None:
    goldens = [file for file in (ROOT / "tests/golden").glob("*/*/*") if file.is_file()]
    assert len(goldens) >= 6
    for file in goldens:
        assert list(in_file(file.name, file.read_text(encoding="utf-8"))) == []
