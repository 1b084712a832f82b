"""The cases of what travels, of failures, of results that are used again, and of settings."""

from __future__ import annotations

import datetime
import decimal
import uuid

from crossdock.testing.case import (
    CANCELLED,
    SCRATCH,
    SKIPPED,
    UPSTREAM_FAILED,
    Case,
    Ended,
    Holds,
    Once,
    Shown,
    cached,
    case,
    failed,
    ran,
)

VALUES, FAILURES, SETTINGS = "conformance_values", "conformance_failures", "conformance_settings"

TEXTS = ran(
    plain="plain",
    empty="",
    spaces="  two  ",
    lines="a\nb\r\n\tc\n",
    quotes='it\'s "so" `quoted` \\ \\n',
    shell="$HOME ${HOME} $(id) !! ~ * ; & | > #",
    percent="100% %s %(name)s %%",
    braces="{{workflow.name}} {{$.inputs}} ${{ x }} {x}",
    unicode="Zürich 東京 🚂 e\u0301 \u202e",
    control="\x01\x1b[0m\x7f",
    like_json='{"$tuple": [1]}',
    like_number="1e3",
    like_null="null",
    dashes="--task",
)
NUMBERS = ran(
    zero=0, big=2**200 + 1, negative=-(2**53) - 1, third=1 / 3, whole=2.0, nan=float("nan"), infinite=float("-inf"),
    minus_zero=-0.0, tiny=5e-324, yes=True, no=False, none=None,
)  # fmt: skip
OBJECTS = ran(
    moment=datetime.datetime(2024, 2, 29, 23, 59, 59, 999999, tzinfo=datetime.UTC),
    day=datetime.date(1, 1, 1),
    time=datetime.time(12, 30),
    span=datetime.timedelta(days=-1, microseconds=1),
    exact=decimal.Decimal("0.10"),
    id=uuid.UUID(int=7),
    color=Shown("<Color.BLUE: 'blue'>"),
    point=Shown("Point(x=1, y=2.0)"),
    model=Shown("Model(name='n', sizes=[1, 2])"),
    listed=[1, [2, [3, []]], {"a": (1, 2)}],
    pair=(1, "1"),
    unique={1, 2, 3},
    keyed={"b": 1, "a": {"$set": [1]}, "": None},
    numbered={2: "two", 1: "one"},
    data=[b"", b"\x00\xff"],
)
_DEFAULTS = repr(("it's $HOME\n100%", 2**70, 0.1, True, None, [3, 1], "RED", "2013-01-01", 1, 2.5))
_OTHERS = repr((" -p é ", -(2**70), float("inf"), False, "x", [], "BLUE", "2024-02-29", 1, 2.5))
_TEXTS = repr(("$(id) 'x'", 0, 1e-300, False, "a b", [1, 2], "BLUE", "2024-02-29", 4, 0.5))

TRAVEL: tuple[Case, ...] = (
    case("texts", f"{VALUES}:texts", give_texts=TEXTS, compare_texts=ran([]), compare_texts_2=ran([])),
    case("numbers", f"{VALUES}:numbers", give_numbers=NUMBERS, compare_numbers=ran([]), compare_numbers_2=ran([])),
    case("objects", f"{VALUES}:objects", give_objects=OBJECTS, compare_objects=ran([]), compare_objects_2=ran([])),
    case("a large value", f"{VALUES}:large", give_large=ran("\N{SNOWMAN}" * 350_000), measure=ran(350_000)),
    case("parts of values", f"{VALUES}:parts", give_objects=OBJECTS, say=ran("1 n [2, [3, []]]")),
    case(
        "artifacts",
        f"{VALUES}:artifacts",
        give_bytes=ran(b"\x00\xff\n"),
        give_file=ran(Holds("Zürich\n".encode())),
        give_folder=ran(Holds({"a": b"1", "sub/b c": b""})),
        give_opaque=ran(Shown("Opaque(7)")),
        read_all=ran("b'\\x00\\xff\\n' 'Zürich\\n' ['a', 'sub/b c'] Opaque(7)"),
    ),
    case(
        "many artifacts",
        f"{VALUES}:many_artifacts",
        Once(
            {
                "give-two": ran(data=b"two", size=3),
                "give-bytes": ran(b"\x00\xff\n"),
                "read-many": ran("[b'two', b'\\x00\\xff\\n'] [3]"),
                "repeat.0": ran(b""), "repeat.1": ran(b"x"), "repeat.2": ran(b"xx"),
                "read-many-2": ran("[b'', b'x', b'xx'] []"),
            }
        ),
    ),
    case(
        "parameters",
        f"{VALUES}:parameters",
        Once({"show": ran(_DEFAULTS)}),
        Once(
            {"show": ran(_OTHERS)},
            parameters={
                "text": " -p é ", "count": -(2**70), "share": float("inf"), "flag": False, "note": "x", "sizes": [],
                "color": "BLUE", "day": datetime.date(2024, 2, 29),
            },
        ),
        Once(
            {"show": ran(_TEXTS)},
            texts={
                "text": "$(id) 'x'", "count": "0", "share": "1e-300", "flag": "false", "note": "a b",
                "sizes": "[1, 2]", "color": "blue", "day": "2024-02-29", "point": '{"x": 4, "y": 0.5}',
            },
        ),
    ),
    case(
        "texts like something else as parameters",
        f"{VALUES}:required",
        *(
            Once({"say": ran(f"7 {text} None")}, parameters={"text": text, "count": 7})
            for text in ("", "null", "true", "1", "[1]", "--run", "%d", "{{x}}", "a\nb")
        ),
    ),
    case(
        "an artifact as a parameter",
        f"{VALUES}:artifact_parameter",
        Once({"count-files": ran(0)}, parameters={"folder": SCRATCH}),
    ),
)  # fmt: skip

_TOKEN = "CROSSDOCK_CONFORMANCE_TOKEN"
_FAILS = failed(says="it was to fail")

FAILING: tuple[Case, ...] = (
    case(
        "retry, then success",
        f"{FAILURES}:retried",
        Once({"third-time": ran(3, attempts=3), "increase": ran(4)}, parameters={"folder": SCRATCH}),
    ),
    case(
        "retry for a base class",
        f"{FAILURES}:subclass",
        Once({"third-time": ran(3, attempts=3), "increase": ran(4)}, parameters={"folder": SCRATCH}),
    ),
    case(
        "retries spent",
        f"{FAILURES}:spent",
        Once(
            {"third-time": failed(says="attempt 2", attempts=2), "increase": UPSTREAM_FAILED},
            status="failed",
            parameters={"folder": SCRATCH},
        ),
    ),
    case(
        "no retry for this exception",
        f"{FAILURES}:not_this",
        Once(
            {"third-time": failed(says="attempt 1"), "increase": UPSTREAM_FAILED},
            status="failed",
            parameters={"folder": SCRATCH},
        ),
    ),
    case(
        "failure stops the run",
        f"{FAILURES}:stop",
        Once(
            {
                "fail": _FAILS,
                "increase": UPSTREAM_FAILED,
                "increase-2": UPSTREAM_FAILED,
                "start": CANCELLED.or_else(ran(1)),
                "increase-3": CANCELLED.or_else(ran(2)),
            },
            status="failed",
        ),
    ),
    case(
        "failure, and the rest goes on",
        f"{FAILURES}:go_on",
        Once(
            {
                "fail": _FAILS,
                "increase": UPSTREAM_FAILED,
                "increase-2": UPSTREAM_FAILED,
                "start": ran(1),
                "increase-3": ran(2),
                "fail-2": _FAILS,
                "tell": UPSTREAM_FAILED,
                "last": ran(
                    "failed ['fail', 'fail-2'] ['ValueError: it was to fail', 'ValueError: it was to fail']"
                ),
            },
            status="failed",
        ),
    ),
    case(
        "a condition that fails",
        f"{FAILURES}:condition_fails",
        Once(
            {"fail": _FAILS, "tell": UPSTREAM_FAILED, "tell-2": UPSTREAM_FAILED, "tell-3": UPSTREAM_FAILED},
            status="failed",
        ),
    ),
    case(
        "a branch that fails",
        f"{FAILURES}:branch_fails",
        Once(
            {
                "start": ran(1), "fail-if": _FAILS, "increase": UPSTREAM_FAILED, "increase-2": SKIPPED,
                "str-of": UPSTREAM_FAILED, "tell": UPSTREAM_FAILED,
            },
            status="failed",
        ),
    ),
    case("a wrong output", f"{FAILURES}:bad_output", Once({"wrong-shape": failed("wrong output")}, status="failed")),
    case(
        "a timeout",
        f"{FAILURES}:timed_out",
        Once({"slow": failed("timeout", "1 second"), "increase": UPSTREAM_FAILED}, status="failed"),
    ),
    case("in time", f"{FAILURES}:in_time", quick=ran(1)),
    case(
        "cache",
        f"{FAILURES}:cached",
        Once(
            {"square": ran(9), "always": ran(9), "dependent": ran(-9), "tell": SKIPPED, "tell-2": ran("small")},
            cache=True,
        ),
        Once(
            {
                "square": cached(9), "always": ran(9), "dependent": cached(-9),
                "tell": SKIPPED, "tell-2": cached("small"),
            },
            cache=True,
        ),
        Once(
            {"square": ran(16), "always": ran(16), "dependent": ran(-16), "tell": ran("large"), "tell-2": SKIPPED},
            parameters={"value": 4},
            cache=True,
        ),
        Once({"square": ran(9), "always": ran(9), "dependent": ran(-9), "tell": SKIPPED, "tell-2": ran("small")}),
    ),
    case(
        "resume",
        f"{FAILURES}:resumed",
        Once(
            {"start": ran(1), "increase": ran(2), "fail-if": _FAILS, "increase-2": UPSTREAM_FAILED},
            status="failed",
            parameters={"bad": True},
        ),
        Once(
            {"start": cached(1), "increase": cached(2), "fail-if": ran(20), "increase-2": ran(21)},
            parameters={"bad": False},
            resume=True,
        ),
    ),
    case(
        "environment",
        f"{FAILURES}:environment",
        read_env=ran("it's \"$HOME\" 100%"),
        read_env_2=ran("of the call"),
    ),
    case(
        "secret",
        f"{FAILURES}:secret",
        Once({"use-secret": ran(17)}, env={_TOKEN: "hush-4711-éè-end$"}),
        Once({"use-secret": failed("missing secret", "TOKEN")}, status="failed"),
    ),
    case(
        "secret in an error",
        f"{FAILURES}:leaked_secret",
        Once({"leak-secret": failed(says="cannot log in")}, status="failed", env={_TOKEN: "hush-4711-end"}),
    ),
)  # fmt: skip

_START = Once({"start": ran(1)})

SETTING: tuple[Case, ...] = (
    case(
        "container step",
        f"{SETTINGS}:container",
        give_bytes=ran(b"bytes"),
        copy=Ended("succeeded", {"target": b"bytes"}, 1),
        size_of=ran(5),
    ),
    Case("existing data", f"{SETTINGS}:existing"),
    Case("image", f"{SETTINGS}:image"),
    Case("requirements", f"{SETTINGS}:requirements"),
    case("cpu and memory", f"{SETTINGS}:cpu_and_memory", _START),
    Case("accelerator", f"{SETTINGS}:gpu"),
    case("disk", f"{SETTINGS}:disk", _START),
    case("shared memory", f"{SETTINGS}:shm", _START),
    Case("spot capacity", f"{SETTINGS}:spot"),
    case("labels", f"{SETTINGS}:labels", _START),
    Case("keyring", f"{SETTINGS}:keyring"),
    Case("Kubernetes secret", f"{SETTINGS}:kubernetes_secret"),
    Case("AWS secret", f"{SETTINGS}:aws_secret"),
    Case("Google secret", f"{SETTINGS}:gcp_secret"),
    Case("Azure secret", f"{SETTINGS}:azure_secret"),
    Case("several holes", f"{SETTINGS}:several"),
)

CASES = (*TRAVEL, *FAILING, *SETTING)
