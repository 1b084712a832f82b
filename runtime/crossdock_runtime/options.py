"""The options of the constant command. `argparse` takes an eighth of a step's start to import and to set up."""

from __future__ import annotations

import json
from collections.abc import Mapping, MutableMapping, Sequence

from crossdock.dsl.errors import BadInput
from crossdock.dsl.frozen import frozen
from crossdock_runtime.redaction import hide_always

USAGE = """usage: python -m crossdock_runtime --contract N --plan PLACE --task ID [OPTION VALUE]…

Run one task of a plan. Each option has a twin in the environment: CROSSDOCK_PLAN for --plan, CROSSDOCK_PARAM_rows
for --param rows=…, and CROSSDOCK_EMIT with a line for each --emit. What is written here wins.

  --contract N        version of this command
  --plan PLACE        <store>/plans/<sha256>.json
  --task ID           the task
  --items MAP         instead of --task: only tell what --emit asks of a map's items
  --index I[.J…]      item numbers, outermost map first: 0.3
  --shard K/N         every N-th item, from K
  --run ID            the run
  --native-id ID      the platform's own id of the run
  --param NAME=TEXT   a parameter of the pipeline; repeated
  --emit NAME=PATH    write a gate or a map's items; repeated
  --executor-input J  KFP's ExecutorInput: write a reference for each output artifact in it
"""
_ONCE = ("contract", "plan", "task", "items", "index", "shard", "run", "native-id", "executor-input")
_PARAM = "CROSSDOCK_PARAM_"
STORE_OPTIONS = "CROSSDOCK_STORE_OPTIONS"
"""Options of the artifact store that are no secrets, as a JSON object."""
STORE_SECRET = "CROSSDOCK_STORE_SECRET_"
"""Begins the name of an environment variable with an option of the artifact store that is a secret."""


@frozen
class Options:
    """What the command is given; empty where it is not given."""

    contract: str
    plan: str
    task: str
    items: str
    index: str
    shard: str
    run: str
    native_id: str
    executor_input: str
    param: tuple[str, ...]
    emit: tuple[str, ...]


def read_options(words: Sequence[str], environ: Mapping[str, str]) -> Options:
    """The options of a command line; the environment says what it leaves out.

    Raises:
        BadInput: a word is no option, or an option lacks its value.
    """
    once = {name: environ.get(f"CROSSDOCK_{name.upper().replace('-', '_')}", "") for name in _ONCE}
    repeated: dict[str, list[str]] = {
        "param": [
            f"{name.removeprefix(_PARAM)}={text}" for name, text in sorted(environ.items()) if name.startswith(_PARAM)
        ],
        "emit": environ.get("CROSSDOCK_EMIT", "").splitlines(),
    }
    rest = iter(words)
    for word in rest:
        name, equals, value = word.removeprefix("--").partition("=")
        if not word.startswith("--") or not (name in once or name in repeated):
            raise BadInput(f"{word!r} is no option", hint="python -m crossdock_runtime --help")
        if not equals:
            try:
                value = next(rest)
            except StopIteration:
                raise BadInput(f"{word} is given no value", hint="python -m crossdock_runtime --help") from None
        if name in repeated:
            repeated[name].append(value)
        else:
            once[name] = value
    return Options(
        contract=once["contract"],
        plan=once["plan"],
        task=once["task"],
        items=once["items"],
        index=once["index"],
        shard=once["shard"],
        run=once["run"],
        native_id=once["native-id"],
        executor_input=once["executor-input"],
        param=tuple(repeated["param"]),
        emit=tuple(repeated["emit"]),
    )


def take_store_options(environ: MutableMapping[str, str]) -> dict[str, str]:
    """The options of the artifact store. The secret ones leave the environment, which a step can read; logs blank them.

    Raises:
        BadInput: they are no JSON object.
    """
    text = environ.get(STORE_OPTIONS, "")
    try:
        found = json.loads(text) if text else {}
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise BadInput(f"{STORE_OPTIONS} is no JSON object: {text!r}")
    for name in [name for name in environ if name.startswith(STORE_SECRET)]:
        value = found[name.removeprefix(STORE_SECRET).lower()] = environ.pop(name)
        hide_always(value)
    return found
