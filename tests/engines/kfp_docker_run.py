"""Run a compiled spec with KFP's own `DockerRunner`, in a process of its own:

    python kfp_docker_run.py SPEC PIPELINE_ROOT ARGUMENTS

ARGUMENTS is a JSON object. KFP's local runner keeps its configuration in a global.
"""

from __future__ import annotations

import json
import sys

from kfp import components, local


def main(spec: str, root: str, arguments: str) -> None:
    """Run it to the end; a failed task raises."""
    local.init(runner=local.DockerRunner(network_mode="host"), pipeline_root=root)
    components.load_component_from_file(spec)(**json.loads(arguments))


if __name__ == "__main__":
    main(*sys.argv[1:])
