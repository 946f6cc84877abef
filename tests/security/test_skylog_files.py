"""Whoever names or writes a skylog.ini neither runs code as the fleet nor reads its files."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from harness.programs.desk import Desk
from harness.programs.fleet import Fleet, fleet

NEEDLE = "hunter2"

SKYLOG = """
[loggers]
keys = root
[handlers]
keys = sky
[formatters]
keys = sky
[logger_root]
level = INFO
handlers = sky
[handler_sky]
class = {kind}
args = {args}
formatter = sky
[formatter_sky]
class = {formatter}
format = %(message)s
"""

CODE = {
    "a call": {"args": "(open('stolen', 'w'),)"},
    "a name's method": {"args": "('x', __import__('os').mkdir('stolen'))"},
    "an element": {"args": "[e for e in [__import__('os').mkdir('stolen')]]"},
    "an f-string": {"args": '(f\'{__import__("os").mkdir("stolen")}\',)'},
    "a lambda": {"args": "((lambda: 1)(),)"},
    "an attribute": {"args": "(sys.modules,)"},
    "another class": {"kind": "os.mkdir", "args": "('stolen',)"},
    "another package's handler": {"kind": "pkg.Handler"},
    "no handler": {"kind": "handlers.socket"},
    "a formatter of its own": {"formatter": "pkg.Formatter"},
}


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Fleet]:
    """A fleet of one job."""
    with fleet(tmp_path) as made:
        made.write_job("orders")
        yield made


def skylog(desk: Desk, **changes: str) -> Path:
    """Write a skylog.ini, and a job that uses it."""
    words = {"kind": "FileHandler", "args": "('orders.sky',)", "formatter": "logging.Formatter"} | changes
    path = desk.directory / "skylog.ini"
    path.write_text(SKYLOG.format(**words), encoding="utf-8")
    path.chmod(0o644)
    desk.write(behave="setup", use_skylog=2)
    return path


@pytest.mark.parametrize("case", CODE)
def test_a_skylog_file_holds_no_code(desk: Desk, case: str) -> None:
    """Its classes are handlers of logging, their arguments literals; anything else is refused."""
    skylog(desk, **CODE[case])
    code, said = desk.ends()
    assert code == 1
    assert "cannot configure logging by skylog.ini: [" in said
    assert not (desk.directory / "stolen").exists()


@pytest.mark.parametrize(
    ("kind", "args"),
    [
        ("FileHandler", "('orders.sky', 'a')"),
        ("logging.StreamHandler", "(sys.stderr,)"),
        ("handlers.RotatingFileHandler", "('orders.sky', 'a', 1000, -1 + 0)"),
        ("logging.handlers.SysLogHandler", "(('127.0.0.1', 9), handlers.SysLogHandler.LOG_LOCAL0)"),
    ],
)
def test_what_stock_files_say_is_taken(desk: Desk, kind: str, args: str) -> None:
    """Strings, numbers and the names of constants."""
    skylog(desk, kind=kind, args=args.replace(" + 0", ""))
    assert "cannot configure" not in desk.ends()[1]


@pytest.mark.parametrize("text", [f"{NEEDLE}\n", f"[{NEEDLE}\nx", f"[loggers]\n{NEEDLE} {NEEDLE}\n"])
def test_an_error_shows_nothing_of_the_file(desk: Desk, text: str) -> None:
    """It may be a token, or /etc/shadow: type and line are all that is told."""
    path = skylog(desk)
    path.write_text(text, encoding="utf-8")
    code, said = desk.ends()
    assert (code, NEEDLE in said + desk.log) == (1, False)
    assert "cannot configure logging by skylog.ini: " in said
    assert "Error" in said


@pytest.mark.parametrize(
    ("mode", "owner", "reason"),
    [
        (0o664, None, "others may write it (mode 0664); chmod go-w it"),
        (0o646, None, "others may write it (mode 0646); chmod go-w it"),
        (0o644, 12345, "it belongs to neither root nor the owner of the job's file"),
    ],
)
def test_a_skylog_file_that_others_may_write(desk: Desk, mode: int, owner: int | None, reason: str) -> None:
    """It is not used, not even looked into."""
    path = skylog(desk)
    path.chmod(mode)
    if owner is not None:
        os.chown(path, owner, owner)
    assert f"cannot trust skylog.ini: {reason}" in desk.ends()[1]


def test_the_fleet_may_forbid_skylog(here: Fleet) -> None:
    """Then a job that asks for it cannot run, and the others do."""
    here.write_settings(skylog=False)
    here.write_job("sky", use_skylog=1)
    code, said, complaint = here.said("check")
    assert (code, said) == (1, "1 of 2 jobs can run\n")
    assert "[sleeper] use_skylog: tdsup.yaml allows no skylog.ini (skylog)" in complaint
