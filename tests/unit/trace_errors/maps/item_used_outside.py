from crossdock import map, pipeline, step


@step
def work(name: str) -> int:
    return len(name)


@pipeline
def training() -> None:
    names = []

    def body(name: str) -> int:
        names.append(name)
        return work(name)

    map(body, ["a", "b"])
    work(names[0])

# $ crossdock check item_used_outside.py
# crossdock: item_used_outside.py:18: input 'name' of step 'work' uses the item of a map outside of that map [outside-its-map]
#   hint: give it the list that the map goes over, or call the step in the map's body
