from crossdock import container_step, pipeline

show = container_step(name="show", image="debian:12-slim", command="echo hello")


@pipeline
def greeting() -> None:
    show()

# $ crossdock check container_command_as_one_text.py
# crossdock: container_command_as_one_text.py:3: command='echo hello' is not a list of words [bad-container-step]
#   hint: write command=['echo', 'hello']; no shell reads it
