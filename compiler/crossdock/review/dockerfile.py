"""The Dockerfile of an image that we build, and the requirements beside it: text that a reviewer can read."""

from __future__ import annotations

import re
from collections.abc import Sequence

from crossdock.stacks.image_layout import HOME, INSTALLED, LABEL, MADE, PROJECT, RUNTIME
from crossdock_runtime.contract import CONTRACT

_HEAD = """\
{made} `crossdock build` builds it; an edit here is lost: change the stack, or give it a dockerfile.
FROM {base}
"""
_REQUIREMENTS = """
# Crossdock's part, for BuildKit: Python with the requirements, then the runtime, then the project.
COPY requirements.txt {home}/requirements.txt
RUN --mount=type=secret,id=pip.conf --mount=type=secret,id=ca.pem set -eu; \\
    fail() {{ echo "crossdock: $1" >&2; exit 1; }}; \\
    python=$(command -v python || command -v python3) || fail "the base image has no Python"; \\
    "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' \\
        || fail "the base image has $("$python" -V 2>&1), and Crossdock needs 3.11 or newer"; \\
    "$python" -c 'import sys; print("Python %d.%d" % sys.version_info[:2])'; \\
    "$python" -m pip --version >/dev/null 2>&1 || fail "the base image has Python without pip"; \\
    [ -w {home} ] || fail "the base image's user cannot install anything; USER root in a dockerfile of yours helps"; \\
    command -v python >/dev/null || ln -s "$python" /usr/local/bin/python; \\
    PIP_CONFIG_FILE=/run/secrets/pip.conf PIP_BREAK_SYSTEM_PACKAGES=1 PIP_ROOT_USER_ACTION=ignore \\
        "$python" -m pip install --no-input --no-cache-dir --disable-pip-version-check -r {home}/requirements.txt; \\
    "$python" -m pip list --disable-pip-version-check --format=freeze >{installed}
"""
_REST = """\
COPY runtime.zip {runtime}
{project}ENV PYTHONPATH={runtime}${{PYTHONPATH:+:$PYTHONPATH}}{variable}
LABEL {label}contract="{contract}"
"""
_URL = re.compile(r"\s@\s|://")
_TOOLS = {"pip", "setuptools", "wheel"}
_NAME = re.compile(r"^\s*([A-Za-z0-9][A-Za-z0-9._-]*)")


def dockerfile(base: str, *, project: bool, theirs: str | None = None) -> str:
    """The text of a Dockerfile.

    Args:
        base: the image that it starts from.
        project: whether it holds the project.
        theirs: the user's own, above Crossdock's part; one that copies `runtime.zip` itself is taken as it is.
    """
    if theirs is not None and copies_runtime(theirs):
        return theirs
    head = _HEAD.format(made=MADE, base=base) if theirs is None else theirs.rstrip("\n") + "\n"
    rest = _REST.format(
        runtime=RUNTIME,
        project=f"COPY project/ {PROJECT}/\n" if project else "",
        variable=f" CROSSDOCK_PROJECT={PROJECT}" if project else "",
        label=LABEL,
        contract=CONTRACT,
    )
    return head + _REQUIREMENTS.format(home=HOME, installed=INSTALLED) + rest


def copies_runtime(text: str) -> bool:
    """Whether a Dockerfile brings the runtime into the image itself."""
    return any("runtime.zip" in line for line in _copies(text))


def copies_project(text: str) -> bool:
    """Whether a Dockerfile takes files of the project."""
    return any(re.search(r"(?:^|\s|[\"'])(?:\./)?(?:project|\.)(?:/|[\"'\s])", line) for line in _copies(text))


def _copies(text: str) -> list[str]:
    joined = re.sub(r"\\\r?\n", " ", text)
    return [line for line in joined.splitlines() if re.match(r"\s*(COPY|ADD)\s", line, re.IGNORECASE)]


def base_of(text: str) -> str | None:
    """The image that the last stage of a Dockerfile starts from; None where it has no FROM."""
    found = re.findall(r"^\s*FROM\s+(?:--\S+\s+)*(\S+)", re.sub(r"\\\r?\n", " ", text), re.IGNORECASE | re.MULTILINE)
    return found[-1] if found else None


def requirements_text(declared: Sequence[str], pinned: Sequence[str] | None) -> str:
    """The text of `requirements.txt`: as declared, or as pinned.

    What comes from a URL stays as it was declared; the base's own tools are not for us to pin.
    """
    if not pinned:
        return "".join(f"{item}\n" for item in declared)
    urls = [item for item in declared if _URL.search(item)]
    names = {_canonical(item) for item in urls} | (_TOOLS - {_canonical(item) for item in declared})
    return "".join(f"{item}\n" for item in (*urls, *(item for item in pinned if _canonical(item) not in names)))


def _canonical(requirement: str) -> str:
    match = _NAME.match(requirement)
    return re.sub(r"[-_.]+", "-", match.group(1)).lower() if match else requirement
