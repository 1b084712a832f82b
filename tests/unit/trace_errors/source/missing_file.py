# $ crossdock check pipelnie.py
# crossdock: there is no file 'pipelnie.py'
#   hint: there is: missing_file.py
