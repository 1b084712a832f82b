"""How each source of secrets names one: what a reference looks like, and the parts that it has."""

from __future__ import annotations

import re

_NAME = r"[A-Za-z0-9/_+=.@-]"
_VAULT = r"[A-Za-z](?:-?[A-Za-z0-9]){2,23}"

# https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_CreateSecret.html (Name)
# https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetSecretValue.html (SecretId, VersionStage)
_AWS = (
    rf"(?P<id>(?:arn:aws[a-z-]*:secretsmanager:(?P<region>[a-z0-9-]+):\d{{12}}:secret:)?{_NAME}{{1,512}})"
    rf"(?:\?stage=(?P<stage>{_NAME}{{1,256}}))?(?:#(?P<key>\S(?:.*\S)?))?"
)
# https://cloud.google.com/secret-manager/docs/reference/rest/v1/projects.secrets.versions/access
_GCP = (
    r"(?:projects/(?P<project>[a-z0-9][a-z0-9.:-]{0,61})/secrets/)?(?P<name>[A-Za-z0-9_-]{1,255})"
    r"(?:/versions/(?P<version>[A-Za-z0-9_-]{1,63}))?"
)
# https://learn.microsoft.com/azure/key-vault/general/about-keys-secrets-certificates#objects-identifiers-and-versioning
_AZURE = (
    rf"(?:https://(?P<host>{_VAULT}\.vault\.(?:azure\.net|azure\.cn|usgovcloudapi\.net))/secrets/|(?P<vault>{_VAULT})/)"
    r"(?P<name>[A-Za-z0-9-]{1,127})(?:/(?P<version>[0-9a-f]{32}))?"
)

_PATTERNS = {
    "env": r"[A-Za-z_][A-Za-z0-9_]*",
    "keyring": r"(?P<service>[^/\s]+)/(?P<user>\S+)",
    "kubernetes": r"(?P<name>[^/\s]+)/(?P<key>\S+)",
    "aws": _AWS,
    "gcp": _GCP,
    "azure": _AZURE,
}
SECRET_SOURCES = tuple(_PATTERNS)

EXAMPLES = {
    "env": "NAME",
    "keyring": "service/user",
    "kubernetes": "name/key",
    "aws": "prod/database#password",
    "gcp": "projects/PROJECT/secrets/NAME",
    "azure": "VAULT/NAME",
}
"""A reference for each source, to show how one is written."""


def parts(source: str, reference: str) -> dict[str, str] | None:
    """The parts of a reference that are there, by name; None where it is none.

    Args:
        source: one of `SECRET_SOURCES`.
        reference: what names the secret there.
    """
    match = re.fullmatch(_PATTERNS[source], reference)
    return None if match is None else {name: text for name, text in match.groupdict().items() if text is not None}
