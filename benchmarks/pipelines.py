"""The pipelines that are measured, as the text of users' files, and stores that are filled beforehand."""

from __future__ import annotations

_CHAIN = """
from crossdock import pipeline, step


@step
def first() -> int:
    return 0


@step
def add(x: int) -> int:
    return x + 1


@pipeline
def chain() -> int:
    value = first()
    for _ in range({tasks} - 1):
        value = add(value)
    return value
"""

_FAN_OUT = """
from crossdock import pipeline, step


@step
def first() -> int:
    return 0


@step
def work(x: int, number: int) -> int:
    return x + number


@step
def total(parts: list[int]) -> int:
    return sum(parts)


@pipeline
def fan_out() -> int:
    start = first()
    return total([work(start, number) for number in range({tasks} - 2)])
"""

_MAP = """
from crossdock import map, pipeline, step


@step
def double(x: int) -> int:
    return 2 * x


@step
def total(parts: list[int]) -> int:
    return sum(parts)


@pipeline
def mapped() -> int:
    return total(map(double, range({tasks} - 1)))
"""

_KFP_CHAIN = """
from kfp import compiler, dsl


@dsl.component(base_image="python:3.11")
def first() -> int:
    return 0


@dsl.component(base_image="python:3.11")
def add(x: int) -> int:
    return x + 1


@dsl.pipeline(name="chain")
def chain() -> int:
    value = first().output
    for _ in range({tasks} - 1):
        value = add(x=value).output
    return value


compiler.Compiler().compile(chain, "kfp.yaml")
"""

_KFP_FAN_OUT = """
from kfp import compiler, dsl


@dsl.component(base_image="python:3.11")
def first() -> int:
    return 0


@dsl.component(base_image="python:3.11")
def work(x: int, number: int) -> int:
    return x + number


@dsl.component(base_image="python:3.11")
def total(parts: list) -> int:
    return sum(parts)


@dsl.pipeline(name="fan-out")
def fan_out() -> int:
    start = first().output
    return total(parts=[work(x=start, number=number).output for number in range({tasks} - 2)]).output


compiler.Compiler().compile(fan_out, "kfp.yaml")
"""

_TEXTS = {"chain": _CHAIN, "fan_out": _FAN_OUT, "mapped": _MAP, "kfp_chain": _KFP_CHAIN, "kfp_fan_out": _KFP_FAN_OUT}

FIRST_LINE = """
import time

from crossdock import pipeline, step


@step(cache=False)
def first() -> None:
    print("CPU", time.process_time())


@pipeline
def one() -> None:
    first()
"""
"""Its step says first what its process has used so far, from the start of the interpreter on."""

PUBLISH = """
import sys

from crossdock.client import Client

client = Client()
plan = client.load(sys.argv[1]).plan
client.store.create(f"plans/{plan.digest}.json", plan.to_json().encode())
print(f"{client.store.url}/plans/{plan.digest}.json", end="")
"""
"""Puts the plan of a file into the store, and prints the place."""

FILL = """
import sys

from crossdock.client import Client
from crossdock_runtime.record import RunRecord, new_run_id

client = Client()
loaded = client.load(sys.argv[1])
one = client.run(loaded)
document = {**one.state.document}
for _ in range(int(sys.argv[2]) - 1):
    record = RunRecord(client.store, new_run_id())
    record.create(document)
    record.end("succeeded")
"""
"""Makes one run of a file, and many records that look like it."""


def text(kind: str, tasks: int) -> str:
    """The file of a pipeline with that many tasks; a map counts its items."""
    return _TEXTS[kind].replace("{tasks}", str(tasks)).lstrip()
