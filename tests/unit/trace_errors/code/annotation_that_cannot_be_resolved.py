from __future__ import annotations

from typing import TYPE_CHECKING

from crossdock import pipeline, step

if TYPE_CHECKING:
    from fractions import Fraction


@step
def half() -> Fraction:
    from fractions import Fraction

    return Fraction(1, 2)


@pipeline
def training() -> None:
    half()

# $ crossdock check annotation_that_cannot_be_resolved.py
# crossdock: annotation_that_cannot_be_resolved.py:11: an annotation of 'half' cannot be resolved: name 'Fraction' is not defined [bad-annotation]
#   hint: import the type at the top of the module (not under TYPE_CHECKING)
