"""The cases of conditions, of what they skip, and of the exit step."""

from __future__ import annotations

from crossdock.testing.case import DECIDED, SKIPPED, Case, Once, case, failed, ran

BRANCHES = "conformance_branches"

CASES: tuple[Case, ...] = (
    case(
        "condition",
        f"{BRANCHES}:condition",
        Once({"number": ran(2), "tell": ran("enough"), "tell-2": SKIPPED}),
        Once({"number": ran(2), "tell": SKIPPED, "tell-2": ran("too little")}, parameters={"limit": 3}),
    ),
    case(
        "condition on a parameter",
        f"{BRANCHES}:on_parameter",
        Once({"when-1": DECIDED, "tell": ran("fast"), "tell-2": SKIPPED}),
        Once({"when-1": DECIDED, "tell": SKIPPED, "tell-2": ran("slow")}, parameters={"mode": "Fast"}),
    ),
    case(
        "condition on a truth",
        f"{BRANCHES}:on_bool",
        Once(
            {
                "truth": ran(True), "truth-2": ran(False), "when-3": DECIDED,
                "tell": ran("yes"), "tell-2": SKIPPED, "tell-3": ran("both"),
            }
        ),
    ),
    case(
        "combined conditions",
        f"{BRANCHES}:logic",
        Once(
            {
                "number": ran(3), "number-2": ran(4), "when-1": DECIDED, "when-2": DECIDED,
                "tell": ran("true"), "tell-2": SKIPPED, "tell-3": ran("in"), "tell-4": ran("float"),
            }
        ),
    ),
    case(
        "condition in a condition",
        f"{BRANCHES}:branch_in_branch",
        Once(
            {
                "truth": ran(True), "truth-2": ran(True),
                "tell": ran("yes yes"), "tell-2": SKIPPED, "tell-3": SKIPPED,
            }
        ),
        Once(
            {
                "truth": ran(True), "truth-2": ran(False),
                "tell": SKIPPED, "tell-2": ran("yes no"), "tell-3": SKIPPED,
            },
            parameters={"inner": False},
        ),
        Once(
            {
                "truth": ran(False), "truth-2": ran(True),
                "tell": SKIPPED, "tell-2": SKIPPED, "tell-3": ran("no yes"),
            },
            parameters={"outer": False},
        ),
    ),
    case(
        "one_of",
        f"{BRANCHES}:one_or_other",
        Once({"truth": ran(True), "tell": ran("left"), "tell-2": SKIPPED, "both": ran("left!")}),
        Once(
            {"truth": ran(False), "tell": SKIPPED, "tell-2": ran("right"), "both": ran("right!")},
            parameters={"first": False},
        ),
    ),
    case("one_of nothing", f"{BRANCHES}:none_of", truth=ran(False), tell=SKIPPED, tell_2=SKIPPED, both=SKIPPED),
    case(
        "skipped inputs",
        f"{BRANCHES}:skipped_chain",
        truth=ran(False), tell=SKIPPED, both=SKIPPED, perhaps=ran("nothing"), perhaps_2=ran("nothing"),
        both_2=ran("nothingnothing"),
    ),
    case("behind a skipped task", f"{BRANCHES}:after_skipped", truth=ran(False), tell=SKIPPED, done=ran()),
    case(
        "branch of several tasks",
        f"{BRANCHES}:long_branch",
        number=ran(3), tell=ran("a"), tell_2=ran("b"), both=ran("ab"), both_2=ran("abc"),
    ),
    case(
        "exit step after success",
        f"{BRANCHES}:exit_after_success",
        Once({"last": ran("exit-after-success succeeded [] [] end"), "number": ran(1)}),
        Once(
            {"last": ran("exit-after-success succeeded [] [] 'quoted' $HOME"), "number": ran(1)},
            parameters={"text": "'quoted' $HOME"},
        ),
    ),
    case(
        "exit step after failure",
        f"{BRANCHES}:exit_after_failure",
        Once(
            {
                "last": ran("exit-after-failure failed ['fail'] ['ValueError: it was to fail'] end"),
                "fail": failed(says="it was to fail"),
            },
            status="failed",
        ),
    ),
    case(
        "exit step after a skip",
        f"{BRANCHES}:exit_after_skip",
        Once({"last": ran("exit-after-skip succeeded [] [] end"), "truth": ran(False), "tell": SKIPPED}),
    ),
    case(
        "exit step fails",
        f"{BRANCHES}:exit_fails",
        Once({"bad-end": failed(says="the end is bad"), "number": ran(1)}, status="failed"),
    ),
)  # fmt: skip
