"""What stands for a value while a pipeline is traced: the value itself is known only when the pipeline runs."""

from __future__ import annotations

import sys
from typing import Any, NoReturn, Protocol

from crossdock.dsl import types
from crossdock.dsl.errors import TraceError

_OURS = ("crossdock.dsl", "crossdock.passes", "crossdock.client", "crossdock_runtime")


def caller() -> str:
    """`file:line` of the nearest frame that is the user's."""
    frame = sys._getframe(1)
    while frame is not None and frame.f_globals.get("__name__", "").startswith(_OURS):
        frame = frame.f_back  # type: ignore[assignment]
    return f"{frame.f_code.co_filename}:{frame.f_lineno}" if frame is not None else "<unknown>"


class Narrowing(Protocol):
    """A binding that can be narrowed to a part of its value."""

    def at(self, key: str | int) -> Any: ...


class Condition:
    """A comparison of values, decided when the pipeline runs. Combine with `&`, `|` and `~`."""

    __slots__ = ("op", "terms")

    def __init__(self, op: str, terms: tuple[Any, ...]) -> None:
        self.op = op
        self.terms = terms

    def __and__(self, other: Condition) -> Condition:
        return Condition("and", (self, _condition(other)))

    def __or__(self, other: Condition) -> Condition:
        return Condition("or", (self, _condition(other)))

    def __invert__(self) -> Condition:
        return Condition("not", (self,))

    def __bool__(self) -> NoReturn:
        raise TraceError(
            "this comparison is decided when the pipeline runs; plain Python (if, and, or, not, a chained a < b < c) "
            "cannot see it",
            where=caller(),
            hint="write `with when(…):`, and combine comparisons with &, | and ~",
        )

    def __repr__(self) -> str:
        return f"Condition({self.op!r}, {self.terms!r})"


def _condition(other: Any) -> Condition:
    if isinstance(other, Ref):
        return Condition("==", (other, True))
    if not isinstance(other, Condition):
        raise TraceError(f"{other!r} is not a comparison of task values", where=caller())
    return other


class Ref:
    """A value that a task, a parameter or an item of a map will have.

    Attributes:
        _binding: where it comes from.
        _type: its annotated Python type.
        _task: the task that makes it, where one does.
    """

    __slots__ = ("_binding", "_task", "_type")

    def __init__(self, binding: Any, type_: Any, task: Task | None = None) -> None:
        self._binding = binding
        self._type = type_
        self._task = task

    def after(self, *others: Any) -> Ref:
        """Run the task that makes this value after `others`, with no data between them; returns itself."""
        if self._task is None:
            raise TraceError("only the result of a step can be ordered", where=caller())
        self._task.after(*others)
        return self

    def isin(self, choices: Any) -> Condition:
        """Whether the value is one of `choices`."""
        return Condition("in", (self, list(choices)))

    def __getitem__(self, key: str | int) -> Ref:
        if not isinstance(key, (str, int)) or isinstance(key, bool):
            raise TraceError(f"[{key!r}] does not pick a part of a task's value", where=caller())
        return self._part(key, f"[{key!r}]")

    def __getattr__(self, name: str) -> Ref:
        if name.startswith("__"):
            raise AttributeError(name)
        return self._part(name, f".{name}")

    def _part(self, key: str | int, text: str) -> Ref:
        if not types.is_value(self._type) and types.strip(self._type) is not Any:
            raise TraceError(
                f"{text} of an artifact ({types.type_text(self._type)}) is not known while the pipeline is traced",
                where=caller(),
                hint="take it apart in a step",
            )
        try:
            part = types.field_type(self._type, key)
        except (KeyError, IndexError):
            raise TraceError(f"{types.type_text(self._type)} has no {text}", where=caller()) from None
        return Ref(self._binding.at(key), part, self._task)

    def __lt__(self, other: Any) -> Condition:
        return Condition("<", (self, other))

    def __le__(self, other: Any) -> Condition:
        return Condition("<=", (self, other))

    def __gt__(self, other: Any) -> Condition:
        return Condition(">", (self, other))

    def __ge__(self, other: Any) -> Condition:
        return Condition(">=", (self, other))

    def __eq__(self, other: object) -> Condition:  # type: ignore[override]
        return Condition("==", (self, other))

    def __ne__(self, other: object) -> Condition:  # type: ignore[override]
        return Condition("!=", (self, other))

    def __and__(self, other: Any) -> Condition:
        return _condition(self).__and__(other)

    def __or__(self, other: Any) -> Condition:
        return _condition(self).__or__(other)

    def __invert__(self) -> Condition:
        return Condition("not", (_condition(self),))

    __hash__ = object.__hash__

    def _refuse(self, what: str, hint: str) -> NoReturn:
        raise TraceError(f"{what} a value that is known only when the pipeline runs", where=caller(), hint=hint)

    def __bool__(self) -> NoReturn:
        self._refuse("a plain Python `if` (or and, or, not, while) cannot see", "write `with when(value == …):`")

    def __iter__(self) -> NoReturn:
        self._refuse("a plain Python loop cannot go over", "write `map(step, values)`, or loop inside a step")

    def __len__(self) -> NoReturn:
        self._refuse("len() of", "take the length in a step")

    def __contains__(self, item: object) -> NoReturn:
        self._refuse("`in` on", "write value.isin([…]), or look in a step")

    def __format__(self, spec: str) -> NoReturn:
        self._refuse("an f-string cannot hold", "build the text in a step")

    def __str__(self) -> str:
        self._refuse("str() of", "build the text in a step")

    def __int__(self) -> NoReturn:
        self._refuse("int() of", "convert it in a step")

    def __float__(self) -> NoReturn:
        self._refuse("float() of", "convert it in a step")

    def _compute(self, *_: Any) -> NoReturn:
        self._refuse("plain Python cannot compute with", "compute in a step")

    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __truediv__ = __rtruediv__ = _compute
    __floordiv__ = __rfloordiv__ = __mod__ = __rmod__ = __pow__ = __neg__ = _compute
    __call__ = _compute

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._binding!r}: {types.type_text(self._type)}>"


class Task:
    """One use of a step in the pipeline that is being traced; its outputs are attributes."""

    __slots__ = ("_id", "_order", "_outputs", "_recorder")

    def __init__(self, id_: str, outputs: dict[str, Ref], recorder: Any, *, as_tuple: bool) -> None:
        self._id = id_
        self._outputs = outputs
        self._recorder = recorder
        self._order = tuple(outputs.values()) if as_tuple else None

    def after(self, *others: Any) -> Task:
        """Run this task after `others`, with no data between them; returns itself."""
        self._recorder.order(self._id, others, caller())
        return self

    def __getattr__(self, name: str) -> Ref:
        if name.startswith("_"):
            raise AttributeError(name)
        try:
            return self._outputs[name]
        except KeyError:
            known = ", ".join(self._outputs) or "none"
            raise TraceError(
                f"the step of task {self._id!r} never produces an output {name!r}",
                where=caller(),
                hint=f"its outputs are: {known}",
            ) from None

    def __getitem__(self, key: str | int) -> Ref:
        if isinstance(key, int) and self._order is not None:
            return self._order[key]
        return self.__getattr__(str(key))

    def __iter__(self) -> Any:
        if self._order is None:
            raise TraceError(f"task {self._id!r} has no outputs to unpack", where=caller())
        return iter(self._order)

    def __bool__(self) -> NoReturn:
        raise TraceError(
            "a plain Python `if` cannot see what a task does", where=caller(), hint="write `with when(…):`"
        )

    def __repr__(self) -> str:
        return f"<Task {self._id}>"
