"""The cases of the graphs' shapes: edges, pipelines in pipelines, maps."""

from __future__ import annotations

from crossdock.testing.case import DECIDED, SKIPPED, UPSTREAM_FAILED, Case, Once, case, failed, ran

SHAPES, MAPS = "conformance_shapes", "conformance_maps"
SOME, MANY = 8, 200


def _increased(count: int) -> dict[str, int]:
    return {"increase" if number == 1 else f"increase-{number}": number for number in range(1, count + 1)}


def _wide(name: str, count: int, large: bool) -> Case:
    tasks = {"start": ran(1), **dict.fromkeys(_increased(count), ran(2)), "add-up": ran(2 * count)}
    return Case(name.replace("_", " "), f"{SHAPES}:{name}", (Once(tasks),), large)


def _deep(name: str, count: int, large: bool) -> Case:
    tasks = {"start": ran(1), **{task: ran(number + 1) for task, number in _increased(count).items()}}
    return Case(name.replace("_", " "), f"{SHAPES}:{name}", (Once(tasks),), large)


GRAPHS: tuple[Case, ...] = (
    case("single", f"{SHAPES}:single", start=ran(1)),
    case("chain", f"{SHAPES}:chain", start=ran(1), double=ran(2), double_2=ran(4), double_3=ran(8)),
    case("fan out", f"{SHAPES}:fan_out", start=ran(1), double=ran(2), add=ran(11), increase=ran(2)),
    case("fan in", f"{SHAPES}:fan_in", start=ran(1), start_2=ran(1), start_3=ran(1), add_up=ran(3)),
    case("diamond", f"{SHAPES}:diamond", start=ran(1), double=ran(2), add=ran(11), add_2=ran(13)),
    case("apart", f"{SHAPES}:apart", start=ran(1), nothing=ran()),
    case(
        "nested pipelines",
        f"{SHAPES}:nested",
        double=ran(10), increase=ran(11), double_2=ran(22), increase_2=ran(23), double_3=ran(22), increase_3=ran(23),
        add=ran(46),
    ),
    case("order-only edges", f"{SHAPES}:order", nothing=ran(), start=ran(1), start_2=ran(1), nothing_2=ran()),
    case("chosen names", f"{SHAPES}:names", Once({"the-first": ran(1), "a1-B_2": ran(2)})),
    _wide("wide", SOME, False),
    _deep("deep", SOME, False),
    _wide("very_wide", MANY, True),
    _deep("very_deep", MANY, True),
)  # fmt: skip

_DOUBLED = {"double.0": ran(0), "double.1": ran(2), "double.2": ran(4)}

MAPPED: tuple[Case, ...] = (
    case(
        "static map",
        f"{MAPS}:static_map",
        Once({"double.0": ran(6), "double.1": ran(8), "double.2": ran(10), "add-up": ran(24)}),
    ),
    case(
        "static map of records",
        f"{MAPS}:static_records",
        Once({"look.0": ran("a,b=1.5"), "look.1": ran('"=None'), "look.2": ran("{{item}}=True")}),
    ),
    case("dynamic map", f"{MAPS}:dynamic_map", Once({"numbers": ran([0, 1, 2]), **_DOUBLED, "add-up": ran(6)})),
    case("empty maps", f"{MAPS}:empty_maps", numbers=ran([]), add_up=ran(0), add_up_2=ran(0), add=ran(0)),
    case(
        "map of a chain",
        f"{MAPS}:long_body",
        Once(
            {
                "numbers": ran([0, 1, 2]),
                **_DOUBLED,
                **{f"add.{number}": ran(3 * number) for number in range(3)},
                "add-up": ran(9),
            }
        ),
    ),
    case(
        "map with named results",
        f"{MAPS}:named_results",
        Once(
            {
                "numbers": ran([0, 1, 2, 3]),
                **{f"split.{number}": ran(half=number // 2, odd=number % 2 == 1) for number in range(4)},
                "add-up": ran(2),
                "count-odd": ran(2),
                "add": ran(4),
            }
        ),
    ),
    case(
        "map with a limit",
        f"{MAPS}:limited",
        Once(
            {
                "numbers": ran([0, 1, 2, 3, 4]),
                **{f"double.{number}": ran(2 * number) for number in range(5)},
                "add-up": ran(20),
            }
        ),
    ),
    case(
        "map of map",
        f"{MAPS}:map_of_map",
        Once(
            {
                "numbers": ran([0, 1]),
                "add.0.0": ran(10), "add.0.1": ran(20), "add.1.0": ran(11), "add.1.1": ran(21),
                "add-all": ran([30, 32]),
            }
        ),
    ),
    case(
        "map of a dynamic map",
        f"{MAPS}:map_of_dynamic_map",
        Once(
            {
                "numbers": ran([0, 1, 2]),
                "numbers-2.0": ran([]), "numbers-2.1": ran([0]), "numbers-2.2": ran([0, 1]),
                "double.1.0": ran(0), "double.2.0": ran(0), "double.2.1": ran(2),
                "add-all": ran([0, 0, 2]),
            }
        ),
    ),
    case(
        "condition in a map",
        f"{MAPS}:condition_in_map",
        Once(
            {
                "numbers": ran([0, 1, 2, 3]),
                **{f"double.{number}": ran(2 * number) for number in range(4)},
                "add.0": SKIPPED, "add.1": SKIPPED, "add.2": ran(104), "add.3": ran(106),
                "add-up": ran(210),
            }
        ),
    ),
    case(
        "one_of in a map",
        f"{MAPS}:either_in_map",
        Once(
            {
                "numbers": ran([0, 1, 2, 3]),
                **{f"when-1.{number}": DECIDED for number in range(4)},
                "double.0": SKIPPED, "double.1": SKIPPED, "double.2": ran(4), "double.3": ran(6),
                "add.0": ran(0), "add.1": ran(1), "add.2": SKIPPED, "add.3": SKIPPED,
                "add-2.0": ran(1), "add-2.1": ran(2), "add-2.2": ran(5), "add-2.3": ran(7),
                "add-up": ran(15),
            }
        ),
    ),
    case(
        "condition on a mapped result",
        f"{MAPS}:condition_on_map",
        Once({"numbers": ran([0, 1, 2]), **_DOUBLED, "add-up": ran(6), "tell": ran("six"), "tell-2": SKIPPED}),
    ),
    case(
        "condition on a collected list",
        f"{MAPS}:condition_on_list",
        Once(
            {
                "numbers": ran([0, 1, 2]), **_DOUBLED, "when-1": DECIDED, "when-2": DECIDED,
                "tell": ran("as expected"), "tell-2": SKIPPED,
            }
        ),
    ),
    case(
        "map in a branch",
        f"{MAPS}:map_in_branch",
        Once({"when-1": DECIDED, "numbers": SKIPPED, "double": SKIPPED, "add-up": SKIPPED}),
        Once(
            {
                "when-1": DECIDED, "numbers": ran([0, 1]), "double.0": ran(0), "double.1": ran(2), "add-up": ran(2),
            },
            parameters={"wanted": True},
        ),
    ),
    case(
        "map of a skipped list",
        f"{MAPS}:map_of_skipped",
        Once({"when-1": DECIDED, "numbers": SKIPPED, "double": SKIPPED, "add-up": SKIPPED}),
    ),
    case(
        "map with a bad item",
        f"{MAPS}:bad_item",
        Once(
            {
                "numbers": ran([0, 1, 2]),
                "fail-on.0": ran(0), "fail-on.1": failed(says="1 is bad"), "fail-on.2": ran(2),
                "add-up": UPSTREAM_FAILED,
            },
            status="failed",
        ),
    ),
    case(
        "map of a failed list",
        f"{MAPS}:map_of_failed",
        Once(
            {"no-numbers": failed(says="no numbers"), "double": UPSTREAM_FAILED, "add-up": UPSTREAM_FAILED},
            status="failed",
        ),
    ),
    case(
        "map of a parameter",
        f"{MAPS}:map_of_parameter",
        Once({"double.0": ran(2), "double.1": ran(4), "add-up": ran(6)}),
        Once({"double.0": ran(14), "add-up": ran(14)}, parameters={"values": [7]}),
    ),
    case(
        "map of a collected list",
        f"{MAPS}:map_of_collected",
        Once({"double.0": ran(2), "double.1": ran(4), "double-2.0": ran(4), "double-2.1": ran(8), "add-up": ran(12)}),
    ),
    case(
        "map of a map's items",
        f"{MAPS}:map_of_items",
        Once(
            {
                "rows": ran([[0], [0, 1]]),
                "double.0.0": ran(0), "double.1.0": ran(0), "double.1.1": ran(2),
                "add-all": ran([0, 2]),
            }
        ),
    ),
)  # fmt: skip

CASES = (*GRAPHS, *MAPPED)
