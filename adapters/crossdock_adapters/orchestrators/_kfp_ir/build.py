"""The `PipelineSpec` of a plan, as plain data.

What KFP does not forgive, and how it is kept here:

- The backend keys a component by a hash of its container alone: each container names its task in its
  arguments.
- A parameter that a task leaves to its default is missing when the arguments are filled in: all are bound.
- `Concat` and `IfPresent` are not resolved everywhere: neither is written.
- `ALL_UPSTREAM_TASKS_COMPLETED` makes a task an exit hook, which nothing can wait for: only
  the exit task has it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from crossdock.dsl.frozen import frozen
from crossdock.ir import BranchScope, MapScope, Plan, Scope, Task
from crossdock_adapters.orchestrators._kfp_ir import artifacts
from crossdock_adapters.orchestrators._kfp_ir.artifacts import Reference
from crossdock_adapters.orchestrators._kfp_ir.layout import Emitted, Layout
from crossdock_adapters.orchestrators._kfp_ir.lists import static_length
from crossdock_adapters.orchestrators._kfp_ir.names import pipeline_name
from crossdock_adapters.orchestrators._kfp_ir.parameters import RUN, parameter_type, root_inputs
from crossdock_runtime.contract import CONTRACT

SCHEMA = "2.1.0"
"""The only schema version that the API server takes."""
NATIVE = "crossdock-native-id"
"""Name of the input that holds the native run's id; no Python parameter can be called so."""
_NATIVE_ID = {"runtimeValue": {"constant": "{{$.pipeline_job_uuid}}"}}
_STRING = {"parameterType": "STRING"}
COMMAND = ["python", "-m", "crossdock_runtime"]

Node = dict[str, Any]


@frozen
class Choices:
    """What a target adds to the shared spec.

    Attributes:
        plan_url: where the published plan is.
        container: image, environment and resources of a task's container.
        retry: `retryPolicy` of a task, for lost infrastructure.
    """

    plan_url: str
    container: Callable[[Task], Mapping[str, Any]]
    retry: Callable[[Task], Mapping[str, Any] | None]


def executor_label(layout: Layout, task: Task) -> str:
    """Name of a task's executor, which the platform document shares."""
    return f"exec-{layout.names.tasks[task.id]}"


def build(plan: Plan, layout: Layout, choices: Choices) -> dict[str, Any]:
    """The `PipelineSpec` of a plan.

    Args:
        plan: after the passes.
        layout: its sub-DAGs.
        choices: what the target adds.
    """
    return _Builder(plan, layout, choices).build()


class _Builder:
    def __init__(self, plan: Plan, layout: Layout, choices: Choices) -> None:
        self.original = plan
        self.plan = layout.plan
        self.layout = layout
        self.choices = choices
        self.components: dict[str, Any] = {}
        self.executors: dict[str, Any] = {}
        self.references: dict[str, Reference] = {}
        self.types: dict[str, Node] = {
            item.name: {"parameterType": parameter_type(item)} for item in plan.parameters.values()
        }
        self.types[RUN] = _STRING
        names = layout.names
        self.around = {names.scopes[scope]: names.wrappers[scope] for scope in layout.wrapped}
        self.producers: dict[str, Emitted] = {}
        self.emits: dict[str, dict[str, Emitted]] = {}
        for found in layout.emitted.values():
            self.producers[found.channel] = found
            self.emits.setdefault(found.task, {})[found.output] = found
            self.types[found.channel] = {"parameterType": found.type}
        for scope in plan.scopes.values():
            if isinstance(scope, MapScope):
                self.types[_item(scope)] = _STRING

    def build(self) -> dict[str, Any]:
        tasks, needs = self._dag(None)
        if self.plan.on_exit is not None:
            tasks = self._guarded(tasks, needs, self.plan.by_id[self.plan.on_exit])
        return {
            "pipelineInfo": {"name": pipeline_name(self.plan.name)},
            "schemaVersion": SCHEMA,
            "root": {
                "inputDefinitions": {"parameters": root_inputs(self.plan.parameters)},
                "dag": {"tasks": tasks},
            },
            "components": self.components,
            "deploymentSpec": {"executors": self.executors},
        }

    def _dag(self, level: str | None) -> tuple[Node, dict[str, None]]:
        """The nodes of one DAG, and the inputs that it needs from outside, in a stable order."""
        nodes: Node = {}
        needs: dict[str, None] = {}
        for task in self.layout.members.get(level, ()):
            if task.id != self.plan.on_exit:
                name, node, wants = self._task(task)
                nodes[name] = node
                needs.update(wants)
        for scope in self.layout.children.get(level, ()):
            name, node, wants = self._scope(scope)
            parameters = node["inputs"]["parameters"]
            for want in wants:
                if want in self.references:
                    reference = self.references[want]
                    node["inputs"].setdefault("artifacts", {})[want] = self._artifact(reference, level, needs)
                    continue
                producer = self.producers.get(want)
                if producer is not None and self.layout.home[producer.task] == level:
                    parameters[want] = {
                        "taskOutputParameter": {
                            "producerTask": self.layout.names.tasks[producer.task],
                            "outputParameterKey": producer.output,
                        }
                    }
                else:
                    parameters[want] = {"componentInputParameter": want}
                    needs[want] = None
            nodes[name] = node
        return nodes, needs

    def _artifact(self, reference: Reference, level: str | None, needs: dict[str, None]) -> Node:
        """Where a node of a DAG has an artifact from."""
        self.references[reference.channel] = reference
        if self.layout.home[reference.task] != level:
            needs[reference.channel] = None
            return {"componentInputArtifact": reference.channel}
        producer = self.layout.names.tasks[reference.task]
        return {"taskOutputArtifact": {"producerTask": producer, "outputArtifactKey": reference.output}}

    # Tasks

    def _task(self, task: Task) -> tuple[str, Node, dict[str, None]]:
        name = self.layout.names.tasks[task.id]
        maps = self.plan.maps_of(task.scope)
        wants: dict[str, None] = dict.fromkeys(self._parameters_of(task))
        wants[RUN] = None
        wants.update((_item(scope), None) for scope in maps)
        emits, made = self.emits.get(task.id, {}), artifacts.outputs_of(task)
        inputs: Node = {"parameters": {**{want: self.types[want] for want in wants}, NATIVE: _STRING}}
        component: Node = {"executorLabel": f"exec-{name}", "inputDefinitions": inputs}
        outputs: Node = {}
        if emits:
            outputs["parameters"] = {output: {"parameterType": found.type} for output, found in emits.items()}
        if made:
            outputs["artifacts"] = made
        if outputs:
            component["outputDefinitions"] = outputs
        self.components[f"comp-{name}"] = component
        self.executors[f"exec-{name}"] = {
            "container": {**self._container(task, maps, emits), **self.choices.container(task)}
        }
        bound: Node = {want: {"componentInputParameter": want} for want in wants}
        bound[NATIVE] = _NATIVE_ID
        node = self._node(name, bound)
        read = artifacts.reads_of(self.layout, task, wants)
        if read:
            level = self.layout.home[task.id]
            inputs["artifacts"] = {key: found.definition for key, found in read.items()}
            node["inputs"]["artifacts"] = {key: self._artifact(found, level, wants) for key, found in read.items()}
        retry = self.choices.retry(task)
        if retry is not None:
            node["retryPolicy"] = retry
        return name, node, wants

    def _parameters_of(self, task: Task) -> tuple[str, ...]:
        # Of a map over a parameter, only the original says that its tasks read that parameter.
        return (self.plan if task.id in self.layout.lists else self.original).parameters_of(task)

    def _container(self, task: Task, maps: tuple[MapScope, ...], emits: Mapping[str, Emitted]) -> Node:
        args = ["--contract", str(CONTRACT), "--plan", self.choices.plan_url]
        args += ["--items", self.layout.lists[task.id]] if task.id in self.layout.lists else ["--task", task.id]
        if maps:
            args += ["--index", ".".join(_input(_item(scope)) for scope in maps)]
        args += ["--run", _input(RUN), "--native-id", _input(NATIVE)]
        for parameter in self._parameters_of(task):
            args += ["--param", f"{parameter}={_input(parameter)}"]
        for output in emits:
            args += ["--emit", f"{output}={{{{$.outputs.parameters['{output}'].output_file}}}}"]
        if any(output.artifact for output in task.outputs.values()):
            args += ["--executor-input", "{{$}}"]
        return {"command": COMMAND, "args": args}

    def _node(self, name: str, parameters: Node) -> Node:
        node: Node = {"taskInfo": {"name": name}, "componentRef": {"name": f"comp-{name}"}}
        edges = self.layout.edges.get(name)
        if edges:
            node["dependentTasks"] = [self.around.get(source, source) for source in edges]
        node["inputs"] = {"parameters": parameters}
        # An empty object, not an absent one, is what switches KFP's own cache off.
        node["cachingOptions"] = {}
        return node

    # Scopes

    def _scope(self, scope: Scope) -> tuple[str, Node, dict[str, None]]:
        name = self.layout.names.scopes[scope.id]
        nodes, wants = self._dag(scope.id)
        found = self.layout.emitted.get(scope.id)
        if found is not None:
            wants[found.channel] = None
        declared = dict(wants)
        if isinstance(scope, MapScope):
            wants.pop(_item(scope), None)
            declared[_item(scope)] = None
        self._component(name, nodes, declared)
        node = self._node(name, {})
        if isinstance(scope, BranchScope):
            assert found is not None
            expected = "true" if scope.expect else "false"
            node["triggerPolicy"] = {"condition": f"inputs.parameter_values['{found.channel}'] == '{expected}'"}
        else:
            node["parameterIterator"] = {"items": self._items(scope, found), "itemInput": _item(scope)}
            if scope.concurrency is not None:
                node["iteratorPolicy"] = {"parallelismLimit": scope.concurrency}
        if scope.id in self.layout.wrapped:
            return self._wrap(scope.id, name, node, wants)
        return name, node, wants

    def _items(self, scope: MapScope, found: Emitted | None) -> Node:
        if found is not None:
            return {"inputParameter": found.channel}
        length = static_length(scope)
        assert length is not None
        return {"raw": "[" + ",".join(f'"{index}"' for index in range(length)) + "]"}

    def _wrap(self, scope: str, name: str, node: Node, wants: dict[str, None]) -> tuple[str, Node, dict[str, None]]:
        outer = self.layout.names.wrappers[scope]
        edges = node.pop("dependentTasks", None)
        node["inputs"] = self._handed_on(wants)
        self._component(outer, {name: node}, wants)
        around = self._node(outer, {})
        if edges:
            around = {
                **{key: around[key] for key in ("taskInfo", "componentRef")},
                "dependentTasks": edges,
                **around,
            }
        return outer, around, wants

    def _component(self, name: str, nodes: Node, wants: Mapping[str, None]) -> None:
        inputs: Node = {"parameters": {want: self.types[want] for want in wants if want not in self.references}}
        read = {want: self.references[want].definition for want in wants if want in self.references}
        if read:
            inputs["artifacts"] = read
        self.components[f"comp-{name}"] = {"inputDefinitions": inputs, "dag": {"tasks": nodes}}

    def _handed_on(self, wants: Mapping[str, None]) -> Node:
        """The inputs of a node that the DAG around it has under the same names."""
        read = {want: {"componentInputArtifact": want} for want in wants if want in self.references}
        parameters = {want: {"componentInputParameter": want} for want in wants if want not in self.references}
        return {"parameters": parameters, **({"artifacts": read} if read else {})}

    # Exit

    def _guarded(self, nodes: Node, needs: dict[str, None], last: Task) -> Node:
        guard = self.layout.names.guard
        self._component(guard, nodes, needs)
        name, node, _ = self._task(last)
        node["dependentTasks"] = [guard]
        node["triggerPolicy"] = {"strategy": "ALL_UPSTREAM_TASKS_COMPLETED"}
        inputs = {want: {"componentInputParameter": want} for want in needs}
        return {guard: self._node(guard, inputs), name: node}


def _item(scope: MapScope) -> str:
    return f"{scope.id}-item"


def _input(name: str) -> str:
    return f"{{{{$.inputs.parameters['{name}']}}}}"
