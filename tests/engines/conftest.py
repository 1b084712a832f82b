"""Engines that several test files use; each is started once, and only when it is asked for."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import docker_engine
import docker_stack
import pytest
import stores


@pytest.fixture(scope="session")
def docker_host() -> Iterator[str]:
    """DOCKER_HOST of a real engine that has the base image: one of its own, or what CROSSDOCK_TEST_DOCKER names."""
    given = os.environ.get("CROSSDOCK_TEST_DOCKER")
    if given:
        docker_engine.import_base_image(given)
        yield given
        return
    folder = Path(tempfile.mkdtemp(prefix="dk"))
    try:
        with docker_engine.docker_engine(folder) as host:
            docker_engine.import_base_image(host)
            yield host
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def base_image(docker_host: str) -> str:
    """An image with Python and pip, and nothing else."""
    return docker_engine.BASE_IMAGE


@pytest.fixture
def use_docker(docker_host: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """The engine, for the code under test and for the docker command line: DOCKER_HOST, and its own program first."""
    monkeypatch.setenv("DOCKER_HOST", docker_host)
    program = Path(docker_engine.docker_program()).parent
    monkeypatch.setenv("PATH", f"{program}{os.pathsep}{os.environ['PATH']}")
    return docker_host


@pytest.fixture(scope="session")
def runtime_image(docker_host: str, base_image: str) -> str:
    """An image with the runtime, for projects that are mounted."""
    return docker_stack.make_runtime_image(docker_host)


@pytest.fixture(scope="session")
def oci_registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """An OCI registry on loopback that asks for no login, as `127.0.0.1:port`."""
    with docker_engine.oci_registry(tmp_path_factory.mktemp("registry")) as address:
        yield address


@pytest.fixture(scope="session")
def seaweedfs_port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The S3 port of a SeaweedFS."""
    with stores.seaweedfs(tmp_path_factory.mktemp("seaweedfs")) as port:
        yield port


@pytest.fixture(scope="session")
def s3_store(seaweedfs_port: int) -> stores.Place:
    """A bucket that wants signed requests."""
    return stores.s3_place(seaweedfs_port)


@pytest.fixture(scope="session")
def gcs_store(seaweedfs_port: int) -> Iterator[stores.Place]:
    """A bucket that is spoken to as Google Cloud Storage is."""
    with stores.google(seaweedfs_port) as port:
        yield stores.gcs_place(port)


@pytest.fixture(scope="session")
def moto_store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[stores.Place]:
    """A bucket of moto's, which takes every signature."""
    with stores.moto(tmp_path_factory.mktemp("moto")) as port:
        yield stores.s3_place(port)


@pytest.fixture(scope="session")
def azure_store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[stores.Place]:
    """A container of Azurite's."""
    with stores.azurite(tmp_path_factory.mktemp("azurite")) as port:
        yield stores.azure_place(port)
