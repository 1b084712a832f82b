"""`fields.py` is what the vendor's protobufs say; written again by CROSSDOCK_REGENERATE=1."""

from __future__ import annotations

import os
import textwrap
from pathlib import Path
from typing import Any

from kfp.kubernetes import kubernetes_executor_config_pb2 as kubernetes
from kfp.pipeline_spec import pipeline_spec_pb2 as protos

import crossdock_adapters.orchestrators._kfp_ir.checks.fields as generated

REGENERATE = "CROSSDOCK_REGENERATE"
FILE = Path(generated.__file__)
ROOTS = (
    protos.PipelineSpec.DESCRIPTOR,
    protos.PipelineDeploymentConfig.DESCRIPTOR,
    protos.PlatformSpec.DESCRIPTOR,
    kubernetes.KubernetesExecutorConfig.DESCRIPTOR,
)
ANYTHING = ("google.protobuf.Struct", "google.protobuf.Value", "google.protobuf.ListValue")
TEXTS = ("google.protobuf.Duration", "google.protobuf.Timestamp")
HEAD = '''\
"""The fields of KFP's messages, made of its protobufs by tests/unit/test_kfp_fields.py: not written by hand.

A field is `name:type`, `name:[type]` for a list or `name:{type}` for a mapping of names; `@group` behind it names a
group of which a message has at most one. A type is a message, or one of text, int, number, bool, any and enums
`A|B`. Sources:
https://github.com/kubeflow/pipelines/blob/master/api/v2alpha1/pipeline_spec.proto
https://github.com/kubeflow/pipelines/blob/master/kubernetes_platform/proto/kubernetes_executor_config.proto
"""

MESSAGES = {
'''


def type_of(field: Any) -> str:
    if field.message_type is not None:
        name = field.message_type.full_name
        return "any" if name in ANYTHING else "text" if name in TEXTS else short(name)
    if field.enum_type is not None:
        return "|".join(value.name for value in field.enum_type.values)
    kinds = {field.CPPTYPE_STRING: "text", field.CPPTYPE_BOOL: "bool"}
    kinds |= {field.CPPTYPE_DOUBLE: "number", field.CPPTYPE_FLOAT: "number"}
    return kinds.get(field.cpp_type, "int")


def short(name: str) -> str:
    return name.removeprefix("ml_pipelines.").removeprefix("kfp_kubernetes.")


def entry(field: Any) -> str:
    if field.message_type is not None and field.message_type.GetOptions().map_entry:
        kind = "{" + type_of(field.message_type.fields_by_name["value"]) + "}"
    else:
        kind = f"[{type_of(field)}]" if field.is_repeated else type_of(field)
    group = field.containing_oneof
    several = group is not None and len(group.fields) > 1
    return f"{field.json_name}:{kind}" + (f"@{group.name}" if several else "")


def text() -> str:
    messages: dict[str, list[str]] = {}
    waiting = list(ROOTS)
    while waiting:
        message = waiting.pop(0)
        if short(message.full_name) in messages:
            continue
        messages[short(message.full_name)] = [entry(field) for field in message.fields]
        for field in message.fields:
            inner = field.message_type
            if inner is not None and inner.GetOptions().map_entry:
                inner = inner.fields_by_name["value"].message_type
            if inner is not None and inner.full_name not in (*ANYTHING, *TEXTS):
                waiting.append(inner)
    lines = []
    for name in sorted(messages):
        body = textwrap.fill(" ".join(messages[name]), 112, break_long_words=False, break_on_hyphens=False)
        lines.append(f'    "{name}": """')
        lines += [f"        {line}" for line in body.splitlines()]
        lines.append('    """,')
    return HEAD + "\n".join(lines) + "\n}\n"


def test_the_table_is_the_vendor_s() -> None:
    if os.environ.get(REGENERATE):
        assert not os.environ.get("CI"), f"{REGENERATE} is for people who read the difference, not for CI"
        FILE.write_text(text(), encoding="utf-8")
    assert FILE.read_text(encoding="utf-8") == text()
