"""What stands where in an image that we build: the same, whatever builds it."""

from __future__ import annotations

from collections.abc import Mapping

HOME = "/opt/crossdock"
RUNTIME = f"{HOME}/runtime.zip"
"""The runtime bundle; Python imports from it."""
PACKAGES = f"{HOME}/packages"
"""Installed requirements, where a builder cannot ask the image's Python for its own folder."""
PROJECT = f"{HOME}/project"
"""The project's files, from its root."""
INSTALLED = f"{HOME}/installed.txt"
"""What is installed, as `name==version` in lines, where a builder cannot know it before it writes the labels."""
REQUIREMENTS = f"{HOME}/requirements.txt"
"""What was asked for."""
MADE = "# Made by Crossdock."
"""Begins a Dockerfile that is not the user's own."""
LOCAL = "crossdock/"
"""Begins the name of an image that is in the local engine alone: no registry is asked for it, where the name may be
somebody else's."""
LABEL = "dev.crossdock."
"""Begins the labels: `recipe` is the digest of the recipe, `base` the image that it starts from with its digest,
`requirements` all installed distributions as `name==version`, separated by spaces."""


def environment(before: Mapping[str, str], *, packages: bool, project: bool) -> dict[str, str]:
    """The environment variables that make a base image ours.

    Args:
        before: those of the base; its PYTHONPATH stays, behind ours.
        packages: whether something is installed in `PACKAGES`.
        project: whether the project is in the image.
    """
    path = [RUNTIME, *([PACKAGES] if packages else []), *filter(None, [before.get("PYTHONPATH")])]
    return {"PYTHONPATH": ":".join(path), **({"CROSSDOCK_PROJECT": PROJECT} if project else {})}
