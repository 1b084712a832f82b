"""What runs the tasks of a job: Vertex AI's part, each container as a process of this machine.

It tells what Vertex AI tells: a detail for each task, condition, loop and item, a custom job for each container.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from google.cloud.aiplatform_v1 import types
from google.protobuf.json_format import MessageToDict
from vertex_contract import PARENT, VertexServer

Json = dict[str, Any]
_INPUT = re.compile(r"\{\{\$\.inputs\.parameters\['([^']+)'\]\}\}")
_OUTPUT = re.compile(r"\{\{\$\.outputs\.parameters\['([^']+)'\]\.output_file\}\}")
_CONDITION = re.compile(r"inputs\.parameter_values\['([^']+)'\] == '(\w+)'")
_STARTED = types.PipelineState.PIPELINE_STATE_RUNNING
_STATES = types.PipelineTaskDetail.State


class _Failed(Exception):
    """A task failed, or the job is to end."""


class Platform:
    """Performs a job of a server in a thread.

    Args:
        env: of every container, beside its own.
    """

    def __init__(self, server: VertexServer, env: Mapping[str, str]) -> None:
        self.server, self.env = server, env

    def perform(self, id: str) -> threading.Thread:
        """Run all tasks of a job; returns at once."""
        thread = threading.Thread(target=self._perform, args=(id,), daemon=True)
        thread.start()
        return thread

    def _perform(self, id: str) -> None:
        self.id, job = id, self.server.job(id)
        body = MessageToDict(types.PipelineJob.pb(job))
        self.spec = body["pipelineSpec"]
        declared = self.spec["root"].get("inputDefinitions", {}).get("parameters", {})
        values = {name: item.get("defaultValue") for name, item in declared.items()}
        values.update(body["runtimeConfig"]["parameterValues"])
        job.state = _STARTED
        try:
            self._dag(self.spec["root"]["dag"], values)
        except _Failed as failed:
            cancelled = job.state.name == "PIPELINE_STATE_CANCELLING"
            self.server.moves(id, "CANCELLED" if cancelled else "FAILED", str(failed))
        else:
            self.server.moves(id, "SUCCEEDED")

    def _dag(self, dag: Json, inputs: Json) -> None:
        tasks, outputs = dict(dag["tasks"]), {}
        done: dict[str, bool] = {}
        failed: list[str] = []
        while tasks:
            name = next(item for item in tasks if not set(tasks[item].get("dependentTasks", ())) & set(tasks))
            task = tasks.pop(name)
            is_exit = task.get("triggerPolicy", {}).get("strategy") == "ALL_UPSTREAM_TASKS_COMPLETED"
            if not is_exit and not all(done[item] for item in task.get("dependentTasks", ())):
                done[name] = False
                continue
            values = {}
            for key, source in task.get("inputs", {}).get("parameters", {}).items():
                if "componentInputParameter" in source:
                    values[key] = inputs[source["componentInputParameter"]]
                elif "taskOutputParameter" in source:
                    found = source["taskOutputParameter"]
                    values[key] = outputs[found["producerTask"]][found["outputParameterKey"]]
                else:
                    constant = source["runtimeValue"]["constant"]
                    values[key] = f"uuid-of-{self.id}" if constant == "{{$.pipeline_job_uuid}}" else constant
            try:
                done[name], outputs[name] = self._task(name, task, values)
            except _Failed:
                done[name] = False
                failed.append(name)
        if failed:
            raise _Failed(f"The DAG failed because some tasks failed. The failed tasks are: {failed}.")

    def _task(self, name: str, task: Json, values: Json) -> tuple[bool, Json]:
        if self.server.job(self.id).state != _STARTED:
            raise _Failed
        component = self.spec["components"][task["componentRef"]["name"]]
        condition = _CONDITION.fullmatch(task.get("triggerPolicy", {}).get("condition", ""))
        if condition is not None and values[condition[1]] != condition[2]:
            self.server.task(self.id, name, "NOT_TRIGGERED")
            return False, {}
        detail = self._detail(name, values)
        try:
            found: Json = {}
            if "parameterIterator" in task:
                iterator = task["parameterIterator"]
                items = iterator["items"]
                listed = json.loads(items["raw"]) if "raw" in items else values[items["inputParameter"]]
                for item in listed:
                    self._dag(component["dag"], {**values, iterator["itemInput"]: item})
            elif "dag" in component:
                self._dag(component["dag"], values)
            else:
                found = self._container(component, values, detail)
        except _Failed:
            detail.state = _STATES.FAILED
            raise
        detail.state = _STATES.SUCCEEDED
        return True, found

    def _detail(self, name: str, values: Json) -> Any:
        details = self.server.job(self.id).job_detail.task_details
        self.server.task(self.id, name, "RUNNING", inputs={key: _text(value) for key, value in values.items()})
        return details[-1]

    def _container(self, component: Json, values: Json, detail: Any) -> Json:
        container = self.spec["deploymentSpec"]["executors"][component["executorLabel"]]["container"]
        outputs: Json = {}
        with tempfile.TemporaryDirectory(prefix="vertex-") as folder:

            def fill(text: str) -> str:
                text = _INPUT.sub(lambda found: _text(values[found[1]]), text)
                return _OUTPUT.sub(lambda found: str(Path(folder, outputs.setdefault(found[1], found[1]))), text)

            words = [fill(word) for word in (*container["command"], *container.get("args", ()))]
            assert words[0] == "python", words
            env = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
            env.update({item["name"]: item["value"] for item in container.get("env", ())}, **self.env)
            job = str(700 + int(detail.task_id))
            detail.executor_detail.container_detail.main_job = f"{PARENT}/customJobs/{job}"
            done = subprocess.run(
                [sys.executable, *words[1:]], env=env, cwd=folder, capture_output=True, text=True, check=False
            )
            now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
            lines = (done.stdout + done.stderr).splitlines()
            self.server.logs[job] = [
                {"timestamp": now, "insertId": str(number), "jsonPayload": {"message": line}}
                for number, line in enumerate(lines)
            ]
            if done.returncode:
                words = f"The replica workerpool0-0 exited with a non-zero status of {done.returncode}."
                detail.error = {"code": 9, "message": words}
                raise _Failed
            kinds = component.get("outputDefinitions", {}).get("parameters", {})
            for name in outputs:
                text = Path(folder, name).read_text(encoding="utf-8")
                outputs[name] = json.loads(text) if kinds[name]["parameterType"] == "LIST" else text
        return outputs


def _text(value: Any) -> str:
    if isinstance(value, float) and value.is_integer():
        return str(int(value))  # a Struct has doubles only
    return value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))
