"""Failures: retried, permanent, in time; what becomes of the other tasks; results that are used again."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Annotated

from crossdock import Cache, Retry, RunStatus, Secret, Settings, after, on_exit, one_of, pipeline, step, when

TOKEN = "CROSSDOCK_CONFORMANCE_TOKEN"


@step
def start() -> int:
    return 1


@step
def increase(value: int) -> int:
    return value + 1


@step
def fail() -> int:
    raise ValueError("it was to fail")


@step
def fail_if(value: int, bad: bool) -> int:
    if bad:
        raise ValueError("it was to fail")
    return value * 10


@step
def tell(text: str) -> str:
    return text


@step(retry=Retry(max_attempts=3, delay=0.0))
def third_time(folder: str, exception: str) -> int:
    """Succeeds at the third attempt."""
    marks = Path(folder)
    count = len(list(marks.iterdir())) + 1
    (marks / str(count)).touch()
    if count < 3:
        raise {"ConnectionError": ConnectionError, "ValueError": ValueError}[exception](f"attempt {count}")
    return count


@step
def wrong_shape() -> tuple[Annotated[int, "one"], Annotated[int, "two"]]:
    return (1,)  # type: ignore[return-value]


@step(timeout=1.0)
def slow() -> int:
    time.sleep(600)
    return 1


@step(timeout=60.0)
def quick() -> int:
    return int(os.getpid() > 0)


@step
def last(status: RunStatus) -> str:
    return f"{status.status} {status.failed} {status.causes}"


@pipeline
def retried(folder: str, exception: str = "ConnectionError") -> int:
    """Fails twice, then succeeds."""
    return increase(third_time(folder, exception))


@pipeline
def spent(folder: str) -> int:
    """Not enough attempts."""
    return increase(third_time.with_options(retry=Retry(max_attempts=2, delay=0.0))(folder, "ValueError"))


@pipeline
def not_this(folder: str) -> int:
    """Only other exceptions are worth another attempt."""
    only = Retry(max_attempts=3, delay=0.0, on=(ConnectionError,))
    return increase(third_time.with_options(retry=only)(folder, "ValueError"))


@pipeline
def subclass(folder: str) -> int:
    """A base class of the exception is named."""
    only = Retry(max_attempts=3, delay=0.0, on=(OSError,))
    return increase(third_time.with_options(retry=only)(folder, "ConnectionError"))


@pipeline
def stop() -> None:
    """After a failure no further task starts."""
    increase(increase(fail()))
    increase(start())


@pipeline(on_failure="continue")
def go_on() -> None:
    """What does not depend on the failure runs."""
    on_exit(last)
    increase(increase(fail()))
    increase(start())
    after(tell("beside"), fail())


@pipeline(on_failure="continue")
def condition_fails() -> str:
    """A condition that cannot be decided, and what waits behind it."""
    with when(fail() == 1) as one:
        left = tell("left")
    with one.otherwise():
        right = tell("right")
    return tell(one_of(left, right))


@pipeline(on_failure="continue")
def branch_fails(first: bool = True) -> str:
    """The branch that was taken fails; nobody takes the other one instead."""
    value = start()
    with when(value == 1) as one:
        left = increase(fail_if(value, True))
    with one.otherwise():
        right = increase(value)
    return tell(str_of(one_of(left, right)))


@step
def str_of(value: int) -> str:
    return str(value)


@pipeline
def bad_output() -> None:
    """A step that does not return what it says."""
    wrong_shape()


@pipeline
def timed_out() -> int:
    """An attempt that takes too long."""
    return increase(slow())


@pipeline
def in_time() -> int:
    """An attempt that does not."""
    return quick()


# Results that are used again


@step
def square(value: int) -> int:
    return value * value


@step(cache=False)
def always(value: int) -> int:
    return value


@step(cache=Cache(depends_on="v1"))
def dependent(value: int) -> int:
    return -value


@pipeline
def cached(value: int = 3) -> None:
    """Two that may be known already, and one that runs in any case; a condition on what is known."""
    found = square(value)
    always(found)
    dependent(found)
    with when(found > 10) as large:
        tell("large")
    with large.otherwise():
        tell("small")


@pipeline
def resumed(bad: bool = False) -> int:
    """Fails in the middle, when told to."""
    first = start()
    return increase(fail_if(increase(first), bad))


# Environment and secrets


@step(env={"CONFORMANCE_MODE": 'it\'s "$HOME" 100%'})
def read_env() -> str:
    return os.environ["CONFORMANCE_MODE"]


@step(secrets={"TOKEN": Secret(env=TOKEN)})
def use_secret() -> int:
    print("the token is", os.environ["TOKEN"])
    return len(os.environ["TOKEN"])


@step(secrets={"TOKEN": Secret(env=TOKEN)})
def leak_secret() -> int:
    raise ValueError(f"cannot log in with {os.environ['TOKEN']}")


@pipeline(settings=Settings(env={"CONFORMANCE_MODE": "of the pipeline"}))
def environment() -> None:
    """A step's variable wins over the pipeline's; a task that was given its own, over both."""
    read_env()
    read_env.with_options(env={"CONFORMANCE_MODE": "of the call"})()


@pipeline
def secret() -> int:
    """A secret arrives, and is not logged."""
    return use_secret()


@pipeline
def leaked_secret() -> int:
    """A secret in an error's message is blanked."""
    return leak_secret()
