"""Readers of text that strangers write: each gives what it promises, or the one error that it promises."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from tdsup.dispatcher.events import Event, read_change
from tdsup.supervisor.config.confd import scan
from tdsup.supervisor.config.inifile import SyntaxFault, parse

from harness.fuzz.budget import Budget, Fault
from harness.fuzz.mutator import Mutator

JSON = (
    b'{"id": 1, "day": "2026-11-24", "note": "a\\u00e9\\n", "tags": ["x", null, [1.50, true]]}',
    b'{"o": {"k": 1e3, "l": [{"m": false}]}}',
    b'{"id": null, "big": 123456789012345678901234567890.10, "empty": {}, "list": []}',
    b'{"op":"INSERT","pkey":["id","k2"]}',
)
JSON_WORDS = (
    b'"',
    b"{",
    b"}",
    b"[",
    b"]",
    b":",
    b",",
    b"\\u",
    b"\\ud800",
    b"null",
    b"1e999",
    b"NaN",
    b"[[[[",
)

SQL = (
    b"(id,day,\"No te\",x) values ('1','2026-11-24',E'a\\\\b\\n',null)",
    b"note='it''s',day=null where id='1' and k2='x'",
    b"id='2' and \"K\"\"2\"=E'\\''",
)
SQL_WORDS = (
    b"'",
    b"E'",
    b"''",
    b"\\'",
    b"null",
    b" where ",
    b" and ",
    b"values (",
    b")",
    b"(",
    b",",
    b"=",
    b'"',
)

ROWS = (b"id=1&day=2026-11-24&note=a+b%5c%0A&x%41=7&n", b"id&=x&&a=%ff%00", b"*=1&note=")
ROW_WORDS = (b"&", b"=", b"%", b"%4", b"+", b"%00", b"&&", b"id=")

TYPES = (b"I:id", b"U:id,k2", b"D:id", b"I", b"U", b"D", b"R", b"x", JSON[2], b'{"op":"UPDATE","pkey":[]}')

INI = (
    b"""[DEFAULT]\nhost = db1\n[table_dispatcher]\njob_name = orders\nsrc_db = host=%(host)s dbname=a
dst_db = dbname=b\npgq_queue_name = q\ndest_table = public.orders\npart_field = day\n""",
    b"""[table_dispatcher]\nconfig_format = 2\nx = ${y}\ny = 1 ; comment
part_template =\n  create table\n  x (a int)\n""",
    b"queue_name : q\n# comment\n[table_dispatcher]\nlogfmt_file = %%(asctime)s %%(message)s\n[sleeper]\n",
)
INI_WORDS = (
    b"[",
    b"]",
    b"=",
    b":",
    b"%(",
    b")s",
    b"%(x)s",
    b"${",
    b"}",
    b";",
    b"#",
    b"\n  ",
    b"[DEFAULT]\n",
    b"$",
)


def _change(event: Event) -> None:
    header = event.header()
    if header.operation is not None:
        read_change(header, event)


def try_events(seed: int, budget: Budget) -> None:
    """Headers, JSON, sqltriga's text and url-encoded rows are a change or a ValueError.

    Raises:
        Fault: one raised something else.
    """
    kinds = ((JSON, JSON_WORDS), (SQL, SQL_WORDS), (ROWS, ROW_WORDS))
    makers = [Mutator(seed + number, *kind) for number, kind in enumerate(kinds)]
    types = Mutator(seed, TYPES, JSON_WORDS)
    while budget.is_left:
        for maker in makers:
            data, type_ = maker.next(), types.next()
            old = maker.next() if maker.rng.random() < 0.2 else None
            event = Event(1, b"", type_, data, b"public.t", old, b"")
            try:
                _change(event)
            except ValueError:
                pass
            except Exception as error:
                raise Fault(f"{type(error).__name__} for an event of type {type_!r}", data) from error
        budget.spend(len(makers))


def _whole(text: bytes, path: Path) -> None:
    path.write_bytes(text)
    scan([str(path)])


def _syntax(text: bytes, _path: Path) -> None:
    ini = parse(text.decode("latin-1"), "table_dispatcher")
    for header in ini.headers():
        with suppress(SyntaxFault):
            ini.interpolate(header, {"job_name": "x"}, ini.is_extended(header))


def try_ini(seed: int, budget: Budget) -> None:
    """A file is jobs, sound or broken; no text of it is an error of ours.

    Raises:
        Fault: it was.
    """
    mutator = Mutator(seed, INI, INI_WORDS)
    ways: tuple[Callable[[bytes, Path], None], ...] = (_syntax, _syntax, _syntax, _whole)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "x.ini")
        while budget.is_left:
            text = mutator.next()
            try:
                mutator.rng.choice(ways)(text, path)
            except Exception as error:
                raise Fault(f"{type(error).__name__}: {error}", text) from error
            budget.spend()
