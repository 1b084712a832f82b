"""What Kubeflow Pipelines can do with a plan, and the combinations that it cannot."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from crossdock.ir import Feature, Hole, Level, Plan, Rule, Support
from crossdock_adapters.orchestrators._kfp_ir import layout
from crossdock_adapters.orchestrators._kfp_ir.targets import filled_in
from crossdock_adapters.orchestrators.kubeflow.platform import FLAVOR

_FULL = Support(Level.FULL)
_RUNTIME = Support(Level.RUNTIME)
_LOCAL_SECRET = Support(
    Level.NEVER,
    "the pods of a cluster do not see this machine's secrets",
    'put it into a Kubernetes secret, and write Secret(kubernetes="name/key")',
)
_CLOUD_SECRET = Support(
    Level.RUNTIME,
    notice="read when the task starts, by the identity of its pod, in whose image the vendor's library is",
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
    Feature.ON_FAILURE_CONTINUE: Support(
        Level.NOTYET,
        "KFP compiles to Argo DAGs that fail fast: after a failure no other task of the same DAG starts, "
        "and the spec has no field for it",
        'use on_failure="stop"',
    ),
    Feature.CONTAINER_STEP: Support(
        Level.NOTIMPL,
        "the user's image holds no runtime, and KFP has no init or sibling container that could exchange its "
        "files with the artifact store",
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
        Level.FULL,
        notice="a generic ephemeral volume at TMPDIR, for which the cluster must have a storage class",
    ),
    Feature.SHM: _FULL,
    Feature.SPOT: _FULL,
    Feature.ENV: _FULL,
    Feature.LABELS: _FULL,
    Feature.SECRET_ENV: _LOCAL_SECRET,
    Feature.SECRET_KEYRING: _LOCAL_SECRET,
    Feature.SECRET_KUBERNETES: _FULL,
    Feature.SECRET_AWS: _CLOUD_SECRET,
    Feature.SECRET_GCP: _CLOUD_SECRET,
    Feature.SECRET_AZURE: _CLOUD_SECRET,
    Feature.NOTEBOOK_STEPS: Support(
        Level.NEVER,
        "another machine cannot import what a notebook or __main__ defines",
        "move the step into a module beside it, and import it",
    ),
}

# https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#syntax-and-character-set
_LABEL_VALUE = re.compile(r"^([A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?)?$")
_LABEL_PREFIX = re.compile(r"^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$")


def _label_problem(key: str, value: str) -> str | None:
    prefix, slash, name = key.rpartition("/")
    if not name or not _LABEL_VALUE.match(name) or (slash and not _LABEL_PREFIX.match(prefix)):
        return f"label {key!r} is no Kubernetes label key"
    if not _LABEL_VALUE.match(value):
        return f"the value {value!r} of label {key!r} is no Kubernetes label value"
    return None


def _labels(plan: Plan) -> Iterator[Hole]:
    for task in plan.tasks:
        own = task.settings.targets.get(FLAVOR, {}).get("labels", {})
        for key, value in (*task.settings.labels.items(), *own.items()):
            problem = _label_problem(key, value)
            if problem is not None:
                yield Hole(
                    task.id,
                    problem,
                    "letters, digits, '-', '_' and '.', at most 63, a letter or digit at both ends",
                )


RULES = (
    Rule("no circle goes through a map", layout.holes),
    Rule("labels are Kubernetes labels", _labels),
    Rule("environment variables hold no {{", filled_in),
)
