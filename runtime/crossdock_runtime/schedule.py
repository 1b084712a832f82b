"""In which order tasks may start: each item of a map as soon as what it needs is done.

The unit is a task with item numbers. A shorter number stands for a group: `(task, (3,))` of a task in two maps is all
that it does for item 3 of the outer one. A group is done when all in it is done, and others wait for groups.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable

from crossdock_runtime.bindings import Collect, Output, leaves
from crossdock_runtime.contract import MapScope, Plan, Task
from crossdock_runtime.record import Index

Unit = tuple[Task, Index]
Key = tuple[str, Index]


class Schedule:
    """Hands out the units of a plan, in the plan's order and depth first.

    Args:
        plan: its exit task is left out.
        expand: the number of items of a task's next map below the given item numbers; None when that cannot be
            told and the group has ended as a whole, for which the caller has taken note.
    """

    def __init__(self, plan: Plan, expand: Callable[[Task, Index], int | None]) -> None:
        self._plan = plan
        self._expand = expand
        self._tasks = [task for task in plan.tasks if task.id != plan.on_exit]
        self._maps = {task.id: plan.maps_of(task.scope) for task in self._tasks}
        self._needs = {task.id: self._edges(task, plan.upstream(task)) for task in self._tasks}
        self._lists = {task.id: [self._listers(task, scope) for scope in self._maps[task.id]] for task in self._tasks}
        self._ready: list[Unit] = []
        self._open: dict[Key, int] = {}
        self._done: set[Key] = set()
        self._missing: dict[Key, int] = {}
        self._waiters: defaultdict[Key, list[Unit]] = defaultdict(list)  # the last in the plan's order first
        self._closing: list[Unit] = []
        self._is_closing = False
        self._limits = Limits(plan, self._maps)
        for task in reversed(self._tasks):
            self._enter(task, ())

    def __bool__(self) -> bool:
        return bool(self._ready)

    def next(self) -> Unit | None:
        """A unit that may start now; None when there is none before another one ends."""
        while self._ready:
            unit = self._ready.pop()
            if self._limits.admit(unit):
                return unit
        return None

    def done(self, task: Task, index: Index) -> None:
        """A unit has ended, however it did."""
        self._close(task, index)

    def _edges(self, task: Task, names: tuple[str, ...]) -> list[tuple[str, int]]:
        by_id = self._plan.by_id
        return [(name, self._plan.shared_maps(by_id[name].scope, task.scope)) for name in names]

    def _listers(self, task: Task, scope: MapScope) -> list[tuple[str, int]]:
        """The tasks that must be done before the items of a map are known."""
        found = {item.task: None for item in leaves(scope.items) if isinstance(item, (Output, Collect))}
        return self._edges(task, tuple(found))

    def _enter(self, task: Task, index: Index) -> None:
        """Wait for all that a unit, or the items of a group, needs."""
        depth = len(index)
        maps = self._maps[task.id]
        needs = self._needs[task.id] if depth == len(maps) else self._lists[task.id][depth]
        missing = 0
        for name, shared in needs:
            key = (name, index[:shared])
            if key not in self._done:
                self._waiters[key].append((task, index))
                missing += 1
        if missing:
            self._missing[task.id, index] = missing
        else:
            self._proceed(task, index)

    def _proceed(self, task: Task, index: Index) -> None:
        if len(index) == len(self._maps[task.id]):
            self._ready.append((task, index))
            return
        count = self._expand(task, index)
        if not count:
            self._close(task, index)
            return
        self._open[task.id, index] = count
        for number in reversed(range(count)):
            self._enter(task, (*index, number))

    def _close(self, task: Task, index: Index) -> None:
        """A unit or a group is done: so may be the group around it, and what waits for it may go on."""
        self._closing.append((task, index))
        if self._is_closing:  # whoever began goes on with it: a long chain is no deep recursion
            return
        self._is_closing = True
        while self._closing:
            task, index = self._closing.pop()
            self._done.add((task.id, index))
            self._ready.extend(self._limits.release(task, index))
            for waiter in self._waiters.pop((task.id, index), ()):
                self._arrive(*waiter)
            if index:
                around = index[:-1]
                self._open[task.id, around] -= 1
                if not self._open[task.id, around]:
                    self._closing.append((task, around))
        self._is_closing = False

    def _arrive(self, task: Task, index: Index) -> None:
        key = (task.id, index)
        self._missing[key] -= 1
        if not self._missing[key]:
            del self._missing[key]
            self._proceed(task, index)


class Limits:
    """Keeps to the maps' concurrency: an item is under way from its first task's start until all its tasks are done."""

    def __init__(self, plan: Plan, maps: dict[str, tuple[MapScope, ...]]) -> None:
        self._limited = {
            name: [(depth, scope) for depth, scope in enumerate(around) if scope.concurrency is not None]
            for name, around in maps.items()
        }
        self._members: defaultdict[str, int] = defaultdict(int)
        for found in self._limited.values():
            for _, scope in found:
                self._members[scope.id] += 1
        self._left: dict[Key, int] = {}
        self._under_way: defaultdict[Key, set[int]] = defaultdict(set)
        self._held: defaultdict[Key, dict[int, list[Unit]]] = defaultdict(dict)

    def admit(self, unit: Unit) -> bool:
        """Whether a unit may start; if not, it is kept until `release` gives it back."""
        task, index = unit
        for depth, scope in self._limited[task.id]:
            place, item = (scope.id, index[:depth]), index[depth]
            under_way = self._under_way[place]
            if item in under_way:
                continue
            if len(under_way) >= (scope.concurrency or 0):
                self._held[place].setdefault(item, []).append(unit)
                return False
            under_way.add(item)
        return True

    def release(self, task: Task, index: Index) -> list[Unit]:
        """A unit or a group is done; gives the units of the next item that was kept for want of room."""
        found: list[Unit] = []
        for depth, scope in self._limited[task.id]:
            if len(index) != depth + 1:
                continue
            left = self._left[scope.id, index] = self._left.get((scope.id, index), self._members[scope.id]) - 1
            if not left:
                place = (scope.id, index[:depth])
                self._under_way[place].discard(index[depth])
                held = self._held[place]
                if held:
                    found += held.pop(next(iter(held)))
        return found
