from crossdock import pipeline, step


@step
def count(folder: str) -> int:
    return len(folder)


@step
def shout(text: str, times: int) -> str:
    return text.upper() * times


@pipeline
def report(title: str) -> None:
    rows = count(3)
    shout(rows, times="twice")
    shout(title)
    shout(title, 2, size=3)

# $ crossdock check several_at_once.py
# crossdock: pipeline 'report': 5 problems [bad-pipeline]
# - several_at_once.py:16: input 'folder' of step 'count' takes str, not 3 (int) [wrong-type]
#   hint: change the value, or the annotation of the input
# - several_at_once.py:17: input 'text' of step 'shout' takes str, but gets int (the result of task 'count') [wrong-type]
#   hint: change one of the two annotations, or convert in a step between
# - several_at_once.py:17: input 'times' of step 'shout' takes int, not 'twice' (str) [wrong-type]
#   hint: change the value, or the annotation of the input
# - several_at_once.py:18: step 'shout' is called without its input 'times' [bad-call]
#   hint: shout(text=…, times=…)
# - several_at_once.py:19: step 'shout' has no input 'size' [bad-call]
#   hint: there is: text, times
