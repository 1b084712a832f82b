# $ crossdock check crossdock_nothing.pipelines:training
# crossdock: there is no module 'crossdock_nothing.pipelines', because there is no 'crossdock_nothing'; looked in <folder>
#   hint: modules there: missing_module
