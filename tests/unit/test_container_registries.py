"""Names of images and of registries, and layers: what needs no registry to be tested."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Any

import pytest

from crossdock import registry
from crossdock.dsl.errors import BadInput
from crossdock.review.dockerfile import dockerfile
from crossdock.stacks import ImageRecipe
from crossdock.stacks.image_layout import MADE, PACKAGES, environment
from crossdock_adapters.container_registries._reference import read_reference
from crossdock_adapters.image_builders._layers import Link, write_layer
from crossdock_adapters.image_builders._requirements import Target, _fits

CONFIGS: dict[str, dict[str, Any]] = {
    "acr": {"registry": "Contoso", "namespace": "ml"},
    "artifact-registry": {"project": "example.com:my-project", "location": "europe", "repository": "images"},
    "default": {"uri": "registry.example.com:5000/team/"},
    "dockerhub": {"owner": "team"},
    "ecr": {"registry_id": 123456789012, "region": "cn-north-1"},
    "github": {"owner": "Octo-Org"},
}


def made(flavor: str, **changes: Any) -> Any:
    found = registry.flavor("container_registry", flavor)
    return found("images", found.Config(**{**CONFIGS[flavor], **changes}))


def test_there_is_a_configuration_for_each() -> None:
    assert tuple(CONFIGS) == registry.flavors("container_registry")


@pytest.mark.parametrize(
    ("flavor", "whole"),
    [
        ("acr", "contoso.azurecr.io/ml/flight-delays"),
        ("artifact-registry", "europe-docker.pkg.dev/example.com/my-project/images/flight-delays"),
        ("default", "registry.example.com:5000/team/flight-delays"),
        ("dockerhub", "docker.io/team/flight-delays"),
        ("ecr", "123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn/flight-delays"),
        ("github", "ghcr.io/octo-org/flight-delays"),
    ],
)
def test_names(flavor: str, whole: str) -> None:
    found = made(flavor)
    assert found.repository("flight-delays") == whole
    assert found.prefix == whole.removesuffix("/flight-delays")
    assert not found.insecure
    assert str(read_reference(f"{whole}:1")) == f"{whole}:1"
    for bad in ("Flight", "a//b", "a b", "-a", "a.", "x" * 257, "/"):
        with pytest.raises(BadInput) as caught:
            found.repository(bad)
        assert caught.value.id == "bad-repository-name"


def test_docker_hub_has_one_level() -> None:
    for name, said in (("a/b", "one level below 'team'"), ("a", "two characters")):
        with pytest.raises(BadInput, match=said):
            made("dockerhub").repository(name)


@pytest.mark.parametrize(
    ("flavor", "changes"),
    [
        ("acr", {"registry": "abc"}),
        ("acr", {"namespace": "ML"}),
        ("artifact-registry", {"location": "europe-docker.pkg.dev"}),
        ("artifact-registry", {"repository": "Images"}),
        ("default", {"uri": "http://registry.example.com"}),
        ("default", {"uri": "registry.example.com/Team"}),
        ("default", {"uri": ""}),
        ("dockerhub", {"owner": "Team"}),
        ("ecr", {"registry_id": "12345678901"}),
        ("ecr", {"region": "Ireland"}),
        ("github", {"owner": "octo/org"}),
        ("github", {"credentials": {"user": "me", "token": "ghp_secret"}}),
        ("default", {"password": "x"}),
    ],
)
def test_configurations_that_are_refused(flavor: str, changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="validation error") as caught:
        made(flavor, **changes)
    assert "ghp_secret" not in str(caught.value.errors(include_input=False))  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("uri", "insecure", "found"),
    [
        ("localhost:5000", None, True),
        ("127.0.0.1:5000/team", None, True),
        ("127.9.0.1", None, True),
        ("localhost:5000", False, False),
        ("registry.example.com", None, False),
        ("registry.example.com", True, True),
        ("localhost.example.com", None, False),
    ],
)
def test_http_is_for_loopback_or_said(uri: str, insecure: bool | None, found: bool) -> None:
    assert made("default", uri=uri, insecure=insecure).insecure is found


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        ("python", "docker.io/library/python:latest"),
        ("python:3.11-slim", "docker.io/library/python:3.11-slim"),
        ("team/image", "docker.io/team/image:latest"),
        ("docker.io/python:3", "docker.io/library/python:3"),
        ("localhost/a", "localhost/a:latest"),
        ("127.0.0.1:5000/a/b:1", "127.0.0.1:5000/a/b:1"),
        (f"python:3.11@sha256:{'a' * 64}", f"docker.io/library/python@sha256:{'a' * 64}"),
    ],
)
def test_names_of_images_are_read_as_docker_reads_them(text: str, whole: str) -> None:
    assert str(read_reference(text)) == whole


@pytest.mark.parametrize("text", ["", "Python", "a:b:c", "a@sha256:1", "registry.example.com/", "a b", "a:-b"])
def test_what_is_no_name_of_an_image(text: str) -> None:
    with pytest.raises(BadInput) as caught:
        read_reference(text)
    assert caught.value.id == "bad-image-name"


def test_layers_are_the_same_bytes(tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    one.write_bytes(b"#!/bin/sh\n")
    one.chmod(0o755)
    files: dict[str, bytes | Path | Link] = {
        f"{PACKAGES}/b.py": b"b", f"{PACKAGES}/a/run": one, "/usr/local/bin/python": Link("/usr/bin/python3.11"),
    }  # fmt: skip
    first = write_layer("it", files, tmp_path / "1")
    other.write_bytes(one.read_bytes())
    other.chmod(0o700)
    os.utime(other, (0, 0))
    second = write_layer("it", {**dict(reversed(files.items())), f"{PACKAGES}/a/run": other}, tmp_path / "2")
    assert (first.digest, first.diff_id) == (second.digest, second.diff_id)
    assert first.file.read_bytes() == second.file.read_bytes()
    with tarfile.open(fileobj=io.BytesIO(first.file.read_bytes())) as tar:
        found = [(member.name, oct(member.mode), member.uid, member.mtime) for member in tar]
    assert found == [
        ("opt/crossdock", "0o755", 0, 0),
        ("opt/crossdock/packages", "0o755", 0, 0),
        ("opt/crossdock/packages/a", "0o755", 0, 0),
        ("opt/crossdock/packages/a/run", "0o755", 0, 0),
        ("opt/crossdock/packages/b.py", "0o644", 0, 0),
        ("usr/local/bin/python", "0o777", 0, 0),
    ]


@pytest.mark.parametrize(
    ("tag", "fits"),
    [
        ("py3-none-any", True),
        ("cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64", True),
        ("cp39-abi3-manylinux_2_28_x86_64", True),
        ("cp311-cp311-linux_x86_64", True),
        ("cp312-cp312-manylinux_2_17_x86_64", False),
        ("cp311-cp311-manylinux_2_17_aarch64", False),
        ("cp311-cp311-musllinux_1_2_x86_64", False),
        ("cp311-cp311-macosx_11_0_arm64", False),
    ],
)
def test_wheels_fit_the_image(tag: str, fits: bool) -> None:
    assert _fits(tag, Target("3.11", "linux/amd64"), built=False) is fits
    if "any" not in tag:
        assert not _fits(tag, Target("3.11", "linux/amd64"), built=True)
        assert _fits(tag, Target("3.11", "linux/amd64", musl=True), built=False) is ("musllinux" in tag)


def test_environment_of_an_image() -> None:
    assert environment({"PYTHONPATH": "/theirs"}, packages=True, project=False) == {
        "PYTHONPATH": "/opt/crossdock/runtime.zip:/opt/crossdock/packages:/theirs"
    }


def test_a_dockerfile_of_yours_is_told_from_a_generated_one() -> None:
    builder = registry.image_builder("registry")
    assert not builder.takes_dockerfile
    assert dockerfile("python:3.11", project=True).startswith(MADE)
    theirs = ImageRecipe(
        "python:3.11", "linux/amd64", (), "", None, dockerfile("x", project=True, theirs="FROM python\n")
    )
    with pytest.raises(BadInput) as caught:
        builder.build(theirs, lambda: None, "a/b:1", made("default"), print)
    assert caught.value.id == "dockerfile-not-taken"


def test_flavors_load_no_library_of_a_vendor() -> None:
    code = (
        "import json, sys\nfrom crossdock import registry\n"
        f"for name in {sorted(CONFIGS)!r}: registry.flavor('container_registry', name)\n"
        "registry.image_builder('registry')\n"
        # a package without code is what some distribution's .pth file puts into every interpreter
        "print(json.dumps(sorted(name for name, found in sys.modules.items() if getattr(found, '__file__', None))))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    found = {name.partition(".")[0] for name in json.loads(done.stdout)}
    assert found & {"azure", "boto3", "botocore", "google", "msal", "requests", "urllib3"} == set()
