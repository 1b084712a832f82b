"""Programs that are not Python: two container steps between two Python steps.

    crossdock run examples/container_step/pipeline.py
    crossdock run examples/container_step/pipeline.py -p shortest=3 -p top=10

`awk` counts the words of a poem, `sort` ranks them. On an orchestrator with containers each program runs in
its image; the local one runs it on this machine, which any POSIX system can.
"""

from __future__ import annotations

from pathlib import Path

from crossdock import InputPath, InputValue, OutputPath, container_step, pipeline, scratch, step

IMAGE = "debian:12-slim"

POEM = """\
The wind was a torrent of darkness among the gusty trees,
The moon was a ghostly galleon tossed upon cloudy seas,
The road was a ribbon of moonlight over the purple moor,
And the highwayman came riding,
Riding, riding,
The highwayman came riding, up to the old inn-door.
"""

COUNT_WORDS = """
BEGIN { output = ARGV[2]; shortest = ARGV[3]; ARGC = 2 }
{
    line = tolower($0)
    gsub(/[^a-z]+/, " ", line)
    n = split(line, words, " ")
    for (i = 1; i <= n; i++) if (length(words[i]) >= shortest) count[words[i]]++
}
END { printf "" > output; for (word in count) print count[word], word > output }
"""


@step
def write_poem() -> Path:
    """The text, as a file. What a step returns as a `Path` becomes an artifact, and `scratch` is emptied."""
    file = scratch() / "poem.txt"
    file.write_text(POEM, encoding="utf-8")
    return file


# The words of a command are given to the program one by one: no shell reads them, so nothing needs quoting.
count_words = container_step(
    name="count_words",
    image=IMAGE,
    command=["awk", COUNT_WORDS],
    args=[InputPath("text"), OutputPath("counts"), InputValue("shortest")],
    inputs={"text": Path, "shortest": int},
    outputs={"counts": Path},
)

rank = container_step(
    name="rank",
    image=IMAGE,
    command=["sort", "-k1,1nr", "-k2,2"],
    args=["-o", OutputPath("ranking"), InputPath("counts")],
    inputs={"counts": Path},
    outputs={"ranking": Path},
    env={"LC_ALL": "C"},
)


@step
def read_ranking(ranking: Path, top: int) -> dict[str, int]:
    """The most frequent words, and how often each stands in the text."""
    rows = [line.split() for line in ranking.read_text(encoding="utf-8").splitlines()[:top]]
    words = {word: int(count) for count, word in rows}
    for word, count in words.items():
        print(f"{count:4} {word}")
    return words


@pipeline
def frequent_words(shortest: int = 4, top: int = 5) -> dict[str, int]:
    """Rank the words of a poem.

    Args:
        shortest: shorter words do not count.
        top: how many words to keep.
    """
    counts = count_words(text=write_poem(), shortest=shortest)
    return read_ranking(rank(counts=counts), top)
