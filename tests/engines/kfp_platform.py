"""What runs the tasks of a run: the driver's part of Kubeflow Pipelines, each container as a process of this machine.

It makes the nodes that Argo makes: `<name>-driver`, `<name>`, `executor`; loops as `iteration-iterations(<i>:<i>)`.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from google.protobuf import json_format
from kfp.pipeline_spec import pipeline_spec_pb2 as pb

if TYPE_CHECKING:
    from kfp_server import KfpServer

Json = dict[str, Any]
_INPUT = re.compile(r"\{\{\$\.inputs\.parameters\['([^']+)'\]\}\}")
_OUTPUT = re.compile(r"\{\{\$\.outputs\.parameters\['([^']+)'\]\.output_file\}\}")
_CONDITION = re.compile(r"inputs\.parameter_values\['([^']+)'\] == '(\w+)'")


class _Failed(Exception):
    """A task failed, or the run is to end."""


@dataclass
class Platform:
    """The platform.

    Attributes:
        env: of every container, beside its own.
    """

    env: Mapping[str, str] = field(default_factory=dict)

    def perform(self, server: KfpServer, run: str, spec: Json) -> None:
        """Run all tasks of a run."""
        _Performance(self, server, run, spec).perform()


class _Performance:
    def __init__(self, platform: Platform, server: KfpServer, run: str, spec: Json) -> None:
        self.platform = platform
        self.server = server
        self.run = run
        self.spec = spec["pipeline_spec"]
        self.kubernetes = spec.get("platform_spec", {}).get("platforms", {}).get("kubernetes", {})
        self.workflow = f"{self.spec['pipelineInfo']['name']}-{run[:5]}"
        self.nodes: list[Json] = []
        server.runs[run]["run_details"] = {"task_details": self.nodes}

    def perform(self) -> None:
        self.server.advance(self.run, "RUNNING")
        declared = self.spec["root"].get("inputDefinitions", {}).get("parameters", {})
        arguments = {name: body.get("defaultValue") for name, body in declared.items()}
        arguments.update(self.server.runs[self.run].get("runtime_config", {}).get("parameters", {}))
        root = self._node("root", "root", "root", [])
        state = "FAILED"
        try:
            self._dag("root", self.spec["root"]["dag"], arguments, root)
            state = "SUCCEEDED"
        except _Failed:
            pass
        if self.server.runs[self.run]["state"] == "CANCELING":
            state = "CANCELED"
        root["state"] = state
        self.server.advance(self.run, state)

    def _node(self, path: str, name: str, template: str, parents: list[Json], state: str = "RUNNING") -> Json:
        hashed = 0x811C9DC5
        for byte in f"{self.workflow}.{path}".encode():  # FNV-1a, of which Argo makes the names of pods
            hashed = ((hashed ^ byte) * 0x01000193) & 0xFFFFFFFF
        node: Json = {
            "run_id": self.run,
            "task_id": f"{len(self.nodes)}",
            "display_name": name,
            "state": state,
            "pod_name": f"{self.workflow}-{template}-{hashed}",
            "child_tasks": [],
        }
        with self.server.lock:
            self.nodes.append(node)
            for parent in parents:
                parent["child_tasks"].append({"pod_name": f"{self.workflow}-{hashed}"})
        return node

    def _dag(self, path: str, dag: Json, inputs: Json, parent: Json) -> list[Json]:
        """Run the tasks of a DAG; its last nodes."""
        tasks, outputs, ends = dict(dag["tasks"]), {}, {}
        done: dict[str, bool] = {}
        failure = None
        while tasks:
            name = next(item for item in tasks if not set(tasks[item].get("dependentTasks", ())) & set(tasks))
            task = tasks.pop(name)
            needs = task.get("dependentTasks", ())
            is_exit = task.get("triggerPolicy", {}).get("strategy") == "ALL_UPSTREAM_TASKS_COMPLETED"
            if not is_exit and not all(done.get(item) for item in needs):
                done[name] = False
                continue
            parents = [node for item in needs for node in ends.get(item, [])] or [parent]
            values = {}
            for key, source in task.get("inputs", {}).get("parameters", {}).items():
                if "componentInputParameter" in source:
                    values[key] = inputs[source["componentInputParameter"]]
                elif "taskOutputParameter" in source:
                    found = source["taskOutputParameter"]
                    values[key] = outputs[found["producerTask"]][found["outputParameterKey"]]
                else:
                    constant = source["runtimeValue"]["constant"]
                    values[key] = self.run if constant == "{{$.pipeline_job_uuid}}" else constant
            try:
                ends[name], outputs[name], done[name] = self._task(f"{path}.{name}", name, task, values, parents)
            except _Failed as error:
                failure, done[name], ends[name] = error, False, [parent]
        if failure is not None:
            raise failure
        waited = {item for task in dag["tasks"].values() for item in task.get("dependentTasks", ())}
        return [node for name, nodes in ends.items() if name not in waited for node in nodes]

    def _task(
        self, path: str, name: str, task: Json, values: Json, parents: list[Json]
    ) -> tuple[list[Json], Json, bool]:
        if self.server.runs[self.run]["state"] == "CANCELING":
            raise _Failed
        component = self.spec["components"][task["componentRef"]["name"]]
        if "parameterIterator" in task:
            return self._loop(path, name, task, component, values, parents), {}, True
        driver = self._node(f"{path}-driver", f"{name}-driver", "system-dag-driver", parents, "SUCCEEDED")
        condition = _CONDITION.fullmatch(task.get("triggerPolicy", {}).get("condition", ""))
        template = task["componentRef"]["name"]
        if condition is not None and values[condition[1]] != condition[2]:
            return [self._node(path, name, template, [driver], "SKIPPED")], {}, False
        node = self._node(path, name, template, [driver])
        try:
            if "dag" in component:
                ends, outputs = self._dag(path, component["dag"], values, node), {}
            else:
                ends, outputs = self._container(path, component["executorLabel"], values, node)
        except _Failed:
            node["state"] = "FAILED"
            raise
        node["state"] = "SUCCEEDED"
        return ends, outputs, True

    def _loop(self, path: str, name: str, task: Json, component: Json, values: Json, parents: list[Json]) -> list[Json]:
        iterator = task["parameterIterator"]
        items = (
            json.loads(iterator["items"]["raw"])
            if "raw" in iterator["items"]
            else values[iterator["items"]["inputParameter"]]
        )
        node = self._node(path, name, "iterator", parents)
        driver = self._node(f"{path}.iteration-driver", "iteration-driver", "system-dag-driver", [node], "SUCCEEDED")
        group = self._node(f"{path}.iterations", "iteration-iterations", "iterations", [driver])
        ends = []
        for index, item in enumerate(items):
            inner = f"{path}.{index}"
            one = self._node(inner, f"iteration-iterations({index}:{index})", "iterations", [group])
            ahead = self._node(f"{inner}-driver", "iteration-item-driver", "system-dag-driver", [one], "SUCCEEDED")
            body = self._node(f"{inner}-item", "iteration-item", "item", [ahead])
            try:
                ends += self._dag(inner, component["dag"], {**values, iterator["itemInput"]: item}, body)
            except _Failed:
                for part in (body, one, group, node):
                    part["state"] = "FAILED"
                raise
            body["state"] = one["state"] = "SUCCEEDED"
        group["state"] = node["state"] = "SUCCEEDED"
        return ends or [group]

    def _container(self, path: str, label: str, values: Json, node: Json) -> tuple[list[Json], Json]:
        container = self.spec["deploymentSpec"]["executors"][label]["container"]
        outputs: Json = {}
        with tempfile.TemporaryDirectory(prefix="kfp-") as folder:

            def fill(text: str) -> str:
                text = _INPUT.sub(lambda found: _text(values[found[1]]), text)
                return _OUTPUT.sub(lambda found: str(Path(folder, outputs.setdefault(found[1], found[1]))), text)

            words = [fill(word) for word in (*container["command"], *container.get("args", ()))]
            asked = self._executor_input(label, values, folder)
            words = [json.dumps(asked) if word == "{{$}}" else word for word in words]
            assert words[0] == "python", words
            env = {name: os.environ[name] for name in ("PATH", "HOME", "PYTHONPYCACHEPREFIX") if name in os.environ}
            env.update({item["name"]: item["value"] for item in container.get("env", ())}, **self.platform.env)
            executor = self._node(f"{path}.executor", "executor", "system-container-impl", [node])
            said = Path(folder, "log")
            with said.open("wb") as log:
                process = subprocess.Popen(
                    [sys.executable, *words[1:]], env=env, cwd=folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log
                )
            while True:
                ended = process.poll() is not None
                self.server.logs[executor["pod_name"]] = said.read_bytes()
                if ended:
                    break
                if self.server.runs[self.run]["state"] == "CANCELING":
                    process.terminate()
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(0.1)
            if process.returncode:
                executor["state"] = "FAILED"
                raise _Failed
            executor["state"] = "SUCCEEDED"
            written = Path(asked["outputs"]["outputFile"])
            if written.exists():
                said_of = json_format.ParseDict(json.loads(written.read_bytes()), pb.ExecutorOutput())
                assert set(said_of.artifacts) == set(asked["outputs"].get("artifacts", {}))
            kinds = self._outputs(label)
            for name in outputs:
                text = Path(folder, name).read_text(encoding="utf-8")
                outputs[name] = json.loads(text) if kinds[name] == "LIST" else text
        return [executor], outputs

    def _executor_input(self, label: str, values: Json, folder: str) -> Json:
        """What `{{$}}` stands for, held to its protobuf."""
        component = next(item for item in self.spec["components"].values() if item.get("executorLabel") == label)
        declared = component.get("outputDefinitions", {}).get("artifacts", {})
        artifacts = {
            name: {"artifacts": [{"name": name, "type": body["artifactType"], "uri": f"{folder}/artifacts/{name}"}]}
            for name, body in declared.items()
        }
        found = {
            "inputs": {"parameterValues": values},
            "outputs": {"artifacts": artifacts, "outputFile": f"{folder}/output_metadata.json"},
        }
        json_format.ParseDict(found, pb.ExecutorInput())
        return found

    def _outputs(self, label: str) -> Mapping[str, str]:
        component = next(item for item in self.spec["components"].values() if item.get("executorLabel") == label)
        declared = component.get("outputDefinitions", {}).get("parameters", {})
        return {name: body["parameterType"] for name, body in declared.items()}


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))
