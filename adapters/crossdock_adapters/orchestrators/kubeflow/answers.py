"""What an API server's answer means to a user, in its own words and with what to do."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime

from crossdock.dsl.errors import PlatformError
from crossdock.dsl.frozen import frozen
from crossdock_adapters.orchestrators.kubeflow.config import KubeflowConfig

WHERE = "host of the orchestrator is the API server's address: https://…, with /pipeline behind it on a full Kubeflow"
_LONGEST_WORDS = 1000


class Again(Exception):
    """A call that may be made again.

    Args:
        error: what to raise when it is not.
        wait: seconds before; None where the server does not say.
        unsure: whether the server may have done what it was asked for.
    """

    def __init__(self, error: PlatformError, wait: float | None, *, unsure: bool) -> None:
        super().__init__(error.message)
        self.error = error
        self.wait = wait
        self.unsure = unsure


@frozen
class Answer:
    """An answer that is no success.

    Attributes:
        headers: by name in any case.
    """

    status: int
    headers: Mapping[str, str]
    body: str
    reason: str


def refused(what: str, host: str, answer: Answer, config: KubeflowConfig) -> PlatformError | Again:
    """The error of an answer whose status is none of 2xx.

    Args:
        what: what does not work, for people.
    """
    status = answer.status
    headers = {name.lower(): value for name, value in answer.headers.items()}
    if 300 <= status < 400:
        return login_page(what, host, f"{status}, on to {headers.get('location', '')}".split("?")[0])
    if status in (200, 401, 403) and _is_page(headers, answer.body):
        return login_page(what, host, _title(answer.body))
    message = f"{what}: {host} says {status}: {_words(answer)}"
    wait = _seconds(headers.get("retry-after"))
    if status == 429:
        hint = "run it again later" if wait is None else f"it asks to wait for {wait:.0f} s: run it again then"
        return Again(PlatformError(message, hint=hint, id="platform-busy"), wait, unsure=False)
    if status >= 500:
        hint = "run it again later; the log of the deployment ml-pipeline says more"
        return Again(PlatformError(message, hint=hint, id="platform-failed"), wait, unsure=True)
    if status == 401:
        return PlatformError(message, hint=_login_hint(config), id="platform-login")
    if status == 403:
        where = f" in the namespace {config.namespace}" if config.namespace else ""
        hint = f"ask who runs Kubeflow for the role kubeflow-edit{where}, or set namespace to one of yours"
        return PlatformError(message, hint=hint, id="platform-denied")
    if status == 404:
        return PlatformError(message, hint=WHERE, id="platform-not-found")
    return PlatformError(message, id="platform-refused")


def login_page(what: str, host: str, title: str) -> PlatformError:
    """The error of an answer that is for people."""
    said = f" ({title})" if title else ""
    return PlatformError(
        f"{what}: {host} answers with a page for people{said}, as a login in front of Kubeflow does",
        hint="a login is missing, or has ended: give the orchestrator the cookies of a session (Dex, oauth2-proxy), an "
        "iap_client_id (Google's IAP), or a token",
        id="platform-login",
    )


def unreachable(what: str, host: str, error: Exception, config: KubeflowConfig, *, unsure: bool) -> Again:
    """The error of a server that does not answer."""
    failed = PlatformError(
        f"{what}: {host} cannot be reached: {line(error)}",
        hint="is it up, and is host right? kubectl port-forward "
        f"-n {config.system_namespace} svc/ml-pipeline 8888 makes it http://localhost:8888",
        id="platform-unreachable",
    )
    return Again(failed, None, unsure=unsure)


def line(error: object) -> str:
    """What an error says, in a line, without the object's address that urllib3 begins with."""
    text = re.sub(r"<[\w.]+ object at 0x[0-9a-f]+>:?\s*", "", " ".join(str(error).split()))
    text = re.sub(r"^\w+\(host='[^']*', port=\d+\):\s*", "", text)
    return text or type(error).__name__


def _login_hint(config: KubeflowConfig) -> str:
    for key in ("token_file", "token", "iap_client_id", "cookies"):
        if getattr(config, key) is not None:
            return f"what {key} of the orchestrator gives has ended, or is for another server: renew it"
    return "give the orchestrator a login: token, token_file, cookies or iap_client_id"


def _is_page(headers: Mapping[str, str], body: str) -> bool:
    return headers.get("content-type", "").startswith("text/html") or body.lstrip()[:9].lower() == "<!doctype"


def _title(text: str) -> str:
    found = re.search(r"<title[^>]*>(.*?)</title>", text, re.DOTALL | re.IGNORECASE)
    return " ".join(found[1].split()) if found else ""


def _words(answer: Answer) -> str:
    """What the server says, in a line: gRPC's gateway has `message`, uploads and logs have `error_message`."""
    try:
        found = json.loads(answer.body)
        said = found.get("message") or found.get("error_message") or found.get("error") or ""
    except (ValueError, AttributeError):
        said = _title(answer.body) or answer.body
    return " ".join(str(said).split())[:_LONGEST_WORDS] or answer.reason or "nothing more"


def _seconds(text: str | None) -> float | None:
    """Of a Retry-After, which is a number or a date.

    Source: https://www.rfc-editor.org/rfc/rfc9110#field.retry-after
    """
    if not text:
        return None
    if text.strip().isdigit():
        return float(text)
    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - time.time())
    except ValueError:
        return None
