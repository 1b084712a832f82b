# $ crossdock check not_python.yaml
# crossdock: not_python.yaml: no flavor takes this for a spec of its own [unknown-spec]
#   hint: --target FLAVOR, one of kubeflow, vertex; or give a .py file with a pipeline
