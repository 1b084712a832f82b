"""The stack that is there without any set-up."""

from __future__ import annotations

from crossdock.stacks.base import ArtifactStore, Orchestrator, Stack

DEFAULT = "default"


def default_stack() -> Stack:
    """Local orchestrator, local artifact store."""
    from crossdock import registry

    orchestrator = registry.flavor("orchestrator", "local")
    store = registry.flavor("artifact_store", "local")
    made = orchestrator("local", orchestrator.Config())
    kept = store("local", store.Config())
    assert isinstance(made, Orchestrator)
    assert isinstance(kept, ArtifactStore)
    return Stack(DEFAULT, made, kept)
