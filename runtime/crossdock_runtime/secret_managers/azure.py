"""Azure Key Vault, by azure-keyvault-secrets and the credential chain of azure-identity."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from crossdock_runtime.secret_managers import TRIES, WAIT_SECONDS, Refused, first_line

_SIGN_IN = "az login; on Azure: give the workload a managed identity; elsewhere: AZURE_CLIENT_ID, AZURE_TENANT_ID, …"


def fetch(found: Mapping[str, str]) -> str:
    """The value of the secret `name` in `vault` or at `host`, at `version` (else the latest).

    Source: https://learn.microsoft.com/rest/api/keyvault/secrets/get-secret/get-secret

    Raises:
        Refused: it cannot be had.
        ImportError: a library is not installed.
    """
    from azure.core import exceptions
    from azure.identity import DefaultAzureCredential
    from azure.keyvault.secrets import SecretClient

    url = f"https://{found.get('host') or found['vault'] + '.vault.azure.net'}"
    options: dict[str, Any] = {
        "connection_timeout": WAIT_SECONDS,
        "read_timeout": WAIT_SECONDS,
        "retry_total": TRIES - 1,
    }
    try:
        with DefaultAzureCredential(**options) as credential, SecretClient(url, credential, **options) as client:
            value = client.get_secret(found["name"], found.get("version")).value
    except exceptions.ResourceNotFoundError as error:
        raise Refused(first_line(error), "check the vault, the name and the version") from None
    except exceptions.ClientAuthenticationError as error:
        raise Refused(first_line(error), _SIGN_IN) from None
    except exceptions.HttpResponseError as error:
        if error.status_code == 403:
            hint = "give this identity the role Key Vault Secrets User, or the permission get; or open the firewall"
            raise Refused(first_line(error), hint) from None
        raise Refused(first_line(error), f"az keyvault secret show --id {url}/secrets/{found['name']}") from None
    except exceptions.AzureError as error:
        raise Refused(first_line(error), "check the vault's name, and the network of this process") from None
    return value or ""
