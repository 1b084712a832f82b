"""The cases of the graphs' shapes."""

from __future__ import annotations

from crossdock.testing.case import SKIPPED, Case, Once, case, ran

CASES: tuple[Case, ...] = (
    case("single", "conformance_shapes:single", start=ran(1)),
    case("chain", "conformance_shapes:chain", start=ran(1), double=ran(2), double_2=ran(4), double_3=ran(8)),
    case("diamond", "conformance_shapes:diamond", start=ran(1), double=ran(2), add=ran(11), add_2=ran(13)),
    case(
        "dynamic map",
        "conformance_shapes:dynamic_map",
        Once(
            {
                "numbers": ran([0, 1, 2]),
                "double.0": ran(0),
                "double.1": ran(2),
                "double.2": ran(4),
                "add-up": ran(6),
            }
        ),
    ),
    case(
        "condition",
        "conformance_shapes:condition",
        Once({"start": ran(1), "double": ran(2), "tell": ran("enough"), "tell-2": SKIPPED}),
        Once(
            {"start": ran(1), "double": ran(2), "tell": SKIPPED, "tell-2": ran("too little")},
            parameters={"limit": 3},
            cache=False,
        ),
    ),
)
