"""Code packages: what is in them, what never is, and that equal projects are equal bytes."""

from __future__ import annotations

import hashlib
import os
import random
import subprocess
import time
import zipfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crossdock.dsl.errors import BadInput
from crossdock.review import code_package
from crossdock.review.code_package import CodePackage, pack
from crossdock.review.project_files import project_files
from crossdock.review.secret_files import secret_in, secret_name
from crossdock_runtime.code import is_safe

AWS = "AKIA" + "QWERTYUIOPASDFGH"


def write(root: Path, **files: str | bytes) -> Path:
    return written(root, files)


def written(root: Path, files: dict[str, str | bytes]) -> Path:
    for name, data in files.items():
        file = root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data if isinstance(data, bytes) else data.encode())
    return root


def git(root: Path, *words: str) -> None:
    subprocess.run(
        ["git", "-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "protocol.file.allow=always", *words],
        cwd=root, check=True, capture_output=True,
    )  # fmt: skip


def paths(package: CodePackage) -> list[str]:
    return [file.path for file in package.files]


def archive(package: CodePackage, folder: Path) -> bytes:
    file = folder / f"{random.random()}.zip"
    package.write(file)
    return file.read_bytes()


# What is in it


def test_git_says_what_belongs_to_the_project(tmp_path: Path) -> None:
    write(tmp_path, **{"tracked.py": "1", "gone.py": "1", "forced.log": "1", ".gitignore": "*.log\n/out/\n"})
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", "-f", ".")
    git(tmp_path, "commit", "-qm", "all")
    (tmp_path / "gone.py").unlink()
    write(tmp_path, **{"tracked.py": "2", "new.py": "1", "other.log": "1", "out/x.py": "1", "a b/ü.py": "1"})
    package = pack(tmp_path)
    assert paths(package) == [".gitignore", "a b/ü.py", "forced.log", "new.py", "tracked.py"]
    assert package.files[-1].digest == hashlib.sha256(b"2").hexdigest()


def test_a_folder_of_a_repository_is_packed_alone(tmp_path: Path) -> None:
    written(tmp_path, {"other/x.py": "1", "mine/y.py": "1", "mine/pyproject.toml": ""})
    git(tmp_path, "init", "-q")
    assert paths(pack(tmp_path / "mine")) == ["pyproject.toml", "y.py"]


def test_a_project_that_git_ignores_is_walked(tmp_path: Path) -> None:
    written(tmp_path, {".gitignore": "scratch/\n", "scratch/pipe.py": "1"})
    git(tmp_path, "init", "-q")
    assert paths(pack(tmp_path / "scratch")) == ["pipe.py"]


def test_a_repository_in_it_is_packed_as_git_sees_that_one(tmp_path: Path) -> None:
    inner = written(tmp_path / "inner", {"x.py": "1", "y.log": "1", ".gitignore": "*.log\n"})
    git(inner, "init", "-q")
    outer = written(tmp_path / "outer", {"pipe.py": "1", "beside/z.py": "1"})
    git(inner, "add", ".")
    git(inner, "commit", "-qm", "x")
    git(outer, "init", "-q")
    git(outer, "submodule", "add", "-q", str(inner), "lib")
    git(outer / "beside", "init", "-q")
    assert paths(pack(outer)) == [".gitmodules", "beside/z.py", "lib/.gitignore", "lib/x.py", "pipe.py"]


def test_without_git_what_is_made_is_left_out(tmp_path: Path) -> None:
    written(
        tmp_path,
        {
            "pipe.py": "1",
            "env/pyvenv.cfg": "",
            "env/lib/x.py": "1",
            "build/x.py": "1",
            "steps/build/__init__.py": "",
            "node_modules/x.js": "1",
            "__pycache__/pipe.pyc": "1",
            ".pytest_cache/x": "1",
            "thing.egg-info/PKG-INFO": "1",
            "steps/x.pyc": "1",
            "steps/data.csv": "1",
        },
    )
    assert paths(pack(tmp_path)) == ["pipe.py", "steps/build/__init__.py", "steps/data.csv"]


@pytest.mark.parametrize("with_git", [False, True])
def test_crossdockignore_is_read_as_gitignore(tmp_path: Path, with_git: bool) -> None:
    names = [
        "a.py",
        "notes/x.md",
        "notes/keep.md",
        "deep/notes/x.md",
        "data/1.csv",
        "data/2.csv",
        "x.tmp",
        "deep/y.tmp",
    ]
    written(tmp_path, dict.fromkeys(names, "1"))
    lines = "# what no step needs\r\n/notes/*\r\n!/notes/keep.md\r\n*.tmp\r\ndata/\r\n"
    written(tmp_path, {".crossdockignore": lines})
    if with_git:
        git(tmp_path, "init", "-q")
        git(tmp_path, "add", ".")
    assert paths(pack(tmp_path)) == [".crossdockignore", "a.py", "deep/notes/x.md", "notes/keep.md"]


PATTERNS = st.lists(
    st.sampled_from(
        [
            "a",
            "/a",
            "a/",
            "*.py",
            "!a",
            "!*.py",
            "b/*",
            "**/c",
            "a/**",
            "[ab].py",
            "b/**/x.py",
            "\\!a",
            "?",
            "[!a]",
            "a/*/d.txt",
            "[",
            "**",
            "b/**",
            "x ",
            "[a-b].p?",
        ]
    ),
    max_size=4,
)


@settings(max_examples=40, deadline=None)
@given(PATTERNS)
def test_crossdockignore_means_what_git_means(tmp_path_factory: pytest.TempPathFactory, patterns: list[str]) -> None:
    root = tmp_path_factory.mktemp("ignore")
    names = ["a.py", "b.py", "x", "a/x.py", "a/c/d.txt", "b/x.py", "b/a/x.py", "b/c", "!a"]
    written(root, dict.fromkeys(names, "1"))
    written(root, {".crossdockignore": "\n".join(patterns) + "\n"})
    git(root, "init", "-q")
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--others", "--exclude-from=.crossdockignore"],
        cwd=root, check=True, capture_output=True, text=True,
    ).stdout  # fmt: skip
    assert [name for name, _ in project_files(root)] == sorted(name for name in listed.split("\0") if name)


@pytest.mark.parametrize("with_git", [False, True])
def test_what_crossdock_writes_changes_no_package(tmp_path: Path, with_git: bool) -> None:
    written(tmp_path, {"pipe.py": "1", ".gitignore": "*.lock\n"})
    if with_git:
        git(tmp_path, "init", "-q")
    before = pack(tmp_path).digest
    written(
        tmp_path,
        {
            ".crossdock/stacks/dev.yaml": "1",
            "images.lock": "1",
            "review/crossdock.lock": "1",
            "review/plan.json": "1",
            "review/images/0/Dockerfile": "1",
            "store/runs/r/run.json": "1",
        },
    )
    assert pack(tmp_path, without=[tmp_path / "store"]).digest == before


def test_links(tmp_path: Path) -> None:
    root = written(tmp_path / "root", {"shared/x.py": "1", "shared/y.py": "2", "pipe.py": "1"})
    (root / "one.py").symlink_to("shared/x.py")
    (root / "folder").symlink_to("shared")
    assert paths(pack(root)) == ["folder/x.py", "folder/y.py", "one.py", "pipe.py", "shared/x.py", "shared/y.py"]
    written(tmp_path, {"outside.py": "1"})
    for name, target, what in (
        ("bad", "../outside.py", "is a link out of the project, to '../outside.py'"),
        ("bad", "/etc", "is a link out of the project, to '/etc'"),
        ("bad", "nowhere", "is a link to 'nowhere', which is not there"),
        ("bad", "bad", "is a link to 'bad', which is not there"),
        ("shared/bad", "..", "the folder that it is in"),
    ):
        (root / name).symlink_to(target)
        with pytest.raises(BadInput, match=what) as caught:
            pack(root)
        assert caught.value.id == "bad-link"
        written(root, {".crossdockignore": f"{name}\n"})
        pack(root)
        (root / name).unlink()
        (root / ".crossdockignore").unlink()


def test_names_that_not_every_system_takes_are_refused_together(tmp_path: Path) -> None:
    written(tmp_path, {"pipe.py": "1", "a:b.py": "1", "c\\d.py": "1", "line\nbreak.py": "1"})
    (tmp_path / os.fsdecode(b"\xff.py")).write_text("1")
    with pytest.raises(BadInput) as caught:
        pack(tmp_path)
    assert caught.value.id == "not-packable"
    assert len(caught.value.problems) == 4


# What is never in it


@pytest.mark.parametrize(
    "name",
    [
        ".env", "deep/.env.local", "prod.env", "key.pem", "x/SERVER.KEY", "id_rsa", "id_ed25519", ".netrc", ".pypirc",
        "kubeconfig", "deep/.kube/config", ".aws/credentials", "credentials.json", "client_secret_1.json",
        "service-account.json", ".git-credentials", "secrets.yaml", "terraform.tfstate", ".docker/config.json",
    ],
)  # fmt: skip
def test_a_secret_by_name_is_never_packed(tmp_path: Path, name: str) -> None:
    package = pack(written(tmp_path, {"pipe.py": "1", name: "harmless"}))
    assert paths(package) == ["pipe.py"]
    assert [problem.where for problem in package.warnings] == [name]
    assert package.warnings[0].id == "secret-not-packed"


@pytest.mark.parametrize("name", [".env.example", "environment.py", "keys.py", "config", "pem.txt", "credentials.py"])
def test_what_is_none_by_name_is_packed(name: str) -> None:
    assert secret_name(name) is None


@pytest.mark.parametrize(
    ("name", "text", "line"),
    [
        ("steps.py", f"a = 1\nkey = '{AWS}'\n", "line 2 looks like an AWS access key"),
        ("notes.md", "-----BEGIN RSA PRIVATE KEY-----\n", "line 1 looks like a private key"),
        ("pip.conf", "index-url = https://me:hunter22@example.org/simple\n", "line 1 looks like a URL with a password"),
        ("config.yaml", "db:\n  password: hunter2222\n", "it has what looks like a password"),
        ("cloud.json", '{"type": "service_account", "private_key": "x"}', "the key of a Google service account"),
    ],
)
def test_a_secret_by_its_contents_is_never_packed_nor_shown(tmp_path: Path, name: str, text: str, line: str) -> None:
    package = pack(written(tmp_path, {"pipe.py": "1", name: text}))
    assert paths(package) == ["pipe.py"]
    (warning,) = package.warnings
    assert line in warning.message
    assert "hunter" not in str(warning)
    assert AWS not in str(warning)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("db.py", '"""Reads postgres://user:password@host/db."""\npassword = "hunter2222"\n'),
        ("token.py", "token = tokens[0]\n"),
        ("data.bin", b"\0AKIA" + AWS.encode()),
    ],
)
def test_code_is_full_of_examples(name: str, text: str | bytes) -> None:
    assert secret_in(name, text if isinstance(text, bytes) else text.encode()) is None


def test_a_step_that_no_container_would_have_is_an_error(tmp_path: Path) -> None:
    written(tmp_path, {"pipe.py": f"key = '{AWS}'", "other.py": "1", ".crossdockignore": "other.py\n"})
    with pytest.raises(BadInput, match="holds steps, and cannot be packed: line 1 looks like an AWS") as caught:
        pack(tmp_path, needed=[tmp_path / "pipe.py"])
    assert caught.value.id == "secret-not-packed"
    with pytest.raises(BadInput, match="holds steps, and is ignored") as caught:
        pack(tmp_path, needed=[tmp_path / "other.py"])
    assert caught.value.id == "no-code"


# Sizes


def test_it_says_what_it_packed_and_what_is_large(tmp_path: Path) -> None:
    written(tmp_path, {"pipe.py": "1" * 1200, "big.csv": b"x" * 6_000_000})
    package = pack(tmp_path)
    assert package.summary().endswith(": 2 files, 6.0 MB; the largest: big.csv (6.0 MB), pipe.py (1.2 kB)")
    (warning,) = package.warnings
    assert str(warning).startswith("big.csv: 6.0 MB in the code package")
    assert "add big.csv to .crossdockignore" in str(warning)


def test_too_large_is_refused_without_reading_it_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(code_package, "LIMIT", 10_000)
    written(tmp_path, {"pipe.py": "1", "huge.bin": b"x" * 20_000})
    with pytest.raises(BadInput, match=r"too large, more than 10.0 kB: .*huge.bin \(20.0 kB\)") as caught:
        pack(tmp_path)
    assert caught.value.id == "package-too-large"
    assert ".crossdockignore" in str(caught.value)
    written(tmp_path, {".crossdockignore": "*.bin\n"})
    pack(tmp_path)


def test_a_file_that_changes_meanwhile_is_an_error(tmp_path: Path) -> None:
    package = pack(written(tmp_path, {"pipe.py": "1"}))
    written(tmp_path, {"pipe.py": "2"})
    with pytest.raises(BadInput, match="was changed while it was packed"):
        package.write(tmp_path / "x.zip")


def test_two_thousand_files_take_a_moment(tmp_path: Path) -> None:
    written(tmp_path, {f"p{number % 50}/m{number}.py": f"x = {number}\n" * 200 for number in range(2000)})
    git(tmp_path, "init", "-q")
    started = time.perf_counter()
    package = pack(tmp_path)
    assert len(package.files) == 2000
    assert time.perf_counter() - started < 5


# Equal projects are equal bytes

NAMES = st.lists(
    st.text("abcü€ .-_", min_size=1, max_size=6).filter(lambda name: name.strip(". ") == name), min_size=1, max_size=3
).map("/".join)


@settings(max_examples=40, deadline=None)
@given(st.dictionaries(NAMES, st.tuples(st.binary(max_size=40), st.booleans()), max_size=6), st.randoms())
def test_the_same_files_are_the_same_package(
    tmp_path_factory: pytest.TempPathFactory, files: dict[str, tuple[bytes, bool]], chance: random.Random
) -> None:
    files = {f"d{index}/{name}": item for index, (name, item) in enumerate(files.items())}
    packages = []
    for umask in (0o022, 0o077):
        root = tmp_path_factory.mktemp("project")
        before = os.umask(umask)
        try:
            for name in chance.sample(sorted(files), len(files)):
                data, executable = files[name]
                written(root, {name: data})
                (root / name).chmod(0o755 if executable else 0o600)
                moment = chance.randrange(10**9)
                os.utime(root / name, (moment, moment))
        finally:
            os.umask(before)
        packages.append(pack(root))
    folder = tmp_path_factory.mktemp("zips")
    one, other = packages
    assert one.digest == other.digest
    assert archive(one, folder) == archive(other, folder)
    with zipfile.ZipFile(next(folder.iterdir())) as found:
        assert {about.filename: found.read(about) for about in found.infolist()} == {
            name: data for name, (data, _) in files.items()
        }
    assert all(is_safe(name) for name in files)
    if files:
        name, (data, executable) = next(iter(files.items()))
        changed = pack(written(one.root, {name: data + b"x"}))
        assert changed.digest != one.digest
        written(one.root, {name: data})
        (one.root / name).chmod(0o600 if executable else 0o755)
        assert pack(one.root).digest != one.digest
