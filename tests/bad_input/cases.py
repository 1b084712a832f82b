"""The corpus: what users type, name and break."""

from __future__ import annotations

import hashlib
import json
import shutil
from typing import Any

from .scene import Case, Scene, both, cut, document, file, flipped, stack, store_component, stored

REGISTER = "stack register {} -o here -a near"
RESULT = "runs/morning-1/tasks/load/result.json"
PLAN = "plans/*.json"
BUNDLE = ("export", "pipe.py", "--stack", "dev", "-o", "bundle")


def _without_runs(scene: Scene) -> None:
    shutil.rmtree(scene.store)


def _file_as_store(scene: Scene) -> None:
    shutil.rmtree(scene.store)
    scene.store.write_text("mine")


def _removed(name: str) -> Any:
    return lambda scene: (scene.project / name).unlink()


def _folder(name: str) -> Any:
    return lambda scene: (scene.project / name).mkdir(parents=True)


def _two_packages(scene: Scene) -> None:
    for name in ("one", "other"):
        scene.write(f"site/{name}-1.dist-info/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1\n")
        scene.write(
            f"site/{name}-1.dist-info/entry_points.txt", f"[crossdock.orchestrators]\nfast = {name}.fast:Fast\n"
        )


COMMAND_LINE = (
    Case("command_line/unknown_command", "unknown-command", "rnu pipe.py"),
    Case("command_line/nothing_like_a_command", "unknown-command", "frobnicate"),
    Case("command_line/unknown_subcommand", "unknown-command", "runs sho latest"),
    Case("command_line/unknown_option", "unknown-option", "run pipe.py --stak dev", process=True),
    Case("command_line/no_source", "missing-argument", "run"),
    Case("command_line/source_is_empty", "unknown-source", "run ''"),
    Case("command_line/one_argument_too_many", "wrong-usage", "run pipe.py rows=3"),
    Case("command_line/option_without_its_value", "missing-argument", "run pipe.py -p"),
    Case("command_line/no_workers", "bad-argument", "run pipe.py --max-workers 0"),
    Case("command_line/workers_in_words", "bad-argument", "run pipe.py --max-workers two"),
    Case("command_line/unknown_format", "bad-argument", "show pipe.py --format png"),
    Case("command_line/stack_and_target", "wrong-usage", "compile pipe.py --stack dev --target local"),
    Case("command_line/unknown_target", "unknown-flavor", "check pipe.py --target kubeflw"),
    Case("command_line/unknown_flavor", "unknown-flavor", "flavor describe orchestrator argoo"),
    Case("command_line/unknown_setting", "bad-config", "artifact-store register far --flavor local --pth=/x"),
    Case("command_line/no_flavor", "missing-argument", "artifact-store register far"),
)

PARAMETERS = (
    Case("parameters/no_number", "bad-parameter", "run pipe.py -p rows=many"),
    Case("parameters/unknown_name", "unknown-parameter", "run pipe.py -p rwos=3"),
    Case("parameters/no_value", "missing-parameter", "run counting.py"),
    Case("parameters/several_problems", "bad-input", "run pipe.py -p rows=many -p fial=true"),
    Case("parameters/twice", "duplicate-parameter", "run pipe.py -p rows=3 -p rows=4"),
    Case("parameters/file_is_missing", "unreadable-file", "run pipe.py --params nope.yaml"),
    Case("parameters/file_is_a_folder", "unreadable-file", "run pipe.py --params .crossdock"),
    Case(
        "parameters/file_is_no_text",
        "unreadable-file",
        "run pipe.py --params p.yaml",
        file("p.yaml", b"rows: \xff\xfe"),
    ),
    Case(
        "parameters/file_is_no_yaml",
        "not-yaml",
        "run pipe.py --params p.yaml",
        file("p.yaml", "rows: 3\nfail: [true\n"),
    ),
    Case("parameters/file_has_a_tab", "not-yaml", "run pipe.py --params p.yaml", file("p.yaml", "rows:\n\t- 3\n")),
    Case(
        "parameters/file_with_a_wrong_value",
        "bad-parameter",
        "run pipe.py --params p.yaml",
        file("p.yaml", "# rows\nrows: three\n"),
    ),
    Case(
        "parameters/file_with_an_object",
        "not-yaml",
        "run pipe.py --params p.yaml",
        file("p.yaml", "rows: !!python/object/apply:os.system [date]\n"),
    ),
    Case("parameters/file_too_deep", "not-yaml", "run pipe.py --params p.yaml", file("p.yaml", "rows: " + "[" * 3000)),
)

STACKS = (
    Case("stacks/unknown", "unknown-stack", "run pipe.py --stack nope"),
    Case("stacks/nearly", "unknown-stack", "run pipe.py --stack dve", process=True),
    Case("stacks/unknown_by_environment", "unknown-stack", "run pipe.py", env={"CROSSDOCK_STACK": "nope"}),
    Case("stacks/active_one_is_gone", "unknown-stack", "run pipe.py", file(".crossdock/local/active-stack", "gone\n")),
    Case(
        "stacks/not_yaml",
        "not-yaml",
        "run pipe.py --stack dev",
        stack("components:\n  orchestrator: [here\nprotected: 1\n"),
    ),
    Case("stacks/empty", "bad-definition", "run pipe.py --stack dev", stack("")),
    Case("stacks/not_text", "unreadable-file", "run pipe.py --stack dev", stack(b"\xff\xfe")),
    Case(
        "stacks/folder_in_its_place",
        "unreadable-file",
        "run pipe.py --stack dev",
        both(_removed(".crossdock/stacks/dev.yaml"), _folder(".crossdock/stacks/dev.yaml")),
    ),
    Case("stacks/list", "bad-definition", "run pipe.py --stack dev", stack("- here\n- near\n")),
    Case(
        "stacks/unknown_key",
        "bad-definition",
        "run pipe.py --stack dev",
        stack("components:\n  orchestrator: here\n  artifact_store: near\nprotectd: true\n"),
    ),
    Case(
        "stacks/key_twice",
        "not-yaml",
        "run pipe.py --stack dev",
        stack("components:\n  orchestrator: here\n  orchestrator: cluster\n  artifact_store: near\n"),
    ),
    Case(
        "stacks/two_orchestrators",
        "bad-definition",
        "run pipe.py --stack dev",
        stack("components:\n  orchestrator: [here, cluster]\n  artifact_store: near\n"),
    ),
    Case(
        "stacks/no_orchestrator",
        "bad-definition",
        "run pipe.py --stack dev",
        stack("components:\n  artifact_store: near\n"),
    ),
    Case("stacks/no_components", "bad-definition", "run pipe.py --stack dev", stack("description: mine\n")),
    Case(
        "stacks/unknown_type",
        "bad-definition",
        "run pipe.py --stack dev",
        stack("components:\n  orchestrator: here\n  artifact_store: near\n  artefact_store: far\n"),
    ),
    Case(
        "stacks/component_is_gone",
        "unusable-stack",
        "run pipe.py --stack dev",
        _removed(".crossdock/components/artifact_store/near.yaml"),
    ),
    Case(
        "stacks/component_misspelled",
        "unusable-stack",
        "run pipe.py --stack dev",
        stack("components:\n  orchestrator: hree\n  artifact_store: near\n"),
    ),
    Case(
        "stacks/remote_with_a_local_store",
        "unusable-stack",
        "compile pipe.py --stack dev",
        stack("components:\n  orchestrator: cluster\n  artifact_store: near\n"),
    ),
    Case(
        "stacks/guardrails",
        "unusable-stack",
        "run pipe.py --stack dev",
        stack(
            "components:\n  orchestrator: here\n  artifact_store: near\n"
            "protected: maybe\nlimits:\n  cpus: 4\n  memory: lots\nallow:\n  users: 7\n"
        ),
    ),
    Case(
        "stacks/file_with_a_bad_name", "bad-name", "stack describe 'a b'", file(".crossdock/stacks/a b.yaml", "x: 1\n")
    ),
    Case("stacks/describe_unknown", "unknown-stack", "stack describe nope"),
    Case("stacks/set_unknown", "unknown-stack", "stack set dve"),
    Case("stacks/delete_unknown", "unknown-stack", "stack delete nope --yes"),
    Case("stacks/delete_default", "built-in", "stack delete default --yes"),
    Case("stacks/register_with_unknown_component", "unusable-stack", "stack register new -o here -a nowhere"),
    Case("stacks/register_without_store", "bad-definition", "stack register new -o here"),
    Case("stacks/component_in_use", "component-in-use", "artifact-store delete near"),
    Case("stacks/import_of_nothing", "unreadable-file", "stack import nope.yaml"),
    Case("stacks/import_of_a_stack_file", "bad-export", "stack import .crossdock/stacks/dev.yaml"),
    Case(
        "stacks/import_of_another_format",
        "bad-export",
        "stack import e.yaml",
        file("e.yaml", "crossdock: 9\nstack: {}\n"),
    ),
    Case(
        "stacks/import_of_a_damaged_one",
        "bad-export",
        "stack import e.yaml",
        file("e.yaml", "crossdock: 1\nstack:\n  name: ../x\n  components: {}\ncomponents:\n- name: near\n"),
    ),
    Case("stacks/export_onto_a_folder", "not-writable", "stack export dev -o .crossdock"),
    Case(
        "stacks/definitions_in_a_file",
        "not-writable",
        REGISTER.format("new"),
        lambda scene: (shutil.rmtree(scene.project / ".crossdock/stacks"), scene.write(".crossdock/stacks", "mine")),
    ),
)

COMPONENTS = (
    Case(
        "components/not_yaml",
        "unusable-stack",
        "run pipe.py --stack dev",
        store_component("flavor: local\nconfig: {path\n"),
    ),
    Case("components/no_flavor", "unusable-stack", "run pipe.py --stack dev", store_component("config: {}\n")),
    Case(
        "components/unknown_flavor",
        "unusable-stack",
        "run pipe.py --stack dev",
        store_component("# it\nflavor: lcoal\n"),
    ),
    Case(
        "components/wrong_type",
        "unusable-stack",
        "run pipe.py --stack dev",
        store_component("flavor: local\nconfig:\n  path: [1, 2]\n"),
    ),
    Case(
        "components/unknown_setting",
        "unusable-stack",
        "run pipe.py --stack dev",
        store_component("flavor: local\nconfig:\n  pth: /data\n"),
    ),
    Case(
        "components/config_is_a_list",
        "unusable-stack",
        "run pipe.py --stack dev",
        store_component("flavor: local\nconfig: [1]\n"),
    ),
    Case(
        "components/out_of_range",
        "unusable-stack",
        "run pipe.py --stack dev",
        file(
            ".crossdock/components/orchestrator/here.yaml",
            "flavor: local\nconfig:\n  max_workers: 0\n  isolation: some\n",
        ),
    ),
    Case(
        "components/true_is_no_number",
        "unusable-stack",
        "run pipe.py --stack dev",
        file(".crossdock/components/orchestrator/here.yaml", "flavor: local\nconfig:\n  max_workers: true\n"),
    ),
    Case(
        "components/secret_of_no_reference",
        "unusable-stack",
        "run pipe.py --stack dev",
        store_component(
            "flavor: s3\nconfig:\n  uri: s3://bucket/x\n  access_key_id: {env: KEY}\n"
            "  secret_access_key: {azure: name}\n"
        ),
    ),
    Case("components/register_unknown_flavor", "unknown-flavor", "artifact-store register far --flavor s4"),
    Case(
        "components/register_a_wrong_type", "bad-config", "orchestrator register fast --flavor local --max_workers=lots"
    ),
    Case(
        "components/registry_with_a_scheme",
        "bad-config",
        "container-registry register images --flavor default --uri=https://registry.example.com/team",
    ),
    Case(
        "components/registry_of_no_account",
        "bad-config",
        "container-registry register images --flavor ecr --registry-id=1234 --region=Ireland",
    ),
    Case(
        "components/registry_with_its_password",
        "bad-config",
        "container-registry register images --flavor dockerhub --owner=team --credentials.user=me "
        "--credentials.token=hunter2",
    ),
    Case(
        "components/dockerfile_that_cannot_be_followed",
        "dockerfile-not-taken",
        "export pipe.py --stack dev -o other",
        both(
            file(
                ".crossdock/components/orchestrator/boat.yaml",
                "flavor: docker\nconfig:\n  builder: registry\n  dockerfile: Dockerfile\n",
            ),
            file(".crossdock/components/container_registry/images.yaml", "flavor: default\nconfig: {uri: localhost}\n"),
            stack("components:\n  orchestrator: boat\n  artifact_store: near\n  container_registry: images\n"),
        ),
    ),
    Case("components/describe_unknown", "unknown-component", "artifact-store describe nera"),
    Case(
        "components/two_packages_of_one_flavor",
        "two-packages",
        "check pipe.py --target fast",
        _two_packages,
        env={"PYTHONPATH": "{project}/site"},
        process=True,
    ),
    Case(
        "components/flavor_that_cannot_be_imported",
        "flavor-not-loadable",
        "check pipe.py --target fast",
        lambda scene: (_two_packages(scene), shutil.rmtree(scene.project / "site/other-1.dist-info")),
        env={"PYTHONPATH": "{project}/site"},
        process=True,
    ),
)

NAMES = (
    Case("names/path", "bad-name", REGISTER.format("../x")),
    Case("names/device", "bad-name", REGISTER.format("con")),
    Case("names/device_with_an_ending", "bad-name", REGISTER.format("NUL.dev")),
    Case("names/blank", "bad-name", REGISTER.format("'a b'")),
    Case("names/empty", "bad-name", REGISTER.format("''")),
    Case("names/long", "bad-name", REGISTER.format("x" * 100)),
    Case("names/letters_of_other_alphabets", "bad-name", REGISTER.format("größe")),
    Case("names/hidden", "bad-name", REGISTER.format(".dev")),
    Case("names/option", "unknown-option", REGISTER.format("-x")),
    Case("names/built_in", "built-in", REGISTER.format("default")),
    Case("names/taken", "name-taken", REGISTER.format("dev")),
    Case("names/taken_but_for_case", "name-taken", REGISTER.format("DEV")),
    Case("names/component", "bad-name", "artifact-store register ../x --flavor local"),
    Case("names/rename", "bad-name", "stack rename dev a/b"),
    Case("names/run_with_a_slash", "bad-run-id", "run pipe.py --run-id a/b"),
    Case("names/run_going_up", "bad-run-id", "run pipe.py --run-id .."),
    Case("names/run_that_leaves_no_plan", "bad-run-id", "run counting.py -p data=pipe.py --run-id a/b"),
    Case("names/run_too_long", "bad-run-id", "run pipe.py --run-id " + "x" * 64),
    Case("names/run_taken", "run-id-taken", "run pipe.py --run-id morning-1"),
)

URIS = (
    Case("uris/one_slash", "bad-uri", "run counting.py -p data=s3:/bucket/key"),
    Case("uris/ftp", "bad-uri", "run counting.py -p data=ftp://host/file"),
    Case("uris/password", "secret-in-uri", "run counting.py -p data=s3://me:hunter2@bucket/key"),
    Case("uris/empty", "bad-uri", "run counting.py -p data="),
    Case("uris/no_bucket", "bad-uri", "run counting.py -p data=s3://"),
    Case("uris/missing_file", "bad input", "run counting.py -p data=nope.txt", code=1, runs=True, process=True),
    Case(
        "uris/folder_for_a_file",
        "user exception",
        "run counting.py -p data=.crossdock",
        code=1,
        runs=True,
        process=True,
    ),
    Case(
        "uris/default_of_a_pipeline",
        "bad-uri",
        "check other.py",
        lambda scene: scene.write(
            "other.py",
            (scene.project / "counting.py")
            .read_text()
            .replace("data: Path)", 'data: Path = Path("s3:/x"))', 2)
            .replace('def count(data: Path = Path("s3:/x"))', "def count(data: Path)"),
        ),
    ),
)

STORE = (
    Case("store/file_run", "not-a-folder", "run pipe.py", _file_as_store, code=3),
    Case("store/file_list", "not-a-folder", "runs list", _file_as_store, code=3, process=True),
    Case("store/file_show", "not-a-folder", "runs show latest", _file_as_store, code=3),
    Case(
        "store/below_a_file", "not-a-folder", "run pipe.py", env={"CROSSDOCK_STORE": "{project}/pipe.py/store"}, code=3
    ),
    Case("store/not_there", "unknown-run", "runs show latest", env={"CROSSDOCK_STORE": "{top}/elsewhere"}),
    Case("store/relative", "unknown-run", "runs outputs morning-1", env={"CROSSDOCK_STORE": "elsewhere"}),
    Case("store/url_as_a_path", "bad-config", "artifact-store register far --flavor local --path=s3://bucket/x"),
    Case("store/another_scheme", "bad-config", "artifact-store register far --flavor s3 --uri gs://bucket/x"),
    Case(
        "store/a_password_in_the_uri", "bad-config", "artifact-store register far --flavor s3 --uri s3://me:pw@bucket"
    ),
    Case("store/no_tls", "bad-config", "artifact-store register far --flavor gcs --uri gs://bkt --endpoint http://x:1"),
    Case("store/no_account", "bad-config", "artifact-store register far --flavor azure --uri az://container/x"),
    Case(
        "store/half_a_key",
        "bad-config",
        "artifact-store register far --flavor s3 --uri s3://bkt --access_key_id '{env: A}'",
    ),
    Case(
        "store/user_folder_is_a_file",
        "not-writable",
        REGISTER.format("new") + " --user",
        lambda scene: (scene.top / "user").write_text("mine"),
    ),
)

RUNS = (
    Case("runs/show_unknown", "unknown-run", "runs show nope"),
    Case("runs/logs_unknown", "unknown-run", "runs logs nope"),
    Case("runs/outputs_unknown", "unknown-run", "runs outputs nope"),
    Case("runs/resume_unknown", "unknown-run", "runs resume nope", process=True),
    Case("runs/replay_unknown", "unknown-run", "runs replay nope load"),
    Case("runs/explain_unknown", "unknown-run", "runs explain-cache nope load"),
    Case("runs/cancel_unknown", "unknown-run", "runs cancel nope"),
    Case("runs/delete_nothing", "wrong-usage", "runs delete"),
    Case("runs/delete_named_and_described", "wrong-usage", "runs delete morning-1 --tag old --yes", runs=True),
    Case("runs/delete_older_than_nothing", "bad-argument", "runs delete --older-than yesterday --yes"),
    Case("runs/gc_older_than_nothing", "bad-argument", "gc --older-than soon"),
    Case("names/tag", "bad-tag", "run pipe.py --tag 'to be kept'"),
    Case("runs/delete_unknown", "unknown-run", "runs delete nope --yes"),
    Case("runs/run_resume_unknown", "unknown-run", "run pipe.py --resume nope"),
    Case("runs/empty_id", "unknown-run", "runs show ''"),
    Case("runs/id_going_up", "unknown-run", "runs show ../plans"),
    Case("runs/none_yet", "unknown-run", "runs show latest", _without_runs),
    Case("runs/ambiguous_end", "ambiguous-run", "runs show 1"),
    Case("runs/logs_of_an_unknown_task", "unknown-task", "runs logs morning-1 totl"),
    Case("runs/replay_of_an_unknown_task", "unknown-task", "runs replay morning-1 totl"),
    Case("runs/replay_of_an_item_of_no_map", "unknown-task", "runs replay morning-1 total.3"),
    Case("runs/explain_an_unknown_task", "unknown-task", "runs explain-cache morning-1 totl"),
    Case("runs/explain_a_failed_task", "no-result", "runs explain-cache evening-1 total"),
    Case("runs/unknown_output", "unknown-output", "runs outputs morning-1 total.outptu"),
    Case("runs/output_of_a_failed_task", "unknown-output", "runs outputs evening-1 total.output"),
    Case("runs/resume_without_its_code", "unknown-source", "runs resume evening-1", _removed("pipe.py")),
    Case(
        "runs/resume_with_broken_code",
        "import-failed",
        "runs resume evening-1",
        file("pipe.py", "from crossdock import (\n"),
    ),
    Case(
        "runs/resume_with_another_pipeline",
        "unknown-pipeline",
        "runs resume evening-1",
        lambda scene: scene.write(
            "pipe.py", (scene.project / "pipe.py").read_text().replace("def report", "def summary")
        ),
    ),
    Case(
        "runs/resume_with_changed_code",
        "pipeline-changed",
        "runs resume evening-1",
        lambda scene: scene.write("pipe.py", (scene.project / "pipe.py").read_text().replace("too late", "too soon")),
    ),
)

ARTIFACTS = (
    Case(
        "artifacts/cut_off",
        "store",
        "runs replay morning-1 total",
        stored("data/morning-1/keep/1/output/numbers.txt", cut),
        1,
        runs=True,
        process=True,
    ),
    Case(
        "artifacts/one_bit",
        "store",
        "runs replay morning-1 total",
        stored("data/morning-1/keep/1/output/numbers.txt", flipped),
        1,
        runs=True,
        process=True,
    ),
    Case(
        "artifacts/gone",
        "store",
        "runs replay morning-1 total",
        stored("data/morning-1/keep/1/output/numbers.txt", None),
        1,
        runs=True,
        process=True,
    ),
    Case(
        "artifacts/value_cut_off",
        "damaged-artifact",
        "runs outputs large load.output",
        stored("data/large/load/1/output/*", cut),
        3,
    ),
    Case(
        "artifacts/value_gone",
        "damaged-artifact",
        "runs outputs large load.output",
        stored("data/large/load/1/output/*", None),
        3,
    ),
    Case(
        "artifacts/value_in_the_record_changed",
        "damaged-artifact",
        "runs outputs morning-1 load.output",
        document(RESULT, lambda body: body["outputs"]["output"].update(value=[0, 1, 7])),
        3,
    ),
    Case(
        "artifacts/value_in_the_record_changed_json",
        "damaged-artifact",
        "runs outputs morning-1 --json",
        document(RESULT, lambda body: body["outputs"]["output"].update(value=[0, 1, 7])),
        3,
    ),
    Case(
        "artifacts/path_out_of_the_store",
        "damaged-record",
        "runs outputs morning-1",
        document(
            "runs/morning-1/tasks/keep/result.json",
            lambda body: body["outputs"]["output"]["members"][0].update(path="../../../../../../project/pipe.py"),
        ),
        3,
    ),
    Case(
        "artifacts/unknown_materializer",
        "store",
        "runs replay morning-1 total",
        document(
            "runs/morning-1/tasks/keep/result.json",
            lambda body: body["outputs"]["output"].update(materializer="meshes@1"),
        ),
        1,
        runs=True,
        process=True,
    ),
)


def _plan(change: Any) -> Any:
    def prepare(scene: Scene) -> None:
        """A plan of another making, under its own digest."""
        old = scene.stored(PLAN)
        body = json.loads(old.read_text())
        change(body)
        text = json.dumps(body)
        new = hashlib.sha256(text.encode()).hexdigest()
        scene.store.joinpath(f"plans/{new}.json").write_text(text)
        for run in scene.store.glob("runs/*/run.json"):
            run.write_text(run.read_text().replace(old.stem, new))
        old.unlink()

    return prepare


RECORDS = (
    Case("records/result_is_no_json", "damaged-record", "runs show morning-1", stored(RESULT, b"{"), 3, process=True),
    Case("records/result_is_empty", "damaged-record", "runs outputs morning-1", stored(RESULT, b""), 3),
    Case("records/result_is_a_list", "damaged-record", "runs show morning-1", stored(RESULT, b"[]"), 3),
    Case(
        "records/result_of_another_shape",
        "damaged-record",
        "runs show morning-1",
        stored(RESULT, b'{"state": "succeeded"}'),
        3,
    ),
    Case(
        "records/result_of_another_shape_inside",
        "damaged-record",
        "runs outputs morning-1",
        document(RESULT, lambda body: body["outputs"].update(output=[1])),
        3,
    ),
    Case("records/run_is_no_json", "damaged-record", "runs show morning-1", stored("runs/morning-1/run.json", cut), 3),
    Case("records/run_is_no_json_list", "", "runs list", stored("runs/morning-1/run.json", cut), 0, runs=True),
    Case(
        "records/run_resumed",
        "damaged-record",
        "run pipe.py --resume morning-1",
        stored("runs/morning-1/run.json", cut),
        3,
    ),
    Case(
        "records/run_without_its_plan",
        "damaged-record",
        "runs show morning-1",
        document("runs/morning-1/run.json", lambda body: body.pop("plan")),
        3,
    ),
    Case(
        "records/run_without_its_source",
        "no-source-in-record",
        "runs resume evening-1",
        document("runs/evening-1/run.json", lambda body: body.pop("source")),
    ),
    Case(
        "records/run_with_other_parameters",
        "damaged-record",
        "runs show morning-1",
        document("runs/morning-1/run.json", lambda body: body.update(parameters=[1])),
        3,
    ),
    Case("records/plan_gone", "missing-object", "runs show morning-1", stored(PLAN, None), 3),
    Case("records/plan_cut_off", "damaged-plan", "runs show morning-1", stored(PLAN, cut), 3),
    Case(
        "records/plan_of_another_format",
        "plan-of-another-version",
        "runs show morning-1",
        _plan(lambda body: body.update(format=99)),
        2,
    ),
    Case("records/plan_without_tasks", "bad-plan", "runs outputs morning-1", _plan(lambda body: body.pop("tasks")), 2),
    Case("records/delete_with_a_damaged_result", "", "runs delete morning-1 --yes", stored(RESULT, b"{"), 0, runs=True),
    Case(
        "records/delete_with_a_damaged_run",
        "",
        "runs delete morning-1 --yes",
        stored("runs/morning-1/run.json", cut),
        0,
        runs=True,
    ),
    Case(
        "records/attempt_damaged",
        "damaged-record",
        "runs show evening-1",
        stored("runs/evening-1/tasks/total/attempts/1/finished.json", b"{}"),
        3,
    ),
    Case("records/end_damaged", "damaged-record", "runs show morning-1", stored("runs/morning-1/end.json", b"{}"), 3),
)


def _cache_of_load(change: Any) -> Any:
    def prepare(scene: Scene) -> None:
        key = json.loads((scene.store / RESULT).read_text())["key"]
        stored(f"cache/{key}.json", change)(scene)

    return prepare


CACHE = (
    Case("cache/no_json", "", "run pipe.py --run-id noon", _cache_of_load(b"{"), 0, runs=True, process=True),
    Case(
        "cache/another_shape",
        "",
        "run pipe.py --run-id noon",
        _cache_of_load(b'{"run": 1}'),
        0,
        runs=True,
        process=True,
    ),
    Case("cache/a_list", "", "run pipe.py --run-id noon", _cache_of_load(b"[]"), 0, runs=True, process=True),
    Case(
        "cache/malformed_manifest",
        "",
        "run pipe.py --run-id noon",
        _cache_of_load(b'{"run": "x", "created": "2026-01-01T00:00:00.000Z", "outputs": {"output": {"value": 1}}}'),
        0,
        runs=True,
        process=True,
    ),
    Case(
        "cache/changed_value",
        "",
        "run pipe.py --run-id noon",
        _cache_of_load(lambda data: data.replace(b"[0,1,2]", b"[0,1,7]")),
        0,
        runs=True,
        process=True,
    ),
)

OUTPUT = (
    Case("output/compile_onto_a_file", "not-writable", "compile pipe.py --target kubeflow -o pipe.py"),
    Case("output/compile_below_a_file", "not-writable", "compile pipe.py --target kubeflow -o pipe.py/out"),
    Case(
        "output/compile_over_a_folder",
        "not-writable",
        "compile pipe.py --target kubeflow -o out",
        _folder("out/pipeline.yaml"),
    ),
    Case("output/show_onto_a_folder", "not-writable", "show pipe.py -o .crossdock"),
    Case("output/export_onto_a_file", "not-a-bundle", "export pipe.py --stack dev -o pipe.py"),
    Case(
        "output/export_into_a_folder_of_others",
        "not-a-bundle",
        "export pipe.py --stack dev -o out",
        file("out/plan.json", "{}"),
    ),
    Case("output/diff_with_no_bundle", "not-a-bundle", "diff pipe.py .crossdock"),
    Case("output/diff_with_nothing", "not-a-bundle", "diff pipe.py nowhere"),
    Case("output/submit_no_bundle", "not-a-bundle", "submit .crossdock"),
    Case(
        "output/not_confirmed",
        "refused",
        "submit pipe.py --stack dev",
        stack("components:\n  orchestrator: here\n  artifact_store: near\nprotected: true\n"),
    ),
    Case(
        "output/over_a_limit",
        "over-limit",
        "run pipe.py --stack dev",
        stack("components:\n  orchestrator: here\n  artifact_store: near\nlimits:\n  tasks: 2\n"),
    ),
)

DOCKER = ".crossdock/components/orchestrator/here.yaml"
EXPORT = "export pipe.py --stack dev -o out"


def _containers(*lines: str) -> Any:
    """The orchestrator of stack `dev` runs containers."""
    config = "".join(f"  {line}\n" for line in lines)
    return file(DOCKER, "flavor: docker\n" + (f"config:\n{config}" if lines else ""))


def _link(name: str, target: str) -> Any:
    return lambda scene: (scene.project / name).symlink_to(target)


IMAGES = (
    Case("images/lock_is_damaged", "bad-images-lock", EXPORT, both(_containers(), file(".crossdock/images.lock", "{"))),
    Case(
        "images/lock_of_another_version",
        "bad-images-lock",
        EXPORT,
        both(
            _containers(), file(".crossdock/images.lock", '{"crossdock_images": 9, "environments": {}, "images": {}}')
        ),
    ),
    Case("images/no_dockerfile", "bad-dockerfile", EXPORT, _containers("dockerfile: Dockerfile")),
    Case("images/dockerfile_elsewhere", "bad-dockerfile", EXPORT, _containers("dockerfile: ../Dockerfile")),
    Case(
        "images/dockerfile_without_a_base",
        "bad-dockerfile",
        EXPORT,
        both(_containers("dockerfile: Dockerfile"), file("Dockerfile", "RUN true\n")),
    ),
    Case("images/unknown_builder", "unknown-flavor", "build pipe.py --stack dev", _containers("builder: podman")),
    Case(
        "images/builder_without_a_registry",
        "no-registry",
        "build pipe.py --stack dev",
        _containers("builder: registry"),
    ),
    Case("images/unknown_packaging", "unusable-stack", EXPORT, _containers("packaging: zip")),
    Case("images/link_out_of_the_project", "bad-link", EXPORT, both(_containers(), _link("data", "/etc"))),
    Case("images/link_to_nothing", "bad-link", EXPORT, both(_containers(), _link("data.csv", "gone.csv"))),
    Case("images/name_for_one_system", "not-packable", EXPORT, both(_containers(), file("12:30.csv", "1\n"))),
    Case("images/steps_are_ignored", "no-code", EXPORT, both(_containers(), file(".crossdockignore", "*.py\n"))),
    Case(
        "images/steps_hold_a_secret",
        "secret-not-packed",
        EXPORT,
        both(_containers(), lambda scene: _appended(scene, f"KEY = '{'AKIA' + 'QWERTYUIOPASDFGH'}'\n")),
    ),
    Case(
        "images/ignore_file_is_no_text",
        "unreadable-file",
        EXPORT,
        both(_containers(), file(".crossdockignore", b"\xff\xfe")),
    ),
    Case(
        "images/too_large", "package-too-large", EXPORT, both(_containers(), lambda scene: _large(scene, 120_000_000))
    ),
)


def _appended(scene: Scene, text: str) -> None:
    scene.write("pipe.py", (scene.project / "pipe.py").read_text() + text)


def _large(scene: Scene, size: int) -> None:
    with scene.write("data.bin", b"").open("r+b") as sparse:
        sparse.truncate(size)


SPECS = (
    Case("specs/file_is_missing", "unreadable-file", "check spec.yaml"),
    Case("specs/file_is_no_text", "unreadable-file", "check spec.yaml", file("spec.yaml", b"pipelineInfo: \xff\xfe")),
    Case("specs/of_nobody", "unknown-spec", "check spec.yaml", file("spec.yaml", "rows: 3\n")),
    Case(
        "specs/flavor_checks_none",
        "cannot-check-specs",
        "check spec.yaml --target local",
        file("spec.yaml", "rows: 3\n"),
    ),
    Case("specs/unknown_target", "unknown-flavor", "check spec.yaml --target kubeflw", file("spec.yaml", "rows: 3\n")),
)

CASES = (
    *COMMAND_LINE,
    *PARAMETERS,
    *STACKS,
    *COMPONENTS,
    *NAMES,
    *URIS,
    *STORE,
    *RUNS,
    *ARTIFACTS,
    *RECORDS,
    *CACHE,
    *OUTPUT,
    *IMAGES,
    *SPECS,
)
