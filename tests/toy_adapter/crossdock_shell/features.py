"""What a shell script can do with a plan, and what it cannot."""

from __future__ import annotations

from collections.abc import Mapping

from crossdock.ir import Feature, Level, Support

_FULL = Support(Level.FULL)
_RUNTIME = Support(Level.RUNTIME)
_THIS_MACHINE = "a script has the machine that it runs on, and nothing to choose"
_PLACEMENT = Support(Level.NEVER, _THIS_MACHINE, "leave it out, or choose another orchestrator")
_CLOUD_SECRET = Support(Level.NEVER, "a script asks no secret manager", 'write Secret(env="NAME")')

FEATURES: Mapping[Feature, Support] = {
    Feature.PARAMETERS: _FULL,
    Feature.ARTIFACT_PARAMETERS: _FULL,
    Feature.ORDER_EDGES: _FULL,
    Feature.CONDITION: _FULL,
    Feature.ONE_OF: _RUNTIME,
    Feature.MAP_STATIC: _FULL,
    Feature.MAP_DYNAMIC: _FULL,
    Feature.MAP_NESTED: _FULL,
    Feature.MAP_CONCURRENCY: Support(Level.FULL, notice="items run one after the other in any case"),
    Feature.EXIT_STEP: _FULL,
    Feature.ON_FAILURE_CONTINUE: _FULL,
    Feature.CONTAINER_STEP: Support(
        Level.NOTIMPL, "the script starts no containers", "call the program from a Python step"
    ),
    Feature.EXISTING_DATA: _RUNTIME,
    Feature.IMAGE: Support(Level.NEVER, "a script runs where it is, in no image", "leave it out"),
    Feature.REQUIREMENTS: Support(Level.RUNTIME, notice="nothing is installed: this environment is used as it is"),
    Feature.RETRY: _RUNTIME,
    Feature.TIMEOUT: _RUNTIME,
    Feature.CACHE: _RUNTIME,
    Feature.CPU: _PLACEMENT,
    Feature.MEMORY: _PLACEMENT,
    Feature.GPU: _PLACEMENT,
    Feature.DISK: _PLACEMENT,
    Feature.SHM: _PLACEMENT,
    Feature.SPOT: _PLACEMENT,
    Feature.ENV: _RUNTIME,
    Feature.LABELS: Support(Level.RUNTIME, notice="labels are kept in the plan only"),
    Feature.SECRET_ENV: _RUNTIME,
    Feature.SECRET_KEYRING: _RUNTIME,
    Feature.SECRET_KUBERNETES: _CLOUD_SECRET,
    Feature.SECRET_AWS: _CLOUD_SECRET,
    Feature.SECRET_GCP: _CLOUD_SECRET,
    Feature.SECRET_AZURE: _CLOUD_SECRET,
    Feature.NOTEBOOK_STEPS: Support(
        Level.NEVER,
        "each task is a process of its own, which cannot import what a notebook or __main__ defines",
        "move the step into a module beside it, and import it",
    ),
}
