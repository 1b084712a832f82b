"""Images built by a real Docker Engine: what is in them and what is not, what is built once, and what fails."""

from __future__ import annotations

import contextlib
import hashlib
import json
import subprocess
import sys
import threading
from base64 import b64decode
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import docker_engine
import pytest
from running import Done, Project

from crossdock.dsl.errors import BadInput, CrossdockError, PlatformError
from crossdock.review.dockerfile import dockerfile
from crossdock.review.packaging import OBSTORE
from crossdock.review.runtime_bundle import runtime_bundle
from crossdock.stacks import BuildContext, BuiltImage, ImageRecipe, PackageIndex
from crossdock_adapters.container_registries.default import (
    DefaultContainerRegistry,
    DefaultContainerRegistryConfig,
)
from crossdock_adapters.image_builders.engine import EngineImageBuilder

pytestmark = pytest.mark.usefixtures("use_docker")
BUILDER = EngineImageBuilder()
PUBLIC = PackageIndex()
LARGEST = 20_000_000
PYTHON = "3.11"
WORDS = "secret-of-the-index"
SOURCE = """
    from crossdock import pipeline, step
    from helper import FACTOR


    @step(requirements=["six==1.16.0"])
    def double(number: int) -> int:
        import six

        return number * FACTOR


    @step
    def more(number: int) -> int:
        return number + 1


    @pipeline
    def doubled(number: int = 4) -> int:
        return more(double(number))
"""


def docker(*words: str, check: bool = True) -> str:
    done = subprocess.run([docker_engine.docker_program(), *words], capture_output=True, text=True, check=False)
    assert not check or done.returncode == 0, done.stderr
    return done.stdout


def recipe_of(base: str, *requirements: str, theirs: str | None = None, platform: str = "linux/amd64") -> ImageRecipe:
    runtime = hashlib.sha256(runtime_bundle()).hexdigest()
    text = dockerfile(base, project=False, theirs=theirs)
    return ImageRecipe(base, platform, tuple(sorted((OBSTORE, *requirements))), runtime, None, text)


def build(
    recipe: ImageRecipe, registry: DefaultContainerRegistry | None = None, index: PackageIndex = PUBLIC
) -> tuple[BuiltImage, str, list[str]]:
    """Build; what came of it, its tag, and what was said."""

    @contextlib.contextmanager
    def context() -> Iterator[BuildContext]:
        requirements = "".join(f"{item}\n" for item in recipe.requirements).encode()
        files: dict[str, bytes | Path] = {
            "Dockerfile": recipe.dockerfile.encode(),
            "requirements.txt": requirements,
            "runtime.zip": runtime_bundle(),
        }
        yield BuildContext(files, PYTHON, index)

    said: list[str] = []
    repository = registry.repository("test") if registry is not None else "crossdock/test"
    name = f"{repository}:{recipe.digest[:16]}"
    return BUILDER.build(recipe, context, name, registry, said.append), name, said


def failure(kind: type[CrossdockError], id: str, *words: str, **options: object) -> str:
    """What a build is refused with; no image is left."""
    base, *requirements = words
    recipe = recipe_of(base, *requirements, **options)  # type: ignore[arg-type]
    with pytest.raises(kind) as caught:
        build(recipe)
    assert caught.value.id == id, str(caught.value)
    assert caught.value.hint
    assert not BUILDER.exists(f"crossdock/test:{recipe.digest[:16]}", None)
    return str(caught.value)


def made(name: str, text: str) -> str:
    """An image of a Dockerfile."""
    done = subprocess.run(
        [docker_engine.docker_program(), "build", "-q", "-t", f"crossdock-test/{name}:1", "-"],
        input=text, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return f"crossdock-test/{name}:1"


# What is in an image


def test_an_image_runs_the_runtime_and_is_built_once(base_image: str) -> None:
    recipe = recipe_of(base_image)
    built, name, _ = build(recipe)
    assert built.reference == name
    assert {item.partition("==")[0] for item in built.requirements} >= {"obstore", "pip"}
    said = docker("run", "--rm", "--user", "12345:12345", name, "python", "-m", "crossdock_runtime", "--help")
    assert said.startswith("usage: python -m crossdock_runtime")
    code = "import obstore, crossdock; from crossdock_runtime import execute; print(crossdock.__file__)"
    where = docker("run", "--rm", "--user", "12345:12345", name, "python", "-c", code)
    assert where.strip() == "/opt/crossdock/runtime.zip/crossdock/__init__.py"
    before = docker("image", "inspect", name, "--format", "{{.Id}}")
    again, _, lines = build(recipe)
    assert again == built
    assert lines == []
    assert docker("image", "inspect", name, "--format", "{{.Id}}") == before
    labels = json.loads(docker("image", "inspect", name, "--format", "{{json .Config.Labels}}"))
    assert labels["dev.crossdock.recipe"] == recipe.digest
    assert labels["dev.crossdock.contract"] == "1"


def test_what_an_image_weighs_beyond_python(base_image: str) -> None:
    _, name, _ = build(recipe_of(base_image))
    sizes = [int(docker("image", "inspect", image, "--format", "{{.Size}}")) for image in (name, base_image)]
    assert sizes[0] - sizes[1] <= LARGEST


def test_a_tag_of_something_else_is_built_over(base_image: str) -> None:
    recipe = recipe_of(base_image)
    docker("tag", base_image, f"crossdock/test:{recipe.digest[:16]}")
    _, name, lines = build(recipe)
    assert lines[0].startswith("building")
    docker("run", "--rm", name, "python", "-m", "crossdock_runtime", "--help")


def test_the_users_own_python_path_stays(base_image: str) -> None:
    _, name, _ = build(recipe_of(made("path", f"FROM {base_image}\nENV PYTHONPATH=/mine\n")))
    path = docker("run", "--rm", name, "python", "-c", "import sys; print(sys.path[1:3])").strip()
    assert path == "['/opt/crossdock/runtime.zip', '/mine']"


# Through the command line


def ok(done: Done, code: int = 0) -> Done:
    assert done.code == code, str(done)
    return done


@pytest.fixture
def project(tmp_path: Path, base_image: str) -> Project:
    found = Project(tmp_path)
    found.write(SOURCE)
    found.write("FACTOR = 2\n", "helper.py")
    found.write("PASSWORD=hunter2\n", ".env")
    for packaging in ("image", "code"):
        config = f"config:\n  image: {base_image}\n  packaging: {packaging}\n"
        found.write(f"flavor: docker\n{config}", f".crossdock/components/orchestrator/by-{packaging}.yaml")
        text = f"components:\n  orchestrator: by-{packaging}\n  artifact_store: default\n"
        found.write(text, f".crossdock/stacks/by-{packaging}.yaml")
    return found


def value(done: Done, task: str = "more") -> object:
    return done.document["tasks"][task]["outputs"]["output"]["value"]


@pytest.mark.parametrize("packaging", ["image", "code"])
def test_both_packagings_run(project: Project, packaging: str) -> None:
    done = ok(project.run("--stack", f"by-{packaging}"))
    assert value(done) == 9
    assert ".env: not packed" in done.err
    images = json.loads((project.folder / ".crossdock/images.lock").read_text())["images"]
    for name in images:
        listed = docker("run", "--rm", name, "find", "/opt/crossdock", "-name", "*.py", "-o", "-name", ".env")
        packed = [f"/opt/crossdock/project/{file}" for file in ("helper.py", "pipe.py")]
        assert sorted(listed.split()) == (packed if packaging == "image" else [])
    project.write("FACTOR = 3\n", "helper.py")
    done = ok(project.run("--stack", f"by-{packaging}"))
    assert value(done) == 13
    assert ("building" in done.err) == (packaging == "image")


def test_build_export_publish_submit(project: Project) -> None:
    ok(project.crossdock("build", "pipe.py", "--stack", "by-code"))
    done = ok(project.crossdock("export", "pipe.py", "--stack", "by-code", "-o", "review"))
    assert "unpinned" not in done.err
    ok(project.crossdock("publish", "review"))
    project.write("FACTOR = 5\n", "helper.py")
    run = ok(project.crossdock("submit", "review")).out.strip()  # those bytes, not the ones here
    assert value(ok(project.crossdock("runs", "show", run, "--json"))) == 9
    plan = json.loads((project.folder / "review/plan.json").read_text())["packaging"]
    (project.store_path / "code" / f"{plan['code']}.zip").unlink()
    assert "the project is not what was reviewed" in ok(project.crossdock("submit", "review"), 2).err
    project.write("FACTOR = 2\n", "helper.py")
    ok(project.crossdock("submit", "review"))


def test_a_bundle_builds_nothing(project: Project) -> None:
    project.write(SOURCE.replace("+ 1", "+ 1001"))  # an image that no other test has built
    done = ok(project.crossdock("export", "pipe.py", "--stack", "by-image", "-o", "review"))
    assert "is unpinned: it is not built yet" in done.err
    done = ok(project.crossdock("submit", "review"), 2)
    assert "has no image crossdock/doubled:" in done.err
    assert "crossdock build SOURCE --stack by-image" in done.err
    assert not (project.store_path / "runs").exists()
    ok(project.crossdock("build", "pipe.py", "--stack", "by-image"))
    run = ok(project.crossdock("submit", "review")).out.strip()
    assert value(ok(project.crossdock("runs", "show", run, "--json"))) == 1009


def test_a_run_is_resumed_where_its_packaging_is_another(project: Project) -> None:
    source = SOURCE.replace('(requirements=["six==1.16.0"])', "").replace("        import six\n", "")
    project.write(source)
    first = ok(project.run("--stack", "by-image")).document["run"]
    done = ok(project.run("--stack", "by-code", "--resume", first))
    assert {body["state"] for body in done.document["tasks"].values()} == {"cached"}


def test_the_users_own_dockerfile_is_built_on(project: Project, base_image: str) -> None:
    project.write(f"FROM {base_image}\nCOPY project/helper.py /theirs.py\nENV MINE=1\n", "Dockerfile")
    config = f"config:\n  image: {base_image}\n  packaging: code\n  dockerfile: Dockerfile\n"
    project.write(f"flavor: docker\n{config}", ".crossdock/components/orchestrator/by-code.yaml")
    built = ok(project.crossdock("build", "pipe.py", "--stack", "by-code", "--json")).document["images"]
    said = docker("run", "--rm", built[0]["name"], "sh", "-c", "cat /theirs.py; echo $MINE")
    assert said == "FACTOR = 2\n1\n"
    assert value(ok(project.run("--stack", "by-code"))) == 9
    project.write(f"FROM {base_image}\nRUN echo one two; exit 7\n", "Dockerfile")
    done = ok(project.crossdock("build", "pipe.py", "--stack", "by-code"), 3)
    assert "the dockerfile does not build: its step fails: RUN echo one two; exit 7" in done.err
    assert "  | one two" in done.err
    project.write(f"FROM {base_image}\nRUNN x\n", "Dockerfile")
    assert "unknown instruction: RUNN" in ok(project.crossdock("build", "pipe.py", "--stack", "by-code"), 3).err


# What fails


def test_a_base_that_is_not_there() -> None:
    said = failure(PlatformError, "base-image-unreachable", "127.0.0.1:1/no/such:1")
    assert "127.0.0.1:1/no/such:1 cannot be had" in said


def test_a_base_that_its_registry_has_not(oci_registry: str) -> None:
    said = failure(PlatformError, "bad-base-image", f"{oci_registry}/no/such:1")
    assert f"there is no base image {oci_registry}/no/such:1" in said


@pytest.mark.parametrize(
    ("name", "change", "what"),
    [
        ("no-python", "RUN rm -f /usr/bin/python*", "the base image has no Python"),
        ("no-pip", "RUN rm -rf /usr/lib/python3/dist-packages/pip", "the base image has Python without pip"),
        (
            "old-python",
            r"RUN printf '#!/bin/sh\n[ $1 = -V ] && echo Python 3.9.2 || exit 1\n' >/usr/local/bin/python"
            " && chmod +x /usr/local/bin/python",
            "the base image has Python 3.9.2, and Crossdock needs 3.11 or newer",
        ),
        ("no-root", "USER nobody", "the base image's user cannot install anything"),
        ("no-shell", "RUN rm /bin/sh", "has no shell"),
    ],
)
def test_a_base_that_lacks_something(base_image: str, name: str, change: str, what: str) -> None:
    assert what in failure(PlatformError, "bad-base-image", made(name, f"FROM {base_image}\n{change}\n"))


def test_requirements_that_cannot_be_had(base_image: str) -> None:
    said = failure(PlatformError, "bad-requirements", base_image, "six==99.1.2")
    assert "there is no distribution six==99.1.2" in said
    said = failure(PlatformError, "bad-requirements", base_image, "six==1.15.0", "six==1.16.0")
    assert "exclude each other" in said
    said = failure(PlatformError, "bad-requirements", base_image, "no requirement")
    assert "a requirement cannot be read" in said


def test_an_index_that_does_not_answer(base_image: str) -> None:
    recipe = recipe_of(base_image, "six==1.14.0")
    with pytest.raises(PlatformError) as caught:
        build(recipe, index=PackageIndex(url="http://127.0.0.1:9/simple", user="me", password={"env": "PATH"}))  # type: ignore[arg-type]
    assert caught.value.id == "index-unreachable"


def test_an_engine_that_does_not_answer(base_image: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/none.sock")
    with pytest.raises(PlatformError, match="cannot be reached") as caught:
        build(recipe_of(base_image))
    assert caught.value.id == "engine-unreachable"
    with pytest.raises(PlatformError):
        BUILDER.exists("x:1", None)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(BadInput, match="there is no docker command here") as missing:
        build(recipe_of(base_image))
    assert missing.value.id == "no-docker"


def test_a_docker_command_without_buildkit(base_image: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    # What Docker 23 and later say where the plugin is not installed; both programs cannot be here at once.
    text = "ERROR: BuildKit is enabled but the buildx component is missing or broken."
    real = docker_engine.docker_program()
    (tmp_path / "docker").write_text(f'#!/bin/sh\n[ "$1" = build ] || exec {real} "$@"\necho "{text}" >&2\nexit 1\n')
    (tmp_path / "docker").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    with pytest.raises(PlatformError, match="has no BuildKit") as caught:
        build(recipe_of(base_image, "six==1.13.0"))
    assert caught.value.id == "no-buildkit"


# Registries


def registry_at(address: str, **config: object) -> DefaultContainerRegistry:
    return DefaultContainerRegistry("here", DefaultContainerRegistryConfig(uri=f"{address}/team", **config))  # type: ignore[arg-type]


def test_a_registry_gives_the_digest(base_image: str, oci_registry: str) -> None:
    registry = registry_at(oci_registry)
    recipe = recipe_of(base_image)
    built, name, said = build(recipe, registry)
    assert built.reference.startswith(f"{oci_registry}/team/test@sha256:")
    assert BUILDER.exists(name, registry)
    assert any(line.startswith("pushing") for line in said)
    docker("rmi", "-f", name, built.reference, check=False)
    docker("run", "--rm", built.reference, "python", "-m", "crossdock_runtime", "--help")
    again, _, said = build(recipe, registry)
    assert again.reference == built.reference
    assert not any(line.startswith("pushing") for line in said[-1:])
    assert not BUILDER.exists(f"{oci_registry}/team/test:other", registry)


@pytest.mark.parametrize("builder", ["engine", "registry"])
def test_a_stack_with_a_registry_pins_by_its_digest(
    project: Project, base_image: str, oci_registry: str, builder: str
) -> None:
    base = f"{oci_registry}/bases/python:3.11"
    docker("tag", base_image, base)
    docker("push", base)
    config = f"config:\n  image: {base}\n  builder: {builder}\n"
    project.write(f"flavor: docker\n{config}", ".crossdock/components/orchestrator/by-image.yaml")
    registry = f"flavor: default\nconfig:\n  uri: {oci_registry}/{builder}\n"
    project.write(registry, ".crossdock/components/container_registry/near.yaml")
    text = "components:\n  orchestrator: by-image\n  artifact_store: default\n  container_registry: near\n"
    project.write(text, ".crossdock/stacks/by-image.yaml")
    built = ok(project.crossdock("build", "pipe.py", "--stack", "by-image", "--json")).document["images"]
    assert {image["reference"].partition("@sha256:")[0] for image in built} == {f"{oci_registry}/{builder}/doubled"}
    assert all(
        image["base"].startswith(f"{oci_registry}/bases/python") and "@sha256:" in image["base"] for image in built
    )
    done = ok(project.crossdock("export", "pipe.py", "--stack", "by-image", "-o", "review"))
    assert "unpinned" not in done.err
    compose = (project.folder / "review/compose.yaml").read_text(encoding="utf-8")
    assert all(image["reference"] in compose for image in built)
    run = ok(project.crossdock("submit", "review")).out.strip()
    assert value(ok(project.crossdock("runs", "show", run, "--json"))) == 9


def test_a_registry_that_refuses(base_image: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # The password is `right`.
    line = "me:$2y$05$abcdefghijklmnopqrstuu8xaCxxL82bnl.UY74PMksDxIJShppPC"
    (tmp_path / "htpasswd").write_text(f"{line}\n")
    auth = f"auth:\n  htpasswd: {{realm: test, path: {tmp_path}/htpasswd}}\n"
    home = tmp_path / "docker"
    home.mkdir()
    (home / "config.json").write_text("{}")
    monkeypatch.setenv("DOCKER_CONFIG", str(home))
    monkeypatch.setenv("REGISTRY_TOKEN", "wrong")
    recipe = recipe_of(base_image)
    with docker_engine.oci_registry(tmp_path, auth) as address:
        credentials = {"user": "me", "token": {"env": "REGISTRY_TOKEN"}}
        for registry in (registry_at(address), registry_at(address, credentials=credentials)):
            with pytest.raises(PlatformError) as caught:
                build(recipe, registry)
            assert caught.value.id == "registry-refused"
            assert "wrong" not in str(caught.value)
        monkeypatch.setenv("REGISTRY_TOKEN", "right")
        registry = registry_at(address, credentials=credentials)
        assert not BUILDER.exists(f"{address}/team/test:{recipe.digest[:16]}", registry)  # nothing is half-pushed
        built, name, _ = build(recipe, registry)
        assert BUILDER.exists(name, registry)
        assert built.reference.startswith(f"{address}/team/test@sha256:")
    assert (home / "config.json").read_text() == "{}"
    with pytest.raises(PlatformError) as caught:
        build(recipe_of(base_image, "six==1.16.0"), registry_at(address))
    assert caught.value.id in ("registry-unreachable", "registry-refused")


# A private index


class Index(BaseHTTPRequestHandler):
    """A package index that wants a login."""

    wheels: Path

    def do_GET(self) -> None:
        given = self.headers.get("Authorization", "").removeprefix("Basic ")
        if b64decode(given).decode() != f"me:{WORDS}":
            self.send_response(401)
            self.send_header("WWW-Authenticate", 'Basic realm="index"')
            self.end_headers()
            return
        parts = self.path.strip("/").split("/")
        if parts[0] == "simple":
            name = parts[1].replace("-", "_")
            found = [file.name for file in self.wheels.iterdir() if file.name.lower().startswith(f"{name}-")]
            self._answer("text/html", "".join(f'<a href="/files/{file}">{file}</a>' for file in found).encode())
        else:
            self._answer("application/octet-stream", (self.wheels / parts[1]).read_bytes())

    def _answer(self, kind: str, body: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing is said."""


@pytest.fixture(scope="module")
def private_index(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    Index.wheels = tmp_path_factory.mktemp("wheels")
    options = ["--only-binary", ":all:", "--python-version", PYTHON, "--platform", "manylinux_2_17_x86_64"]
    options += ["--platform", "manylinux2014_x86_64", "--dest", str(Index.wheels)]
    subprocess.run([sys.executable, "-m", "pip", "download", "-q", *options, OBSTORE, "typing-extensions"], check=True)
    with ThreadingHTTPServer(("127.0.0.1", 0), Index) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/simple"
        server.shutdown()
        thread.join()


def test_nothing_of_a_private_index_is_in_an_image(
    base_image: str, private_index: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INDEX_PASSWORD", WORDS)
    monkeypatch.delenv("PIP_FIND_LINKS", raising=False)
    index = PackageIndex(url=private_index, user="me", password={"env": "INDEX_PASSWORD"})  # type: ignore[arg-type]
    recipe = recipe_of(made("for-index", f"FROM {base_image}\nENV FOR=index\n"))
    built, name, said = build(recipe, index=index)
    assert any(item.startswith("obstore==") for item in built.requirements)
    docker("save", "-o", f"{tmp_path}/image.tar", name)
    kept = (tmp_path / "image.tar").read_bytes()
    history = docker("history", "--no-trunc", "--format", "{{json .}}", name)
    address = private_index.split("/")[2]
    for word in (WORDS, address, "ca-certificates.crt"):
        assert word not in history
        assert word not in "".join(said)
    for word in (WORDS, address):
        assert word.encode() not in kept
    assert b"/run/secrets/pip.conf" in kept  # where it was, not what
    for word in (WORDS, address):
        assert word not in recipe.dockerfile


def test_a_private_index_that_refuses(base_image: str, private_index: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INDEX_PASSWORD", "another-password")
    index = PackageIndex(url=private_index, user="me", password={"env": "INDEX_PASSWORD"})  # type: ignore[arg-type]
    recipe = recipe_of(made("for-no-index", f"FROM {base_image}\nENV FOR=none\n"))
    with pytest.raises(PlatformError, match="there is no distribution obstore") as caught:
        build(recipe, index=index)
    assert "who logs in to it" in str(caught.value.hint)
    assert "another-password" not in str(caught.value)
