"""Pipelines in KFP's own DSL: what its compiler writes of them is right, so the checker takes it."""

from typing import NamedTuple, Optional

from kfp import dsl, kubernetes

IMAGE = "python:3.11"


@dsl.component(base_image=IMAGE)
def number(seed: int = 1) -> int:
    return seed


@dsl.component(base_image=IMAGE)
def coin() -> str:
    return "heads"


@dsl.component(base_image=IMAGE)
def names() -> list[str]:
    return ["a", "b"]


@dsl.component(base_image=IMAGE)
def say(text: str) -> str:
    return text


@dsl.component(base_image=IMAGE)
def total(numbers: list[int]) -> int:
    return sum(numbers)


@dsl.component(base_image=IMAGE)
def make(data: dsl.Output[dsl.Dataset], rows: int) -> NamedTuple("Made", [("rows", int), ("word", str)]):  # type: ignore[valid-type]
    return 1, "a"  # type: ignore[return-value]


@dsl.component(base_image=IMAGE)
def use(data: dsl.Input[dsl.Dataset], model: dsl.Output[dsl.Model], metrics: dsl.Output[dsl.Metrics]) -> None:
    pass


@dsl.component(base_image=IMAGE)
def report(status: dsl.PipelineTaskFinalStatus, text: str = "done") -> None:
    pass


@dsl.component(base_image=IMAGE)
def gather(models: list[dsl.Model]) -> None:
    pass


@dsl.component(base_image=IMAGE)
def maybe(text: Optional[str] = None, data: Optional[dsl.Input[dsl.Dataset]] = None) -> None:  # noqa: UP045 - KFP reads no other
    pass


@dsl.container_component
def program(text: str, data: dsl.Output[dsl.Dataset], count: dsl.OutputPath(int)) -> dsl.ContainerSpec:  # type: ignore[valid-type]
    return dsl.ContainerSpec(
        image=IMAGE,
        command=["sh", "-c", 'echo "$0" > "$1"; echo 1 > "$2"'],
        args=[text, data.path, count, data.uri],
    )


@dsl.container_component
def optional_program(text: str, loud: Optional[str] = None) -> dsl.ContainerSpec:  # noqa: UP045 - KFP reads no other
    return dsl.ContainerSpec(
        image=IMAGE,
        command=["echo", text],
        args=[dsl.IfPresentPlaceholder(input_name="loud", then=["--loud", loud], else_=["--quiet"])],
    )


@dsl.pipeline
def chain(rows: int = 3) -> int:
    made = make(rows=rows)
    used = use(data=made.outputs["data"]).set_retry(2, backoff_duration="30s", backoff_factor=2.0)
    after = number(seed=made.outputs["rows"]).after(used)
    after.set_caching_options(False)
    return after.output


@dsl.pipeline
def texts(name: str, rows: int = 2) -> None:
    said = say(text=f"hello {name}, {rows}")
    say(text=f"again {said.output}")
    say(text=dsl.PIPELINE_JOB_NAME_PLACEHOLDER)
    program(text=f"{name}!")
    optional_program(text="a")
    optional_program(text="b", loud="yes")
    maybe()
    number()


@dsl.pipeline
def branches(rows: int = 3) -> str:
    flip = coin()
    with dsl.If(flip.output == "heads"):
        first = say(text="heads")
        with dsl.If(rows > 2):
            say(text="many")
    with dsl.Elif(flip.output == "tails"):
        second = say(text="tails")
    with dsl.Else():
        third = say(text="edge")
    found = dsl.OneOf(first.output, second.output, third.output)
    say(text=found)
    return found


@dsl.pipeline
def loops(many: list[int] = [1, 2]) -> None:  # noqa: B006 - what KFP's users write
    with dsl.ParallelFor(items=[1, 2, 3], parallelism=2) as item:
        found = number(seed=item)
    total(numbers=dsl.Collected(found.output))
    with dsl.ParallelFor(items=many) as item:
        number(seed=item)
    with dsl.ParallelFor(items=names().output) as name, dsl.ParallelFor(items=["x", "y"]) as word:
        say(text=name)
        say(text=word)
    with dsl.ParallelFor(items=[{"a": 1, "b": 2}, {"a": 3, "b": 4}]) as each:
        number(seed=each.a)
        number(seed=each.b)


@dsl.pipeline
def models() -> None:
    with dsl.ParallelFor(items=[1, 2]) as item:
        made = make(rows=item)
        used = use(data=made.outputs["data"])
    gather(models=dsl.Collected(used.outputs["model"]))


@dsl.component(base_image=IMAGE)
def look(model: dsl.Input[dsl.Model]) -> None:
    pass


@dsl.pipeline
def shelf() -> list[dsl.Model]:
    with dsl.ParallelFor(items=[1, 2]) as item:
        used = use(data=make(rows=item).outputs["data"])
    return dsl.Collected(used.outputs["model"])


@dsl.pipeline
def over_artifacts() -> None:
    with dsl.ParallelFor(items=shelf().output) as model:
        look(model=model)


@dsl.pipeline
def exits(word: str = "a") -> None:
    last = report(text=word)
    with dsl.ExitHandler(last):
        said = say(text=word)
        with dsl.If(said.output == "a"):
            say(text="it is")


@dsl.pipeline
def ignoring() -> None:
    first = number()
    number(seed=first.output).ignore_upstream_failure()


@dsl.pipeline
def inner(rows: int) -> dsl.Dataset:
    return make(rows=rows).outputs["data"]


@dsl.pipeline
def nested(rows: int = 2) -> None:
    use(data=inner(rows=rows).output)
    maybe(text="a")


@dsl.pipeline
def imported(uri: str = "gs://bucket/a") -> None:
    fixed = dsl.importer(artifact_uri="gs://bucket/data", artifact_class=dsl.Dataset, metadata={"a": 1})
    given = dsl.importer(artifact_uri=uri, artifact_class=dsl.Dataset, reimport=True)
    use(data=fixed.output)
    use(data=given.output)


@dsl.pipeline
def machines(cpu: str = "1", kind: str = "nvidia.com/gpu", image: str = "python:3.12") -> None:
    task = number().set_cpu_limit(cpu).set_memory_request("500M").set_memory_limit("2G")
    task.set_accelerator_type(kind).set_accelerator_limit(1)
    number(seed=2).set_container_image(image)
    say(text="a").set_cpu_request("500m").set_env_variable("MODE", "full").set_display_name("Says A")


@dsl.pipeline
def cluster(secret: str = "s") -> None:
    task = say(text="a")
    kubernetes.use_secret_as_env(task, secret_name="hub", secret_key_to_env={"token": "TOKEN"})
    kubernetes.use_secret_as_volume(task, secret_name=secret, mount_path="/secret")
    kubernetes.add_node_selector(task, "pool", "gpu")
    kubernetes.add_toleration(task, key="gpu", operator="Exists", effect="NoSchedule")
    kubernetes.add_pod_label(task, "team", "ml")
    kubernetes.set_image_pull_policy(task, "Always")
    kubernetes.set_timeout(task, 60)
    kubernetes.empty_dir_mount(task, volume_name="v", mount_path="/v", size_limit="1Gi")
    kubernetes.add_ephemeral_volume(task, volume_name="e", mount_path="/e", access_modes=["ReadWriteOnce"], size="1Gi")
    kubernetes.use_field_path_as_env(task, env_name="POD", field_path="metadata.name")
    kubernetes.use_config_map_as_env(task, config_map_name="c", config_map_key_to_env={"k": "K"})
    claim = kubernetes.CreatePVC(
        pvc_name_suffix="-a", access_modes=["ReadWriteOnce"], size="1Gi", storage_class_name=""
    )
    kubernetes.mount_pvc(task, pvc_name=claim.outputs["name"], mount_path="/data")
    kubernetes.DeletePVC(pvc_name=claim.outputs["name"]).after(task)


@dsl.pipeline(pipeline_config=dsl.PipelineConfig(workspace=dsl.WorkspaceConfig(size="1Gi")))
def workspace() -> None:
    say(text=dsl.WORKSPACE_PATH_PLACEHOLDER)
    say(text=f"{dsl.WORKSPACE_PATH_PLACEHOLDER}/a")


PIPELINES = (
    chain, texts, branches, loops, models, exits, ignoring, nested, imported, machines, cluster, shelf, workspace,
    program,
)  # fmt: skip
