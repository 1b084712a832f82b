"""Google Secret Manager, by google-cloud-secret-manager over REST and with Application Default Credentials."""

from __future__ import annotations

from collections.abc import Mapping

from crossdock_runtime.secret_managers import TRIES, WAIT_SECONDS, Refused, first_line

_SCOPE = "https://www.googleapis.com/auth/cloud-platform"
_SIGN_IN = "gcloud auth application-default login; on Google Cloud: give the workload a service account"


def fetch(found: Mapping[str, str]) -> str:
    """The value of the secret `name` in `project` (else that of the credentials), at `version` (else the latest).

    Source: https://cloud.google.com/secret-manager/docs/reference/rest/v1/projects.secrets.versions/access

    Raises:
        Refused: it cannot be had.
        ImportError: the library is not installed.
    """
    import google.auth
    from google.api_core import exceptions
    from google.api_core.retry import Retry, if_exception_type
    from google.auth.exceptions import GoogleAuthError, TransportError
    from google.cloud.secretmanager_v1 import SecretManagerServiceClient
    from requests.exceptions import RequestException

    again = Retry(
        predicate=if_exception_type(exceptions.ServerError, exceptions.TooManyRequests, RequestException),
        initial=0.5,
        timeout=WAIT_SECONDS * TRIES,
    )
    try:
        credentials, project = google.auth.default(scopes=[_SCOPE])
        project = found.get("project") or project
        if not project:
            raise Refused("the credentials name no project", "write projects/PROJECT/secrets/NAME")
        name = f"projects/{project}/secrets/{found['name']}/versions/{found.get('version', 'latest')}"
        # Over gRPC, a process that forks afterwards can hang.
        with SecretManagerServiceClient(credentials=credentials, transport="rest") as client:
            answer = client.access_secret_version(name=name, retry=again, timeout=WAIT_SECONDS)
    except exceptions.NotFound as error:
        raise Refused(first_line(error), "check the project, the name and the version") from None
    except exceptions.Forbidden as error:
        hint = "give this identity roles/secretmanager.secretAccessor on the secret (secretmanager.versions.access)"
        raise Refused(first_line(error), hint) from None
    except exceptions.Unauthorized as error:
        raise Refused(first_line(error), _SIGN_IN) from None
    except exceptions.ClientError as error:
        raise Refused(first_line(error), f"gcloud secrets versions list {found['name']}") from None
    except (exceptions.GoogleAPIError, RequestException, TransportError) as error:
        raise Refused(first_line(error), "check the network of this process") from None
    except GoogleAuthError as error:
        raise Refused(first_line(error), _SIGN_IN) from None
    try:
        return str(answer.payload.data.decode())
    except UnicodeDecodeError:
        raise Refused("it is binary, and no UTF-8", "keep it as text, such as base64") from None
