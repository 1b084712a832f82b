"""Secrets are blanked in whatever form they turn up."""

from __future__ import annotations

import base64
import json
import string
import urllib.parse
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from running import Project

from crossdock_runtime import redaction
from crossdock_runtime.redaction import BLANK, SHORTEST, Redaction

TEXT = st.text(st.characters(exclude_characters="•", exclude_categories=["Cs", "Cc"]), max_size=20)
SECRETS = st.text(
    st.characters(exclude_characters="•", exclude_categories=["Cs", "Cc", "Z"]), min_size=SHORTEST, max_size=40
)
FORMS = {
    "plain": lambda text: text,
    "url": lambda text: urllib.parse.quote(text, safe=""),
    "path": urllib.parse.quote,
    "form": urllib.parse.quote_plus,
    "json": lambda text: json.dumps(text)[1:-1],
    "json of a text": lambda text: json.dumps(text, ensure_ascii=False)[1:-1],
    "repr": lambda text: repr(text)[1:-1],
    "bytes": lambda text: repr(text.encode())[2:-1],
    "base64": lambda text: base64.b64encode(text.encode()).decode(),
    "base64 of urls": lambda text: base64.urlsafe_b64encode(text.encode()).decode(),
}


def blanked(secret: str, text: str) -> str:
    found = Redaction()
    found.hide(secret)
    return found.blank(text)


@pytest.mark.parametrize("form", FORMS)
@given(secret=SECRETS, before=TEXT, after=TEXT)
@example(secret="p@ss/w+rd=", before="user:", after="@host")
@example(secret='quo"te\\back', before="", after="")
@example(secret="grün 'ß'", before="", after="")
def test_a_secret_in_each_of_its_forms(form: str, secret: str, before: str, after: str) -> None:
    written = FORMS[form](secret)
    assert written not in blanked(secret, f"{before}{written}{after}")


@given(secret=st.text(string.printable.strip(), min_size=8, max_size=40), before=st.binary(max_size=9))
def test_a_secret_inside_of_base64(secret: str, before: bytes) -> None:
    """As `user:password` in a header: what is left of it tells no more than a character at either end."""
    whole = base64.b64encode(before + secret.encode() + b"!").decode()
    left = blanked(secret, whole)
    assert BLANK in left
    assert len(left.partition(BLANK)[2]) <= 8


@given(lines=st.lists(st.text(string.ascii_letters + string.digits, min_size=SHORTEST), min_size=2, max_size=5))
def test_the_lines_of_a_secret_one_by_one(lines: list[str]) -> None:
    found = Redaction()
    found.hide("\n".join(lines) + "\n")
    for line in lines:
        assert found.blank(f"  {line}") == f"  {BLANK}"


def test_entries_whose_names_say_that_they_are_secret() -> None:
    secret = json.dumps({"user": "postgres", "password": "hunter22", "nested": {"api_key": "k-12345"}, "port": 5432})
    said = blanked(secret, "postgres hunter22 k-12345 5432")
    assert said == f"postgres {BLANK} {BLANK} 5432"


def test_what_is_too_short_is_left_alone() -> None:
    assert blanked("abc", "abcdef") == "abcdef"
    assert blanked("\n ", "text") == "text"


def test_what_is_always_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redaction, "_always", set())
    found = Redaction()
    assert found.blank("of-the-store") == "of-the-store"
    redaction.hide_always("of-the-store")
    assert found.blank("of-the-store") == BLANK == redaction.blank("of-the-store")


PIPE = """
    import base64
    import json
    import os
    import subprocess
    import sys
    from crossdock import Retry, Secret, pipeline, step

    @step(secrets={"TOKEN": Secret(env="GIVEN"), "PIN": Secret(env="PIN")}, retry=Retry(max_attempts=2))
    def talks() -> int:
        token = os.environ["TOKEN"]
        print("whole", token)
        sys.stdout.write("half " + token[:5])
        sys.stdout.write(token[5:] + "\\n")
        print(token.splitlines()[0])
        print(json.dumps({"token": token}))
        print(base64.b64encode(f"user:{token}".encode()).decode())
        sys.stdout.buffer.write(token.encode())
        print(file=sys.stderr)
        if os.environ.get("CROSSDOCK_CHILD"):
            os.write(1, f"fd {token}\\n".encode())
            subprocess.run([sys.executable, "-c", "import os; print(os.environ['TOKEN'])"])
        raise ValueError(f"no luck with {token!r}")

    @pipeline
    def talking() -> int:
        return talks()
"""


@pytest.mark.parametrize("workers", ["1", "2"])
@pytest.mark.parametrize("token", ["s3cr3t-of-one-line", "f1r5t-line\ns3c0nd-line"], ids=["one line", "two lines"])
def test_what_a_step_says(token: str, workers: str, tmp_path: Path) -> None:
    project = Project(tmp_path)
    project.write(PIPE)
    env = {"GIVEN": token, "PIN": "123"}
    run = project.run("--max-workers", workers, env=env)
    assert run.code == 1, str(run)
    assert "the secret PIN is not blanked here" in run.err
    cause = run.document["tasks"]["talks"]["cause"]
    assert cause["message"] == f"ValueError: no luck with '{BLANK}'"
    said = [
        run.out, run.err, project.crossdock("runs", "logs", "latest").out,
        project.crossdock("runs", "replay", "latest", "talks", env=env).out,
        *(path.read_text(errors="replace") for path in project.store_path.rglob("*") if path.is_file()),
    ]  # fmt: skip
    for part in {token, *token.splitlines(), token[:5], base64.b64encode(token.encode()).decode()[4:12]}:
        for text in said:
            assert part not in text, part
