"""Vertex AI's pipeline and schedule services, by google-cloud-aiplatform; and Cloud Logging, by REST.

Only the services' own modules are imported: `google.cloud.aiplatform` itself takes more than twice as long.
"""

from __future__ import annotations

import functools
import json
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

from crossdock.dsl.errors import BadInput, PlatformError
from crossdock_adapters.orchestrators.vertex.connection import Connection
from crossdock_adapters.orchestrators.vertex.refusals import AGAIN, Refusal, reach, refusal_of, sign_in, told

_SCOPE = "https://www.googleapis.com/auth/cloud-platform"
_ATTEMPTS = 4
_LONGEST_WAIT = 30.0
_PAGE = 1000

T = TypeVar("T")


class Refused(PlatformError):
    """What Google refuses, with its own words; `status` is a name of `google.rpc.Code`."""

    status: str = "UNKNOWN"


class Vertex:
    """Vertex AI in one project and location.

    Args:
        connection: how it is reached.

    Raises:
        BadInput: the library is not installed, nobody says a project, or a secret is not there.
        PlatformError: Google gives nobody a login.
    """

    def __init__(self, connection: Connection) -> None:
        try:
            from google.cloud.aiplatform_v1.services import pipeline_service, schedule_service
        except ImportError as error:
            hint = "pip install 'crossdock[vertex]'"
            what = f"the library google-cloud-aiplatform is not installed: {error}"
            raise BadInput(what, hint=hint, id="missing-library") from None
        self._credentials, project = _credentials(connection)
        if project is None:
            hint = "crossdock orchestrator update NAME --project=…"
            raise BadInput("neither the orchestrator nor the credentials say a project", hint=hint, id="bad-config")
        self.connection = connection.model_copy(update={"project": project})
        self._pipelines = self._service(pipeline_service.PipelineServiceClient)
        self._schedules = self._service(schedule_service.ScheduleServiceClient)

    def _service(self, kind: Any) -> Any:
        """A client; gRPC without TLS has a channel of its own, for the SDK makes none."""
        scheme, _, host = self.connection.address.partition("://")
        if self.connection.transport == "rest":
            transport = kind.get_transport_class("rest")
            return kind(transport=transport(host=host, url_scheme=scheme, credentials=self._credentials))
        if scheme == "http":
            import grpc

            return kind(transport=kind.get_transport_class("grpc")(channel=grpc.insecure_channel(host)))
        return kind(credentials=self._credentials, client_options={"api_endpoint": host})

    def _call(self, what: str, call: Callable[..., T], *, again: bool = True, **request: Any) -> T:
        """The answer to a call, which is made again where that may help.

        Args:
            what: what is not done where it fails.
            again: whether it may be made twice where nobody knows whether it was done.

        Raises:
            Refused: Google refuses, or does not answer.
        """
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                return call(**request, retry=None, timeout=self.connection.timeout)
            except Exception as error:
                refusal = _refusal(error)
            mends = refusal.status in (AGAIN if again else ("RESOURCE_EXHAUSTED",))
            if attempt == _ATTEMPTS or not mends:
                break
            time.sleep(min(2.0 ** (attempt - 1) if refusal.wait is None else refusal.wait, _LONGEST_WAIT))
        raise self._refused(what, refusal)

    def _refused(self, what: str, refusal: Refusal) -> Refused:
        said = told(what, refusal, self.connection)
        refused = Refused(said.message, hint=said.hint, problems=said.problems, id=said.id)
        refused.status = refusal.status
        return refused

    # Jobs

    def answers(self) -> None:
        """Ask for one job.

        Raises:
            Refused: the project or location does not answer.
        """
        request = {"parent": self.connection.parent, "page_size": 1}
        self._call("Vertex AI does not answer", self._pipelines.list_pipeline_jobs, request=request)

    def create(self, body: Mapping[str, Any], id: str) -> Any:
        """Make a pipeline job; the one with that id, where an attempt before has made it.

        Raises:
            BadInput: the body is no `PipelineJob`.
            Refused: Google refuses.
        """
        from google.cloud.aiplatform_v1.types import PipelineJob

        job = _message(PipelineJob, body)
        request = {"parent": self.connection.parent, "pipeline_job": job, "pipeline_job_id": id}
        what = "Vertex AI does not start the run"
        try:
            return self._call(what, self._pipelines.create_pipeline_job, request=request)
        except Refused as refused:
            if refused.status != "ALREADY_EXISTS":
                raise
            found = self.get(f"{self.connection.parent}/pipelineJobs/{id}")
            if dict(found.labels) != dict(job.labels):
                hint = "leave --run-id out"
                raise BadInput(f"Vertex AI has another job {id!r} already", hint=hint, id="run-id-taken") from None
            return found

    def get(self, name: str) -> Any:
        """A `PipelineJob`, by its resource name."""
        what = "Vertex AI does not say how the run is"
        return self._call(what, self._pipelines.get_pipeline_job, request={"name": name})

    def cancel(self, name: str) -> None:
        """Ask a job to end."""
        what = "Vertex AI does not cancel the run"
        self._call(what, self._pipelines.cancel_pipeline_job, request={"name": name})

    # Schedules

    def create_schedule(self, body: Mapping[str, Any]) -> Any:
        """Make a schedule.

        Raises:
            BadInput: the body is no `Schedule`.
            Refused: Google refuses. Where it did not answer, the schedule may have been made.
        """
        from google.cloud.aiplatform_v1.types import Schedule

        schedule = _message(Schedule, body)
        request = {"parent": self.connection.parent, "schedule": schedule}
        what = "Vertex AI does not make the schedule"
        try:
            return self._call(what, self._schedules.create_schedule, again=False, request=request)
        except Refused as refused:
            if refused.status in AGAIN and refused.status != "RESOURCE_EXHAUSTED":
                refused.hint = f"it may be there: crossdock schedules list; else {refused.hint}"
            raise

    def schedules(self) -> list[Any]:
        """All schedules of the project and location, whoever made them."""
        request = {"parent": self.connection.parent, "page_size": 100}
        what = "Vertex AI does not list its schedules"
        return self._call(what, lambda **sent: list(self._schedules.list_schedules(**sent)), request=request)

    def schedule(self, name: str) -> Any:
        """A `Schedule`, by its resource name."""
        what = "Vertex AI does not say how the schedule is"
        return self._call(what, self._schedules.get_schedule, request={"name": name})

    def pause(self, name: str) -> None:
        """Let a schedule start nothing."""
        what = "Vertex AI does not pause the schedule"
        self._call(what, self._schedules.pause_schedule, request={"name": name})

    def resume(self, name: str) -> None:
        """Let a schedule start runs again; those that it missed are not made up for."""
        request = {"name": name, "catch_up": False}
        self._call("Vertex AI does not resume the schedule", self._schedules.resume_schedule, request=request)

    def delete(self, name: str) -> None:
        """Delete a schedule: an operation that Google carries on alone."""
        what = "Vertex AI does not delete the schedule"
        self._call(what, self._schedules.delete_schedule, request={"name": name})

    # Logs

    def log(self, jobs: list[str], after: str = "") -> Iterator[Mapping[str, Any]]:
        """Entries of the log of custom jobs, oldest first.

        Args:
            jobs: their ids.
            after: a time in RFC 3339; those of that time are among them.

        Source: https://cloud.google.com/logging/docs/reference/v2/rest/v2/entries/list

        Raises:
            Refused: Cloud Logging refuses.
        """
        since = f' AND timestamp>="{after}"' if after else ""
        body: dict[str, Any] = {
            "resourceNames": [f"projects/{self.connection.project}"],
            "filter": log_filter(jobs) + since,
            "orderBy": "timestamp asc",
            "pageSize": _PAGE,
        }
        while True:
            page = self._call("Cloud Logging does not give the log", self._post_log, again=True, body=body)
            yield from page.get("entries", ())
            if not page.get("nextPageToken"):
                return
            body["pageToken"] = page["nextPageToken"]

    def _post_log(self, body: Mapping[str, Any], retry: None, timeout: float) -> Mapping[str, Any]:
        from google.api_core.exceptions import format_http_response_error
        from google.auth.transport.requests import AuthorizedSession

        url = f"{self.connection.logs_endpoint}/v2/entries:list"
        with AuthorizedSession(self._credentials) as session:  # type: ignore[no-untyped-call]
            answer = session.post(url, json=body, timeout=timeout)
        try:
            found = answer.json()
        except json.JSONDecodeError:
            found = {}
        if not answer.ok:
            raise format_http_response_error(answer, "POST", url, found)
        return found if isinstance(found, dict) else {}


def _refusal(error: Exception) -> Refusal:
    """What an error of the SDK, of its login or of its transport says; any other is raised."""
    from google.api_core.exceptions import GoogleAPICallError
    from google.auth.exceptions import GoogleAuthError, TransportError
    from google.protobuf.json_format import ParseError
    from requests import RequestException

    if isinstance(error, GoogleAPICallError):
        return refusal_of(error)
    if isinstance(error, (RequestException, TransportError)):
        return Refusal("UNAVAILABLE", _words(error))
    if isinstance(error, GoogleAuthError):
        return Refusal("UNAUTHENTICATED", _words(error))
    if isinstance(error, (ParseError, json.JSONDecodeError)):
        return Refusal("UNAVAILABLE", f"what answers does not speak the API: {_words(error)}")
    raise error


def log_filter(jobs: list[str]) -> str:
    """The filter by which Cloud Logging finds what custom jobs print."""
    ids = " OR ".join(f'"{job}"' for job in jobs)
    return f'resource.type="ml_job" AND resource.labels.job_id=({ids})'


def _message(kind: Any, body: Mapping[str, Any]) -> Any:
    """A message of Google's from its JSON; a field that it does not have is an error."""
    from google.protobuf.json_format import ParseDict, ParseError

    message = kind.pb(kind())
    try:
        ParseDict(body, message)
    except ParseError as error:
        raise BadInput(
            f"the spec is no {kind.__name__} of Vertex AI: {_words(error)}",
            hint="https://cloud.google.com/vertex-ai/docs/reference/rest/v1/projects.locations.pipelineJobs",
            id="bad-spec",
        ) from None
    return kind.wrap(message)


def _credentials(connection: Connection) -> tuple[Any, str | None]:
    """Who asks, with a token that is good now: gRPC would hide in its own words why there is none; and which project.

    Raises:
        BadInput: the reference to a credentials file leads nowhere.
        PlatformError: Google gives no token.
    """
    import google.auth
    from google.auth import credentials, exceptions, impersonated_credentials
    from google.auth.transport.requests import Request

    if connection.anonymous:
        return credentials.AnonymousCredentials(), connection.project  # type: ignore[no-untyped-call]
    try:
        if connection.credentials is not None:
            found, project = _from_file(connection.credentials.resolve("credentials of Vertex AI"))
        else:
            found, project = google.auth.default(scopes=[_SCOPE])
        if connection.impersonate is not None:
            found = impersonated_credentials.Credentials(  # type: ignore[no-untyped-call]
                source_credentials=found, target_principal=connection.impersonate, target_scopes=[_SCOPE]
            )
        found.refresh(functools.partial(Request(), timeout=connection.timeout))
    except exceptions.TransportError as error:
        what = f"Google's login for Vertex AI does not answer: {_words(error)}"
        raise PlatformError(what, hint=reach(connection), id="platform-unreachable") from None
    except exceptions.GoogleAuthError as error:
        hint = sign_in(connection)
        if connection.impersonate is not None and "getAccessToken" in str(error):
            hint = f"give yourself roles/iam.serviceAccountTokenCreator on {connection.impersonate}"
        what = f"Google gives no login for Vertex AI: {_words(error)}"
        raise PlatformError(what, hint=hint, id="platform-login") from None
    return found, connection.project or project


def _from_file(text: str) -> tuple[Any, str | None]:
    """Credentials and their project, from a file of Google's, of any type: its path, or its JSON."""
    import google.auth
    from google.auth.exceptions import DefaultCredentialsError

    given: Any = text
    load: Callable[..., tuple[Any, str | None]] = google.auth.load_credentials_from_file
    with warnings.catch_warnings():
        # Its warning is about files of strangers; who this one is from, the user's own reference says.
        warnings.simplefilter("ignore")
        try:
            if text.lstrip().startswith("{"):
                given, load = json.loads(text), google.auth.load_credentials_from_dict
            return load(given, scopes=[_SCOPE])
        except (OSError, ValueError) as error:
            raise DefaultCredentialsError(f"the credentials cannot be read: {_words(error)}") from None  # type: ignore[no-untyped-call]


def _words(error: Exception) -> str:
    """What an error says, in a line."""
    said = error.args[0] if error.args and isinstance(error.args[0], str) else str(error)
    return " ".join(said.split()) or type(error).__name__
