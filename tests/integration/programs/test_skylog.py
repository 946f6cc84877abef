"""A job whose logging a skylog.ini configures."""

from __future__ import annotations

import pytest
from harness.programs.desk import Desk

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
args = ('%(job_name)s.sky',)
formatter = sky
[formatter_sky]
format = sky %(job_name)s %(service_name)s %(message)s
"""


def test_skylog_configures_logging(desk: Desk) -> None:
    """From the first file that exists; the job's own log is kept, and no password is shown."""
    (desk.directory / "there.ini").write_text(SKYLOG.format(kind="FileHandler"), encoding="utf-8")
    desk.write(behave="setup", use_skylog=2, skylog_locations="none.ini, there.ini")
    assert desk.ends() == (1, "")
    sky = (desk.directory / "orders.sky").read_text(encoding="utf-8")
    assert sky.startswith("sky orders sleeper cannot load orders: no table")
    assert "password=********" in sky
    assert "hunter2" not in sky + desk.log
    assert "ERROR cannot load orders" in desk.log


@pytest.mark.parametrize("kind", ["skylog.UdpLogServerHandler", "skytools.skylog.SysLogHandler"])
def test_handlers_of_skytools_are_refused_by_name(desk: Desk, kind: str) -> None:
    """With what to use instead."""
    (desk.directory / "skylog.ini").write_text(SKYLOG.format(kind=kind), encoding="utf-8")
    desk.write(use_skylog=1)
    code, said = desk.ends()
    assert (code, said.count("\n")) == (1, 1)
    assert f"by skylog.ini: [handler_sky] class: {kind} belongs to skytools; use one of Python's" in said


def test_a_handler_of_skytools_that_no_logger_uses_is_passed_over(desk: Desk) -> None:
    """As in the stock files; the handler that is used writes the log."""
    text = SKYLOG.format(kind="FileHandler").replace("keys = sky", "keys = sky, db", 1)
    assert "db" in text
    foreign = "\n[handler_db]\nclass = skylog.LogDBHandler\nargs = ('x',)\n"
    (desk.directory / "skylog.ini").write_text(text + foreign, encoding="utf-8")
    desk.write(behave="setup", use_skylog=1)
    assert desk.ends() == (1, "")
    assert "sky orders sleeper" in (desk.directory / "orders.sky").read_text(encoding="utf-8")


def test_check_looks_at_the_skylog_file(desk: Desk) -> None:
    """A job that would not start for it cannot run; nothing is written."""
    desk.write(use_skylog=1)
    missing = desk.fleet.run("check")
    assert (missing.returncode, missing.stdout) == (1, "0 of 1 jobs can run\n")
    assert "[sleeper] skylog_locations: no such file: skylog.ini" in missing.stderr
    (desk.directory / "skylog.ini").write_text(SKYLOG.format(kind="skylog.SysLogHandler"), encoding="utf-8")
    assert "skylog.SysLogHandler belongs to skytools" in desk.fleet.run("check").stderr
    (desk.directory / "skylog.ini").write_text(SKYLOG.format(kind="FileHandler"), encoding="utf-8")
    sound = desk.fleet.run("check")
    assert (sound.returncode, sound.stdout, sound.stderr) == (0, "1 of 1 jobs can run\n", "")
    assert not (desk.directory / "orders.sky").exists()
