"""Amazon Elastic Container Registry; boto3 is imported where it is used."""

from __future__ import annotations

import base64
from typing import Annotated, Any

from pydantic import BeforeValidator

from crossdock.dsl.errors import BadInput, PlatformError
from crossdock.stacks import Login
from crossdock_adapters.container_registries._base import NAME, Registry, RegistryConfig, matching

_SHORTEST, _LONGEST = 2, 256
_DENIED = ("AccessDeniedException", "UnauthorizedException")


def _text(value: Any) -> Any:
    """An account without quotes is a number to YAML."""
    return str(value) if type(value) is int else value


class EcrContainerRegistryConfig(RegistryConfig):
    """A private registry of an AWS account.

    Attributes:
        registry_id: the account, 12 digits.
        region: such as `eu-west-1`.
        namespace: what begins the names of repositories; none by default.
        profile: of AWS's configuration on this machine, instead of the default chain's.
        credentials: a login by reference, instead of AWS's chain and of what `docker login` has stored.
    """

    registry_id: Annotated[str, BeforeValidator(_text), matching(r"\d{12}", "the 12 digits of an AWS account")]
    region: Annotated[str, matching(r"[a-z]{2}(?:-[a-z]+)+-\d+", "a region, such as eu-west-1")]
    namespace: Annotated[str, matching(NAME.pattern, "a path in lower case, such as ml/images")] | None = None
    profile: str | None = None


class EcrContainerRegistry(Registry[EcrContainerRegistryConfig]):
    """Amazon ECR; a missing repository is made before the first push."""

    flavor = "ecr"
    extra = "aws"
    extra_adds = "login by the vendor's own chain, beside docker login"
    Config = EcrContainerRegistryConfig

    @property
    def host(self) -> str:
        china = ".cn" if self.config.region.startswith("cn-") else ""
        return f"{self.config.registry_id}.dkr.ecr.{self.config.region}.amazonaws.com{china}"

    @property
    def path(self) -> str:
        return self.config.namespace or ""

    def refuses(self, name: str, whole: str) -> str | None:
        """A repository has 2 to 256 characters.

        Source: https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_CreateRepository.html
        """
        if not _SHORTEST <= len(whole) <= _LONGEST:
            return f"it has {len(whole)} characters; ECR takes {_SHORTEST} to {_LONGEST}"
        return None if NAME.fullmatch(whole) else super().refuses(name, whole)

    def vendor_login(self) -> Login | None:
        """By `GetAuthorizationToken`, which holds for twelve hours.

        Source: https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_GetAuthorizationToken.html
        """
        answer = self._call("get_authorization_token", "log in")
        token = answer["authorizationData"][0]["authorizationToken"]
        user, _, password = base64.b64decode(token).decode().partition(":")
        return Login(user, password)

    def prepare(self, repository: str) -> None:
        """Make a repository where it is missing: ECR makes none on a push.

        Raises:
            PlatformError: AWS refuses, or cannot be reached.
            BadInput: boto3 or AWS credentials are not on this machine.
        """
        name = repository.removeprefix(f"{self.host}/")
        about = {"registryId": self.config.registry_id}
        # With no permission to look, the push itself will tell.
        given = ("RepositoryNotFoundException", *_DENIED)
        found = self._call("describe_repositories", "look for it", given, repositoryNames=[name], **about)
        if found != "RepositoryNotFoundException":
            return
        self._call(
            "create_repository",
            f"make the repository {name}, which is not there",
            ("RepositoryAlreadyExistsException",),
            repositoryName=name,
            **about,
        )

    def _call(self, method: str, what: str, given: tuple[str, ...] = (), **arguments: Any) -> Any:
        """What AWS answers; the code of an error that is in `given`."""
        self.need("boto3")
        import boto3
        from botocore import exceptions

        try:
            session = boto3.session.Session(profile_name=self.config.profile, region_name=self.config.region)
            return getattr(session.client("ecr"), method)(**arguments)
        except exceptions.ClientError as error:
            code = error.response["Error"]["Code"]
            if code in given:
                return code
            raise PlatformError(
                f"Amazon ECR {self.config.registry_id} in {self.config.region} refuses to {what}: "
                f"{code}: {error.response['Error'].get('Message', '')}",
                hint=self._hint(method, code, arguments),
                id="registry-refused",
            ) from error
        except (exceptions.ConnectionError, exceptions.HTTPClientError) as error:
            raise PlatformError(
                f"Amazon ECR in {self.config.region} cannot be reached to {what}: {error}", id="registry-unreachable"
            ) from error
        except exceptions.BotoCoreError as error:  # none found, an expired session, an unknown profile
            raise BadInput(
                f"there are no AWS credentials to {what}: {error}",
                hint="aws configure, aws sso login, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
                id="missing-secret",
            ) from error

    def _hint(self, method: str, code: str, arguments: dict[str, Any]) -> str:
        if method == "create_repository" and code in _DENIED:
            return (
                f"ask for ecr:CreateRepository, or have it made: aws ecr create-repository "
                f"--region {self.config.region} --repository-name {arguments['repositoryName']}"
            )
        if code in _DENIED:
            return "ask for ecr:GetAuthorizationToken"
        return "aws sts get-caller-identity says whose credentials are used, and whether they still hold"
