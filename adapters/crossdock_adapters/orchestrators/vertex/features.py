"""What Vertex AI Pipelines can do with a plan, and the combinations that it cannot."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from crossdock.ir import Feature, Hole, Level, Plan, Rule, Support
from crossdock_adapters.orchestrators._kfp_ir import failures, layout
from crossdock_adapters.orchestrators._kfp_ir.targets import filled_in

FLAVOR = "vertex"
_FULL = Support(Level.FULL)
_RUNTIME = Support(Level.RUNTIME)
_SECRET = 'put it into Google Secret Manager, and write Secret(gcp="projects/PROJECT/secrets/NAME")'
_LOCAL_SECRET = Support(Level.NEVER, "its machines do not see this machine's secrets", _SECRET)
_FOREIGN_SECRET = Support(
    Level.RUNTIME,
    notice="read when the task starts; a task has the identity of a Google service account, so the image or the "
    "task's env must say how it becomes one of the other cloud",
)

FEATURES: Mapping[Feature, Support] = {
    Feature.PARAMETERS: _FULL,
    Feature.ARTIFACT_PARAMETERS: Support(Level.RUNTIME, notice="it is given as the text of a URI"),
    Feature.ORDER_EDGES: _FULL,
    Feature.CONDITION: _FULL,
    Feature.ONE_OF: _RUNTIME,
    Feature.MAP_STATIC: _FULL,
    Feature.MAP_DYNAMIC: _FULL,
    Feature.MAP_NESTED: _FULL,
    Feature.MAP_CONCURRENCY: _FULL,
    Feature.EXIT_STEP: _FULL,
    Feature.ON_FAILURE_CONTINUE: Support(Level.FULL, notice="by the job's failure policy FAIL_SLOW"),
    Feature.CONTAINER_STEP: Support(
        Level.NOTIMPL,
        "the user's image holds no runtime, and a task is one container: nothing beside it could exchange its files "
        "with the artifact store",
        "call the program from a Python step in an image that holds both",
    ),
    Feature.EXISTING_DATA: _RUNTIME,
    Feature.IMAGE: _FULL,
    Feature.REQUIREMENTS: Support(
        Level.RUNTIME,
        notice="in the task's image, which is built where the stack has a container registry; nothing is installed at "
        "start",
    ),
    Feature.RETRY: _RUNTIME,
    Feature.TIMEOUT: _RUNTIME,
    Feature.CACHE: _RUNTIME,
    Feature.CPU: _FULL,
    Feature.MEMORY: _FULL,
    Feature.GPU: _FULL,
    Feature.DISK: Support(
        Level.NOTYET,
        "the container of a pipeline spec has no field for the size of its machine's disk",
        "leave disk out: a machine has 100 GB",
    ),
    Feature.SHM: Support(
        Level.NOTYET,
        "the container of a pipeline spec has no field for the size of /dev/shm",
        "leave shm out, and let data loaders exchange files instead of shared memory",
    ),
    Feature.SPOT: Support(
        Level.NOTYET,
        "the container of a pipeline spec has no field for a scheduling strategy; only custom jobs have one",
        "leave spot out",
    ),
    Feature.ENV: _FULL,
    Feature.LABELS: Support(Level.FULL, notice="they are the job's, which it hands on to what it makes"),
    Feature.SECRET_ENV: _LOCAL_SECRET,
    Feature.SECRET_KEYRING: _LOCAL_SECRET,
    Feature.SECRET_KUBERNETES: Support(Level.NEVER, "there is no cluster to ask", _SECRET),
    Feature.SECRET_AWS: _FOREIGN_SECRET,
    Feature.SECRET_GCP: Support(
        Level.RUNTIME,
        notice="read when the task starts, by the job's service account, in whose image the vendor's library is",
    ),
    Feature.SECRET_AZURE: _FOREIGN_SECRET,
    Feature.NOTEBOOK_STEPS: Support(
        Level.NEVER,
        "another machine cannot import what a notebook or __main__ defines",
        "move the step into a module beside it, and import it",
    ),
}

# https://cloud.google.com/vertex-ai/docs/reference/rest/v1/projects.locations.pipelineJobs, `labels`
_LABEL = re.compile(r"^[\w-]{1,64}$")
_RESERVED = "vertex-ai-pipelines-run-billing-id"
MOST_LABELS = 61
"""A job has 64; three are for what starts it."""
# https://cloud.google.com/vertex-ai/docs/pipelines/machine-types, as `set_accelerator_limit` of KFP's SDK says it
ACCELERATOR_COUNTS = (1, 2, 4, 8, 16)


def label_problem(key: str, value: str) -> str | None:
    """Why Google takes no such label; None where it does."""
    if key == _RESERVED:
        return f"label {key!r} is reserved by Vertex AI"
    for what, text in (("key", key), ("value", value)):
        if not (_LABEL.match(text) or (what == "value" and not text)) or text != text.lower():
            return f"{text!r} is no Google Cloud label {what}"
    return None if key[0].isalpha() else f"{key!r} is no Google Cloud label key: it begins with a letter"


def shared_labels(plan: Plan) -> Mapping[str, str]:
    """The labels of the first task; `RULES` see to it that all tasks have the same."""
    return plan.tasks[0].settings.labels if plan.tasks else {}


def _labels(plan: Plan) -> Iterator[Hole]:
    shared = dict(shared_labels(plan))
    hint = "lower-case letters, digits, '-' and '_', at most 64, a letter first"
    for task in plan.tasks:
        labels = dict(task.settings.labels)
        for key, value in labels.items():
            problem = label_problem(key, value)
            if problem is not None:
                yield Hole(task.id, problem, hint)
        if labels != shared:
            yield Hole(
                task.id,
                f"its labels are {_shown(labels)}, and those of {plan.tasks[0].id!r} {_shown(shared)}: labels are the "
                "whole job's",
                "give them to the pipeline: @pipeline(settings=Settings(labels={…}))",
            )
    if len(shared) > MOST_LABELS:
        yield Hole(None, f"{len(shared)} labels: a job has at most {MOST_LABELS} beside ours", "leave some out")


def _shown(labels: Mapping[str, str]) -> str:
    return ", ".join(f"{key}={value}" for key, value in sorted(labels.items())) or "none"


def _accelerators(plan: Plan) -> Iterator[Hole]:
    for task in plan.tasks:
        resources = task.settings.resources
        if resources is None or not resources.gpu:
            continue
        if resources.gpu not in ACCELERATOR_COUNTS:
            counts = ", ".join(map(str, ACCELERATOR_COUNTS))
            yield Hole(task.id, f"gpu={resources.gpu}: a machine has {counts} accelerators", f"one of {counts}")
        if resources.gpu_type is None and "accelerator" not in task.settings.targets.get(FLAVOR, {}):
            yield Hole(
                task.id,
                "gpu without gpu_type: Vertex AI has no default accelerator",
                'add gpu_type="nvidia-l4", or another',
            )


RULES = (
    Rule("no circle goes through a map", layout.holes),
    Rule('on_failure="continue": what waits for a part of a branch or a map waits for all of it', failures.holes),
    Rule("the labels of all tasks are the same, and Google Cloud's", _labels),
    Rule("accelerators have a type, and are 1, 2, 4, 8 or 16", _accelerators),
    Rule("environment variables hold no {{", filled_in),
)
