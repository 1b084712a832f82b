from pathlib import Path

from crossdock import Cache, pipeline, step


@step(cache=Cache(depends_on=Path("queries/flights.sql")))
def fit(rate: float) -> float:
    return rate


@pipeline
def training() -> None:
    fit(0.1)

# $ crossdock check cache_depends_on_a_missing_file.py
# crossdock: cache_depends_on_a_missing_file.py:13: the cache depends on 'queries/flights.sql', which cannot be read: No such file or directory [unreadable-file]
#   hint: paths are relative to project/
