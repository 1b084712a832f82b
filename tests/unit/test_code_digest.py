"""What changes the digest of a step's code, and what does not."""

from __future__ import annotations

import importlib
import json
import os
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from crossdock.dsl.errors import CrossdockError
from crossdock.passes.code_digest import code_digest, code_report, imported_distributions
from crossdock_runtime.loading import Project

ROOT = Path(__file__).resolve().parents[2]

Digest = Callable[..., str]


class Folder:
    """A user's project whose files a test writes; the digest is that of `work` in `steps.py`."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.project = Project(root, (".",))

    def write(self, **files: str) -> None:
        for name, text in files.items():
            path = self.root / f"{name}.py"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(textwrap.dedent(text), encoding="utf-8")
            status = path.stat()
            Folder.clock += 1_000_000_000
            os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns + Folder.clock))

    clock = 0

    @property
    def function(self) -> Any:
        self.project.activate()
        for name in list(sys.modules):
            if str(getattr(sys.modules[name], "__file__", None) or "").startswith(str(self.root)):
                del sys.modules[name]
        found = importlib.import_module("steps").work
        return getattr(found, "function", found)

    def digest(self, **files: str) -> str:
        self.write(**files)
        return code_digest(self.function, self.project)

    def report(self, **files: str) -> dict[str, str]:
        self.write(**files)
        return code_report(self.function, self.project)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Folder]:
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    before = set(sys.modules)
    yield Folder(tmp_path)
    for name in set(sys.modules) - before:
        if str(getattr(sys.modules[name], "__file__", None) or "").startswith(str(tmp_path)):
            del sys.modules[name]


PLAIN = """
    def work(x):
        if x:
            return [x, 1]
        return f"{x!r:>{10}} and"
"""


@pytest.mark.parametrize(
    "same",
    [
        """
    # a comment
    def work( x ):   # another

        if x:

            # more
            return [
                x,
                1]
        return f"{x!r:>{10}} and"
    # after
        """,
        """
    def work(x):
      if x:
        return [x, 1]
      return f"{x!r:>{10}} and"
    def other(): pass
    y = 1
        """,
        """
    import json
    def work(x):
        if x: \\
            return [x, 1]
        return (
    f"{x!r:>{10}} and")
        """.replace("if x: \\\n            return", "if x:\n            return").replace(
            '(\n    f"{x!r:>{10}} and")', 'f"{x!r:>{10}} and"'
        ),
    ],
)
def test_comments_layout_and_other_code_do_not_count(folder: Folder, same: str) -> None:
    assert folder.digest(steps=PLAIN) == folder.digest(steps=same)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("[x, 1]", "[x, 2]"),
        ("!r", "!s"),
        ("{10}", "{11}"),
        (" and", "  and"),
        ("if x:", "while x:"),
        ("(x)", "(x, y=1)"),
    ],
)
def test_the_text_of_the_function_counts(folder: Folder, old: str, new: str) -> None:
    assert folder.digest(steps=PLAIN) != folder.digest(steps=PLAIN.replace(old, new))


def test_indentation_that_means_something_counts(folder: Folder) -> None:
    inside = "def work(x):\n    if x:\n        a = 1\n        b = 2\n"
    outside = "def work(x):\n    if x:\n        a = 1\n    b = 2\n"
    assert folder.digest(steps=inside) != folder.digest(steps=outside)


def test_settings_of_our_decorators_do_not_count_but_other_decorators_do(folder: Folder) -> None:
    plain = "from crossdock.dsl import step\n@step\ndef work(x: int) -> int:\n    return x\n"
    bare = folder.digest(steps=plain)
    assert folder.digest(steps=plain.replace("@step", "@step(retry=None)")) == bare
    assert folder.digest(steps="SIZE = 3\n" + plain.replace("@step", "@step(timeout=SIZE)")) == bare
    attribute = plain.replace("from crossdock.dsl import step", "import crossdock.dsl as cd")
    assert folder.digest(steps=attribute.replace("@step", "@cd.step(timeout=3)")) == folder.digest(
        steps=attribute.replace("@step", "@cd.step(\n    timeout=4,\n)")
    )
    other = "def mark(f): return f\n" + plain
    assert folder.digest(steps=other.replace("@step", "@step\n@mark")) != bare


def test_a_decorator_of_ours_is_known_by_what_it_is(folder: Folder) -> None:
    files = {"deco": "from crossdock.dsl import step\n"}
    one = "from deco import step as s\n@s\ndef work(x: int) -> int:\n    return x\n"
    first = folder.digest(steps=one, **files)
    assert folder.digest(steps=one.replace("@s\n", "@s(timeout=4)\n")) == first
    own = "def step(**k):\n    return lambda f: f\n"
    second = folder.digest(steps=one.replace("@s\n", "@s(timeout=4)\n"), deco=own)
    assert second != folder.digest(steps=one.replace("@s\n", "@s(timeout=5)\n"))


HELPERS = {
    "plain": ("from helpers import f\ndef work(x): return f(x)\n", "def f(x): return x + {}\n"),
    "alias": ("import helpers as h\ndef work(x): return h.f(x)\n", "def f(x): return x + {}\n"),
    "through another": (
        "from helpers import f\ndef work(x): return f(x)\n",
        "def f(x): return g(x)\ndef g(x): return x + {}\n",
    ),
    "inside the body": (
        "def work(x):\n    from helpers import f\n    return f(x)\n",
        "def f(x): return x + {}\n",
    ),
    "module inside the body": (
        "def work(x):\n    import helpers\n    return helpers.f(x)\n",
        "def f(x): return {}\n",
    ),
    "constant": ("from helpers import LIMIT\ndef work(x): return LIMIT\n", "LIMIT = {}\n"),
    "default": ("from helpers import LIMIT\ndef work(x=LIMIT): return x\n", "LIMIT = {}\n"),
    "base class": (
        "from helpers import Base\nclass Mine(Base): pass\ndef work(x): return Mine()\n",
        "class Base:\n    size = {}\n",
    ),
    "decorator": (
        "from helpers import deco\n@deco\ndef work(x): return x\n",
        "def deco(f):\n    {}\n    return f\n",
    ),
    "annotation": ("from helpers import T\ndef work(x: T): return x\n", "class T:\n    size = {}\n"),
    "string annotation": (
        "from helpers import T\ndef work(x: 'list[T]'): return x\n",
        "class T:\n    size = {}\n",
    ),
    "comprehension": ("from helpers import xs\ndef work(x): return [y for y in xs]\n", "xs = [{}]\n"),
    "lambda": ("from helpers import f\ndef work(x): return (lambda y: f(y))(x)\n", "def f(x): return {}\n"),
    "mutation": (
        "from helpers import CONFIG\ndef work(x): return CONFIG\n",
        "CONFIG = dict()\nCONFIG.update(a={})\n",
    ),
    "item": (
        "from helpers import CONFIG\ndef work(x): return CONFIG\n",
        "CONFIG = dict()\nCONFIG['a'] = {}\n",
    ),
    "loop": (
        "import helpers\ndef work(x): return helpers.C\n",
        "C = []\nfor i in range({}):\n    C.append(i)\n",
    ),
    "if": ("import helpers\ndef work(x): return helpers.C\n", "if 2 > 1:\n    C = {}\nelse:\n    C = 0\n"),
    "try": (
        "from helpers import f\ndef work(x): return f\n",
        "try:\n    from nowhere import f\nexcept ImportError:\n    def f(x): return {}\n",
    ),
    "alias of a value": (
        "import helpers\ndef work(x): return helpers.C\n",
        "C = dict()\nD = C\nD['a'] = {}\n",
    ),
    "patched class": ("from helpers import C\ndef work(x): return C\n", "class C: pass\nC.size = {}\n"),
    "registry": (
        "from helpers import REGISTRY\ndef work(x): return REGISTRY\n",
        "REGISTRY = []\ndef register(f):\n    REGISTRY.append(f)\n    return f\n@register\ndef one(): return {}\n",
    ),
    "call at import": (
        "from helpers import STATE\ndef work(x): return STATE\n",
        "STATE = []\ndef fill(n): STATE.append(n)\nfill({})\n",
    ),
    "exec": ("def work(x): return exec('f()')\nfrom helpers import f\n", "def f(): return {}\n"),
    "globals": ("from helpers import f\ndef work(x): return globals()['f']()\n", "def f(): return {}\n"),
    "getattr": ("import helpers\ndef work(x): return getattr(helpers, x)\n", "def f(): return {}\n"),
    "module passed": ("import helpers\ndef work(x): return vars(helpers)\n", "def f(): return {}\n"),
    "star": ("from helpers import *\ndef work(x): return f(x)\n", "def f(x): return {}\n"),
    "import_module": (
        "import importlib\ndef work(x): return importlib.import_module('helpers').f()\n",
        "def f(): return {}\n",
    ),
    "import_module of anything": (
        "from importlib import import_module\ndef work(x): return import_module(x)\n",
        "def f(): return {}\n",
    ),
    "__import__": ("def work(x): return __import__(x).f()\n", "def f(): return {}\n"),
    "module __getattr__": (
        "import helpers\ndef work(x): return helpers.f\n",
        "def __getattr__(name): return {}\n",
    ),
    "global": (
        "import helpers\nC = helpers.f()\ndef work(x):\n    global C\n    C = 1\n",
        "def f(): return {}\n",
    ),
    "import for its effect": (
        "def work(x):\n    import helpers\n    return x\n",
        "import os\nSETTING = {}\n",
    ),
    "another step": (
        "from helpers import first\ndef work(x): return first(x)\n",
        "from crossdock.dsl import step\n@step\ndef first(x: int) -> int:\n    return {}\n",
    ),
    "walrus": (
        "import helpers\ndef work(x): return helpers.n\n",
        "print(end='') if (n := {}) > 10**9 else None\n",
    ),
}


@pytest.mark.parametrize("case", HELPERS)
def test_editing_what_a_step_reaches_counts(folder: Folder, case: str) -> None:
    steps, helpers = HELPERS[case]
    one = folder.digest(steps=steps, helpers=helpers.format(1))
    two = folder.digest(helpers=helpers.format(2))
    assert one != two
    assert folder.digest(helpers="# changed only by a comment\n" + helpers.format(1)) == one


@pytest.mark.parametrize(
    "case",
    [
        "plain",
        "alias",
        "inside the body",
        "module inside the body",
        "constant",
        "base class",
        "mutation",
        "loop",
        "try",
    ],
)
def test_editing_what_it_does_not_reach_does_not_count(folder: Folder, case: str) -> None:
    steps, helpers = HELPERS[case]
    one = folder.digest(steps=steps, helpers=helpers.format(1) + "def unrelated(): return 1\n")
    assert folder.digest(helpers=helpers.format(1) + "def unrelated(): return 2\nOTHER = unrelated()\n") == one


def test_the_main_guard_does_not_count(folder: Folder) -> None:
    text = "def work(x): return x\nif __name__ == '__main__':\n    print(work({}))\n"
    assert folder.digest(steps=text.format(1)) == folder.digest(steps=text.format(2))


def test_locals_hide_globals(folder: Folder) -> None:
    text = "size = {}\ndef work(size):\n    return [size for size in range(size)]\n"
    assert folder.digest(steps=text.format(1)) == folder.digest(steps=text.format(2))
    text = "i = {}\ndef work(x):\n    y = [i for i in x]\n    return i\n"
    assert folder.digest(steps=text.format(1)) != folder.digest(steps=text.format(2))


def test_packages_relative_imports_and_re_exports(folder: Folder) -> None:
    low = "def low(x): return {}\ndef unused(x): return {}\n"
    deep = "from .low import *\ndef mid(x): return {}\n"
    files = {
        "pkg/__init__": "from .core import f as public\nfrom . import deep\n",
        "pkg/core": "from .deep.low import low\nfrom .deep import mid\ndef f(x): return low(x) + mid(x)\n",
        "pkg/deep/__init__": deep.format(1),
        "pkg/deep/low": low.format(1, 1),
        "steps": "import pkg\nimport pkg.deep.low as l\ndef work(x): return pkg.public(x)\n",
    }
    one = folder.digest(**files)
    assert folder.digest(**{"pkg/deep/low": low.format(1, 2)}) == one
    assert folder.digest(**{"pkg/deep/low": low.format(2, 1)}) != one
    assert folder.digest(**{"pkg/deep/low": low.format(1, 1), "pkg/deep/__init__": deep.format(2)}) != one


def test_attribute_chains_and_namespace_packages(folder: Folder) -> None:
    text = "def f(x): return {}\nclass C:\n    d = {}\n"
    folder.write(steps="import ns.a.b\ndef work(x): return ns.a.b.C.d\n")
    one = folder.digest(**{"ns/a/b": text.format(1, 1)})
    assert folder.digest(**{"ns/a/b": text.format(2, 1)}) == one
    assert folder.digest(**{"ns/a/b": text.format(1, 2)}) != one


def test_a_cycle_of_imports_ends(folder: Folder) -> None:
    folder.write(
        steps="import helpers\ndef work(x): return helpers.f(x)\ndef back(x): return 1\n",
        helpers="import steps\ndef f(x): return steps.back(x)\nfrom loop import nothing\n",
        loop="try:\n    from loop2 import nothing\nexcept ImportError:\n    nothing = 1\n",
        loop2="from loop import nothing\n",
    )
    one = folder.digest()
    assert folder.digest(steps="import helpers\ndef work(x): return helpers.f(x)\ndef back(x): return 2\n") != one


def test_another_module_that_changes_a_reached_value(folder: Folder) -> None:
    folder.write(
        steps="import setup_config\nfrom config import CONFIG\ndef work(x): return CONFIG\n",
        config="CONFIG = {}\n",
    )
    one = folder.digest(setup_config="import config\nconfig.CONFIG['a'] = 1\n")
    assert folder.digest(setup_config="import config\nconfig.CONFIG['a'] = 2\n") != one


def test_a_library_that_a_module_sets_up(folder: Folder) -> None:
    text = "import random\nrandom.seed({})\ndef work(x): return random.random()\n"
    assert folder.digest(steps=text.format(1)) != folder.digest(steps=text.format(2))


def test_a_value_made_with_a_reached_library_without_state_does_not_count(folder: Folder) -> None:
    text = "from pathlib import Path\nHERE = Path('{}')\ndef work(x): return Path(x)\n"
    assert folder.digest(steps=text.format(1)) == folder.digest(steps=text.format(2))


def test_the_order_of_statements_counts(folder: Folder) -> None:
    text = "C = {{}}\n{}\n{}\ndef work(x): return C\n"
    first, second = "C.update(a=1)", "D = C.setdefault('a', 2)"
    assert folder.digest(steps=text.format(first, second)) != folder.digest(steps=text.format(second, first))


def test_semicolons_and_letters_beyond_ascii(folder: Folder) -> None:
    text = "é = 'é'; size = {}; other = 'ü'\ndef work(x): return size\n"
    one = folder.digest(steps=text.format(1))
    assert folder.digest(steps=text.format(1).replace("'ü'", "'u'").replace("'é'", "'e'")) == one
    assert folder.digest(steps=text.format(2)) != one


def test_the_report_names_the_pieces(folder: Folder) -> None:
    report = folder.report(
        steps="from helpers import f\ndef work(x): return f(x)\n",
        helpers="def f(x): return LIMIT\nLIMIT = 1\n",
    )
    assert sorted(report) == ["helpers:LIMIT", "helpers:f", "steps:f", "steps:work"]
    assert all(digest.startswith("sha256:") for digest in report.values())


def test_imported_distributions(folder: Folder) -> None:
    folder.write(
        steps="import os, yaml as y, rich\nfrom helpers import f\ndef work(x): return y.dump(f(os))\n",
        helpers="def f(x):\n    import networkx.algorithms\n    return networkx\n",
    )
    assert imported_distributions(folder.function, folder.project) == ("networkx", "yaml")


def test_a_function_made_by_a_function_counts_its_values(folder: Folder) -> None:
    text = "def make(n):\n    def inner(x): return n + x\n    return inner\nwork = make({})\n"
    assert folder.digest(steps=text.format(1)) != folder.digest(steps=text.format(2))


def test_functions_of_a_notebook(tmp_path: Path) -> None:
    import linecache

    def run(text: str, number: int) -> Any:
        name = f"<cell {number}>"
        linecache.cache[name] = (len(text), None, text.splitlines(keepends=True), name)
        space: dict[str, Any] = {"__name__": "__main__"}
        exec(compile(text, name, "exec"), space)
        return space["work"]

    project = Project(tmp_path)
    text = "N = {}\ndef helper(x): return {}\ndef work(x): return helper(x) + N\n"
    digests = [code_digest(run(text.format(*pair), 1), project) for pair in [(1, 1), (2, 1), (1, 2), (1, 1)]]
    assert len(set(digests)) == 3
    assert digests[0] == digests[3]


def test_a_function_without_source_is_an_error(tmp_path: Path) -> None:
    space: dict[str, Any] = {"__name__": "__main__"}
    exec("def work(x): return x", space)
    with pytest.raises(CrossdockError, match="has no source"):
        code_digest(space["work"], Project(tmp_path))


def test_an_unchanged_step_is_analysed_once(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    one = folder.digest(steps=PLAIN)
    function = folder.function
    monkeypatch.setattr("crossdock.passes.source.SourceModule.__init__", None)
    assert code_digest(function, folder.project) == one


SHOWCASE = '''
from __future__ import annotations
import os; import sys
TABLE = {"ä": f"{1:>{2}} {'x' + 'y'} {{}}", 'b': rf"\\d{3!r}", "c": Rb"\\x"}
TEXT = f"""ünï {
    1 + 1
} line
 end"""; AFTER = f'ü{1}' f"{2=}"
class C(dict): pass
async def gather(*a, k: "C" = 0x_ff, **kw) -> list[C]:
    async with open(a) as b: return [await c async for c in b if (d := c)]
def work(x, /, *, y=1_000.5e-3j):
    """Doc
       string."""
    if x:
      match x:
            case {"a": C(), **rest}: return lambda *a: rest @ a  # comment
    # dedented comment
        # stranger
    return TEXT, TABLE, gather, AFTER, x if 1 or 1 else ...
'''


def interpreters() -> list[str]:
    found = [shutil.which(f"python3.{minor}") for minor in (12, 13, 14)]
    versions = Path.home() / ".pyenv" / "versions"
    found += [str(path) for minor in (12, 13, 14) for path in versions.glob(f"3.{minor}.*/bin/python")]
    return sorted({path for path in found if path and "shims" not in path})


STANDARD = Path(os.__file__).parent


@pytest.mark.parametrize("name", ["showcase", "dataclasses", "argparse", "typing", "_pydecimal", "asyncio/base_events"])
def test_every_supported_python_gives_the_same(tmp_path: Path, name: str) -> None:
    text = SHOWCASE if name == "showcase" else (STANDARD / f"{name}.py").read_text("utf-8")
    (tmp_path / "steps.py").write_text(text, "utf-8")
    program = (
        "import json, sys, types\n"
        "from pathlib import Path\n"
        "package = sys.modules['crossdock.passes'] = types.ModuleType('crossdock.passes')\n"
        "package.__path__ = [str(Path(sys.argv[2], 'compiler', 'crossdock', 'passes'))]\n"
        "from crossdock.passes.reach import Reach\n"
        "from crossdock.passes.resolve import Resolver\n"
        "from crossdock_runtime.loading import Project\n"
        "reach = Reach(Resolver(Project(Path(sys.argv[1]))))\n"
        "reach._take_whole('steps'); reach._settle()\n"
        "print(json.dumps(reach.report, sort_keys=True))\n"
    )
    path = os.pathsep.join(str(ROOT / part) for part in ("compiler", "runtime"))
    reports = {}
    for python in [sys.executable, *interpreters()]:
        command = [python, "-S", "-c", program, str(tmp_path), str(ROOT)]
        environment = {"PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"}
        done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
        assert done.returncode == 0, done.stderr
        reports[python] = json.loads(done.stdout)
    assert len(reports[sys.executable]) >= 5
    assert all(report == reports[sys.executable] for report in reports.values())
