"""What a plan is made of: parameters, tasks, gates, scopes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import field
from typing import Any, TypeAlias

from crossdock.dsl.frozen import freeze, frozen
from crossdock.dsl.settings import Settings
from crossdock_runtime.bindings import Binding, Predicate, leaves


@frozen
class Parameter:
    """A pipeline parameter. `default` is tagged JSON; `required` says that there is none."""

    name: str
    type: str
    required: bool = True
    default: Any = None
    artifact: bool = False


@frozen
class Input:
    """An input of a task. A skipped source of an optional input is None instead of skipping the task."""

    binding: Binding
    type: str
    artifact: bool = False
    optional: bool = False


@frozen
class OutputType:
    """A declared output of a task. `materializer` is `module:Class` where the user chose one."""

    type: str
    artifact: bool = False
    materializer: str | None = None


@frozen
class PythonCode:
    """A step function: `module:qualname`, the digest of its code, its way of returning outputs (`none`, `single`,
    `tuple`, `namedtuple`), and the libraries that it imports."""

    ref: str
    digest: str
    shape: str
    imports: tuple[str, ...] = ()


@frozen
class Word:
    """A placeholder in a program's words: `kind` is `input_path`, `input_value` or `output_path`."""

    kind: str
    name: str


@frozen
class Program:
    """A container step: its words are text or placeholders. The image is the task's setting."""

    command: tuple[str | Word, ...]
    args: tuple[str | Word, ...]


@frozen
class GateCode:
    """A task of our own that only evaluates gates."""


Code: TypeAlias = PythonCode | Program | GateCode


@frozen
class Task:
    """A node of the plan: one use of a step.

    Attributes:
        id: unique, label-safe.
        step: the step's name.
        code: what runs.
        inputs, outputs: by name, in the step's order.
        after: ids of tasks that must be done first, with no data between.
        scope: id of the innermost branch or map it stands in.
        group: names of the nested pipelines it stands in, outermost first; for display.
        settings: all that was set, defaults merged in.
    """

    id: str
    step: str
    code: Code
    inputs: Mapping[str, Input] = field(default_factory=dict)
    outputs: Mapping[str, OutputType] = field(default_factory=dict)
    after: tuple[str, ...] = ()
    scope: str | None = None
    group: tuple[str, ...] = ()
    settings: Settings = field(default_factory=Settings)

    def __post_init__(self) -> None:
        freeze(self, "inputs", "outputs")

    def sources(self) -> Iterator[Binding]:
        """Every binding of its inputs, taken apart."""
        for item in self.inputs.values():
            yield from leaves(item.binding)


@frozen
class Gate:
    """A predicate, and the task that evaluates it once its own outputs are there."""

    id: str
    predicate: Predicate
    task: str | None = None


@frozen
class BranchScope:
    """The tasks in it run when the gate says `expect`."""

    id: str
    gate: str
    expect: bool
    parent: str | None = None


@frozen
class MapScope:
    """The tasks in it run once for each item; `concurrency` is how many items at once, None for no limit."""

    id: str
    items: Binding
    concurrency: int | None = None
    parent: str | None = None


Scope: TypeAlias = BranchScope | MapScope


@frozen
class Packaging:
    """Where the tasks of a published plan find their code, and the images that they run in; it is per stack.

    Attributes:
        code: sha256 of the code package, `code/<sha256>.zip` in the store; None where the image holds the project.
        image: of every Python task; None where nothing says which.
        images: of the tasks that run in another one, by id.
    """

    code: str | None = None
    image: str | None = None
    images: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        freeze(self, "images")


@frozen
class Source:
    """How the user's code is imported: folders relative to the project's root, put on `sys.path` in this order."""

    python_path: tuple[str, ...] = (".",)
