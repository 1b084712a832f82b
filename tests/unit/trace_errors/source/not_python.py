# $ crossdock check not_python.yaml
# crossdock: 'not_python.yaml' is not a Python file [unknown-source]
#   hint: write path/file.py:name
