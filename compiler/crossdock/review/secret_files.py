"""Files that look like secrets, by name and by what is in them: they never go into an image or a code package."""

from __future__ import annotations

import json
from fnmatch import fnmatchcase
from pathlib import PurePosixPath

from crossdock.review.secrets import in_file, known_secret

_NAMES = (
    ("an environment file with values", (".env", ".env.*", "*.env", ".envrc")),
    ("a private key", ("*.pem", "*.key", "*.p12", "*.pfx", "*.p8", "*.ppk", "*.jks", "*.keystore", "id_rsa", "id_dsa")),
    ("a private key", ("id_ecdsa", "id_ed25519", "id_ecdsa_sk", "id_ed25519_sk", "*.asc.key", "*.kdbx")),
    ("a file with logins", (".netrc", "_netrc", ".pypirc", ".git-credentials", ".htpasswd", ".pgpass", ".my.cnf")),
    ("a file with logins", (".dockercfg", ".docker/config.json", ".s3cfg", ".boto", ".vault-token")),
    ("cloud credentials", (".aws/credentials", ".aws/config", "application_default_credentials.json")),
    ("cloud credentials", ("credentials.json", "client_secret*.json", "service[-_]account*.json", "gcp-key*.json")),
    ("credentials of a cluster", ("kubeconfig", "*.kubeconfig", "kubeconfig.y*ml", ".kube/config")),
    ("secrets in a file", ("secrets.y*ml", "secrets.toml", "secrets.json", "*.tfstate", "*.tfvars")),
)
_EXAMPLES = (".example", ".sample", ".template", ".dist")
_PROSE = {".py", ".pyi", ".ipynb", ".md", ".rst", ".html", ".js", ".ts", ".sql", ".csv", ".svg"}
"""What is full of examples: only what cannot be anything else is taken for a secret there."""
_LARGEST = 1_000_000


def secret_name(path: str) -> str | None:
    """What a file is by its name, where that says that it is a secret."""
    lower = PurePosixPath(path.lower())
    if lower.suffix in _EXAMPLES:
        return None
    for what, patterns in _NAMES:
        for pattern in patterns:
            if fnmatchcase("/".join(lower.parts[-1 - pattern.count("/") :]), pattern):
                return f"by its name it is {what}"
    return None


def secret_in(path: str, data: bytes) -> str | None:
    """What a file is by its contents, where they look like a secret. The value is not in the answer."""
    if len(data) > _LARGEST or b"\0" in data[:8000]:
        return None
    text = data.decode("utf-8", errors="replace")
    if PurePosixPath(path).suffix.lower() in _PROSE:
        found = known_secret(text)
        return f"line {found[1]} looks like {found[0]}" if found is not None else None
    if _is_service_account(path, text):
        return "it is the key of a Google service account"
    for problem in in_file(path, text):
        line = (problem.where or "").rpartition(":")[2]
        what = problem.message.rpartition("looks like ")[2].partition(":")[0]
        return f"line {line} looks like {what}" if line.isdecimal() else f"it has what looks like {what}"
    return None


def _is_service_account(path: str, text: str) -> bool:
    if not path.endswith(".json") or "private_key" not in text:
        return False
    try:
        body = json.loads(text)
    except ValueError:
        return False
    return isinstance(body, dict) and "private_key" in body
