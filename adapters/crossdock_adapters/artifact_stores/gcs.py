"""Artifact store in Google Cloud Storage."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import ClassVar

from pydantic import field_validator

from crossdock.dsl.errors import BadInput
from crossdock.stacks import SecretReference
from crossdock_adapters.artifact_stores._remote import RemoteArtifactStore, RemoteConfig, bucket_uri
from crossdock_runtime.remote_connect import google_default_file, google_default_type

# https://cloud.google.com/storage/docs/buckets#naming
_BUCKET = re.compile(r"[a-z0-9][a-z0-9._-]{1,220}[a-z0-9]")
_SCOPE = "https://www.googleapis.com/auth/devstorage.read_write"
_HINT = "gcloud auth application-default login, or GOOGLE_APPLICATION_CREDENTIALS=key.json"


class GCSArtifactStoreConfig(RemoteConfig):
    """Where the store is, and who asks. Without credentials it is Google's default chain that finds them.

    Attributes:
        uri: the bucket and a prefix in it, as gs://bucket/prefix.
        allow_http: let an endpoint begin with http://, where nothing is encrypted on its way.
        endpoint: of another service than Google's own, as this machine sees it.
        container_endpoint: the same as a container sees it; like `endpoint` where it is not given.
        anonymous: send no credentials.
        service_account_key: reference to the JSON text of a service account's key.
    """

    service_account_key: SecretReference | None = None

    @field_validator("uri")
    @classmethod
    def _is_a_bucket(cls, uri: str) -> str:
        return bucket_uri(uri, "gs", _BUCKET, "gs://bucket/prefix")


class GCSArtifactStore(RemoteArtifactStore[GCSArtifactStoreConfig]):
    """A bucket of Google Cloud Storage."""

    flavor = "gcs"
    extra = "gcp"
    extra_adds = "logins that google-auth finds"
    Config = GCSArtifactStoreConfig
    SECRETS: ClassVar[Mapping[str, str]] = {"service_account_key": "service_account_key"}

    def _own_options(self) -> dict[str, str | None]:
        return {}

    def _from_default_chain(self) -> Mapping[str, str]:
        key = os.environ.get("GOOGLE_SERVICE_ACCOUNT_KEY")
        if key:
            return {"service_account_key": key}
        if google_default_type() == "service_account":
            return {"service_account_key": google_default_file().read_text(encoding="utf-8")}
        return {"token": _token(self.name)}


def _token(name: str) -> str:
    """A token of Google's own library; it holds for an hour."""
    try:
        import google.auth
        from google.auth.exceptions import GoogleAuthError
        from google.auth.transport.requests import Request
    except ImportError:
        raise BadInput(
            f"artifact store {name!r}: there is no service account's key here, and tokens are had by google-auth",
            hint="pip install 'crossdock[gcp]'",
            id="missing-library",
        ) from None
    try:
        credentials, _ = google.auth.default(scopes=[_SCOPE])
        credentials.refresh(Request())  # type: ignore[no-untyped-call]
    except GoogleAuthError as error:
        reason = str(error).partition("\n")[0]
        raise BadInput(f"artifact store {name!r}: {reason}", hint=_HINT, id="missing-secret") from error
    return str(credentials.token)
