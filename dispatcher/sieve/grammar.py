"""The language of conditions: comparisons of columns with constants, joined by ``and``, ``or`` and ``not``.

::

    condition  = all {"or" all}
    all        = one {"and" one}
    one        = "not" one | "(" condition ")" | column relation
    relation   = sign constant | ["not"] "in" "(" constant {"," constant} ")" | "is" ["not"] "null"
    sign       = "=" | "!=" | "<>" | "<" | "<=" | ">" | ">="
    column     = word | '"' text '"'
    constant   = number | word | "'" text "'"

It is not SQL: a constant that is one word needs no quotes, and there is nothing that could be executed.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from .condition import (
    COMPARISONS,
    Condition,
    Constant,
    Kind,
    Test,
    comparison,
    conjunction,
    disjunction,
    membership,
    negation,
    nullness,
    number_of,
)

MAX_DEPTH = 100
"""Most parentheses and negations within each other."""

SHOWN = 20
"""Most characters that an error shows of what cannot be read."""

KEYWORDS = frozenset("and or not in is null".split())

_SPACE = re.compile(r"\s*")
_SIGN = re.compile("|".join(sorted(COMPARISONS, key=len, reverse=True)))
_FIRST = re.compile(r"\w+|\S")
_NAME = re.compile(r"[^\W\d][\w$]*")
_QUOTED_NAME = re.compile(r'"((?:[^"]|"")+)"')
_WORD = re.compile(r"""[^\s,()'"<>=!]+""")
_QUOTED = re.compile(r"'((?:[^']|'')*)'")


def read_condition(text: str) -> Condition:
    """Read a condition.

    Raises:
        ValueError: it cannot be read, and where.
    """
    return _Parser(text).condition()


class _Text:
    """A text that is read from left to right, piece by piece; space between pieces is of no matter."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0

    def _peek(self) -> str:
        """What is left, without space in front."""
        self._at = _end(_SPACE.match(self._text, self._at), self._at)
        return self._text[self._at :]

    def _match(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        self._peek()
        match = pattern.match(self._text, self._at)
        self._at = _end(match, self._at)
        return match

    def _keyword(self, word: str) -> bool:
        self._peek()
        match = _NAME.match(self._text, self._at)
        if match is None or match[0].lower() != word:
            return False
        self._at = match.end()
        return True

    def _symbol(self, symbol: str) -> bool:
        is_there = self._peek().startswith(symbol)
        self._at += len(symbol) * is_there
        return is_there

    def _expect(self, symbol: str) -> None:
        if not self._symbol(symbol):
            raise self._error(f"{symbol} is expected")

    def _error(self, what: str) -> ValueError:
        next_ = _FIRST.match(self._peek())
        place = f"at character {self._at + 1}, before {next_[0][:SHOWN]!r}" if next_ else "at its end"
        return ValueError(f"must be such as status in (new, paid) and amount > 0; {place}, {what}")


class _Parser(_Text):
    """Reads a condition."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self._depth = 0
        self._columns: list[bytes] = []
        self._compared: set[bytes] = set()

    def condition(self) -> Condition:
        """All of the text."""
        test = self._any()
        if self._peek():
            raise self._error("and, or, or the end is expected")
        return Condition(self._text.strip(), tuple(self._columns), frozenset(self._compared), test)

    def _any(self) -> Test:
        return self._joined("or", self._all, disjunction)

    def _all(self) -> Test:
        return self._joined("and", self._one, conjunction)

    def _joined(self, joint: str, read: Callable[[], Test], join: Callable[[list[Test]], Test]) -> Test:
        tests = [read()]
        while self._keyword(joint):
            tests.append(read())
        return join(tests)

    def _one(self) -> Test:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise self._error("nothing so deep within parentheses can be read")
        if self._keyword("not"):
            test = negation(self._one())
        elif self._symbol("("):
            test = self._any()
            self._expect(")")
        else:
            test = self._relation()
        self._depth -= 1
        return test

    def _relation(self) -> Test:
        name = self._name()
        number = self._number(name)
        if self._keyword("is"):
            is_not = self._keyword("not")
            if not self._keyword("null"):
                raise self._error("null is expected")
            test = nullness(number)
            return negation(test) if is_not else test
        self._compared.add(name.encode())
        if self._keyword("not"):
            if not self._keyword("in"):
                raise self._error("in is expected")
            return negation(self._membership(number, name))
        if self._keyword("in"):
            return self._membership(number, name)
        sign = self._match(_SIGN)
        if sign is None:
            raise self._error(f"what {name} is compared by is expected: {' '.join(COMPARISONS)}, in, is")
        start = self._at
        kind, constant = self._constant()
        if kind is Kind.BOOLEAN and _is_order(sign[0]):
            self._at = start
            raise self._error("a number or text is expected, as true and false have no order")
        return comparison(number, name, kind, sign[0], constant)

    def _membership(self, number: int, name: str) -> Test:
        self._expect("(")
        kind, constant = self._constant()
        constants = [constant]
        while self._symbol(","):
            start = self._at
            other, constant = self._constant()
            if other is not kind:
                self._at = start
                raise self._error(f"a {kind.value} is expected, as before (in quotes, all is text)")
            constants.append(constant)
        self._expect(")")
        return membership(number, name, kind, constants)

    def _name(self) -> str:
        quoted = self._match(_QUOTED_NAME)
        if quoted:
            return quoted[1].replace('""', '"')
        start = self._at
        name = self._match(_NAME)
        if name is None or name[0].lower() in KEYWORDS:
            self._at = start
            raise self._error("the name of a column is expected")
        return name[0]

    def _number(self, name: str) -> int:
        column = name.encode()
        if column not in self._columns:
            self._columns.append(column)
        return self._columns.index(column)

    def _constant(self) -> tuple[Kind, Constant]:
        if quoted := self._match(_QUOTED):
            return Kind.TEXT, quoted[1].replace("''", "'").encode()
        start = self._at
        word = self._match(_WORD)
        if word is None or word[0].lower() in KEYWORDS:
            self._at = start
            is_null = word is not None and word[0].lower() == "null"
            raise self._error("a value is expected" + (" (for NULL there is: is null)" if is_null else ""))
        text = word[0]
        if text.lower() in {"true", "false"}:
            return Kind.BOOLEAN, text.lower() == "true"
        number = number_of(text)
        if number is not None and number.is_finite():
            return Kind.NUMBER, number
        return Kind.TEXT, text.encode()


def _is_order(sign: str) -> bool:
    return sign[0] in "<>" and sign != "<>"


def _end(match: re.Match[str] | None, otherwise: int) -> int:
    return match.end() if match else otherwise
