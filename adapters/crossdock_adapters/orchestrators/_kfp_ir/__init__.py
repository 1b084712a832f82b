"""KFP's pipeline spec, which Kubeflow Pipelines and Vertex AI Pipelines both take: plain data, no SDK.

Source of the format: https://github.com/kubeflow/pipelines/blob/master/api/v2alpha1/pipeline_spec.proto
"""
