"""`crossdock doctor`: on a good machine, on several bad ones, and with flavors of somebody else."""

from __future__ import annotations

import os
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from running import Project

from crossdock import __version__
from crossdock.dsl.errors import StoreError
from crossdock.review.health import probe
from crossdock.review.installed import Library
from crossdock_runtime.store import Store

LOCAL = "components:\n  orchestrator: default\n  artifact_store: default\n"


@pytest.fixture
def project(tmp_path: Path) -> Project:
    found = Project(tmp_path)
    found.env["CROSSDOCK_CONFIG"] = str(tmp_path / "config")
    (tmp_path / "config").mkdir()
    return found


def stack(project: Project, name: str, text: str = LOCAL) -> None:
    project.write(text, f".crossdock/stacks/{name}.yaml")


def component(project: Project, type_: str, name: str, text: str) -> None:
    project.write(text, f".crossdock/components/{type_}/{name}.yaml")


def doctor(project: Project, *words: str, code: int, **env: str) -> Any:
    done = project.crossdock("doctor", "--json", *words, env=env)
    assert done.code == code, str(done)
    assert "Traceback" not in done.err
    assert done.document["works"] == (code == 0)
    return done.document


def messages(problems: list[dict[str, Any]]) -> list[str]:
    return [problem["message"] for problem in problems]


def test_without_any_set_up_it_works(project: Project) -> None:
    found = doctor(project, code=0)
    assert found["crossdock"] == __version__
    assert found["active"] == {"name": "default", "decided_by": "nothing else: it is the default"}
    assert found["stacks"] == [{"name": "default", "can": "run", "problems": []}]
    local = next(flavor for flavor in found["flavors"] if flavor["name"] == "local" and flavor["runs"])
    assert local["offered_by"] == f"crossdock {__version__}"
    kubeflow = next(flavor for flavor in found["flavors"] if flavor["name"] == "kubeflow")
    assert {library["name"]: library["fits"] for library in kubeflow["libraries"]}["kfp"]
    assert kubeflow["install"] is None


def test_it_leaves_nothing_behind(project: Project) -> None:
    before = sorted(project.folder.parent.rglob("*"))
    found = doctor(project, code=0)
    assert found["store"]["state"] == "new"
    assert sorted(project.folder.parent.rglob("*")) == before
    project.store_path.mkdir()
    assert doctor(project, code=0)["store"] == {"url": str(project.store_path), "state": "writable", "problems": []}
    assert list(project.store_path.iterdir()) == []


def test_for_people(project: Project) -> None:
    stack(project, "dev")
    done = project.crossdock("doctor", "--stack", "dev", env={"PYTHONDONTWRITEBYTECODE": "1"})
    assert done.code == 0, str(done)
    assert "✓ dev: compiles and runs (active; decided by --stack)" in done.out
    assert "✓ default: compiles and runs\n" in done.out
    assert "! PYTHONDONTWRITEBYTECODE is set" in done.out
    assert done.out.endswith("\nthe active stack 'dev' works here\n")


def test_an_active_stack_that_is_not_there(project: Project) -> None:
    stack(project, "dev")
    found = doctor(project, code=1, CROSSDOCK_STACK="dve")
    assert found["active"] == {"name": "dve", "decided_by": "the environment variable CROSSDOCK_STACK"}
    dve = found["stacks"][-1]
    assert (dve["name"], dve["can"], dve["problems"][0]["hint"]) == (
        "dve", "nothing", "did you mean 'dev'? there is: default, dev",
    )  # fmt: skip
    assert found["store"] is None


def test_another_stack_that_is_damaged_is_told_and_harms_nothing(project: Project) -> None:
    stack(project, "torn", "components: [\n")
    stack(project, "odd", "components:\n  orchestrator: default\n  artifact_store: default\ncolour: red\n")
    found = {item["name"]: item for item in doctor(project, code=0)["stacks"]}
    assert found["default"]["can"] == "run"
    assert found["torn"]["can"] == found["odd"]["can"] == "nothing"
    assert found["odd"]["problems"][0]["message"] == "unknown key 'colour'"
    assert found["odd"]["problems"][0]["where"] == ".crossdock/stacks/odd.yaml:4"
    assert found["torn"]["problems"][0]["where"].startswith(".crossdock/stacks/torn.yaml")


def test_members_that_do_not_fit(project: Project) -> None:
    component(project, "orchestrator", "kfp", "flavor: kubeflow\n")
    stack(project, "prod", "components:\n  orchestrator: kfp\n  artifact_store: default\n")
    found = doctor(project, "--stack", "prod", code=1)
    (problem,) = next(item for item in found["stacks"] if item["name"] == "prod")["problems"]
    assert "cannot use the artifact store 'default'" in problem["message"]


@pytest.fixture
def unwritable(tmp_path: Path) -> Iterator[Path]:
    """A folder in which nobody can make a file; the superuser can in most."""
    if os.geteuid() == 0:
        yield Path("/proc/self")
        return
    folder = tmp_path / "locked"
    folder.mkdir(mode=0o500)
    yield folder
    folder.chmod(0o700)


def test_a_store_in_which_nothing_can_be_made(project: Project, unwritable: Path) -> None:
    found = doctor(project, code=1, CROSSDOCK_STORE=str(unwritable))
    assert found["store"]["state"] == "broken"
    assert messages(found["store"]["problems"])[0].startswith(f"{unwritable} cannot be written to: ")
    assert found["store"]["problems"][0]["hint"].endswith("CROSSDOCK_STORE=…")


def test_a_file_in_the_place_of_the_store(project: Project) -> None:
    project.write("", "data")
    component(project, "artifact_store", "here", f"flavor: local\nconfig:\n  path: {project.folder}/data/store\n")
    stack(project, "dev", "components:\n  orchestrator: default\n  artifact_store: here\n")
    found = doctor(project, "--stack", "dev", code=1)
    (problem,) = found["store"]["problems"]
    assert found["store"]["state"] == "broken"
    assert f"{project.folder}/data" in problem["message"]
    assert problem["id"]
    assert problem["hint"]
    assert any(
        "CROSSDOCK_STORE is set, but the artifact store 'here'" in text for text in messages(found["environment"])
    )


def test_traps_of_the_environment(project: Project) -> None:
    assert messages(doctor(project, code=0)["environment"]) == [
        f"CROSSDOCK_STORE names {str(project.store_path)!r}, which is not there: "
        "the first run makes it, and lists know no run"
    ]
    project.store_path.mkdir()
    assert doctor(project, code=0)["environment"] == []
    (found,) = doctor(project, code=0, PYTHONDONTWRITEBYTECODE="1")["environment"]
    assert found["id"] == "no-bytecode"
    told = messages(doctor(project, code=0, CROSSDOCK_STORE="store", CROSSDOCK_CONFIG="nowhere")["environment"])
    assert [text.partition(":")[0] for text in told] == [
        "CROSSDOCK_STORE is 'store'",
        "CROSSDOCK_STORE names 'store', which is not there",
        "CROSSDOCK_CONFIG names 'nowhere', which is no folder yet",
    ]


def test_a_working_folder_that_is_gone(project: Project) -> None:
    script = 'mkdir gone && cd gone && rmdir ../gone && exec "$0" doctor'
    done = project.command("sh", "-c", script, str(Path(sys.executable).with_name("crossdock")))
    assert (done.code, done.err) == (
        2,
        "crossdock: the working folder is gone [no-working-folder]\n  hint: cd to one that is there\n",
    )


@pytest.fixture
def plugin(project: Project) -> Path:
    """A distribution of somebody else: a flavor whose extra is not there, and one that cannot be imported."""
    folder = project.folder.parent / "site"
    about = folder / "crossdock_moon-2.0.dist-info"
    about.mkdir(parents=True)
    (about / "METADATA").write_text(
        textwrap.dedent("""\
            Metadata-Version: 2.1
            Name: crossdock-moon
            Version: 2.0
            Provides-Extra: moon
            Requires-Dist: crossdock
            Requires-Dist: no-such-moon-client>=3; extra == "moon"
            Requires-Dist: click>=900.1; extra == "moon"
            Requires-Dist: pydantic[email]>=1.2 ; extra == 'moon'
            Requires-Dist: no-such-other-thing; extra == "mars"
        """)
    )
    (about / "entry_points.txt").write_text(
        "[crossdock.orchestrators]\nmoon = moon:Moon\nbroken = moon_broken:Broken\n"
    )
    (folder / "moon_broken.py").write_text("raise RuntimeError('the moon is broken')\n")
    (folder / "moon.py").write_text(
        textwrap.dedent("""\
            from crossdock.ir import Feature, Level, Support
            from crossdock.stacks import ComponentConfig, Orchestrator


            class Moon(Orchestrator[ComponentConfig]):
                flavor = "moon"
                extra = "moon"
                features = dict.fromkeys(Feature, Support(Level.FULL))
                store_schemes = ("file",)

                def translate(self, plan, stack=None):
                    raise AssertionError("doctor translates nothing")
        """)
    )
    project.env["PYTHONPATH"] = str(folder)
    return folder


def test_what_a_flavor_of_somebody_else_misses(project: Project, plugin: Path) -> None:
    component(project, "orchestrator", "moon", "flavor: moon\n")
    stack(project, "apollo", "components:\n  orchestrator: moon\n  artifact_store: default\n")
    found = doctor(project, "--stack", "apollo", code=1)
    flavors = {flavor["name"]: flavor for flavor in found["flavors"]}
    moon = flavors["moon"]
    assert (moon["offered_by"], moon["runs"]) == ("crossdock-moon 2.0", False)
    assert {library["name"]: library["fits"] for library in moon["libraries"]} == {
        "no-such-moon-client": False,
        "click": False,
        "pydantic": True,
    }
    assert moon["install"] == 'pip install "crossdock-moon[moon]"'
    assert flavors["broken"]["problem"] == "RuntimeError: the moon is broken"
    apollo = found["stacks"][-1]
    assert (apollo["can"], messages(apollo["problems"])) == (
        "compile",
        [
            "flavor 'moon' misses no-such-moon-client, click",
            "flavor 'moon' compiles pipelines, and cannot start runs yet",
        ],
    )
    done = project.crossdock("doctor")
    assert "! orchestrator       moon              compiles, from crossdock-moon 2.0, pydantic " in done.out
    assert "no-such-moon-client>=3 is missing, click>=900.1 is " in done.out
    assert '  hint: pip install "crossdock-moon[moon]"' in done.out
    assert "✗ orchestrator       broken            RuntimeError: the moon is broken" in done.out


def test_two_packages_that_offer_one_flavor(project: Project, plugin: Path) -> None:
    points = plugin / "crossdock_moon-2.0.dist-info" / "entry_points.txt"
    points.write_text("[crossdock.orchestrators]\nlocal = moon:Moon\n")
    found = doctor(project, code=1)
    (flavor,) = (flavor for flavor in found["flavors"] if flavor["type"] == "orchestrator")
    assert flavor["problem"].startswith("two packages offer the orchestrator flavor 'local'")
    assert flavor["install"] == "uninstall one of them"
    assert found["stacks"][0]["can"] == "nothing"
    assert found["stacks"][0]["problems"][0]["message"].startswith("two packages offer")


@pytest.mark.parametrize(
    ("wanted", "version", "fits"),
    [
        (">=2.9", "2.14.1", True),
        (">=2.9", "2.9.0", True),
        (">=2.9", "2.8.9", False),
        (">=2,<3", "1.9", False),
        ("", "0.1", True),
        ("", None, False),
        (">=1.0", None, False),
        (">=4.0", "4.0rc1", True),
    ],
)
def test_versions(wanted: str, version: str | None, fits: bool) -> None:
    assert Library("thing", wanted, version).fits is fits


def test_the_probe_leaves_nothing_in_a_store() -> None:
    store = Store.open("memory:///doctor")
    probe(store)
    assert list(store.keys()) == []


def test_the_probe_of_a_store_that_takes_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreError):
        probe(Store.open(tmp_path / "file"))


def test_it_loads_no_library_of_a_vendor(project: Project) -> None:
    code = (
        "import sys; from crossdock.cli.main import run; code = run(['doctor']);"
        "found = {'kfp', 'google.protobuf', 'kubernetes', 'obstore', 'pandas'} & set(sys.modules);"
        "sys.exit(code or (1 if found else 0))"
    )
    done = project.command(sys.executable, "-c", code)
    assert done.code == 0, str(done)
