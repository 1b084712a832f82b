"""What Docker can do with a plan."""

from __future__ import annotations

from collections.abc import Mapping

from crossdock.ir import Feature, Level, Support

FLAVOR = "docker"
_FULL = Support(Level.FULL)
_RUNTIME = Support(Level.RUNTIME)
_CLOUD_SECRET = Support(
    Level.RUNTIME, notice="read in the container, which needs an identity there: env or volumes of the orchestrator"
)

FEATURES: Mapping[Feature, Support] = {
    **dict.fromkeys(Feature, _FULL),
    Feature.ARTIFACT_PARAMETERS: Support(Level.RUNTIME, notice="a path is one that the container sees"),
    Feature.ONE_OF: _RUNTIME,
    Feature.CONTAINER_STEP: Support(
        Level.RUNTIME,
        notice="its files are copied into the container, and out of it, by the process that drives it",
    ),
    Feature.EXISTING_DATA: _RUNTIME,
    Feature.RETRY: _RUNTIME,
    Feature.TIMEOUT: _RUNTIME,
    Feature.CACHE: _RUNTIME,
    Feature.GPU: Support(Level.FULL, notice="gpu_type is not looked at: it takes the accelerators of this machine"),
    Feature.DISK: Support(Level.RUNTIME, notice="not enforced: it has what the engine's disk has"),
    Feature.SPOT: Support(Level.RUNTIME, notice="no effect here"),
    Feature.SECRET_ENV: Support(Level.RUNTIME, notice="read here, and handed to the container in its environment"),
    Feature.SECRET_KEYRING: Support(Level.RUNTIME, notice="read here, and handed to the container in its environment"),
    Feature.SECRET_KUBERNETES: Support(
        Level.NEVER, "there is no cluster to ask", hint='use Secret(env="NAME") for runs on this machine'
    ),
    Feature.SECRET_AWS: _CLOUD_SECRET,
    Feature.SECRET_GCP: _CLOUD_SECRET,
    Feature.SECRET_AZURE: _CLOUD_SECRET,
    Feature.NOTEBOOK_STEPS: Support(
        Level.NEVER,
        "a container cannot import what a notebook or __main__ defines",
        "move the step into a module beside it, and import it",
    ),
}
