"""Schedules of Kubeflow Pipelines, which are its recurring runs."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from crossdock.dsl.errors import BadInput, PlatformError
from crossdock.stacks import RunOptions, Schedule, Spec
from crossdock_adapters.orchestrators._kfp_ir.names import pipeline_name
from crossdock_adapters.orchestrators.kubeflow.runs import start_of

if TYPE_CHECKING:
    from crossdock_adapters.orchestrators.kubeflow.client import Server
    from crossdock_adapters.orchestrators.kubeflow.config import KubeflowConfig

_OURS = "crossdock-"
"""What the name of a recurring run of ours begins with."""
_SAID = "made by crossdock for pipeline "
"""What its description begins with; the pipeline's name follows."""
# The fields behind seconds: https://pkg.go.dev/github.com/robfig/cron#hdr-CRON_Expression_Format
_FIELDS = (("minute", 0, 59), ("hour", 0, 23), ("day of month", 1, 31), ("month", 1, 12), ("day of week", 0, 6))
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_PART = re.compile(r"(?:\*|(\w+)(?:-(\w+))?)(?:/(\d+))?", re.ASCII)


def six_fields(cron: str) -> str:
    """A cron expression of five fields as KFP has it: seconds before it.

    Raises:
        BadInput: KFP takes no such expression.
    """
    fields = cron.split()
    if len(fields) != len(_FIELDS):
        raise _bad(cron, f"has {len(fields)} fields")
    for text, (name, least, most) in zip(fields, _FIELDS, strict=True):
        for part in text.split(","):
            _check(cron, name, part, least, most)
    return " ".join(["0", *fields])


def _check(cron: str, name: str, part: str, least: int, most: int) -> None:
    found = _PART.fullmatch(part)
    if found is None:
        raise _bad(cron, f"{name}: {part!r} is no number, range or step")
    names = {"month": _MONTHS, "day of week": _DAYS}.get(name, ())
    bounds = []
    for word in (found[1], found[2]):
        if word is None:
            continue
        if word.lower() in names:
            bounds.append(names.index(word.lower()) + least)
        elif word.isdigit() and least <= int(word) <= most:
            bounds.append(int(word))
        else:
            also = "; Sunday is 0" if name == "day of week" and word == "7" else ""
            raise _bad(cron, f"{name}: {word!r} is not from {least} to {most}{also}")
    if len(bounds) == 2 and bounds[0] > bounds[1]:
        raise _bad(cron, f"{name}: {part!r} begins behind its end")
    if found[3] is not None and int(found[3]) == 0:
        raise _bad(cron, f"{name}: a step of 0")


def _bad(cron: str, why: str) -> BadInput:
    return BadInput(
        f"{cron!r} is no cron expression that Kubeflow Pipelines takes: {why}",
        hint='minute, hour, day of month, month and day of week, in UTC: "0 3 * * 1-5"',
        id="bad-cron",
    )


def make(
    server: Server, config: KubeflowConfig, spec: Spec, options: RunOptions, cron: str, url: Callable[[str], str | None]
) -> Schedule:
    """Make a recurring run; see `CanSchedule.schedule`."""
    expression = six_fields(cron)
    body = {
        **start_of(server, config, spec, options, {}),
        "display_name": f"{_OURS}{pipeline_name(options.plan.name)[:100]}-{secrets.token_hex(4)}",
        "description": _SAID + options.plan.name,
        "trigger": {"cron_schedule": {"cron": expression}},
        "mode": "ENABLE",
        "max_concurrency": "1",
        "no_catchup": True,
    }
    return _schedule(server.create_recurring_run(body), url)


def every(server: Server, pipeline: str | None, url: Callable[[str], str | None]) -> list[Schedule]:
    """Those that we made."""
    found = [_schedule(item, url) for item in server.recurring_runs(_OURS) if _is_ours(item)]
    return sorted(
        (item for item in found if pipeline is None or item.pipeline == pipeline),
        key=lambda item: (item.pipeline, item.id),
    )


def change(server: Server, schedule: str, verb: str) -> None:
    """Enable, disable or delete one that we made.

    Raises:
        BadInput: there is none of that id, or others made it.
    """
    try:
        item = server.recurring_run(schedule)
    except PlatformError as error:
        if error.id != "platform-not-found":
            raise
        raise _unknown(f"Kubeflow Pipelines has no schedule {schedule!r}") from None
    if not _is_ours(item):
        raise _unknown(f"the recurring run {item.get('display_name')!r} is not one that crossdock made")
    server.change_recurring_run(schedule, verb)


def _unknown(message: str) -> BadInput:
    return BadInput(message, hint="crossdock schedules list shows them", id="unknown-schedule")


def _is_ours(item: Mapping[str, Any]) -> bool:
    return str(item.get("display_name")).startswith(_OURS) and str(item.get("description")).startswith(_SAID)


def _schedule(item: Mapping[str, Any], url: Callable[[str], str | None]) -> Schedule:
    cron = ((item.get("trigger") or {}).get("cron_schedule") or {}).get("cron", "")
    return Schedule(
        id=item["recurring_run_id"],
        pipeline=str(item.get("description", "")).removeprefix(_SAID),
        cron=cron,
        paused=item.get("status") == "DISABLED" or item.get("mode") == "DISABLE",
        url=url(item["recurring_run_id"]),
    )
