"""Azure Container Registry; azure-identity is imported where it is used."""

from __future__ import annotations

import json
import logging
import urllib.error
import urllib.parse
import urllib.request
from typing import Annotated, Literal

from crossdock.dsl.errors import BadInput, PlatformError
from crossdock.stacks import Login
from crossdock_adapters.container_registries._base import NAME, Registry, RegistryConfig, matching

_USER = "00000000-0000-0000-0000-000000000000"
_AUDIENCE = "https://containerregistry.azure.net/.default"
_SECONDS = 30
_SUFFIXES = {"public": "azurecr.io", "china": "azurecr.cn", "government": "azurecr.us"}


class AcrContainerRegistryConfig(RegistryConfig):
    """A registry in Azure.

    Source: https://learn.microsoft.com/azure/azure-resource-manager/management/resource-name-rules

    Attributes:
        registry: what its login server begins with: 5 to 50 letters and digits, and a hyphen with the label of its
            domain where it was made with one.
        namespace: what begins the names of repositories; none by default.
        cloud: which of Azure's clouds it is in.
        credentials: a login by reference, instead of Azure's chain and of what `docker login` has stored.
    """

    registry: Annotated[str, matching(r"[A-Za-z0-9]{5,50}(?:-[A-Za-z0-9]+)?", "what the login server begins with")]
    namespace: Annotated[str, matching(NAME.pattern, "a path in lower case, such as ml/images")] | None = None
    cloud: Literal["public", "china", "government"] = "public"


class AcrContainerRegistry(Registry[AcrContainerRegistryConfig]):
    """Azure Container Registry; the login is a token of Azure's default credentials."""

    flavor = "acr"
    extra = "azure"
    extra_adds = "login by the vendor's own chain, beside docker login"
    Config = AcrContainerRegistryConfig

    @property
    def host(self) -> str:
        return f"{self.config.registry.lower()}.{_SUFFIXES[self.config.cloud]}"

    @property
    def path(self) -> str:
        return self.config.namespace or ""

    def vendor_login(self) -> Login | None:
        """By a token of Microsoft Entra, exchanged for a refresh token of the registry, which holds for three hours.

        Source: https://azure.github.io/acr/AAD-OAuth.html#calling-post-oauth2exchange-to-get-an-acr-refresh-token
        """
        return Login(_USER, self._exchange(self._entra_token()))

    def _entra_token(self) -> str:
        self.need("azure.identity")
        from azure.core.exceptions import AzureError, ClientAuthenticationError
        from azure.identity import CredentialUnavailableError, DefaultAzureCredential

        # It would write what each kind of credential lacks to stderr, above our message.
        logging.getLogger("azure.identity").addHandler(logging.NullHandler())
        try:
            with DefaultAzureCredential() as credential:
                return str(credential.get_token(_AUDIENCE).token)
        except (CredentialUnavailableError, ClientAuthenticationError) as error:
            raise BadInput(
                f"there are no Azure credentials to log in to {self.host}: {str(error).partition(chr(10))[0]}",
                hint="az login, or AZURE_CLIENT_ID, AZURE_TENANT_ID and AZURE_CLIENT_SECRET",
                id="missing-secret",
            ) from error
        except AzureError as error:
            raise PlatformError(
                f"Azure cannot be reached for a login to {self.host}: {error}", id="registry-unreachable"
            ) from error

    def _exchange(self, token: str) -> str:
        scheme = "http" if self.insecure else "https"
        form = {"grant_type": "access_token", "service": self.host, "access_token": token}
        request = urllib.request.Request(
            f"{scheme}://{self.host}/oauth2/exchange", urllib.parse.urlencode(form).encode(), method="POST"
        )
        try:
            with urllib.request.urlopen(request, timeout=_SECONDS) as answer:
                return str(json.load(answer)["refresh_token"])
        except urllib.error.HTTPError as error:
            said = error.read(2000).decode(errors="replace").strip() or error.reason
            raise PlatformError(
                f"{self.host} refuses the login: {error.code} {said}",
                hint=f"ask for the role AcrPush on the registry; az acr login -n {self.config.registry} tells the same",
                id="login-failed",
            ) from error
        except (OSError, ValueError, KeyError) as error:
            raise PlatformError(
                f"{self.host} gives no login: {error}",
                hint="is that the name of the registry's login server? az acr list -o table",
                id="registry-unreachable",
            ) from error
