"""The words of the DSL: names of tasks, settings on top of each other, and what plain Python may do with a result."""

from __future__ import annotations

import contextlib
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from crossdock import Retry, Secret, Settings, after, is_in, pipeline, step
from crossdock.dsl.errors import TraceError
from crossdock.dsl.secret_references import parts
from crossdock.ir import libraries_of
from crossdock.passes import compile_pipeline
from crossdock.passes.names import Names, label_of
from crossdock.stacks import SecretReference
from crossdock_runtime.secret_managers import LIBRARIES


@step
def one() -> int:
    return 1


@step
def pair() -> tuple[int, str]:
    return 1, "a"


@step
def use(number: int, text: str) -> str:
    return text * number


@step
def when(number: int) -> bool:
    return number > 1


@step
def a_name_that_goes_on_and_on_until_no_label_of_any_platform_could_take_all_of_it(number: int) -> int:
    return number


@step
def _private() -> int:
    return 1


NAMES = st.from_regex(r"[A-Za-z][A-Za-z0-9_-]{0,62}", fullmatch=True)


@given(st.lists(NAMES, max_size=12), st.lists(st.sampled_from(["fit", "a", "when", "map", "x" * 63]), max_size=12))
def test_ids_are_unique_labels_however_they_are_chosen(fixed: list[str], steps: list[str]) -> None:
    names, found = Names(), []
    for name in fixed:
        with contextlib.suppress(TraceError):
            found.append(names.fix(name, dict.fromkeys(found, "f.py:1"), "f.py:2"))
    found.extend(names.new(name) for name in steps)
    labels = [label_of(name) for name in found]
    assert len(set(labels)) == len(labels)
    assert all(0 < len(label) <= 63 for label in labels)
    assert not any(label.startswith(("when-1", "map-1")) for label in map(label_of, found[len(found) - len(steps) :]))


def test_ids_count_in_call_order_and_keep_away_from_our_own() -> None:
    @pipeline
    def named() -> None:
        one()
        first = one()
        one.with_options(name="one-3")()
        one()
        when(first)
        _private()
        for _ in range(2):
            a_name_that_goes_on_and_on_until_no_label_of_any_platform_could_take_all_of_it(first)

    ids = [task.id for task in compile_pipeline(named).plan.tasks]
    long = "a-name-that-goes-on-and-on-until-no-label-of-any-platform-could-take-all-of-it"
    assert ids == ["one", "one-2", "one-3", "one-4", "when-step", "private", long[:63], f"{long[:61]}-2"]


def test_a_call_wins_over_its_step_and_that_over_its_pipeline() -> None:
    base = Settings(retry=Retry(5), timeout=60, env={"A": "pipeline", "TOKEN": "none"}, labels={"x": "1"})
    over = Settings(timeout="2m", env={"B": "step"}, secrets={"TOKEN": Secret(env="T")})
    merged = over.over(base)
    assert (merged.retry, merged.timeout) == (Retry(5), 120.0)
    assert merged.env == {"A": "pipeline", "B": "step"}
    assert dict(merged.secrets) == {"TOKEN": Secret(env="T")}
    back = Settings(env={"TOKEN": "text"}).over(merged)
    assert (back.env["TOKEN"], dict(back.secrets)) == ("text", {})


def test_a_tuple_that_is_one_value_can_be_unpacked() -> None:
    @pipeline
    def unpacks() -> str:
        number, text = pair()
        return use(number, text)

    inputs = compile_pipeline(unpacks).plan.by_id["use"].inputs
    assert [getattr(item.binding, "path", None) for item in inputs.values()] == [(0,), (1,)]


def test_outside_of_a_pipeline_the_words_are_plain_python() -> None:
    assert after(one(), pair()) == 1
    assert is_in("a", ["a", "b"])
    assert not is_in(3, range(2))


def test_results_of_a_trace_are_readable_in_a_debugger() -> None:
    seen = []

    @pipeline
    def shown(count: int = 1) -> None:
        result = one()
        seen.extend([repr(result), repr(count), repr(result > 2), repr(result == count)])

    compile_pipeline(shown)
    assert seen[0] == "<Ref Output(task='one', name='output', path=()): int>"
    assert seen[1] == "<Ref Param(name='count', path=()): int>"
    assert seen[2].startswith("Condition('>', (<Ref Output(")


def test_a_trace_error_in_one_pipeline_leaves_the_next_alone() -> None:
    @pipeline
    def bad() -> None:
        if one() > 1:
            one()

    @pipeline
    def good() -> int:
        return one()

    with pytest.raises(TraceError, match="decided only when the pipeline runs"):
        compile_pipeline(bad)
    assert [task.id for task in compile_pipeline(good).plan.tasks] == ["one"]
    assert one() == 1


ARN = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:prod/db-AbCdEf"
AZURE_VERSION = "4387e9f3d6e14c459867679a90fd0f79"


@pytest.mark.parametrize(
    ("source", "reference", "found"),
    [
        ("aws", "prod/db", {"id": "prod/db"}),
        ("aws", "a@b.c+d=e", {"id": "a@b.c+d=e"}),
        ("aws", "prod/db#pass word", {"id": "prod/db", "key": "pass word"}),
        ("aws", "db?stage=AWSPREVIOUS#a#b", {"id": "db", "stage": "AWSPREVIOUS", "key": "a#b"}),
        ("aws", f"{ARN}#key", {"id": ARN, "region": "eu-west-1", "key": "key"}),
        ("gcp", "token", {"name": "token"}),
        ("gcp", "token/versions/3", {"name": "token", "version": "3"}),
        ("gcp", "projects/my-lab/secrets/t_1", {"project": "my-lab", "name": "t_1"}),
        ("gcp", "projects/1/secrets/t/versions/latest", {"project": "1", "name": "t", "version": "latest"}),
        ("azure", "my-vault/name", {"vault": "my-vault", "name": "name"}),
        ("azure", f"vault/name/{AZURE_VERSION}", {"vault": "vault", "name": "name", "version": AZURE_VERSION}),
        ("azure", "https://v12.vault.azure.cn/secrets/n", {"host": "v12.vault.azure.cn", "name": "n"}),
        ("keyring", "hub/me", {"service": "hub", "user": "me"}),
    ],
)
def test_references_of_secrets(source: str, reference: str, found: dict[str, str]) -> None:
    assert parts(source, reference) == found
    assert Secret(**{source: reference}).reference == reference


@pytest.mark.parametrize(
    ("source", "reference"),
    [
        ("aws", "with space"), ("aws", "name#"), ("aws", "name?stage="), ("aws", "#key"), ("aws", "name?version=1"),
        ("aws", "a\nb"), ("gcp", "projects/p/secrets/"), ("gcp", "a.b"), ("gcp", "projects/p/locations/l/secrets/s"),
        ("gcp", "x" * 256), ("azure", "name"), ("azure", "vault/na_me"), ("azure", "1vault/name"), ("azure", "va/name"),
        ("azure", "http://vault.vault.azure.net/secrets/name"), ("azure", "https://vault.example.com/secrets/name"),
        ("azure", "vault/name/latest"), ("env", "A B"), ("env", "A-B"),
    ],
)  # fmt: skip
def test_what_is_no_reference_to_a_secret(source: str, reference: str) -> None:
    with pytest.raises(TraceError, match=f'write Secret.{source}="') as caught:
        Secret(**{source: reference})
    assert caught.value.id == "bad-setting"
    with pytest.raises(ValidationError):
        SecretReference.model_validate({source: reference})


def test_libraries_that_the_secrets_of_a_task_need() -> None:
    secrets = {"A": Secret(aws="a"), "B": Secret(azure="vault/b"), "C": Secret(env="C"), "D": Secret(aws="d")}

    @pipeline
    def secretive() -> None:
        one.with_options(secrets=secrets)()
        one()

    first, second = compile_pipeline(secretive).plan.tasks
    assert libraries_of(first) == ("azure-identity>=1.16", "azure-keyvault-secrets>=4.8", "boto3>=1.34")
    assert libraries_of(second) == ()


def test_the_libraries_are_those_of_the_extras() -> None:
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text(encoding="utf-8"))
    for source, wanted in LIBRARIES.items():
        assert set(wanted) <= set(project["project"]["optional-dependencies"][source])
