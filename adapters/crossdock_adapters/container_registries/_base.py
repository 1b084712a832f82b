"""What all registries share: their names, and the order in which a login is looked for."""

from __future__ import annotations

import abc
import importlib.util
import re
from typing import TypeVar

from pydantic import AfterValidator
from pydantic_core import PydanticCustomError

from crossdock.dsl.errors import BadInput
from crossdock.stacks import ComponentConfig, ContainerRegistry, Login, SecretReference
from crossdock_adapters.container_registries._docker_login import stored_login

_COMPONENT = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
NAME = re.compile(rf"{_COMPONENT}(?:/{_COMPONENT})*")
"""A repository's name. Source: https://github.com/opencontainers/distribution-spec/blob/v1.1.0/spec.md#pulling-manifests"""
LONGEST = 255
"""Characters of host, slash and name that clients take. Source: as that of `NAME`."""
LOOPBACK = re.compile(r"(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d+)?")


def matching(pattern: str, what: str) -> AfterValidator:
    """Holds a text of a configuration to a pattern; `what` says in words what it takes."""

    def check(text: str) -> str:
        if not re.fullmatch(pattern, text, re.ASCII):
            raise PydanticCustomError("name", f"takes {what}")
        return text

    return AfterValidator(check)


class Credentials(ComponentConfig):
    """A login by reference.

    Attributes:
        user: the user's name.
        token: the password, or an access token in its place.
    """

    user: str
    token: SecretReference


class RegistryConfig(ComponentConfig):
    """What every registry is configured with.

    Attributes:
        credentials: a login by reference, instead of the vendor's own chain and of what `docker login` has stored.
    """

    credentials: Credentials | None = None


R = TypeVar("R", bound=RegistryConfig)


class Registry(ContainerRegistry[R], abc.ABC):
    """A registry that is told from others by its host, the path in it, and the vendor's rules."""

    @property
    @abc.abstractmethod
    def host(self) -> str:
        """`host[:port]`, as it stands in the name of an image."""

    @property
    def path(self) -> str:
        """What stands between the host and a name; empty for nothing."""
        return ""

    @property
    def prefix(self) -> str:
        return "/".join(filter(None, (self.host, self.path)))

    def repository(self, name: str) -> str:
        whole = "/".join(filter(None, (self.path, name)))
        problem = self.refuses(name, whole)
        if problem is not None:
            raise BadInput(
                f"container registry {self.name!r} ({self.flavor}) takes no repository {whole!r}: {problem}",
                id="bad-repository-name",
            )
        return f"{self.host}/{whole}"

    def refuses(self, name: str, whole: str) -> str | None:
        """Why a name is none here; None when it is one.

        Args:
            name: the name.
            whole: the name with the registry's path before it.
        """
        if not NAME.fullmatch(whole):
            return "parts between slashes are lower-case letters and digits, with single '.', '_', '__' or '-' inside"
        length = len(f"{self.host}/{whole}")
        return f"with its host it has {length} characters, of {LONGEST}" if length > LONGEST else None

    def login(self) -> Login | None:
        given = self.config.credentials
        if given is not None:
            return Login(given.user, given.token.resolve(f"the token of container registry {self.name!r}"))
        try:
            return self.vendor_login() or stored_login(self.host)
        except BadInput:
            stored = stored_login(self.host)
            if stored is None:
                raise
            return stored

    def vendor_login(self) -> Login | None:
        """By the vendor's own chain; None where it has nothing.

        Raises:
            BadInput: its library or its credentials are not on this machine.
            PlatformError: the vendor refuses, or cannot be reached.
        """
        return None

    def need(self, module: str) -> None:
        """Refuse to go on without a library of the vendor.

        Raises:
            BadInput: it is not installed.
        """
        try:
            found = importlib.util.find_spec(module) is not None
        except ModuleNotFoundError:  # of a package that it is in
            found = False
        if not found:
            raise BadInput(
                f"the login of container registry {self.name!r} ({self.flavor}) needs {module}, which is not installed",
                hint=f"pip install 'crossdock[{self.extra}]', or docker login {self.host}",
                id="missing-library",
            )
