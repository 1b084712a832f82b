# $ crossdock check crossdock_nothing.pipelines:training
# crossdock: there is no module 'crossdock_nothing.pipelines', because there is no 'crossdock_nothing'; looked in <folder> [unknown-source]
#   hint: modules there: missing_module
