import functools

from crossdock import pipeline, step


@functools.lru_cache
@step
def fit(rate: float) -> float:
    return rate


@pipeline
def training() -> None:
    fit(0.1)

# $ crossdock check decorated_with_something_else.py
# crossdock: decorated_with_something_else.py:6: step 'fit' cannot be imported: decorated_with_something_else.fit is another _lru_cache_wrapper by now [not-importable]
#   hint: give the two different names; @step is the outermost decorator
