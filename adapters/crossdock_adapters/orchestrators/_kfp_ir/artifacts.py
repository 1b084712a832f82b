"""Artifacts as the platform's UI shows them: small references with a type, along the edges of the graph.

What is kept in the artifact store stays there. Each artifact output of a task is an output artifact of its component,
for which our runtime writes URI and digest at the place that the platform chose; each task that reads it has it as an
input artifact. What leaves a branch or a map has no such edge: KFP would collect lists of artifacts, of which Vertex AI
takes a hundred.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from crossdock.dsl.frozen import frozen
from crossdock.ir import Output, OutputType, Task
from crossdock_adapters.orchestrators._kfp_ir.layout import Layout
from crossdock_runtime.bindings import leaves

# Modules to the schemas of
# https://github.com/kubeflow/pipelines/blob/master/sdk/python/kfp/dsl/types/artifact_types.py
_SCHEMAS = {
    "system.Dataset": ("numpy", "pandas", "polars", "pyarrow", "scipy"),
    "system.Model": ("catboost", "keras", "lightgbm", "sklearn", "tensorflow", "torch", "transformers", "xgboost"),
}
_BY_MODULE = {module: schema for schema, modules in _SCHEMAS.items() for module in modules}


def definition(output: OutputType) -> dict[str, Any]:
    """The `ComponentInputsSpec.ArtifactSpec`, or that of outputs, of an artifact."""
    schema = _BY_MODULE.get(output.type.replace(":", ".").partition(".")[0], "system.Artifact")
    return {"artifactType": {"schemaTitle": schema, "schemaVersion": "0.0.1"}}


@frozen
class Reference:
    """An artifact that another task reads.

    Attributes:
        task: id of the task that makes it.
        output: name of its output.
        channel: name of the input artifact of the sub-DAGs on its way.
    """

    task: str
    output: str
    channel: str
    definition: dict[str, Any]


def outputs_of(task: Task) -> dict[str, Any]:
    """The output artifacts of a task's component."""
    return {name: definition(item) for name, item in task.outputs.items() if item.artifact}


def reads_of(layout: Layout, task: Task, taken: Collection[str]) -> dict[str, Reference]:
    """The input artifacts of a task by name, of those that are made beside it or around it.

    Args:
        taken: names of its input parameters.
    """
    plan = layout.plan
    around = {None, *(scope.id for scope in plan.scopes_of(task.scope))}
    found: dict[str, Reference] = {}
    for name, item in task.inputs.items():
        for source in leaves(item.binding):
            if not isinstance(source, Output) or source.path or layout.home[source.task] not in around:
                continue
            output = plan.by_id[source.task].outputs[source.name]
            if not output.artifact:
                continue
            key, count = name, 1
            while key in found or key in taken:  # of parameters, too: KFP's SDK has one name for both
                count += 1
                key = f"{name}-{count}"
            channel = f"pipelinechannel--{layout.names.tasks[source.task]}-{source.name}"
            found[key] = Reference(source.task, source.name, channel, definition(output))
    return found
