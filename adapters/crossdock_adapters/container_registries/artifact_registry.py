"""Google Artifact Registry; google-auth is imported where it is used."""

from __future__ import annotations

import warnings
from typing import Annotated

from crossdock.dsl.errors import BadInput, PlatformError
from crossdock.stacks import Login
from crossdock_adapters.container_registries._base import Registry, RegistryConfig, matching

_SCOPE = "https://www.googleapis.com/auth/cloud-platform"


class ArtifactRegistryContainerRegistryConfig(RegistryConfig):
    """A repository of the format Docker in a Google Cloud project.

    Source: https://cloud.google.com/artifact-registry/docs/docker/names

    Attributes:
        project: the project's id, one of a domain as `example.com:project`.
        location: a region such as `europe-west1`, or a multi-region such as `europe`.
        repository: the repository's name: a letter, then up to 62 lower-case letters, digits and hyphens. It has to be
            there.
        credentials: a login by reference, instead of Application Default Credentials and of what `docker login` has
            stored.
    """

    project: Annotated[str, matching(r"(?:[a-z0-9.-]+:)?[a-z][a-z0-9-]{4,28}[a-z0-9]", "the id of a project")]
    location: Annotated[str, matching(r"[a-z]+(?:-[a-z]+\d+)?", "a location, such as europe-west1")]
    repository: Annotated[
        str, matching(r"[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?", "the name of a repository, in lower case")
    ]


class ArtifactRegistryContainerRegistry(Registry[ArtifactRegistryContainerRegistryConfig]):
    """Google Artifact Registry; the login is a token of Application Default Credentials."""

    flavor = "artifact-registry"
    extra = "gcp"
    extra_adds = "login by the vendor's own chain, beside docker login"
    Config = ArtifactRegistryContainerRegistryConfig

    @property
    def host(self) -> str:
        return f"{self.config.location}-docker.pkg.dev"

    @property
    def path(self) -> str:
        return f"{self.config.project.replace(':', '/')}/{self.config.repository}"

    def vendor_login(self) -> Login | None:
        """By Application Default Credentials.

        Source: https://cloud.google.com/artifact-registry/docs/docker/authentication#token
        """
        self.need("google.auth")
        import google.auth
        import google.auth.transport.requests
        from google.auth import exceptions

        # Users' own credentials make it warn of quotas, which a registry does not have.
        warnings.filterwarnings("ignore", "Your application has authenticated using end user credentials")
        try:
            found, _ = google.auth.default(scopes=[_SCOPE])
            found.refresh(google.auth.transport.requests.Request())  # type: ignore[no-untyped-call]
        except exceptions.DefaultCredentialsError as error:
            raise BadInput(
                f"there are no Google credentials to log in to {self.host}: {error}",
                hint="gcloud auth application-default login, or GOOGLE_APPLICATION_CREDENTIALS",
                id="missing-secret",
            ) from error
        except exceptions.TransportError as error:
            raise PlatformError(
                f"Google cannot be reached for a login to {self.host}: {error}", id="registry-unreachable"
            ) from error
        except exceptions.GoogleAuthError as error:
            raise PlatformError(
                f"Google refuses a login to {self.host}: {error}",
                hint="gcloud auth application-default login",
                id="login-failed",
            ) from error
        return Login("oauth2accesstoken", str(found.token))
