"""What Google's errors mean to a user. Read by their shape: no SDK is imported here."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from crossdock.dsl.errors import PlatformError, Problem
from crossdock.dsl.frozen import frozen
from crossdock_adapters.orchestrators.vertex.connection import Connection

AGAIN = ("UNAVAILABLE", "RESOURCE_EXHAUSTED", "DEADLINE_EXCEEDED", "INTERNAL", "ABORTED")
"""Statuses that another attempt may mend."""
# https://cloud.google.com/apis/design/errors#handling_errors, where a body says no status itself.
_BY_HTTP = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    409: "ALREADY_EXISTS",
    429: "RESOURCE_EXHAUSTED",
    500: "INTERNAL",
    502: "UNAVAILABLE",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}
_PERMISSION = re.compile(r"\b([a-z]+(?:\.[A-Za-z]+){2})\b")
# https://cloud.google.com/iam/docs/roles-permissions
_ROLES = {
    "aiplatform": "roles/aiplatform.user",
    "logging": "roles/logging.viewer",
    "storage": "roles/storage.objectAdmin",
    "cloudkms": "roles/cloudkms.cryptoKeyEncrypterDecrypter",
}


@frozen
class Refusal:
    """An error of Google's.

    Attributes:
        status: a name of `google.rpc.Code`.
        message: its own words, in a line.
        details: bodies by the last part of their type's name, as `BadRequest`.
        wait: seconds after which to ask again, where it says so.
    """

    status: str
    message: str
    details: tuple[tuple[str, Mapping[str, Any]], ...] = ()
    wait: float | None = None

    def detail(self, kind: str) -> Mapping[str, Any]:
        """The first body of a kind; empty where there is none."""
        return next((body for name, body in self.details if name == kind), {})


def refusal_of(error: Any) -> Refusal:
    """What an error of google-api-core says, whichever transport it came by."""
    answer = getattr(error, "response", None)
    body = _body(answer)
    status = body.get("status") or getattr(error.grpc_status_code, "name", None) or _BY_HTTP.get(error.code or 0)
    details = tuple(_detail(item) for item in error.details)
    found = Refusal(status or "UNKNOWN", " ".join(str(body.get("message") or error.message).split()), details)
    delay = found.detail("RetryInfo").get("retryDelay", "")
    wait = delay.removesuffix("s") or getattr(answer, "headers", {}).get("Retry-After", "")
    try:
        return Refusal(found.status, found.message, details, float(wait))
    except ValueError:
        return found


def _body(answer: Any) -> Mapping[str, Any]:
    try:
        body = answer.json()["error"]
    except Exception:  # a call of gRPC has none, and a proxy's answer may be anything
        return {}
    return body if isinstance(body, dict) else {}


def _detail(item: Any) -> tuple[str, Mapping[str, Any]]:
    if isinstance(item, Mapping):
        return str(item.get("@type", "")).rpartition(".")[2], item
    from google.protobuf.json_format import MessageToDict

    return item.DESCRIPTOR.name, MessageToDict(item)


def told(what: str, refusal: Refusal, connection: Connection) -> PlatformError:
    """The error that a user reads.

    Args:
        what: what was not done, as in `Vertex AI does not start the run`.
    """
    problems = [
        Problem(f"{violation.get('field') or 'the request'}: {violation.get('description', '')}")
        for violation in refusal.detail("BadRequest").get("fieldViolations", ())
    ]
    problems += [
        Problem(f"{violation.get('subject', '')}: {violation.get('description', '')}")
        for kind in ("QuotaFailure", "PreconditionFailure")
        for violation in refusal.detail(kind).get("violations", ())
    ]
    words, project = f"{what}: {refusal.message} ({refusal.status})", connection.project
    if refusal.status == "UNAUTHENTICATED":
        return PlatformError(words, hint=sign_in(connection), problems=problems, id="platform-login")
    if refusal.status == "PERMISSION_DENIED":
        return PlatformError(words, hint=_grant(refusal, connection), problems=problems, id="platform-denied")
    if refusal.status == "RESOURCE_EXHAUSTED":
        hint = f"later; quotas: https://console.cloud.google.com/iam-admin/quotas?project={project}"
        return PlatformError(words, hint=hint, problems=problems, id="platform-busy")
    if refusal.status in (*AGAIN, "UNKNOWN"):
        return PlatformError(words, hint=reach(connection), problems=problems, id="platform-unreachable")
    if refusal.status == "NOT_FOUND":
        hint = f"check project {project!r} and location {connection.location!r}"
        return PlatformError(words, hint=hint, problems=problems, id="platform-not-found")
    hint = "what it names comes from the stack's orchestrator, or from the spec"
    return PlatformError(words, hint=hint, problems=problems, id="platform-refused")


def sign_in(connection: Connection) -> str:
    """What to do where Google knows nobody."""
    if connection.anonymous:
        return "take `anonymous` out of the orchestrator"
    if connection.credentials is not None:
        return "check what the orchestrator's `credentials` refer to"
    return "gcloud auth application-default login, or GOOGLE_APPLICATION_CREDENTIALS=key.json"


def reach(connection: Connection) -> str:
    """What to do where nobody answers."""
    other = " or set `transport: rest`," if connection.transport == "grpc" else ""
    return f"check the network to {connection.address},{other} and try again"


def _grant(refusal: Refusal, connection: Connection) -> str:
    info = refusal.detail("ErrorInfo")
    if info.get("reason") == "SERVICE_DISABLED":
        service = info.get("metadata", {}).get("service", "aiplatform.googleapis.com")
        return f"gcloud services enable {service} --project {connection.project}"
    told = _PERMISSION.search(refusal.message)
    permission = info.get("metadata", {}).get("permission") or (told.group(1) if told else "")
    if permission == "iam.serviceAccounts.getAccessToken":
        return f"give yourself roles/iam.serviceAccountTokenCreator on {connection.impersonate}"
    if permission == "iam.serviceAccounts.actAs" or "act as" in refusal.message:
        return "give yourself roles/iam.serviceAccountUser on the service account of the run"
    role = _ROLES.get(permission.partition(".")[0], "roles/aiplatform.user")
    member = connection.impersonate or "yourself"
    return f"give {member} {role} in project {connection.project}" + (f", which has {permission}" if permission else "")
