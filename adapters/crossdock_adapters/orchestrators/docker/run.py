"""Check a spec against the engine, run it, or one task of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from crossdock.dsl.errors import BadInput, PlatformError, Problem
from crossdock.stacks import ContainerRegistry, RunOptions, Spec, Stack
from crossdock.stacks.image_layout import LOCAL
from crossdock_adapters.orchestrators._driven import context_of
from crossdock_adapters.orchestrators.docker import compose
from crossdock_adapters.orchestrators.docker.client import Capacity, Engine
from crossdock_adapters.orchestrators.docker.config import DockerConfig
from crossdock_adapters.orchestrators.docker.containers import Containers, is_dead
from crossdock_runtime.context import Outcome
from crossdock_runtime.driver import Driver, Event
from crossdock_runtime.failure import Cancelled

_MODES = ("", "bridge", "host", "none")


def preflight(spec: Spec, stack: Stack, config: DockerConfig) -> None:
    """Whether a run of a spec could start; see `DockerOrchestrator.preflight`."""
    engine = Engine()
    services = compose.services(spec.main)
    if not config.cap_resources:
        _refuse_too_large(services, engine.capacity())
    networks = {network for body in services.values() for network in body.get("networks", ())}
    for network in sorted(networks):
        if not engine.has_network(network):
            raise BadInput(
                f"the Docker Engine has no network {network!r}",
                hint=f"docker network create {network}",
                id="unknown-network",
            )
    _have_images(engine, list(dict.fromkeys(str(body["image"]) for body in services.values())), stack)


def submit(spec: Spec, stack: Stack, options: RunOptions, config: DockerConfig) -> None:
    """Run every task; returns when the run has ended."""
    engine = Engine(connections=2 * config.max_workers + 10)
    _sweep(engine)
    context = context_of(stack, options)
    workers = max(options.max_workers, config.max_workers)
    Driver(context, Containers(context, engine, spec, stack, config, workers), options.on_event).run()


def replay(
    spec: Spec, stack: Stack, options: RunOptions, config: DockerConfig, task: str, index: tuple[int, ...]
) -> Outcome:
    """Run one task."""
    engine = Engine()
    body = compose.services(spec.main)[task]
    _have_images(engine, [str(body["image"])], stack)
    context = context_of(stack, options)
    tell = options.on_event or (lambda event: None)
    launcher = Containers(context, engine, spec, stack, config, 1)
    outcome = launcher.prepare(options.plan.by_id[task], index)
    if isinstance(outcome, Outcome):
        return outcome
    tell(Event("started", task, index))
    try:
        launcher.start(outcome)
        found: Outcome | None = None
        while found is None:
            for kind, _, body in launcher.hear():
                if kind == "line":
                    tell(Event("line", task, index, body))
                else:
                    found = body
    except (KeyboardInterrupt, Cancelled):
        list(launcher.cancel())
        raise
    tell(Event("ended", task, index, outcome=found))
    return found


def _refuse_too_large(services: Mapping[str, Mapping[str, object]], capacity: Capacity) -> None:
    problems = list(_too_large(services, capacity))
    if problems:
        raise BadInput(
            "the Docker Engine has less than what tasks ask for",
            problems=problems,
            hint="lower Resources(…), or set cap_resources of the orchestrator, which gives them what there is",
            id="too-large",
        )


def _too_large(services: Mapping[str, Mapping[str, object]], capacity: Capacity) -> Iterator[Problem]:
    for task, body in services.items():
        cpus = float(str(body.get("cpus", 0)))
        memory = compose.size(body.get("mem_limit")) or 0
        if cpus > capacity.cpus:
            yield Problem(f"cpu={cpus:g}, and the engine has {capacity.cpus}", task=task)
        if memory > capacity.memory:
            yield Problem(f"memory of {memory:,} bytes, and the engine has {capacity.memory:,}", task=task)


def _have_images(engine: Engine, images: list[str], stack: Stack) -> None:
    for image in images:
        if not engine.has_image(image):
            if image.startswith(LOCAL):
                raise PlatformError(
                    f"image {image} is not in the Docker Engine, where it was built, and is in no registry",
                    hint="crossdock build SOURCE builds it again",
                    id="image-missing",
                )
            registry = next((item for item in stack.components.values() if isinstance(item, ContainerRegistry)), None)
            ours = registry is not None and image.startswith(f"{registry.prefix}/")
            engine.pull(image, registry.login() if registry is not None and ours else None)


def _sweep(engine: Engine) -> None:
    """Remove the containers that a driver left which was killed on this machine."""
    for container, labels in engine.containers(label="crossdock.driver").items():
        if is_dead(labels.get("crossdock.driver", "")):
            engine.remove(container)
