"""Whether a condition is an expression of CEL, and which inputs it reads.

Source of the grammar: https://github.com/google/cel-spec/blob/master/doc/langdef.md#syntax
"""

from __future__ import annotations

import re

_TOKEN = re.compile(
    r"""
    (?P<space>[\s]+|//[^\n]*)
  | (?P<text>[rRbB]{0,2}(?:\"\"\"(?:\\.|(?!\"\"\").)*\"\"\"|'''(?:\\.|(?!''').)*'''
      |"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'))
  | (?P<number>0[xX][0-9a-fA-F]+[uU]?|(?:\d+\.\d+|\.\d+|\d+)(?:[eE][+-]?\d+)?[uU]?)
  | (?P<name>[A-Za-z_]\w*)
  | (?P<mark>==|!=|<=|>=|&&|\|\||[-+*/%!<>?:.,()\[\]{}])
    """,
    re.VERBOSE | re.DOTALL,
)
_RESERVED = re.compile(
    "as|break|const|continue|else|for|function|if|import|let|loop|package|namespace|return|var|void|while|in"
)
_FUNCTIONS = re.compile("bool|bytes|double|duration|dyn|has|int|matches|parseJson|size|string|timestamp|type|uint")
"""Of the standard, and `parseJson`, which KFP adds."""
_TYPES = re.compile("bool|bytes|double|int|list|map|null_type|string|type|uint")
_MACROS = ("all", "exists", "exists_one", "map", "filter")
_ESCAPES = re.compile(
    r"""([^\\]|\\([abfnrtv"'`?\\]|[xX][0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|[0-3][0-7]{2}))*""", re.DOTALL
)
_OPERATORS = re.compile(r"\|\||&&|[=!<>]=|[<>+*/%-]")
_DEEPEST = 200


class NoExpression(Exception):
    """The text is no expression; the message says where it stops being one."""


def inputs_of(text: str, kind: str = "parameter_values") -> set[str]:
    """The names in `inputs.parameter_values['name']` of an expression.

    Raises:
        NoExpression: it is none, or it reads something else than `inputs`.
    """
    parser = _Parser(text)
    parser.whole()
    unknown = sorted(name for name in parser.roots - {"inputs"} if not _TYPES.fullmatch(name))
    if unknown:
        raise NoExpression(f"{unknown[0]!r} is nothing that a condition knows; it knows `inputs`")
    return parser.read.get(kind, set())


class _Parser:
    def __init__(self, text: str) -> None:
        self.tokens: list[tuple[str, str, int]] = []
        self.at = 0
        self.depth = 0
        self.roots: set[str] = set()
        self.read: dict[str, set[str]] = {}
        self.own: list[str] = []
        place = 0
        while place < len(text):
            match = _TOKEN.match(text, place)
            if match is None:
                raise NoExpression(f"{text[place : place + 10]!r} at character {place + 1} is no word of CEL")
            if match.lastgroup == "text" and "r" not in match[0][:2].lower() and not _ESCAPES.fullmatch(match[0]):
                raise NoExpression(f"a text at character {place + 1} has a backslash before something else")
            if match.lastgroup != "space":
                self.tokens.append((str(match.lastgroup), match[0], place))
            place = match.end()

    def whole(self) -> None:
        self.expression()
        if self.at < len(self.tokens):
            self._stop()

    def expression(self) -> None:
        self.depth += 1
        if self.depth > _DEEPEST:
            raise NoExpression("it is nested too deeply")
        self._chain()
        if self._take("?"):
            self._chain()
            self._need(":")
            self.expression()
        self.depth -= 1

    def _chain(self) -> None:
        """Operands with operators between them: which binds first makes no difference here."""
        self._operand()
        while True:
            kind, text, _ = self._now()
            if (kind == "mark" and _OPERATORS.fullmatch(text)) or (kind, text) == ("name", "in"):
                self.at += 1
                self._operand()
            else:
                return

    def _operand(self) -> None:
        mark = "!" if self._now()[1] == "!" else "-"
        while self._take(mark):
            pass
        steps = self._primary()
        while True:
            if self._take("."):
                kind, text, _ = self._now()
                if kind != "name" or text in ("true", "false", "null", "in"):
                    self._stop()
                self.at += 1
                steps.append(text)
                if self._take("("):
                    self._arguments(text in _MACROS)
            elif self._take("["):
                kind, text, _ = self._now()
                self.expression()
                if steps[:1] == ["inputs"] and len(steps) == 2 and kind == "text":
                    self.read.setdefault(steps[1], set()).add(_plain(text))
                self._need("]")
                steps.append("[]")
            else:
                return

    def _primary(self) -> list[str]:
        kind, text, _ = self._now()
        self.at += 1
        if kind in ("text", "number"):
            return [""]
        if kind == "name" and not _RESERVED.fullmatch(text):
            if self._take("("):
                if not _FUNCTIONS.fullmatch(text):
                    raise NoExpression(f"there is no function {text!r}")
                self._list(")")
                return [""]
            if text not in ("true", "false", "null") and text not in self.own:
                self.roots.add(text)
            return [text]
        if text == "(" and kind == "mark":
            self.expression()
            self._need(")")
            return [""]
        if text == "[" and kind == "mark":
            self._list("]")
            return [""]
        if text == "{" and kind == "mark":
            self._map()
            return [""]
        self.at -= 1
        self._stop()
        raise AssertionError

    def _arguments(self, macro: bool) -> None:
        kind, text, _ = self._now()
        if macro and kind == "name":
            self.own.append(text)
            self._list(")")
            self.own.pop()
        else:
            self._list(")")

    def _list(self, end: str) -> None:
        while not self._take(end):
            self.expression()
            if not self._take(","):
                self._need(end)
                return

    def _map(self) -> None:
        while not self._take("}"):
            self.expression()
            self._need(":")
            self.expression()
            if not self._take(","):
                self._need("}")
                return

    def _now(self) -> tuple[str, str, int]:
        return self.tokens[self.at] if self.at < len(self.tokens) else ("end", "", -1)

    def _take(self, mark: str) -> bool:
        kind, text, _ = self._now()
        if kind == "mark" and text == mark:
            self.at += 1
            return True
        return False

    def _need(self, mark: str) -> None:
        if not self._take(mark):
            self._stop()

    def _stop(self) -> None:
        kind, text, place = self._now()
        if kind == "end":
            raise NoExpression("it ends in the middle")
        raise NoExpression(f"{text!r} at character {place + 1} does not belong there")


def _plain(text: str) -> str:
    text = text.lstrip("rRbB")
    return text[3:-3] if text.startswith(('"""', "'''")) else text[1:-1]
