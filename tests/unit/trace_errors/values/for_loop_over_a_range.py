from crossdock import pipeline, step


@step
def work(number: int) -> int:
    return number


@pipeline
def all_of_them(count: int = 3) -> None:
    for number in range(count):
        work(number)

# $ crossdock check for_loop_over_a_range.py
# crossdock: for_loop_over_a_range.py:11: an index, a range or a count cannot be the parameter 'count': it is known only when the pipeline runs [not-known-yet]
#   hint: index or count in a step, or write `map(step, values)`
