"""Logging configured by a ``skylog.ini``: a file of Python's logging, in one of several locations."""

from __future__ import annotations

import ast
import configparser
import logging
import logging.config
import os
import re
import socket
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from logging import handlers
from pathlib import Path

from ..config import JobConfig
from ..errors import ConfigError
from ..redact import redact

UNLESS_TERMINAL = 1
"""Value of ``use_skylog`` that a process on a terminal ignores."""

FOREIGN = ("skylog.", "skytools.")
"""How the names of skytools' own handler classes begin."""


def is_wanted(file: JobConfig) -> bool:
    """Whether such a file configures the logging of this job."""
    use = file.host.use_skylog
    return use > UNLESS_TERMINAL or (use == UNLESS_TERMINAL and not os.isatty(0))


def inspect_skylog(file: JobConfig) -> None:
    """Look at the file that would configure the logging of a job in a fleet, if one would; no log is opened.

    Raises:
        ConfigError: there is no such file, it cannot be read, or a logger uses a handler of skytools.
    """
    if file.host.use_skylog:
        path = _find(file)
        with _explained(file, path):
            _read(file, path)


def configure(file: JobConfig) -> None:
    """Configure logging by the first file that exists, as skytools did; earlier handlers are removed.

    The file may refer to ``%(job_name)s`` and ``%(service_name)s``, its formats to ``%(hostname)s`` too.

    Raises:
        ConfigError: there is no such file, it is not valid, or a logger uses a handler of skytools.
    """
    path = _find(file)
    with _explained(file, path):
        logging.config.fileConfig(_read(file, path), disable_existing_loggers=False)
    names = {**_names(file), "hostname": socket.gethostname()}
    for handler in logging.getLogger().handlers:
        handler.addFilter(partial(_prepare, names))


def _find(file: JobConfig) -> str:
    """The first of the job's locations that is a file."""
    locations = [each.strip() for each in file.host.skylog_locations.split(",")]
    found = next((each for each in locations if Path(each).expanduser().is_file()), None)
    if found is None:
        raise ConfigError(f"{_where(file)} no such file: {', '.join(locations)}")
    return str(Path(found).expanduser())


def _names(file: JobConfig) -> dict[str, str]:
    return {"job_name": file.name, "service_name": file.section}


def _where(file: JobConfig) -> str:
    return f"cannot load {file.path}: {file.place('skylog_locations')}:"


@contextmanager
def _explained(file: JobConfig, path: str) -> Iterator[None]:
    """Make one line of whatever is raised: sections of the file name any class with any arguments."""
    try:
        yield
    except ConfigError:
        raise
    except Exception as error:  # noqa: BLE001 (handlers may raise anything)
        # What an error quotes of the file may be a secret of another one.
        line = getattr(error, "lineno", None)
        reason = type(error).__name__ + (f" in line {line}" if isinstance(line, int) else "")
        raise ConfigError(f"{_where(file)} cannot configure logging by {path}: {reason}") from None


def _read(file: JobConfig, path: str) -> configparser.ConfigParser:
    """The file without the handlers of skytools that no logger uses; the stock files have some.

    They write to skytools' own log server and database, which tdsup does not use.
    """
    parser = configparser.ConfigParser(_names(file))
    with open(path, encoding="utf-8") as content:  # noqa: PTH123 (the path is a string)
        _trust(file, path, os.fstat(content.fileno()))
        parser.read_file(content)
    loggers = _list(parser, "loggers", "keys")
    used = {name for logger in loggers for name in _list(parser, f"logger_{logger}", "handlers")}
    kept = []
    for name in _list(parser, "handlers", "keys"):
        kind = parser.get(f"handler_{name}", "class", raw=True, fallback="")
        if not kind.startswith(FOREIGN):
            kept.append(name)
        elif name in used:
            raise ConfigError(
                f"cannot configure logging by {path}: [handler_{name}] class: {kind} belongs to skytools; "
                "use one of Python's, such as handlers.SysLogHandler, or handlers.DatagramHandler"
            )
    if parser.has_section("handlers"):
        parser.set("handlers", "keys", ",".join(kept))
    for name in kept:
        _check_handler(parser, f"handler_{name}", path)
    for name in _list(parser, "formatters", "keys"):
        if parser.get(f"formatter_{name}", "class", fallback="") not in {"", "logging.Formatter"}:
            raise ConfigError(
                f"cannot configure logging by {path}: [formatter_{name}] class: must be logging.Formatter"
            )
    return parser


def _trust(file: JobConfig, path: str, found: os.stat_result) -> None:
    """Refuse a file that somebody may write whom neither this process nor the job's file belongs to."""
    owners = {0, os.geteuid(), Path(file.path).stat().st_uid}
    if found.st_uid not in owners:
        reason = "it belongs to neither root nor the owner of the job's file"
    elif found.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        reason = f"others may write it (mode {stat.S_IMODE(found.st_mode):04o}); chmod go-w it"
    elif not stat.S_ISREG(found.st_mode):
        reason = "it is no regular file"
    else:
        return
    raise ConfigError(f"{_where(file)} cannot trust {path}: {reason}")


def _check_handler(parser: configparser.ConfigParser, section: str, path: str) -> None:
    """See that Python's `logging.config`, which evaluates class and arguments, finds no code in them."""
    kind = parser.get(section, "class", fallback="")
    module, _, name = kind.rpartition(".")
    found = vars(_MODULES[module]).get(name) if module in _MODULES else None
    if not (isinstance(found, type) and issubclass(found, logging.Handler)):
        raise ConfigError(
            f"cannot configure logging by {path}: [{section}] class: must be a handler of logging or "
            "logging.handlers"
        )
    for key in ("args", "kwargs"):
        if not _is_literal(parser.get(section, key, fallback="")):
            raise ConfigError(
                f"cannot configure logging by {path}: [{section}] {key}: must be literals, such as "
                "('/dev/log', 8); of names, only sys.stdout, sys.stderr and constants of handlers may be used"
            )


_MODULES = {"": logging, "logging": logging, "handlers": handlers, "logging.handlers": handlers}


def _is_literal(text: str) -> bool:
    """Whether an expression is a literal, but for some names; what does not parse is none."""
    try:
        tree = ast.parse(text.strip() or "()", mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return all(
        isinstance(node, _LITERALS)
        or (isinstance(node, ast.Attribute) and _NAMES.fullmatch(ast.unparse(node)))
        for node in ast.walk(tree)
        if not isinstance(node, ast.expr_context)
    )


_LITERALS = (
    *(ast.Expression, ast.Constant, ast.Tuple, ast.List, ast.Dict, ast.Set),
    *(ast.UnaryOp, ast.USub, ast.UAdd, ast.Name),
)
_NAMES = re.compile(r"sys\.std(?:out|err)|(?:logging\.)?handlers(?:\.SysLogHandler)?(?:\.[A-Z_0-9]+)?")


def _list(parser: configparser.ConfigParser, section: str, key: str) -> list[str]:
    """The names in a value."""
    return [name.strip() for name in parser.get(section, key, fallback="").split(",") if name.strip()]


def _prepare(names: Mapping[str, str], record: logging.LogRecord) -> bool:
    """Give a record the names that a format may show, and hide passwords."""
    record.msg, record.args = redact(record.getMessage()), None
    if record.exc_info and not record.exc_text:
        record.exc_text = redact(logging.Formatter().formatException(record.exc_info))
    vars(record).update(names)
    return True
