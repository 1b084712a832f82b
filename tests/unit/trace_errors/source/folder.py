# $ crossdock check .
# crossdock: '.' is a folder
#   hint: name a file in it: ./pipeline.py
