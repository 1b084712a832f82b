from crossdock import container_step, pipeline

show = container_step(name="show", image="debian:12-slim", command=["echo", 3])


@pipeline
def greeting() -> None:
    show()

# $ crossdock check container_word_that_is_no_text.py
# crossdock: container_word_that_is_no_text.py:3: 3 in command or args is not a text [bad-container-step]
#   hint: write '3'
