"""What a task needs installed beside its own requirements."""

from __future__ import annotations

from crossdock_runtime.contract import Task
from crossdock_runtime.secret_managers import LIBRARIES


def libraries_of(task: Task) -> tuple[str, ...]:
    """Requirements, sorted, such as `boto3>=1.34`: the libraries that read the task's secrets where it runs."""
    sources = {secret.source for secret in task.settings.secrets.values()}
    return tuple(sorted(text for source in sources for text in LIBRARIES.get(source, ())))
