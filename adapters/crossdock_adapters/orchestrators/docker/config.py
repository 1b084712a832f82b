"""What a Docker stack says, and what a task may say about Docker alone."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from crossdock.stacks import ContainerConfig, TaskOverrides

_VOLUME = re.compile(r"(/[^:]*|[A-Za-z0-9][A-Za-z0-9_.-]*):/[^:]*(:ro|:rw)?")


def _is_volume(text: str) -> str:
    if not _VOLUME.fullmatch(text):
        raise PydanticCustomError("volume", "takes SOURCE:TARGET[:ro], both absolute, or a volume's name first")
    return text


Volume = Annotated[str, AfterValidator(_is_volume)]
"""`/data:/data:ro`, or `name:/data` for a volume of the engine's, as the short syntax of Compose has them.

Source: https://docs.docker.com/reference/compose-file/services/#short-syntax-5
"""


class DockerConfig(ContainerConfig):
    """A Docker Engine on this machine: that of DOCKER_HOST, else of the docker command line's context.

    Attributes:
        max_workers: containers at once.
        network: `bridge`, `host`, `none`, or the name of a network of the engine's; None is the engine's default.
        volumes: mounted into every container.
        cap_resources: a task that asks for more cpu or memory than the engine has gets what it has, and is not refused.
        retries: how often a task is tried again whose container was lost, or ran out of memory.
        grace: seconds from SIGTERM to SIGKILL when a run is cancelled.
    """

    max_workers: Annotated[int, Field(ge=1)] = 4
    network: str | None = None
    volumes: tuple[Volume, ...] = ()
    cap_resources: bool = False
    retries: Annotated[int, Field(ge=0, le=10)] = 0
    grace: Annotated[int, Field(ge=0)] = 10


class DockerOverrides(TaskOverrides):
    """`targets={"docker": {…}}` of a step.

    Attributes:
        network: instead of the configuration's.
        volumes: beside the configuration's.
        user: of the process in the container, as `1000:1000`; None is the image's, and with a store in a folder of this
            machine the user who runs it.
        retries: instead of the configuration's.
    """

    network: str | None = None
    volumes: tuple[Volume, ...] = ()
    user: str | None = None
    retries: Annotated[int | None, Field(ge=0, le=10)] = None


NO_OVERRIDES = DockerOverrides()
