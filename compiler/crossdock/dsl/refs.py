"""What stands for a value while a pipeline is traced: the value itself is known only when the pipeline runs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NoReturn, Protocol

from crossdock.dsl import types
from crossdock.dsl.errors import TraceError, caller, did_you_mean

_LOOK_UP = "choose in a step, or write `with when(value == …):`"


class Narrowing(Protocol):
    """A binding that can be narrowed to a part of its value."""

    def at(self, key: str | int) -> Any: ...


class Pending:
    """Something that is decided only when the pipeline runs, so that plain Python cannot look at it now."""

    __slots__ = ()

    def _name(self) -> str:
        """What it is, for messages."""
        raise AssertionError

    def _refuse(self, what: str, hint: str) -> NoReturn:
        raise TraceError(
            f"{what} {self._name()}: it is known only when the pipeline runs",
            where=caller(),
            hint=hint,
            id="not-known-yet",
        )

    def __bool__(self) -> NoReturn:
        self._refuse(
            "a plain Python if, while, and, or, not cannot see",
            "write `with when(value == …):`, and combine comparisons with &, | and ~",
        )

    def __iter__(self) -> Iterator[Any]:
        self._refuse("a plain Python loop cannot go over", "write `map(step, values)`, or loop in a step")

    def __len__(self) -> NoReturn:
        self._refuse("len() cannot measure", "take the length in a step")

    def __contains__(self, item: object) -> NoReturn:
        self._refuse("`in` cannot search", "search in a step that returns a bool")

    def __hash__(self) -> NoReturn:
        self._refuse("a dict or a set cannot look up", _LOOK_UP)

    def __index__(self) -> NoReturn:
        self._refuse("an index, a range or a count cannot be", "index or count in a step, or write `map(step, values)`")

    def __str__(self) -> str:
        self._refuse("a text (str, print, f-string) cannot hold", "build the text in a step")

    def __format__(self, spec: str) -> NoReturn:
        str(self)
        raise AssertionError

    def __setitem__(self, key: object, value: object) -> NoReturn:
        self._refuse("an assignment cannot change", "return the changed value from a step")

    def _convert(self, *_: Any) -> NoReturn:
        self._refuse("plain Python cannot convert", "convert it in a step")

    __int__ = __float__ = __complex__ = __bytes__ = __fspath__ = _convert

    def _compute(self, *_: Any) -> NoReturn:
        self._refuse("plain Python cannot compute with", "compute in a step")

    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __truediv__ = __rtruediv__ = _compute
    __floordiv__ = __rfloordiv__ = __mod__ = __rmod__ = __pow__ = __rpow__ = __matmul__ = __rmatmul__ = _compute
    __lshift__ = __rlshift__ = __rshift__ = __rrshift__ = __xor__ = __rxor__ = __divmod__ = __rdivmod__ = _compute
    __neg__ = __pos__ = __abs__ = __round__ = __trunc__ = __floor__ = __ceil__ = _compute

    def _compare(self, *_: Any) -> Any:
        self._refuse("nothing compares", "compare one of its outputs")

    __lt__ = __le__ = __gt__ = __ge__ = __eq__ = __ne__ = _compare

    def __call__(self, *_: Any, **__: Any) -> NoReturn:
        self._refuse("nothing can call", "call it in a step")


class Condition(Pending):
    """A comparison of values, decided when the pipeline runs. Combine with `&`, `|` and `~`."""

    __slots__ = ("op", "terms")

    def __init__(self, op: str, terms: tuple[Any, ...]) -> None:
        self.op = op
        self.terms = terms

    def __and__(self, other: Any) -> Condition:
        return Condition("and", (self, condition_of(other)))

    def __or__(self, other: Any) -> Condition:
        return Condition("or", (self, condition_of(other)))

    __rand__, __ror__ = __and__, __or__

    def __invert__(self) -> Condition:
        return Condition("not", (self,))

    def __bool__(self) -> NoReturn:
        raise TraceError(
            f"{self._name()} is decided only when the pipeline runs: plain Python (if, while, and, or, not, in, "
            "max, a < b < c) cannot see it",
            where=caller(),
            hint="write `with when(…):`; combine comparisons with &, | and ~; for `in` write is_in(value, […])",
            id="not-known-yet",
        )

    def _name(self) -> str:
        names = [term._name() for term in self.terms if isinstance(term, Pending)]
        return f"a comparison of {names[0]}" if names and not isinstance(self.terms[0], Condition) else "a comparison"

    def __repr__(self) -> str:
        return f"Condition({self.op!r}, {self.terms!r})"


def condition_of(value: Any) -> Condition:
    """A comparison, or a value that is true or false itself, as a condition.

    Raises:
        TraceError: it is neither.
    """
    if isinstance(value, Condition):
        return value
    if isinstance(value, Task) and len(value._outputs) == 1:
        value = next(iter(value._outputs.values()))
    if isinstance(value, Ref):
        members = [kind for kind in types.union_members(value._type) if kind is not type(None)]
        if members in ([bool], [Any]):
            return Condition("==", (value, True))
        raise TraceError(
            f"{value._name()} is of type {types.type_text(value._type)}, which is neither true nor false",
            where=caller(),
            hint="compare it: when(value == …)"
            if types.is_value(value._type)
            else "return a bool or a number from the step, annotated as such",
            id="bad-condition",
        )
    if isinstance(value, Task):
        raise TraceError(
            f"{value._name()} is no value to decide on",
            where=caller(),
            hint=f"compare one of its outputs: {', '.join(value._outputs)}"
            if value._outputs
            else "return a bool from the step",
            id="bad-condition",
        )
    raise TraceError(
        f"{value!r} is known already: it compares no task's value and no parameter",
        where=caller(),
        hint="use a plain `if` for what is known while the pipeline is traced",
        id="bad-condition",
    )


class Ref(Pending):
    """A value that a task, a parameter or an item of a map will have.

    Attributes:
        _binding: where it comes from.
        _type: its annotated Python type.
        _task: the task that makes it, where one does.
    """

    __slots__ = ("_binding", "_task", "_type")

    _binding: Any
    _type: Any
    _task: Task | None

    def __init__(self, binding: Any, type_: Any, task: Task | None = None) -> None:
        put = object.__setattr__
        put(self, "_binding", binding)
        put(self, "_type", type_)
        put(self, "_task", task)

    def _name(self) -> str:
        task, name = getattr(self._binding, "task", None), getattr(self._binding, "name", None)
        if task is not None:
            one = f"the result of task {task!r}" if name == "output" else f"output {name!r} of task {task!r}"
            return one if hasattr(self._binding, "path") else f"{one}, for each item of its map"
        if name is not None:
            return f"the parameter {name!r}"
        return "the item of a map" if hasattr(self._binding, "scope") else "a task's result"

    def __bool__(self) -> NoReturn:
        if types.strip(self._type) is not bool:
            super().__bool__()
        self._refuse(
            "a plain Python if, while, and, or, not cannot see",
            "write `with when(value):`, or `with when(~value):` for `not`",
        )

    def __getitem__(self, key: str | int) -> Ref:
        if not isinstance(key, (str, int)) or isinstance(key, bool):
            self._refuse(
                f"[{'…:…' if isinstance(key, slice) else repr(key)}] cannot pick a part of", "take it apart in a step"
            )
        return self._part(key, f"[{key!r}]")

    def __getattr__(self, name: str) -> Ref:
        if name.startswith("__"):
            raise AttributeError(name)
        return self._part(name, f".{name}")

    def __setattr__(self, name: str, value: object) -> NoReturn:
        self._refuse("an assignment cannot change", "return the changed value from a step")

    def _part(self, key: str | int, text: str) -> Ref:
        kind = types.type_text(self._type)
        if not types.is_value(self._type) and types.strip(self._type) is not Any:
            raise TraceError(
                f"{text} of {self._name()} is not known while the pipeline is traced: {kind} is an artifact",
                where=caller(),
                hint="take it apart in a step",
                id="not-known-yet",
            )
        try:
            part = types.field_type(self._type, key)
        except (KeyError, IndexError):
            fields = types.fields_of(self._type)
            if fields is not None:
                hint = did_you_mean(str(key), fields)
            elif isinstance(key, str) and hasattr(types.strip(self._type), key):
                raise TraceError(
                    f"{text} would be taken now, but {self._name()} ({kind}) is known only when the pipeline runs",
                    where=caller(),
                    hint="do it in a step",
                    id="not-known-yet",
                ) from None
            else:
                hint = "return a dataclass, a dict or a list from the step, or take it apart in a step"
            raise TraceError(
                f"{self._name()} is of type {kind}, which has no {text}", where=caller(), hint=hint, id="unknown-field"
            ) from None
        return Ref(self._binding.at(key), part, self._task)

    def __iter__(self) -> Iterator[Any]:
        count = types.fixed_length(self._type)
        if count is None:
            super().__iter__()
        if not types.is_value(self._type):
            raise TraceError(
                f"{self._name()} is one artifact ({types.type_text(self._type)}), and cannot be unpacked",
                where=caller(),
                hint='name the outputs: -> tuple[Annotated[…, "train"], Annotated[…, "test"]], or a NamedTuple',
                id="not-known-yet",
            )
        return iter([self[number] for number in range(count or 0)])

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
        return condition_of(self).__and__(other)

    def __or__(self, other: Any) -> Condition:
        return condition_of(self).__or__(other)

    __rand__, __ror__ = __and__, __or__

    def __invert__(self) -> Condition:
        return ~condition_of(self)

    __hash__ = Pending.__hash__

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._binding!r}: {types.type_text(self._type)}>"


class Task(Pending):
    """One use of a step in the pipeline that is being traced; its outputs are attributes."""

    __slots__ = ("_id", "_order", "_outputs", "_recorder")

    def __init__(self, id_: str, outputs: dict[str, Ref], recorder: Any, *, as_tuple: bool) -> None:
        self._id = id_
        self._outputs = outputs
        self._recorder = recorder
        self._order = tuple(outputs.values()) if as_tuple else None

    def _name(self) -> str:
        return f"task {self._id!r}"

    def __getattr__(self, name: str) -> Ref:
        if name.startswith("_"):
            raise AttributeError(name)
        return self._output(name)

    def _output(self, name: str | int) -> Ref:
        try:
            return self._order[name] if isinstance(name, int) and self._order else self._outputs[str(name)]
        except LookupError:
            raise TraceError(
                f"the step of task {self._id!r} never produces an output {name!r}",
                where=caller(),
                hint=did_you_mean(str(name), self._outputs)
                if self._outputs
                else "it returns nothing; return the value from it, annotated as such",
                id="unknown-output",
            ) from None

    def __getitem__(self, key: str | int) -> Ref:
        return self._output(key)

    def __iter__(self) -> Iterator[Ref]:
        if self._order is None:
            raise TraceError(
                f"task {self._id!r} has no outputs to go over",
                where=caller(),
                hint="return something from the step, annotated as such",
                id="unknown-output",
            )
        return iter(self._order)

    def __repr__(self) -> str:
        return f"<Task {self._id}>"
