import datetime

from crossdock import pipeline, step


@step
def fit(day: datetime.date) -> str:
    return str(day)


@pipeline
def training(day: datetime.date = datetime.date(2013, 12, 31)) -> None:
    fit(day)

# $ crossdock run date.py -p day=tomorrow
# crossdock: parameter 'day' takes datetime.date, not 'tomorrow' [bad-parameter]
#   hint: -p day=2013-12-31
