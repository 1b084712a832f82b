from crossdock import map, pipeline, step


@step
def work(name: str) -> int:
    return len(name)


@step
def show(size: int) -> None:
    print(size)


@pipeline
def training() -> None:
    sizes = []

    def body(name: str) -> int:
        size = work(name)
        sizes.append(size)
        return size

    map(body, ["a", "b"])
    show(sizes[0])

# $ crossdock check result_used_outside.py
# crossdock: result_used_outside.py:24: input 'size' of step 'show' uses a result of task 'work' outside of its map [outside-its-map]
#   hint: return it from the map's body, and use what map(…) returns
