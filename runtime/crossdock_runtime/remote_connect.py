"""From a URL and options to obstore's client of a bucket, with the credentials of the vendor's default chain."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

from crossdock.dsl.errors import StoreError
from crossdock_runtime.remote_errors import vendor_of

RECORDS = {"connect_timeout": "5s", "timeout": "15s"}
"""Of requests with a few kilobytes."""
DATA = {"connect_timeout": "5s", "timeout": "120s"}
"""Of requests with megabytes, which may take their time on a slow line."""
# What is tried again on top of this is up to `remote_store`, which knows what may be.
_RECORDS_RETRY = {"max_retries": 3, "retry_timeout": timedelta(seconds=4)}
_DATA_RETRY = {"max_retries": 8, "retry_timeout": timedelta(seconds=60)}
_FOR_OBSTORE = ("client_options", "retry_config", "credential_provider")
_NAMES: dict[str, dict[str, str]] = {"s3": {}, "gs": {"endpoint": "base_url", "token": "bearer_token"}, "az": {}}
_NO_LOGIN = {"disable_oauth": True, "client_email": "", "private_key": "", "private_key_id": ""}
_MEMORY: dict[str, Any] = {}

# Variables that make obstore find credentials by itself, which then need no library of the vendor's.
_OWN = {
    "s3": (
        "AWS_ACCESS_KEY_ID",
        "AWS_WEB_IDENTITY_TOKEN_FILE",
        "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
        "AWS_CONTAINER_CREDENTIALS_FULL_URI",
        "AWS_SKIP_SIGNATURE",
    ),
    "az": (
        "AZURE_STORAGE_ACCOUNT_KEY",
        "AZURE_STORAGE_ACCESS_KEY",
        "AZURE_STORAGE_MASTER_KEY",
        "AZURE_STORAGE_SAS_KEY",
        "AZURE_STORAGE_SAS_TOKEN",
        "AZURE_STORAGE_TOKEN",
        "AZURE_STORAGE_CLIENT_SECRET",
        "AZURE_CLIENT_SECRET",
        "AZURE_FEDERATED_TOKEN_FILE",
        "AZURE_IDENTITY_ENDPOINT",
        "AZURE_SKIP_SIGNATURE",
    ),
}
_AZURE_TYPES = {
    "account_key": "access_key",
    "sas_key": "sas_token",
    "client_secret": "client_secret",
    "token": "bearer_token",
}


def split(url: str) -> tuple[str, str]:
    """The URL of the bucket alone, and the prefix in it; `abfs://container@account…` keeps its account."""
    if url.startswith("memory:"):
        return url, ""
    scheme, _, rest = url.partition("://")
    bucket, _, prefix = rest.partition("/")
    return f"{scheme}://{bucket}", prefix.strip("/")


def connect(url: str, options: Mapping[str, object], *, data: bool = False) -> Any:
    """obstore's client of a bucket.

    Args:
        url: of the bucket; the client knows nothing of a prefix in it.
        options: obstore's configuration (`region`, `endpoint`, `access_key_id`, `account_name`, …), `endpoint` for
            every vendor, `allow_http` for an endpoint without TLS, and `profile` of AWS. `client_options`,
            `retry_config` and `credential_provider` go to obstore as such.
        data: whether requests carry megabytes.

    Raises:
        StoreError: obstore is not installed, does not understand the URL or an option, or there are no credentials.
    """
    try:
        from obstore.store import from_url
    except ImportError as error:
        raise StoreError(f"{url} needs obstore: {error}", hint="pip install obstore", id="missing-library") from error
    if url.startswith("memory:"):
        return _MEMORY.setdefault(url, from_url("memory:///"))
    bucket, _ = split(url)
    vendor = vendor_of(url)
    names = _NAMES.get(vendor, {})
    config: Any = {names.get(name, name): value for name, value in options.items() if name not in _FOR_OBSTORE}
    allow_http = str(config.pop("allow_http", False)).lower() == "true"
    if str(options.get("endpoint", "")).startswith("http://") and not allow_http and "client_options" not in options:
        raise StoreError(
            f"{url}: the endpoint {options['endpoint']} has no TLS",
            hint="write https://, or set allow_http: true where that is meant",
            id="bad-store-url",
        )
    client = {**(DATA if data else RECORDS), **({"allow_http": True} if allow_http else {})}
    extra: dict[str, Any] = {name: options[name] for name in _FOR_OBSTORE if options.get(name) is not None}
    extra["client_options"] = {**client, **extra.get("client_options", {})}
    extra.setdefault("retry_config", _DATA_RETRY if data else _RECORDS_RETRY)
    if "credential_provider" not in extra:
        extra["credential_provider"] = _provider(vendor, config)
    try:
        return from_url(bucket, config=config or None, **extra)
    except Exception as error:
        reason = str(error).strip().partition("\n")[0]
        hint = "use a folder, or file://, s3://, gs:// or az:// with options that obstore knows"
        raise StoreError(f"cannot open the store {url}: {reason}", hint=hint, id="bad-store-url") from error


def _provider(vendor: str, config: dict[str, Any]) -> Callable[[], Any] | None:
    """What gives the credentials where obstore's own chain does not: given ones, so that no variable of the environment
    is mixed with them, and those that only the vendor's library can get."""
    if str(config.get("skip_signature", "")).lower() == "true":
        if vendor == "gs":  # obstore asks for a token all the same when it writes, unless a key says that there is none
            config["service_account_key"] = json.dumps(_NO_LOGIN)
        return None
    if vendor == "s3":
        return _aws(config)
    if vendor == "gs":
        return _google(config)
    if vendor == "az":
        return _azure(config)
    return None


def _aws(config: dict[str, Any]) -> Callable[[], Any] | None:
    profile = config.pop("profile", None)
    if "access_key_id" in config:
        return _Static(
            access_key_id=config.pop("access_key_id"),
            secret_access_key=config.pop("secret_access_key", ""),
            token=config.pop("session_token", None),
        )
    if profile is None and any(os.environ.get(name) for name in _OWN["s3"]):
        return None
    home = Path("~/.aws").expanduser()
    named = profile or os.environ.get("AWS_PROFILE")
    if not _installed("boto3"):
        if named or any((home / name).is_file() for name in ("config", "credentials")):
            what = f"profile {named!r}" if named else str(home)
            raise _needs_library(f"the credentials of the AWS {what}", "boto3", "aws")
        return None
    import boto3
    from botocore.exceptions import BotoCoreError
    from obstore.auth.boto3 import Boto3CredentialProvider

    try:
        session = boto3.Session(profile_name=profile)
        if session.region_name:
            config.setdefault("region", session.region_name)
        provider: Callable[[], Any] = Boto3CredentialProvider(session)
    except (BotoCoreError, ValueError) as error:
        if isinstance(error, ValueError):
            return None  # none were found: obstore's message says the rest
        raise StoreError(
            f"the AWS credentials cannot be had: {error}",
            hint="aws configure, aws sso login, or AWS_PROFILE",
            id="store-credentials",
        ) from error
    return provider


def _google(config: dict[str, Any]) -> Callable[[], Any] | None:
    if "bearer_token" in config:
        return _Static(token=config.pop("bearer_token"))
    if "service_account_key" in config:
        return None
    kind = google_default_type()
    if kind in (None, "service_account", "authorized_user"):
        return None
    if not _installed("google.auth"):
        raise _needs_library(f"Google credentials of the type {kind}", "google-auth", "gcp")
    import google.auth
    from obstore.auth.google import GoogleCredentialProvider

    credentials, _ = google.auth.default(scopes=["https://www.googleapis.com/auth/devstorage.read_write"])
    provider: Callable[[], Any] = GoogleCredentialProvider(credentials)
    return provider


def google_default_file() -> Path:
    """Where Google's application default credentials are looked for.

    Source: https://cloud.google.com/docs/authentication/application-default-credentials
    """
    given = os.environ.get("GOOGLE_APPLICATION_CREDENTIALS")
    return Path(given or "~/.config/gcloud/application_default_credentials.json").expanduser()


def google_default_type() -> str | None:
    """The `type` of Google's application default credentials; None where there is no such file."""
    try:
        found = json.loads(google_default_file().read_bytes())
    except (OSError, ValueError):
        return None
    return str(found.get("type")) if isinstance(found, dict) else None


def _azure(config: dict[str, Any]) -> Callable[[], Any] | None:
    for name, kind in _AZURE_TYPES.items():
        if name in config:
            config["credential_type"] = kind
            return None
    if any(os.environ.get(name) for name in _OWN["az"]):
        return None
    if _installed("azure.identity"):
        from obstore.auth.azure import AzureCredentialProvider

        provider: Callable[[], Any] = AzureCredentialProvider()
        return provider
    if shutil.which("az"):
        config["use_azure_cli"] = "true"
    return None


class _Static:
    """Credentials that stay as they are."""

    def __init__(self, **fields: Any) -> None:
        self._fields = {**fields, "expires_at": None}

    def __call__(self) -> dict[str, Any]:
        return self._fields


def _installed(name: str) -> bool:
    try:
        return importlib.util.find_spec(name) is not None
    except ModuleNotFoundError:
        return False


def _needs_library(what: str, library: str, extra: str) -> StoreError:
    return StoreError(
        f"{what} can be had by {library} only, which is not installed",
        hint=f"pip install 'crossdock[{extra}]'",
        id="missing-library",
    )
