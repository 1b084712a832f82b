# $ crossdock check .
# crossdock: '.' is a folder [unknown-source]
#   hint: name a file in it: ./pipeline.py
