"""Held to google-cloud-aiplatform, in a process of its own, as its import is slow:

    python vertex_jobs.py FOLDER

reads `FOLDER/<name>/pipeline.json` and `job.json`, and prints what is wrong as JSON: name to message.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path


def main(folder: Path) -> None:
    """Construct a job of each."""
    from google.auth.credentials import AnonymousCredentials
    from google.cloud import aiplatform, aiplatform_v1
    from google.cloud.aiplatform_v1 import types

    aiplatform.init(project="crossdock-tests", location="europe-west4", credentials=AnonymousCredentials())
    wrong = {}
    for place in sorted(folder.iterdir()):
        try:
            text = (place / "job.json").read_text(encoding="utf-8")
            body = types.PipelineJob.from_json(text)  # refuses what is no field of it
            again = json.loads(types.PipelineJob.to_json(body, use_integers_for_enums=False))
            for key, value in json.loads(text).items():
                found = again[key]
                assert value == ({name: found[name] for name in value} if isinstance(value, dict) else found), key
            job = aiplatform.PipelineJob(
                display_name=body.display_name,
                template_path=str(place / "pipeline.json"),
                pipeline_root=body.runtime_config.gcs_output_directory,
                labels=dict(body.labels),
            )
            assert isinstance(job._gca_resource, aiplatform_v1.PipelineJob)
            pipeline = json.loads((place / "pipeline.json").read_text(encoding="utf-8"))
            kept = types.PipelineJob.to_dict(job._gca_resource)["pipeline_spec"]
            assert kept == pipeline, "the client reads another pipeline"
        except Exception as error:
            wrong[place.name] = f"{type(error).__name__}: {error}"
    named = {member.name for member in types.AcceleratorType}
    print(json.dumps({"wrong": wrong, "accelerators": sorted(named)}))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
