"""Find what looks like a secret value in files that are to be reviewed. It is never shown whole."""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from itertools import pairwise
from pathlib import PurePosixPath
from typing import Any

from crossdock.dsl.errors import BadInput, Problem
from crossdock.ir import Plan, Program
from crossdock_runtime.nodes_json import input_json

_HINT = 'give it as secrets={"NAME": Secret(…)}, which is resolved where it is used; and change the value: it was read'
_NAME_HINT = f"{_HINT}. If it is no secret, give it a name that does not say so"

_KNOWN = (
    ("an AWS access key", ("AKIA", "ASIA", "ABIA", "ACCA"), r"\b(?:AKIA|ASIA|ABIA|ACCA)[0-9A-Z]{16}\b"),
    ("a private key", ("PRIVATE KEY",), r"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----"),
    (
        "a GitHub token",
        ("ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_"),
        r"\b(?:gh[pousr]_[A-Za-z0-9]{36,}|github_pat_[A-Za-z0-9_]{22,})",
    ),
    (
        "a GitLab token",
        ("glpat-", "gldt-", "glrt-", "glptt-", "glcbt-", "glsoat-"),
        r"\bgl(?:pat|dt|rt|ptt|cbt|soat)-[A-Za-z0-9_-]{20,}",
    ),
    ("a Slack token", ("xox", "xapp-"), r"\bxox[abeoprs]-[A-Za-z0-9-]{10,}|\bxapp-\d-[A-Za-z0-9-]{10,}"),
    ("a Slack webhook", ("hooks.slack.com",), r"hooks\.slack\.com/(?:services|workflows)/[A-Za-z0-9/_-]{20,}"),
    ("a Google API key", ("AIza",), r"\bAIza[0-9A-Za-z_-]{35}(?![0-9A-Za-z_-])"),
    ("a Google OAuth token", ("ya29.", "GOCSPX-"), r"\bya29\.[0-9A-Za-z_-]{20,}|\bGOCSPX-[0-9A-Za-z_-]{20,}"),
    ("a Hugging Face token", ("hf_",), r"\bhf_[A-Za-z0-9]{30,}\b"),
    (
        "an OpenAI or Anthropic key",
        ("sk-",),
        r"\bsk-(?:proj-|svcacct-|admin-|ant-[a-z0-9]+-)?(?=[\w-]*[A-Z])(?=[\w-]*\d)[A-Za-z0-9_-]{32,}",
    ),
    ("a Stripe key", ("k_live_", "k_test_"), r"\b[rs]k_(?:live|test)_[A-Za-z0-9]{16,}"),
    ("a PyPI token", ("pypi-",), r"\bpypi-[A-Za-z0-9_-]{50,}"),
    ("an npm token", ("npm_",), r"\bnpm_[A-Za-z0-9]{36}\b"),
    ("a Databricks token", ("dapi",), r"\bdapi[0-9a-f]{32}\b"),
    ("a DigitalOcean token", ("_v1_",), r"\bdo[opr]_v1_[0-9a-f]{64}\b"),
    ("a SendGrid key", ("SG.",), r"\bSG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}"),
    ("a Vault token", ("hvs.", "hvb.", "hvr."), r"\bhv[sbr]\.[A-Za-z0-9_-]{24,}"),
    ("a JSON web token", ("eyJ",), r"\beyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}"),
    ("an Azure storage key", ("AccountKey=",), r"\bAccountKey=[A-Za-z0-9+/]{40,}={0,2}"),
    ("a signed URL", ("-Signature=", "sig="), r"[?&](?:X-Amz-Signature|X-Goog-Signature|sig)=[A-Za-z0-9%+/_-]{20,}"),
    ("a URL with a password", ("@",), r"\b[a-z][a-z0-9+.-]*://[^\s/:@'\"<>{}$]*:(?![$<{*])[^\s/@'\"<>{}]{3,}@[^\s/]"),
)
"""What it is, what is in it in any case (which is quick to look for), and how it is spelled."""
_PATTERNS = tuple((what, literals, re.compile(pattern)) for what, literals, pattern in _KNOWN)

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_PASSWORD = {"password", "passwd", "passphrase", "pwd", "pass"}
_SUSPICIOUS = {"secret", "token", "apikey", "credential", "credentials", "bearer", "authorization"}
_KEYS = {"api", "access", "private", "secret", "signing", "encryption", "account", "auth", "shared", "storage"}
_IN_NAMES = ("pass", "pwd", "secret", "token", "credential", "bearer", "authorization", "key")
_HARMLESS_ENDS = {
    "id",
    "name",
    "ref",
    "reference",
    "path",
    "file",
    "type",
    "url",
    "uri",
    "field",
    "count",
    "env",
    "key",
}
_REFERENCE = re.compile(r"^(?:\$\{?\w+\}?|\{\{.*\}\}|<[^>]*>|\*+|[./~].*/.*|[a-z][a-z0-9+.-]*://[^@]*)$", re.DOTALL)
_ASSIGNED = re.compile(
    r"""["']?(?P<name>[A-Za-z_][A-Za-z0-9_.-]{2,60})["']?\s*(?:=|:)\s*(?P<quote>["'])(?P<value>[^"'\s]{6,200})(?P=quote)"""
)


def refuse_secrets(plan: Plan, files: Mapping[str, str]) -> None:
    """Refuse files that hold what looks like a secret value.

    Args:
        plan: what they were made of; its tasks and fields are named.
        files: name to text.

    Raises:
        BadInput: has every finding at once.
    """
    problems = list(in_plan(plan))
    known = {problem.message for problem in problems}
    named = [secret.reference for task in plan.tasks for secret in task.settings.secrets.values()]
    references = frozenset(part for reference in named for part in (reference, *reference.split("/")))
    for name, text in files.items():
        for problem in in_file(name, text, references):
            if not problems or not any(_tail(problem.message) == _tail(message) for message in known):
                problems.append(problem)
    if problems:
        count = f"{len(problems)} times" if len(problems) > 1 else "once"
        raise BadInput(
            f"pipeline {plan.name!r} holds what looks like a secret, {count}", problems=problems, id="secret-value"
        )


def _tail(message: str) -> str:
    return message.rpartition("looks like ")[2]


def in_plan(plan: Plan) -> Iterator[Problem]:
    """What a plan's tasks and parameters hold, by task and field."""
    for parameter in plan.parameters.values():
        if not parameter.required:
            yield from _problems(f"the default of parameter {parameter.name!r}", parameter.name, parameter.default)
    for task in plan.tasks:
        settings = task.settings
        for what in ("env", "labels", "targets"):
            for key, value in getattr(settings, what).items():
                yield from _problems(f"{what}[{key!r}]", key, value, task.id)
        for name, item in task.inputs.items():
            yield from _problems(f"input {name!r}", name, input_json(item)["from"], task.id)
        if isinstance(task.code, Program):
            words = [word for word in (*task.code.command, *task.code.args) if isinstance(word, str)]
            for before, word in zip(["", *words], words, strict=False):
                flag, equals, value = word.partition("=")
                name, text = (flag, value) if equals else (before, word)
                yield from _problems("the command", name if name.startswith("-") or equals else "", text, task.id)
        for text in settings.requirements or ():
            yield from _problems("requirements", "", text, task.id)
        if isinstance(settings.image, str):
            yield from _problems("image", "", settings.image, task.id)


def _problems(place: str, name: str, value: Any, task: str | None = None) -> Iterator[Problem]:
    for at, key, text in _texts(value, place, name):
        found = suspicion(key, text)
        if found is not None:
            what, hint = found
            yield Problem(f"{at} looks like {what}: {masked(text, what)}", task=task, hint=hint)


def in_file(name: str, text: str, references: frozenset[str] = frozenset()) -> Iterator[Problem]:
    """What a file holds, by line; YAML and JSON are also read, for values under suspicious names.

    Args:
        name: of the file.
        text: of the file.
        references: names of secrets, which are no secrets themselves.
    """
    seen = set()
    for what, literals, pattern in _PATTERNS:
        for match in pattern.finditer(text) if any(literal in text for literal in literals) else ():
            shown = masked(match.group(), what)
            seen.add(shown)
            number = text.count("\n", 0, match.start()) + 1
            yield Problem(f"the text looks like {what}: {shown}", where=f"{name}:{number}", hint=_HINT)
    for key, value in _named(name, text):
        found = suspicion(key, value) if value not in references else None
        if found is not None and masked(value, found[0]) not in seen:
            yield Problem(f"{key} looks like {found[0]}: {masked(value, found[0])}", where=name, hint=found[1])


def suspicion(name: str, text: str) -> tuple[str, str] | None:
    """What a text looks like, and a hint; None when it is harmless."""
    for what, literals, pattern in _PATTERNS:
        if any(literal in text for literal in literals) and pattern.search(text):
            return what, _HINT
    kind = _kind_of(name)
    if kind is None or _REFERENCE.match(text) or not text.isprintable() or " " in text:
        return None
    if kind == "password" and len(text) >= 6 and not text.isdigit():
        return "a password", _NAME_HINT
    if len(text) >= 16 and entropy(text) >= 3.2 and any(character.isdigit() for character in text):
        return "a secret value", _NAME_HINT
    return None


_IN_EXAMPLES = ("a URL with a password", "a signed URL", "a JSON web token")


def known_secret(text: str) -> tuple[str, int] | None:
    """What a text holds that can only be a secret, and its line; what examples are full of is passed over."""
    for what, literals, pattern in _PATTERNS:
        if what not in _IN_EXAMPLES and any(literal in text for literal in literals):
            match = pattern.search(text)
            if match is not None:
                return what, text.count("\n", 0, match.start()) + 1
    return None


def _kind_of(name: str) -> str | None:
    """Whether a name says that its value is a password, or another secret."""
    words = [word.lower() for word in _WORD.findall(name)]
    if not words:
        return None
    if words[-1] in _HARMLESS_ENDS and not (words[-1] == "key" and len(words) > 1 and words[-2] in _KEYS):
        return None
    if _PASSWORD & set(words):
        return "password"
    if _SUSPICIOUS & set(words) or any(one in _KEYS and other == "key" for one, other in pairwise(words)):
        return "secret"
    return None


def entropy(text: str) -> float:
    """Bits a character, by how often each stands in the text."""
    counts = Counter(text)
    return -sum(count / len(text) * math.log2(count / len(text)) for count in counts.values())


def masked(text: str, what: str) -> str:
    """The start of a value, so that its owner knows it."""
    for kind, _, pattern in _PATTERNS:
        if kind == what:
            match = pattern.search(text)
            text = match.group() if match is not None else text
    if what == "a private key":
        return "-----BEGIN …"
    if what == "a URL with a password":
        return f"{text.partition('://')[0]}://…:…@…"
    shown = 4 if len(text) >= 16 else 1
    return f"{text[:shown]}… ({len(text)} characters)"


def _texts(value: Any, place: str, name: str) -> Iterator[tuple[str, str, str]]:
    """Place, name and text of each text in a value."""
    if isinstance(value, str):
        yield place, name, value
    elif isinstance(value, Mapping):
        for key, item in value.items():
            inner = name if str(key) in ("value", "fields") or str(key).startswith("$") else str(key)
            yield from _texts(item, place, inner)
    elif isinstance(value, Iterable):
        for item in value:
            yield from _texts(item, place, name)


def _named(file: str, text: str) -> Iterator[tuple[str, str]]:
    """Names and texts that are their values."""
    suffix = PurePosixPath(file).suffix
    lower = text.lower()
    if not any(word in lower for word in _IN_NAMES):
        return
    if suffix in (".yaml", ".yml", ".json"):
        for document in _documents(suffix, text):
            yield from _pairs(document, "")
        return
    for match in _ASSIGNED.finditer(text):
        yield match["name"], match["value"]


def _documents(suffix: str, text: str) -> list[Any]:
    import yaml

    try:
        if suffix == ".json":
            return [json.loads(text)]
        return list(yaml.load_all(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)))
    except (ValueError, yaml.YAMLError):
        return []


def _pairs(value: Any, name: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield name, value
    elif isinstance(value, Mapping):
        own = value.get("name")
        for key, item in value.items():
            called = str(own) if key in ("value", "default", "defaultValue") and isinstance(own, str) else str(key)
            inner = name if called in ("value", "default", "defaultValue", "constant", "runtimeValue") else called
            yield from _pairs(item, inner)
    elif isinstance(value, list):
        for item in value:
            yield from _pairs(item, name)
