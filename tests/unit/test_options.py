"""The options of the constant command."""

from __future__ import annotations

import subprocess
import sys

import pytest

from crossdock.dsl.errors import BadInput
from crossdock_runtime.options import Options, read_options

NOTHING = Options("", "", "", "", "", "", "", "", "", (), ())


def test_each_option_has_its_place() -> None:
    words = [
        "--contract", "1", "--plan", "p", "--task", "t", "--items", "m",
        "--index", "0.3", "--shard", "0/2", "--run", "r",
        "--native-id", "n", "--executor-input", "{}", "--param", "a=1", "--emit", "g=/x", "--param", "b=--task",
        "--emit=h=/y",
    ]  # fmt: skip
    expected = Options("1", "p", "t", "m", "0.3", "0/2", "r", "n", "{}", ("a=1", "b=--task"), ("g=/x", "h=/y"))
    assert read_options(words, {}) == expected


def test_the_environment_says_what_the_words_leave_out() -> None:
    environ = {
        "CROSSDOCK_TASK": "other",
        "CROSSDOCK_NATIVE_ID": "n",
        "CROSSDOCK_PARAM_rows": "1=2",
        "CROSSDOCK_PARAM_big": "",
        "CROSSDOCK_EMIT": "when-1=/a b\nmap-1=/c",
    }
    found = read_options(["--task", "t", "--index", "", "--param", "rows=3"], environ)
    assert (found.task, found.native_id, found.index) == ("t", "n", "")
    assert found.param == ("big=", "rows=1=2", "rows=3"), "the last one counts"
    assert found.emit == ("when-1=/a b", "map-1=/c")
    assert read_options([], {}) == NOTHING


def test_a_value_may_look_like_an_option_or_be_empty() -> None:
    assert read_options(["--native-id", "--x", "--run", ""], {}).native_id == "--x"
    assert read_options(["--param=a=-1"], {}).param == ("a=-1",)


@pytest.mark.parametrize("words", [["--tas", "t"], ["task"], ["--task"], ["-t", "x"], ["--native_id", "x"]])
def test_what_is_no_option_is_refused(words: list[str]) -> None:
    with pytest.raises(BadInput, match=r"is no option|is given no value"):
        read_options(words, {})


def test_help_and_a_wrong_word_on_the_command_line() -> None:
    command = [sys.executable, "-m", "crossdock_runtime"]
    shown = subprocess.run([*command, "--help"], capture_output=True, text=True, check=True)
    assert "--native-id" in shown.stdout
    wrong = subprocess.run([*command, "--tusk", "t"], capture_output=True, text=True, check=False)
    assert (wrong.returncode, wrong.stdout) == (20, "")
    assert "'--tusk' is no option" in wrong.stderr
