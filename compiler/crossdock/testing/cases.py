"""Every case of the kit."""

from __future__ import annotations

from crossdock.testing import behaviours, branches, shapes
from crossdock.testing.case import Case

CASES: tuple[Case, ...] = (*shapes.CASES, *branches.CASES, *behaviours.CASES)

BY_NAME = {item.name: item for item in CASES}
assert len(BY_NAME) == len(CASES), "two cases have one name"
