"""What travels along an edge, and what comes in as a parameter."""

from __future__ import annotations

import datetime
import decimal
import enum
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, NamedTuple

from pydantic import BaseModel

from crossdock import map, pipeline, scratch, step

LARGE = "\N{SNOWMAN}" * 350_000
"""More than a megabyte."""


class Color(enum.Enum):
    RED = "red"
    BLUE = "blue"


@dataclass(frozen=True)
class Point:
    x: int
    y: float


class Model(BaseModel):
    name: str
    sizes: list[int] = []


class Texts(NamedTuple):
    """Texts that something on the way might read in its own manner."""

    plain: str
    empty: str
    spaces: str
    lines: str
    quotes: str
    shell: str
    percent: str
    braces: str
    unicode: str
    control: str
    like_json: str
    like_number: str
    like_null: str
    dashes: str


TEXTS = Texts(
    "plain",
    "",
    "  two  ",
    "a\nb\r\n\tc\n",
    'it\'s "so" `quoted` \\ \\n',
    "$HOME ${HOME} $(id) !! ~ * ; & | > #",
    "100% %s %(name)s %%",
    "{{workflow.name}} {{$.inputs}} ${{ x }} {x}",
    "Zürich 東京 🚂 e\u0301 \u202e",
    "\x01\x1b[0m\x7f",
    '{"$tuple": [1]}',
    "1e3",
    "null",
    "--task",
)


class Numbers(NamedTuple):
    """Numbers that a double or a JSON parser loses."""

    zero: int
    big: int
    negative: int
    third: float
    whole: float
    nan: float
    infinite: float
    minus_zero: float
    tiny: float
    yes: bool
    no: bool
    none: None


NUMBERS = Numbers(0, 2**200 + 1, -(2**53) - 1, 1 / 3, 2.0, float("nan"), float("-inf"), -0.0, 5e-324, True, False, None)


class Objects(NamedTuple):
    """Values with a type of their own."""

    moment: datetime.datetime
    day: datetime.date
    time: datetime.time
    span: datetime.timedelta
    exact: decimal.Decimal
    id: uuid.UUID
    color: Color
    point: Point
    model: Model
    listed: list[Any]
    pair: tuple[int, str]
    unique: set[int]
    keyed: dict[str, Any]
    numbered: dict[int, str]
    data: list[bytes]


OBJECTS = Objects(
    datetime.datetime(2024, 2, 29, 23, 59, 59, 999999, tzinfo=datetime.UTC),
    datetime.date(1, 1, 1),
    datetime.time(12, 30),
    datetime.timedelta(days=-1, microseconds=1),
    decimal.Decimal("0.10"),
    uuid.UUID(int=7),
    Color.BLUE,
    Point(1, 2.0),
    Model(name="n", sizes=[1, 2]),
    [1, [2, [3, []]], {"a": (1, 2)}],
    (1, "1"),
    {3, 1, 2},
    {"b": 1, "a": {"$set": [1]}, "": None},
    {2: "two", 1: "one"},
    [b"", b"\x00\xff"],
)


@step
def give_texts() -> Texts:
    return TEXTS


@step
def give_numbers() -> Numbers:
    return NUMBERS


@step
def give_objects() -> Objects:
    return OBJECTS


@step
def give_large() -> str:
    return LARGE


@step
def compare_texts(found: dict[str, str]) -> list[str]:
    """Names of the texts that arrived as something else."""
    return [name for name, text in TEXTS._asdict().items() if found[name] != text]


@step
def compare_numbers(found: dict[str, Any]) -> list[str]:
    return [name for name, number in NUMBERS._asdict().items() if repr(found[name]) != repr(number)]


@step
def compare_objects(found: dict[str, Any]) -> list[str]:
    """Names of the values that arrived as something else, or as something of another type."""
    return [
        name
        for name, value in OBJECTS._asdict().items()
        if found[name] != value or type(found[name]) is not type(value)
    ]


@step
def measure(text: str) -> int:
    return len(text)


def _all(task: Any, names: tuple[str, ...]) -> dict[str, Any]:
    return {name: getattr(task, name) for name in names}


@pipeline
def texts() -> Any:
    """Every text, by a task's output and as a literal."""
    made = give_texts()
    compare_texts(_all(made, Texts._fields))
    return compare_texts(TEXTS._asdict())


@pipeline
def numbers() -> Any:
    """Every number, likewise."""
    made = give_numbers()
    compare_numbers(_all(made, Numbers._fields))
    return compare_numbers(NUMBERS._asdict())


@pipeline
def objects() -> Any:
    """Every type of value, likewise."""
    made = give_objects()
    compare_objects(_all(made, Objects._fields))
    return compare_objects(OBJECTS._asdict())


@pipeline
def large() -> int:
    """A value larger than any platform's own channels take."""
    return measure(give_large())


@step
def parts_of(point: Point, color: Color, model: Model) -> str:
    return f"{point!r} {color!r} {model!r}"


@step
def say(x: int, name: str, value: Any) -> str:
    return f"{x} {name} {value!r}"


@pipeline
def parts() -> str:
    """A part of a value is a value."""
    made = give_objects()
    return say(made.point.x, made.model.name, made.listed[1])


# Artifacts


class Opaque:
    """Something that only pickle can write."""

    def __init__(self, number: int) -> None:
        self.number = number

    def __repr__(self) -> str:
        return f"Opaque({self.number})"


@step
def give_bytes() -> bytes:
    return b"\x00\xff\n"


@step
def give_file() -> Path:
    file = scratch() / "data.txt"
    file.write_text("Zürich\n", encoding="utf-8")
    return file


@step
def give_folder() -> Path:
    folder = scratch() / "folder"
    (folder / "sub").mkdir(parents=True)
    (folder / "a").write_bytes(b"1")
    (folder / "sub" / "b c").write_bytes(b"")
    return folder


@step
def give_opaque() -> Opaque:
    return Opaque(7)


@step
def give_two() -> tuple[Annotated[bytes, "data"], Annotated[int, "size"]]:
    return b"two", 3


@step
def read_all(data: bytes, file: Path, folder: Path, opaque: Opaque) -> str:
    names = sorted(item.relative_to(folder).as_posix() for item in folder.rglob("*") if item.is_file())
    return f"{data!r} {file.read_text(encoding='utf-8')!r} {names} {opaque!r}"


@step
def read_many(blobs: list[bytes], sizes: list[int]) -> str:
    return f"{blobs!r} {sizes!r}"


@step
def repeat(count: int) -> bytes:
    return b"x" * count


@step
def size_of(data: bytes) -> int:
    return len(data)


@pipeline
def artifacts() -> str:
    """Every kind of artifact, from one task to another."""
    return read_all(give_bytes(), give_file(), give_folder(), give_opaque())


@pipeline
def many_artifacts() -> str:
    """Artifacts in a list, and of a map."""
    data, size = give_two()
    read_many([data, give_bytes()], [size])
    blobs = map(repeat, [0, 1, 2])
    return read_many(blobs, [])


# Parameters


@step
def show(
    text: str, count: int, share: float, flag: bool, note: str | None, sizes: list[int], color: Color,
    day: datetime.date, point: Point,
) -> str:  # fmt: skip
    return repr((text, count, share, flag, note, sizes, color.name, day.isoformat(), point.x, point.y))


@pipeline
def parameters(
    text: str = "it's $HOME\n100%",
    count: int = 2**70,
    share: float = 0.1,
    flag: bool = True,
    note: str | None = None,
    sizes: list[int] = [3, 1],  # noqa: B006 - a default in a pipeline is data
    color: Color = Color.RED,
    day: datetime.date = datetime.date(2013, 1, 1),
    point: Point = Point(1, 2.5),
) -> str:
    """A parameter of each type."""
    return show(text, count, share, flag, note, sizes, color, day, point)


@pipeline
def required(text: str, count: int) -> str:
    """Parameters without a default."""
    return say(count, text, None)


@step
def count_files(folder: Path) -> int:
    return len(list(folder.iterdir()))


@pipeline
def artifact_parameter(folder: Path) -> int:
    """A folder that whoever starts the run names."""
    return count_files(folder)
