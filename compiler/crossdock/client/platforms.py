"""What the client does with runs and schedules that a platform has."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from crossdock.client.runs import Run
from crossdock.client.starting import check_schedules

if TYPE_CHECKING:
    from crossdock.stacks import NativeRun, Schedule, Stack
    from crossdock_runtime.store import Store


class PlatformVerbs:
    """The part of `Client` that asks platforms."""

    if TYPE_CHECKING:

        @property
        def stack(self) -> Stack: ...

        @property
        def store(self) -> Store: ...

    def refresh(self, run: Run) -> NativeRun | None:
        """Ask a run's platform how it stands; what the record lacks of a run that has ended there is written.

        Returns:
            None where this stack's orchestrator did not start it, or nothing is open any more.

        Raises:
            PlatformError: the platform cannot be reached, or refuses.
        """
        from crossdock.client.watching import reconcile

        return reconcile(self.stack, self.store, run.id)

    def url_of(self, run: Run) -> str | None:
        """Where the vendor's console shows a run; None where there is none, or another stack started it."""
        from crossdock.client.watching import native_of

        found = native_of(self.stack, self.store, run.id)
        return None if found is None else found[0].url(found[1], self.stack)

    def cancel(self, run: Run) -> bool:
        """End a run: its record says so, and its platform is told. False when it has ended already.

        Raises:
            PlatformError: the platform cannot be reached, or refuses.
        """
        from crossdock.client.watching import native_of

        self.refresh(run)
        if not run.cancel():
            return False
        found = native_of(self.stack, self.store, run.id)
        if found is not None:
            found[0].cancel(found[1], self.stack)
        return True

    def follow_logs(self, run: Run, task: str | None = None) -> Iterator[tuple[str, int, str]]:
        """Task, attempt and text of what tasks print, as it comes, until the run has ended."""
        from crossdock.client.watching import follow_logs

        return follow_logs(self.stack, self.store, run.id, task)

    def native_logs(self, run: Run, task: str) -> Iterator[str]:
        """What the platform kept of a task's output, where the task wrote no log of its own.

        Raises:
            PlatformError: the platform cannot be reached, or refuses.
        """
        from crossdock.client.watching import native_of

        found = native_of(self.stack, self.store, run.id)
        if found is not None:
            yield from found[0].logs(found[1], self.stack, task)

    def schedules(self, pipeline: str | None = None) -> list[Schedule]:
        """The schedules on the stack's platform that we made.

        Raises:
            BadInput: the platform has no schedules.
            PlatformError: it cannot be reached, or refuses.
        """
        return check_schedules(self.stack).schedules(self.stack, pipeline)

    def pause_schedule(self, schedule: str) -> None:
        """Start no further runs, until the schedule is resumed."""
        check_schedules(self.stack).pause_schedule(self.stack, schedule)

    def resume_schedule(self, schedule: str) -> None:
        """Start runs again."""
        check_schedules(self.stack).resume_schedule(self.stack, schedule)

    def delete_schedule(self, schedule: str) -> None:
        """Remove a schedule; its runs stay."""
        check_schedules(self.stack).delete_schedule(self.stack, schedule)
