"""How Vertex AI is reached, and who asks."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from crossdock.stacks import ComponentConfig, SecretReference


class Connection(ComponentConfig):
    """How Vertex AI is reached. Without `credentials`, Google's Application Default Credentials are who asks.

    Attributes:
        project: id or number of the project that pipelines run in; None is that of the credentials.
        location: its region, as `europe-west4`.
        allow_http: let an endpoint begin with http://, where nothing is encrypted on its way; gRPC sends no credentials
            then.
        endpoint: of the API, where it is not `https://LOCATION-aiplatform.googleapis.com`, as with Private Service
            Connect.
        logs_endpoint: of Cloud Logging.
        transport: what the API is spoken over; `rest` passes proxies that gRPC does not.
        anonymous: send no credentials.
        credentials: reference to a credentials file of Google's, of any type: its path, or its JSON text.
        impersonate: the service account to act as.
        timeout: seconds for one answer.
    """

    project: str | None = None
    location: str = "us-central1"
    allow_http: bool = False
    endpoint: str | None = None
    logs_endpoint: str = "https://logging.googleapis.com"
    transport: Literal["grpc", "rest"] = "grpc"
    anonymous: bool = False
    credentials: SecretReference | None = None
    impersonate: Annotated[str | None, Field(pattern=r"^[^@\s]+@[^@\s]+$")] = None
    timeout: Annotated[float, Field(gt=0, le=600)] = 60

    @field_validator("endpoint", "logs_endpoint")
    @classmethod
    def _is_an_endpoint(cls, endpoint: str | None, info: ValidationInfo) -> str | None:
        if endpoint is None:
            return None
        scheme, _, host = endpoint.partition("://")
        if scheme not in ("http", "https") or not host or set(host) & set("/@?#"):
            raise PydanticCustomError("endpoint", "takes https://host[:port], without user, password and path")
        if scheme == "http" and not info.data.get("allow_http"):
            raise PydanticCustomError("endpoint", "takes https://; for http:// set allow_http: true as well")
        return endpoint

    @property
    def parent(self) -> str:
        """`projects/PROJECT/locations/LOCATION`."""
        return f"projects/{self.project}/locations/{self.location}"

    @property
    def address(self) -> str:
        """Where the API is."""
        return self.endpoint or f"https://{self.location}-aiplatform.googleapis.com"
