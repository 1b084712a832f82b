"""How pip finds its index in a build: this machine's own configuration, and the component's over it.

Source of names and places: https://pip.pypa.io/en/stable/topics/configuration/
"""

from __future__ import annotations

import configparser
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote, urlsplit, urlunsplit

from crossdock.dsl.frozen import frozen
from crossdock.stacks import PackageIndex

CA_SECRET = "/run/secrets/ca.pem"
_KEPT = ("index-url", "extra-index-url", "trusted-host", "proxy", "timeout", "retries", "no-index", "find-links", "pre")
"""Options that say where packages come from, and hold in a container too."""
_CERTIFICATES = ("PIP_CERT", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE")
_LOOPBACK = ("localhost", "127.0.0.1", "::1")


@frozen
class PipConfiguration:
    """What a build is given as secrets, so that nothing of it is in a layer.

    Attributes:
        text: of pip.conf.
        certificates: a file with the certificate authorities that this machine trusts; None leaves those of pip.
        on_loopback: whether the index is on this machine, where only the host's own network reaches it.
        secrets: texts that are in it, and that no message shows.
    """

    text: str
    certificates: Path | None
    on_loopback: bool
    secrets: tuple[str, ...] = ()


def pip_configuration(index: PackageIndex) -> PipConfiguration:
    """The configuration of pip for a build.

    Raises:
        BadInput: the password of the index is not there.
    """
    found: dict[str, str] = {}
    for values in (*_files(), _environment()):
        found.update(values)
    certificates = found.pop("cert", None) or next(
        (os.environ[name] for name in _CERTIFICATES if name in os.environ), None
    )
    secrets = []
    if index.url is not None:
        url = index.url
        if index.user is not None or index.password is not None:
            password = index.password.resolve("the password of the package index") if index.password is not None else ""
            secrets += [text for text in (password, quote(password, safe="")) if text]
            parts = urlsplit(url)
            login = ":".join(quote(part, safe="") for part in (index.user or "", password))
            url = urlunsplit(parts._replace(netloc=f"{login}@{parts.netloc.rpartition('@')[2]}"))
        found["index-url"] = url
    if index.extra_urls:
        found["extra-index-url"] = "\n    ".join(index.extra_urls)
    kept = {name: value for name in _KEPT if (value := found.get(name)) and not _is_here(name, value)}
    file = Path(certificates) if certificates and Path(certificates).is_file() else None
    if file is not None:
        kept["cert"] = CA_SECRET
    urls = " ".join(kept.get(name, "") for name in ("index-url", "extra-index-url", "find-links", "proxy")).split()
    secrets += [text for url in urls if (text := urlsplit(url).password)]
    on_loopback = any(urlsplit(url).hostname in _LOOPBACK for url in urls)
    lines = "".join(f"{name} = {value}\n" for name, value in kept.items())
    return PipConfiguration(f"[global]\n{lines}", file, on_loopback, tuple(secrets))


def _is_here(name: str, value: str) -> bool:
    """Whether a place of packages is a folder of this machine, which no build sees."""
    return name == "find-links" and "://" not in value


def _environment() -> dict[str, str]:
    names = {name: f"PIP_{name.upper().replace('-', '_')}" for name in (*_KEPT, "cert")}
    return {name: os.environ[variable] for name, variable in names.items() if os.environ.get(variable)}


def _files() -> Iterator[dict[str, str]]:
    """The options of each of pip's files, the strongest last."""
    home = Path.home()
    name = "pip.ini" if sys.platform == "win32" else "pip.conf"
    places = [Path("/etc") / name, Path("/etc/xdg/pip") / name, Path("/Library/Application Support/pip") / name]
    if sys.platform == "win32":
        places = [Path(os.environ.get("PROGRAMDATA", "C:/ProgramData"), "pip", name)]
        places += [home / "pip" / name, Path(os.environ.get("APPDATA", home), "pip", name)]
    else:
        config = Path(os.environ.get("XDG_CONFIG_HOME", home / ".config"))
        mac = home / "Library" / "Application Support" / "pip" / name
        places += [home / ".pip" / name, config / "pip" / name, mac]
    places.append(Path(sys.prefix) / name)
    given = os.environ.get("PIP_CONFIG_FILE")
    if given == os.devnull:
        return
    for file in (*places, *([Path(given)] if given else [])):
        parser = configparser.RawConfigParser()
        try:
            if not parser.read(file, encoding="utf-8"):
                continue
        except (OSError, configparser.Error, UnicodeDecodeError):
            continue  # pip itself says what is wrong with it
        merged: dict[str, str] = {}
        for section in ("global", "install"):
            if parser.has_section(section):
                merged.update({key.replace("_", "-"): value for key, value in parser.items(section)})
        yield merged
