"""Artifact store in Amazon S3, or in a store that speaks its protocol: MinIO, Ceph, Cloudflare R2, SeaweedFS."""

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

# https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_HINT = "aws configure, aws sso login, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"


class S3ArtifactStoreConfig(RemoteConfig):
    """Where the store is, and who asks. Without credentials it is AWS's default chain that finds them.

    Attributes:
        uri: the bucket and a prefix in it, as s3://bucket/prefix.
        allow_http: let an endpoint begin with http://, where nothing is encrypted on its way.
        endpoint: of another store than Amazon's, as https://minio.example.com, as this machine sees it.
        container_endpoint: the same as a container sees it; like `endpoint` where it is not given.
        anonymous: send no credentials.
        region: of the bucket; that of the environment or the profile where it is not given, else us-east-1.
        virtual_hosted_style: put the bucket's name into the host's, not into the path, where most others than Amazon
            want it.
        profile: of the AWS configuration of this machine; needs the extra `aws`.
        access_key_id: reference to the access key's id.
        secret_access_key: reference to its secret.
        session_token: reference to the token of temporary credentials.
    """

    region: str | None = None
    virtual_hosted_style: bool = False
    profile: str | None = None
    access_key_id: SecretReference | None = None
    secret_access_key: SecretReference | None = Field(default=None, validate_default=True)
    session_token: SecretReference | None = None

    @field_validator("uri")
    @classmethod
    def _is_a_bucket(cls, uri: str) -> str:
        return bucket_uri(uri, "s3", _BUCKET, "s3://bucket/prefix")

    @field_validator("secret_access_key")
    @classmethod
    def _with_its_id(cls, value: SecretReference | None, info: ValidationInfo) -> SecretReference | None:
        if "access_key_id" in info.data and (value is None) != (info.data["access_key_id"] is None):
            raise PydanticCustomError("secret", "and access_key_id are given both, or neither")
        return value

    @field_validator("session_token")
    @classmethod
    def _with_its_key(cls, value: SecretReference | None, info: ValidationInfo) -> SecretReference | None:
        if value is not None and info.data.get("access_key_id") is None:
            raise PydanticCustomError("secret", "needs access_key_id and secret_access_key as well")
        return value


class S3ArtifactStore(RemoteArtifactStore[S3ArtifactStoreConfig]):
    """A bucket of Amazon S3, or of a store that speaks its protocol."""

    flavor = "s3"
    extra = "aws"
    extra_adds = "profiles, SSO and credential processes"
    Config = S3ArtifactStoreConfig
    SECRETS: ClassVar[Mapping[str, str]] = {
        "access_key_id": "access_key_id",
        "secret_access_key": "secret_access_key",
        "session_token": "session_token",
    }

    def _own_options(self) -> dict[str, str | None]:
        styled = "true" if self.config.virtual_hosted_style else None
        return {"region": self.config.region, "virtual_hosted_style_request": styled}

    def _of_this_machine(self) -> dict[str, str]:
        return {"profile": self.config.profile} if self.config.profile and not self.secrets else {}

    def _from_default_chain(self) -> Mapping[str, str]:
        environ = os.environ
        if self.config.profile is None and environ.get("AWS_ACCESS_KEY_ID"):
            key, secret = environ["AWS_ACCESS_KEY_ID"], environ.get("AWS_SECRET_ACCESS_KEY", "")
            token, region = environ.get("AWS_SESSION_TOKEN"), environ.get("AWS_REGION")
            region = region or environ.get("AWS_DEFAULT_REGION")
        else:
            key, secret, token, region = _frozen(self.name, self.config.profile)
        found = {"access_key_id": key, "secret_access_key": secret, "session_token": token, "region": region}
        if self.config.region is not None:
            del found["region"]
        return {name: value for name, value in found.items() if value}


def _frozen(name: str, profile: str | None) -> tuple[str, str, str | None, str | None]:
    """Key, secret, token and region of AWS's own library."""
    try:
        import boto3
        from botocore.exceptions import BotoCoreError
    except ImportError:
        raise BadInput(
            f"artifact store {name!r}: AWS_ACCESS_KEY_ID is not set, and other credentials are found by boto3",
            hint="pip install 'crossdock[aws]'",
            id="missing-library",
        ) from None
    try:
        session = boto3.Session(profile_name=profile)
        credentials = session.get_credentials()
        found = credentials.get_frozen_credentials() if credentials is not None else None
    except BotoCoreError as error:
        raise BadInput(f"artifact store {name!r}: {error}", hint=_HINT, id="missing-secret") from error
    if found is None:
        raise BadInput(f"artifact store {name!r}: no AWS credentials were found", hint=_HINT, id="missing-secret")
    return found.access_key, found.secret_key, found.token, session.region_name
