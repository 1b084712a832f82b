"""The API server of Kubeflow Pipelines, through its vendor's own client; what it refuses is said in its own words.

`kfp_server_api` is used and not `kfp.Client`: that takes several times as long to import, keeps files in the user's
home, takes settings from the environment, and does not know that a run may have been cancelled.

Source of paths and bodies:
https://github.com/kubeflow/pipelines/blob/master/backend/api/v2beta1/swagger/kfp_api_single_file.swagger.json
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from crossdock.dsl.errors import BadInput, PlatformError
from crossdock_adapters.orchestrators.kubeflow import answers
from crossdock_adapters.orchestrators.kubeflow.config import KubeflowConfig

_IN_CLUSTER = "http://ml-pipeline.{}.svc.cluster.local:8888"
_PROXIED = "/api/v1/namespaces/{}/services/ml-pipeline:http/proxy"
_TOKEN_FILE = "/var/run/secrets/kubeflow/pipelines/token"
_INVERSE_PROXY = re.compile(r"https://\S+\.googleusercontent\.com")
_GOOGLE = "gcloud auth application-default login, or iap_other_client_id and iap_other_client_secret"
_TRIES = 4
_LONGEST_WAIT = 60.0
_CONNECT_SECONDS = 10
_PAGE = 100
Json = dict[str, Any]


class StreamCut(PlatformError):
    """A log that ended in the middle; reading it again may do."""

    id = "platform-unreachable"


class Server:
    """An API server, and how we log in to it. Making one asks nobody, but where a login is fetched from Google.

    Args:
        config: of the orchestrator.
        folder: where relative paths of it begin; None for the working folder.

    Raises:
        BadInput: the library is not installed, a secret or a file is not there, or nothing says where the server is.
        PlatformError: Google gives no login.
    """

    def __init__(self, config: KubeflowConfig, folder: Path | None = None) -> None:
        try:
            import kfp_server_api
        except ImportError as error:
            hint = "pip install 'crossdock[kubeflow]'"
            raise BadInput(f"kfp_server_api is not installed: {error}", hint=hint, id="missing-library") from None
        self._kfp: Any = kfp_server_api
        self._config = config
        self._folder = folder or Path()
        settings = kfp_server_api.Configuration()
        settings.retries = False  # urllib3's own wait as long as a server asks for, and follow a redirection to a login
        settings.verify_ssl = config.verify_tls
        if not config.verify_tls:
            import urllib3

            urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)  # at each call, of what was asked for
        settings.proxy = config.proxy
        if config.ca_certificate is not None:
            settings.ssl_ca_cert = str(self._file(config.ca_certificate, "ca_certificate"))
        self._locate(settings)
        self._log_in(settings)
        self.host: str = settings.host
        cookies = None if config.cookies is None else config.cookies.resolve("cookies")
        self._client = kfp_server_api.ApiClient(settings, cookie=cookies)
        self._experiments = kfp_server_api.ExperimentServiceApi(self._client)
        self._pipelines = kfp_server_api.PipelineServiceApi(self._client)
        self._runs = kfp_server_api.RunServiceApi(self._client)
        self._recurring_runs = kfp_server_api.RecurringRunServiceApi(self._client)
        self._multi_user: bool | None = None

    def _file(self, name: str, key: str) -> Path:
        path = self._folder / name
        if not path.is_file():
            raise BadInput(
                f"{key}: there is no file {path}", hint=f"correct {key} of the orchestrator", id="bad-config"
            )
        return path

    # Where it is, and who we are

    def _locate(self, settings: Any) -> None:
        config = self._config
        if config.host is not None:
            settings.host = (config.host if "://" in config.host else f"https://{config.host}").rstrip("/")
            return
        if self._is_inside:
            settings.host = _IN_CLUSTER.format(config.system_namespace)
            return
        from kubernetes import config as kubeconfig

        try:
            kubeconfig.load_kube_config(client_configuration=settings, context=config.kube_context)
        except Exception as error:  # of this library, of YAML, and of the system
            why = answers.line(error)
            raise BadInput(
                f"nothing says where Kubeflow Pipelines is: no host, this is no pod, and no kubeconfig: {why}",
                hint="crossdock orchestrator update NAME --host=https://…, or --kube-context=… of your kubeconfig",
                id="no-host",
            ) from None
        settings.host = settings.host.rstrip("/") + _PROXIED.format(config.system_namespace)

    @property
    def _is_inside(self) -> bool:
        """Whether this is a pod that speaks to its own cluster."""
        config = self._config
        return config.host is None and config.kube_context is None and "KUBERNETES_SERVICE_HOST" in os.environ

    def _log_in(self, settings: Any) -> None:
        config = self._config
        token_file = config.token_file
        if token_file is None and config.token is None and self._is_inside:
            found = os.environ.get("KF_PIPELINES_SA_TOKEN_PATH", _TOKEN_FILE)
            token_file = found if Path(found).exists() else None
        if token_file is not None:
            path = self._file(token_file, "token_file")

            def refresh(settings: Any) -> None:  # the kubelet writes another one before this one ends
                settings.api_key["authorization"] = path.read_text(encoding="utf-8").strip()

            refresh(settings)
            settings.refresh_api_key_hook = refresh
        elif config.token is not None:
            settings.api_key["authorization"] = config.token.resolve("token")
        elif config.iap_client_id is not None or _INVERSE_PROXY.fullmatch(settings.host):
            settings.api_key["authorization"] = self._google(config.iap_client_id)
        else:
            return
        settings.api_key_prefix["authorization"] = "Bearer"

    def _google(self, client_id: str | None) -> str:
        """A token of Google's: for the client of an Identity-Aware Proxy, or for Google's own inverse proxy."""
        other, secret = self._config.iap_other_client_id, self._config.iap_other_client_secret
        password = None if secret is None else secret.resolve("iap_other_client_secret")
        try:
            from kfp.client import auth

            token = auth.get_auth_token(client_id, other, password)[0] if client_id else auth.get_gcp_access_token()
        except Exception as error:  # of google-auth, of requests, and ValueError
            message = f"Google gives no login: {answers.line(error)}"
            raise PlatformError(message, hint=_GOOGLE, id="platform-login") from None
        if not token:
            raise PlatformError("Google gives this user no login", hint=_GOOGLE, id="platform-login")
        return str(token)

    # Calls

    def _call(
        self,
        what: str,
        function: Callable[..., Any],
        *args: Any,
        find: Callable[[], Json | None] | None = None,
        **query: Any,
    ) -> Json:
        """Call one of the vendor's functions, again where the server is busy or out of order; its answer as data.

        Args:
            what: what does not work, for the message.
            find: looks for what an earlier try has made whose answer was lost; None where a call may be repeated.

        Raises:
            PlatformError: with the server's own words.
        """
        for attempt in range(_TRIES):
            try:
                self._once(what, function, *args, **query)
                return self._document(what)
            except answers.Again as again:
                wait = 0.5 * 2**attempt if again.wait is None else again.wait
                if attempt == _TRIES - 1 or wait > _LONGEST_WAIT:
                    raise again.error from None
                time.sleep(wait)
                found = find() if find is not None and again.unsure else None
                if found is not None:
                    return found
        raise AssertionError("the last try returns or raises")

    def _once(self, what: str, function: Callable[..., Any], *args: Any, **query: Any) -> Any:
        from urllib3.exceptions import ConnectTimeoutError, HTTPError, NewConnectionError, SSLError

        timeout = (min(_CONNECT_SECONDS, self._config.timeout), self._config.timeout)
        try:
            answer = function(*args, _request_timeout=timeout, **query)
        except Exception as raised:
            error = raised
            if isinstance(raised.__context__, self._kfp.ApiException):
                error = raised.__context__  # it failed to decode the body of an error
            if isinstance(error, self._kfp.ApiException) and error.status:
                raise self._refused(what, error) from None
            if isinstance(error, (self._kfp.ApiException, SSLError)):
                said = answers.line(getattr(error, "reason", None) or error)
                hint = "give the orchestrator the server's ca_certificate"
                message = f"{what}: {self.host} is not trusted: {said}"
                raise PlatformError(message, hint=hint, id="platform-unreachable") from None
            if isinstance(error, HTTPError):
                unsure = not isinstance(error, (NewConnectionError, ConnectTimeoutError))
                raise answers.unreachable(what, self.host, error, self._config, unsure=unsure) from None
            if isinstance(error, (ValueError, TypeError, AttributeError)):
                message = f"{what}: {self.host} answers otherwise than Kubeflow Pipelines: {answers.line(error)}"
                raise PlatformError(message, hint=answers.WHERE, id="platform-refused") from None
            raise
        last = self._client.last_response
        kind = last.getheader("content-type", "")
        if kind.startswith("text/html"):
            body = last.data if isinstance(last.data, str) else ""
            raise answers.refused(what, self.host, answers.Answer(200, {"content-type": kind}, body, ""), self._config)
        return answer

    def _document(self, what: str) -> Json:
        """The last answer as data: where it is none, the vendor's client makes a model of it with nothing in it."""
        try:
            found = json.loads(self._client.last_response.data)
        except ValueError:
            found = None
        if isinstance(found, dict):
            return found
        message = f"{what}: {self.host} answers otherwise than Kubeflow Pipelines: no JSON"
        raise PlatformError(message, hint=answers.WHERE, id="platform-refused")

    def _refused(self, what: str, error: Any) -> Exception:
        body = error.body or ""
        text = body.decode("utf-8", "replace") if isinstance(body, bytes) else str(body)
        answer = answers.Answer(int(error.status), dict(error.headers or {}), text, str(error.reason or ""))
        return answers.refused(what, self.host, answer, self._config)

    def _listed(self, what: str, key: str, function: Callable[..., Any], *args: Any, **query: Any) -> Iterator[Json]:
        """Everything that a list has, page by page."""
        page = self._call(what, function, *args, page_size=_PAGE, **query)
        yield from page.get(key) or ()
        while page.get("next_page_token"):
            page = self._call(what, function, *args, page_size=_PAGE, page_token=page["next_page_token"], **query)
            yield from page.get(key) or ()

    def _named(
        self, what: str, key: str, name: str, function: Callable[..., Any], *args: Any, **query: Any
    ) -> Callable[[], Json | None]:
        """What finds the newest of a list that is called so."""

        def find() -> Json | None:
            exact = {"filter": _filter("EQUALS", name), "sort_by": "created_at desc"}
            found = self._listed(what, key, function, *args, **exact, **query)
            return next((item for item in found if item.get("display_name") == name), None)

        return find

    def _body(self, kind: str, body: Mapping[str, Any]) -> Any:
        """A model of the vendor's from plain data; what it does not know is an error."""
        model = getattr(self._kfp, kind)
        values = {}
        for name, value in body.items():
            inner = model.openapi_types[name]
            is_model = isinstance(value, Mapping) and hasattr(self._kfp, inner)
            values[name] = self._body(inner, value) if is_model else value
        return model(**values)

    # The installation

    @property
    def multi_user(self) -> bool:
        """Whether users have namespaces of their own."""
        if self._multi_user is None:
            health = self._kfp.HealthzServiceApi(self._client).healthz_service_get_healthz
            self._multi_user = bool(self._call("Kubeflow Pipelines cannot be asked", health).get("multi_user"))
        return self._multi_user

    @property
    def _mine(self) -> dict[str, Any]:
        """The namespace that everything is in, as part of a query; empty where the installation has one user.

        Raises:
            BadInput: it has several, and none is named.
        """
        if not self.multi_user:
            return {}
        if not self._config.namespace:
            raise BadInput(
                f"Kubeflow Pipelines at {self.host} has a namespace for each user, and the orchestrator names none",
                hint="crossdock orchestrator update NAME --namespace=…, the profile in Kubeflow's dashboard",
                id="no-namespace",
            )
        return {"namespace": self._config.namespace}

    def check(self) -> None:
        """Whether the server answers, and lets us in."""
        self._call(
            "runs cannot be started", self._experiments.experiment_service_list_experiments, page_size=1, **self._mine
        )

    # Experiments, pipelines, runs

    def experiment(self) -> str:
        """The id of the configured experiment; made where it is not there."""
        name, api = self._config.experiment, self._experiments
        what = f"the experiment {name!r} cannot be had"
        find = self._named(what, "experiments", name, api.experiment_service_list_experiments, **self._mine)
        found = find()
        if found is None:
            body = self._kfp.V2beta1Experiment(display_name=name, **self._mine)
            found = self._call(what, api.experiment_service_create_experiment, body, find=find)
        return str(found["experiment_id"])

    def version(self, pipeline: str, version: str, text: str) -> tuple[str, str]:
        """The ids of a pipeline and of its version that is called so; made where they are not there.

        Args:
            text: of the spec, which is uploaded byte for byte.

        Raises:
            PlatformError: it is refused; a pipeline that was made for it is removed again.
        """
        api = self._pipelines
        what = f"the pipeline {pipeline!r} cannot be uploaded"
        find = self._named(what, "pipelines", pipeline, api.pipeline_service_list_pipelines, **self._mine)
        there = find()
        if there is not None:
            return str(there["pipeline_id"]), self._version(str(there["pipeline_id"]), version, text)
        body = self._kfp.V2beta1Pipeline(name=pipeline, display_name=pipeline, **self._mine)
        made = str(self._call(what, api.pipeline_service_create_pipeline, body, find=find)["pipeline_id"])
        try:
            return made, self._version(made, version, text)
        except PlatformError as error:
            try:
                self._call(what, api.pipeline_service_delete_pipeline, made)
            except PlatformError:
                left = f"the pipeline {pipeline!r} ({made}) was made for it, and cannot be removed"
                raise PlatformError(f"{error.message}; {left}", hint=error.hint, id=error.id) from None
            raise

    def _version(self, pipeline: str, version: str, text: str) -> str:
        upload = self._kfp.PipelineUploadServiceApi(self._client).upload_pipeline_version
        what = f"the version {version!r} of the pipeline cannot be uploaded"
        listing = self._pipelines.pipeline_service_list_pipeline_versions
        find = self._named(what, "pipeline_versions", version, listing, pipeline)
        found = find()
        if found is None:
            with tempfile.TemporaryDirectory(prefix="crossdock-kfp-") as folder:
                file = Path(folder, "pipeline.yaml")
                file.write_bytes(text.encode())
                names: dict[str, Any] = {"name": version, "display_name": version, "pipelineid": pipeline}
                found = self._call(what, upload, str(file), find=find, **names)
        return str(found["pipeline_version_id"])

    def create_run(self, body: Mapping[str, Any]) -> str:
        """Start a run of a name that is unique; its id. One whose answer was lost is found by it, not made twice.

        Args:
            body: fields of the vendor's `Run`, as data.
        """
        what = "the run cannot be started"
        listing, experiment = self._runs.run_service_list_runs, body["experiment_id"]
        find = self._named(what, "runs", body["display_name"], listing, experiment_id=experiment)
        made = self._call(what, self._runs.run_service_create_run, self._body("V2beta1Run", body), find=find)
        return str(made["run_id"])

    def run(self, run: str) -> Json:
        """A run, as the vendor's `Run`."""
        return self._call(f"the run {run} cannot be looked at", self._runs.run_service_get_run, run)

    def terminate(self, run: str) -> None:
        """Ask a run to end."""
        self._call(f"the run {run} cannot be cancelled", self._runs.run_service_terminate_run, run)

    @contextlib.contextmanager
    def pod_log(self, run: str, pod: str) -> Iterator[Iterator[bytes]]:
        """What a pod has printed until now, in pieces. No function of the vendor's has it, but the server does.

        Raises:
            PlatformError: it is refused.
            StreamCut: it ends in the middle.
        """
        from urllib3.exceptions import HTTPError

        what = f"the log of {pod} cannot be read"
        path = "/apis/v1alpha1/runs/{run}/nodes/{node}/log"
        try:
            response = self._once(
                what, self._client.call_api, path, "GET", {"run": run, "node": pod}, auth_settings=["Bearer"],
                _preload_content=False,
            )  # fmt: skip
        except answers.Again as again:
            raise (StreamCut(again.error.message, hint=again.error.hint) if again.unsure else again.error) from None
        try:
            yield response.stream(2**16)
        except HTTPError as error:
            raise StreamCut(f"{what}: the stream was cut: {answers.line(error)}") from None
        finally:
            response.close()

    # Recurring runs

    def create_recurring_run(self, body: Mapping[str, Any]) -> Json:
        """Make a recurring run of a name that is unique; as the vendor's `RecurringRun`."""
        what = "the schedule cannot be made"
        api, model = self._recurring_runs, self._body("V2beta1RecurringRun", body)
        listing, experiment = api.recurring_run_service_list_recurring_runs, body["experiment_id"]
        find = self._named(what, "recurringRuns", body["display_name"], listing, experiment_id=experiment)
        return self._call(what, api.recurring_run_service_create_recurring_run, model, find=find)

    def recurring_runs(self, prefix: str) -> Iterator[Json]:
        """Those whose name begins so."""
        listing = self._recurring_runs.recurring_run_service_list_recurring_runs
        query: dict[str, Any] = {"filter": _filter("IS_SUBSTRING", prefix), **self._mine}
        found = self._listed("the schedules cannot be listed", "recurringRuns", listing, **query)
        return (item for item in found if str(item.get("display_name", "")).startswith(prefix))

    def recurring_run(self, schedule: str) -> Json:
        """One of them."""
        get = self._recurring_runs.recurring_run_service_get_recurring_run
        return self._call(f"the schedule {schedule} cannot be looked at", get, schedule)

    def change_recurring_run(self, schedule: str, verb: str) -> None:
        """Do something with a recurring run: `enable`, `disable` or `delete`."""
        change = getattr(self._recurring_runs, f"recurring_run_service_{verb}_recurring_run")
        self._call(f"the schedule {schedule} cannot be changed", change, schedule)


def _filter(operation: str, name: str) -> str:
    # https://github.com/kubeflow/pipelines/blob/master/backend/api/v2beta1/filter.proto
    return json.dumps({"predicates": [{"operation": operation, "key": "display_name", "stringValue": name}]})
