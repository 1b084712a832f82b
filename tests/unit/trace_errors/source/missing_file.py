# $ crossdock check pipelnie.py
# crossdock: there is no file 'pipelnie.py' [unknown-source]
#   hint: there is: missing_file.py
