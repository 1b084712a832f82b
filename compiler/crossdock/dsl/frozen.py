"""Immutable records: `dataclass(frozen=True, slots=True)` at a fifth of its price.

Every process of ours makes some fifty of these classes when it starts. `dataclass` writes and compiles its
methods anew for each, which takes half a millisecond; here only `__init__` is compiled, and the others are shared.
`fields`, `replace`, `asdict` and `is_dataclass` work as for any dataclass; `field()` takes a default or a factory.
"""

from __future__ import annotations

from dataclasses import MISSING, FrozenInstanceError, dataclass, field
from typing import Any, Never, TypeVar, cast, dataclass_transform

T = TypeVar("T")
K = TypeVar("K")
V = TypeVar("V")


def _refuse(self: Any, name: str, *value: Any) -> Never:
    raise FrozenInstanceError(f"cannot change {name!r} of a {type(self).__name__}")


class FrozenDict(dict[K, V]):
    """A dict that nobody changes: a copy of what it was made from."""

    __slots__ = ()

    def _refuse(self, *_: Any, **__: Any) -> Never:
        raise TypeError("a plan and its settings do not change; make a new one with replace(…)")

    __setitem__ = __delitem__ = __ior__ = clear = pop = popitem = setdefault = update = _refuse

    def __reduce__(self) -> Any:
        return (type(self), (dict(self),))


def freeze(self: Any, *names: str) -> None:
    """Let the mappings of a record not change any more, nor follow those that they were made from."""
    for name in names:
        mapping = getattr(self, name)
        if type(mapping) is not FrozenDict:
            object.__setattr__(self, name, FrozenDict(mapping))


def _values(self: Any) -> tuple[Any, ...]:
    return tuple([getattr(self, name) for name in self.__dataclass_fields__])


def _eq(self: Any, other: Any) -> Any:
    if self.__class__ is not other.__class__:
        return NotImplemented
    return self is other or _values(self) == _values(other)


def _hash(self: Any) -> int:
    return hash(_values(self))


def _repr(self: Any) -> str:
    shown = ", ".join(f"{name}={getattr(self, name)!r}" for name in self.__dataclass_fields__)
    return f"{type(self).__qualname__}({shown})"


def _restore(self: Any, state: tuple[Any, ...]) -> None:
    for name, value in zip(self.__dataclass_fields__, state, strict=True):
        object.__setattr__(self, name, value)


_SHARED = {
    "__setattr__": _refuse,
    "__delattr__": _refuse,
    "__eq__": _eq,
    "__hash__": _hash,
    "__repr__": _repr,
    "__getstate__": _values,
    "__setstate__": _restore,
}


def _init(cls: Any) -> Any:
    known: dict[str, Any] = {"MISSING": MISSING}
    words, lines = [], []
    for name, item in cls.__dataclass_fields__.items():
        known[f"put_{name}"] = getattr(cls, name).__set__
        word, value = name, name
        if item.default is not MISSING:
            known[f"default_{name}"] = item.default
            word = f"{name}=default_{name}"
        elif item.default_factory is not MISSING:
            known[f"new_{name}"] = item.default_factory
            word, value = f"{name}=MISSING", f"new_{name}() if {name} is MISSING else {name}"
        words.append(word)
        lines.append(f" put_{name}(self, {value})")
    if hasattr(cls, "__post_init__"):
        lines.append(" self.__post_init__()")
    exec(f"def __init__(self, {', '.join(words)}):\n" + "\n".join(lines or [" pass"]), known)
    return known["__init__"]


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def frozen(cls: type[T]) -> type[T]:
    """Make an immutable record of a class with annotated fields."""
    own = vars(cls)
    made: Any = dataclass(init=False, repr=False, eq=False, slots=True)(cls)
    for name, method in _SHARED.items():
        if name not in own:
            setattr(made, name, method)
    if "__init__" not in own:
        made.__init__ = _init(made)
    return cast(type[T], made)
