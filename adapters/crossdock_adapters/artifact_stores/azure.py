"""Artifact store in Azure Blob Storage."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import ClassVar

from pydantic import Field, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from crossdock.dsl.errors import BadInput
from crossdock.stacks import SecretReference
from crossdock_adapters.artifact_stores._remote import RemoteArtifactStore, RemoteConfig, bucket_uri

# https://learn.microsoft.com/azure/azure-resource-manager/management/resource-name-rules#microsoftstorage
_CONTAINER = re.compile(r"(?=.{3,63}$)[a-z0-9](-?[a-z0-9])*")
_ACCOUNT = re.compile(r"[a-z0-9]{3,24}")
_EXAMPLE = "az://container/prefix"
_LONG = re.compile(r"abfss?://(?P<container>[^@/]+)@(?P<account>[a-z0-9]{3,24})\.dfs\.core\.windows\.net(?P<rest>/.*)?")
_SCOPE = "https://storage.azure.com/.default"
_HINT = "az login, or AZURE_STORAGE_ACCOUNT_KEY, or a reference in account_key"
# Variable to option: https://docs.rs/object_store/latest/object_store/azure/enum.AzureConfigKey.html
_KEYS = {
    "AZURE_STORAGE_ACCOUNT_KEY": "account_key",
    "AZURE_STORAGE_ACCESS_KEY": "account_key",
    "AZURE_STORAGE_SAS_TOKEN": "sas_key",
    "AZURE_STORAGE_SAS_KEY": "sas_key",
}
_PRINCIPAL = {
    "AZURE_CLIENT_ID": "client_id",
    "AZURE_CLIENT_SECRET": "client_secret",
    "AZURE_TENANT_ID": "tenant_id",
}


class AzureArtifactStoreConfig(RemoteConfig):
    """Where the store is, and who asks. Without credentials it is Azure's default chain that finds them.

    Attributes:
        uri: the container and a prefix in it, as az://container/prefix, or
            abfs://container@account.dfs.core.windows.net/prefix.
        allow_http: let an endpoint begin with http://, where nothing is encrypted on its way.
        endpoint: of another service than Azure's own, as this machine sees it, with the account as an emulator has it.
        container_endpoint: the same as a container sees it; like `endpoint` where it is not given.
        anonymous: send no credentials.
        account: the storage account, where the URI does not name it.
        account_key: reference to a key of the storage account.
        sas_token: reference to a shared access signature.
        client_secret: reference to the secret of a service principal, with `client_id` and `tenant_id`.
        client_id: of the service principal, or of a managed identity of the user's own.
        tenant_id: of the service principal.
    """

    account: str | None = Field(default=None, validate_default=True)
    client_id: str | None = None
    tenant_id: str | None = None
    account_key: SecretReference | None = None
    sas_token: SecretReference | None = None
    client_secret: SecretReference | None = None

    @field_validator("uri")
    @classmethod
    def _is_a_container(cls, uri: str) -> str:
        long = _LONG.fullmatch(uri)
        scheme = "abfs" if uri.startswith("abfs://") and long is None else "az"
        short = f"az://{long['container']}{long['rest'] or ''}" if long is not None else uri
        bucket_uri(short, scheme, _CONTAINER, _EXAMPLE)
        return uri.rstrip("/")

    @field_validator("account")
    @classmethod
    def _is_an_account(cls, account: str | None, info: ValidationInfo) -> str | None:
        if account is None and not _LONG.fullmatch(info.data.get("uri", "abfs://c@any.dfs.core.windows.net")):
            raise PydanticCustomError("account", "takes the storage account, which the URI does not name")
        if account is not None and not _ACCOUNT.fullmatch(account):
            raise PydanticCustomError("account", "takes 3 to 24 small letters and digits")
        return account

    @field_validator("client_secret")
    @classmethod
    def _with_its_id(cls, value: SecretReference | None, info: ValidationInfo) -> SecretReference | None:
        if value is not None and not (info.data.get("client_id") and info.data.get("tenant_id")):
            raise PydanticCustomError("secret", "needs client_id and tenant_id as well")
        return value


class AzureArtifactStore(RemoteArtifactStore[AzureArtifactStoreConfig]):
    """A container of Azure Blob Storage."""

    flavor = "azure"
    extra = "azure"
    extra_adds = "logins that azure-identity finds"
    Config = AzureArtifactStoreConfig
    SECRETS: ClassVar[Mapping[str, str]] = {
        "account_key": "account_key",
        "sas_token": "sas_key",
        "client_secret": "client_secret",
    }

    @property
    def url(self) -> str:
        """With the scheme az or abfs, and without the account."""
        long = _LONG.fullmatch(self.config.uri)
        return f"abfs://{long['container']}{long['rest'] or ''}".rstrip("/") if long is not None else super().url

    def _own_options(self) -> dict[str, str | None]:
        long = _LONG.fullmatch(self.config.uri)
        account = self.config.account or (long["account"] if long is not None else None)
        return {"account_name": account, "client_id": self.config.client_id, "tenant_id": self.config.tenant_id}

    def _from_default_chain(self) -> Mapping[str, str]:
        for variable, option in _KEYS.items():
            if os.environ.get(variable):
                return {option: os.environ[variable]}
        if all(os.environ.get(variable) for variable in _PRINCIPAL):
            return {option: os.environ[variable] for variable, option in _PRINCIPAL.items()}
        return {"token": _token(self.name)}


def _token(name: str) -> str:
    """A token of Azure's own library; it holds for an hour or so."""
    try:
        from azure.core.exceptions import ClientAuthenticationError
        from azure.identity import CredentialUnavailableError, DefaultAzureCredential
    except ImportError:
        raise BadInput(
            f"artifact store {name!r}: there is no key in the environment, and tokens are had by azure-identity",
            hint="pip install 'crossdock[azure]'",
            id="missing-library",
        ) from None
    try:
        return str(DefaultAzureCredential().get_token(_SCOPE).token)
    except (ClientAuthenticationError, CredentialUnavailableError) as error:
        reason = str(error).partition("\n")[0]
        raise BadInput(f"artifact store {name!r}: {reason}", hint=_HINT, id="missing-secret") from error
