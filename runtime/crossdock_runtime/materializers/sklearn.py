"""Fitted scikit-learn models and pipelines, by joblib, with the version that wrote them.

A joblib file is a pickle with arrays beside it: it is read only through a manifest of this store, after its
digest was verified.
"""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any, ClassVar

from crossdock_runtime.materializers.base import Materializer, MaterializerError, library

_FILE = "model.joblib"
_ABOUT = "model.json"


class EstimatorMaterializer(Materializer):
    """Any `sklearn.base.BaseEstimator`."""

    name: ClassVar[str] = "sklearn.BaseEstimator"
    types: ClassVar[tuple[str, ...]] = ("sklearn.base.BaseEstimator",)

    def save(self, value: Any, folder: Path) -> None:
        about = {"scikit-learn": library("sklearn", "a model").__version__}
        (folder / _ABOUT).write_text(json.dumps(about), encoding="utf-8")
        library("joblib", "a model").dump(value, folder / _FILE)

    def load(self, folder: Path, as_type: type | None) -> Any:
        written = json.loads((folder / _ABOUT).read_text(encoding="utf-8"))["scikit-learn"]
        here = library("sklearn", "a stored model").__version__
        if _release(written)[0] != _release(here)[0]:
            raise MaterializerError(
                f"this model was written by scikit-learn {written}, and {here} is installed",
                hint=f"pip install scikit-learn=={written}, or train it again",
            )
        if _release(written) != _release(here):
            warnings.warn(
                f"this model was written by scikit-learn {written} and is read by {here}; "
                f"results may differ (pip install scikit-learn=={written})",
                stacklevel=2,
            )
        return library("joblib", "a stored model").load(folder / _FILE)


def _release(version: str) -> list[str]:
    return version.split(".")[:2]
