"""Conditions, what they skip, and how it goes on behind them; the exit step."""

from __future__ import annotations

from crossdock import RunStatus, after, is_in, on_exit, one_of, pipeline, step, when


@step
def number(value: int) -> int:
    return value


@step
def truth(value: bool) -> bool:
    return value


@step
def tell(text: str) -> str:
    return text


@step
def perhaps(text: str | None) -> str:
    return "nothing" if text is None else text


@step
def both(left: str, right: str) -> str:
    return left + right


@step
def done() -> None:
    """Gives no output."""


@step
def fail() -> int:
    raise ValueError("it was to fail")


@step
def last(status: RunStatus, text: str) -> str:
    return f"{status.pipeline} {status.status} {status.failed} {status.causes} {text}"


@pipeline
def condition(limit: int = 2) -> None:
    """One branch or the other."""
    value = number(2)
    with when(value >= limit) as enough:
        tell("enough")
    with enough.otherwise():
        tell("too little")


@pipeline
def on_parameter(mode: str = "fast") -> None:
    """A condition that no task has to run for."""
    with when(mode == "fast") as fast:
        tell("fast")
    with fast.otherwise():
        tell("slow")


@pipeline
def on_bool() -> None:
    """A value that is a truth itself."""
    yes, no = truth(True), truth(False)
    with when(yes):
        tell("yes")
    with when(no):
        tell("no")
    with when(yes & ~no):
        tell("both")


@pipeline
def logic() -> None:
    """Comparisons of all kinds, combined."""
    three, four = number(3), number(4)
    with when((three < four) & (four != 5) | (three == 99)):
        tell("true")
    with when(~(three <= 3) | (four > 4)):
        tell("false")
    with when(is_in(three, [1, 2, 3])):
        tell("in")
    with when(three > 2.5):
        tell("float")


@pipeline
def branch_in_branch(outer: bool = True, inner: bool = True) -> None:
    """A condition inside of both sides of another one."""
    first, second = truth(outer), truth(inner)
    with when(first) as out:
        with when(second) as inside:
            tell("yes yes")
        with inside.otherwise():
            tell("yes no")
    with out.otherwise(), when(second):
        tell("no yes")


@pipeline
def one_or_other(first: bool = True) -> str:
    """The value of whichever branch ran."""
    with when(truth(first)) as yes:
        left = tell("left")
    with yes.otherwise():
        right = tell("right")
    return both(one_of(left, right), "!")


@pipeline
def none_of() -> str:
    """No option ran, so the choice is skipped too."""
    no = truth(False)
    with when(no):
        left = tell("left")
    with when(no):
        right = tell("right")
    return both(one_of(left, right), "!")


@pipeline
def skipped_chain() -> str:
    """A skipped input skips its consumer, and so on; an Optional input is None."""
    with when(truth(False)):
        text = tell("never")
    further = both(text, "!")
    return both(perhaps(further), perhaps(text))


@pipeline
def after_skipped() -> None:
    """An order-only edge from a skipped task counts as done."""
    with when(truth(False)):
        never = tell("never")
    after(done(), never)


@pipeline
def long_branch() -> str:
    """Several tasks in a branch, one of them behind a task outside."""
    value = number(3)
    with when(value == 3):
        first = tell("a")
        second = both(first, tell("b"))
    return both(second, "c")


@pipeline
def exit_after_success(text: str = "end") -> int:
    """The exit step learns that all went well."""
    on_exit(last, text=text)
    return number(1)


@pipeline
def exit_after_failure() -> int:
    """The exit step runs after a failure as well, and learns of it."""
    on_exit(last, text="end")
    return fail()


@pipeline
def exit_after_skip() -> None:
    """What was skipped has not failed."""
    on_exit(last, text="end")
    with when(truth(False)):
        tell("never")


@step
def bad_end(status: RunStatus) -> None:
    raise RuntimeError("the end is bad")


@pipeline
def exit_fails() -> int:
    """A failure of the exit step fails the run."""
    on_exit(bad_end)
    return number(1)
