"""Where a fleet is: its directory, and the socket and lock in it; light, as every command needs it."""

from __future__ import annotations

import os

from ..errors import ConfigError

FILE = "tdsup.yaml"
"""The settings of a fleet, in its directory; they may be absent."""

JOBS = "conf.d"
"""Where job files are unless the settings say otherwise."""

SOCKET = "run/tdsup.sock"
"""The control socket unless the settings say otherwise."""

ENVIRONMENT = "TDSUP_DIR"
"""The variable that may name the directory."""

USUAL = ("/etc/tdsup/default", "/etc/tdsup")
"""Where a fleet of this machine is; the Debian package's is in the second."""


def enter(given: str | None) -> None:
    """Make the fleet's directory the working directory.

    It is the one given, else that of `ENVIRONMENT`, else the working directory if there is a fleet, else the
    first of the usual ones that is there.

    Raises:
        ConfigError: it cannot be entered.
    """
    where = given or os.environ.get(ENVIRONMENT) or _usual()
    try:
        os.chdir(where)
    except OSError as error:
        from_where = "" if given else f" ({ENVIRONMENT})" if os.environ.get(ENVIRONMENT) else ""
        raise ConfigError(f"cannot enter {where}{from_where}: {error.strerror}") from error


def _usual() -> str:
    if os.path.lexists(FILE) or os.path.isdir(JOBS):  # noqa: PTH112 (pathlib takes longer than all else)
        return "."
    return next((place for place in USUAL if os.path.isdir(place)), ".")  # noqa: PTH112 (the same)


def read_settings() -> dict[str, object]:
    """Keys and values of `FILE` in the working directory; none if it is not there.

    Raises:
        ConfigError: it cannot be read, or has another form.
    """
    return _parsed(_read())


def control_socket() -> str:
    """The control socket of the working directory's fleet, whatever else its settings say.

    Raises:
        ConfigError: the settings cannot be read.
    """
    text = _read()
    # To parse takes longer than all else.
    found = _parsed(text).get("socket", SOCKET) if "socket" in text else SOCKET
    if not isinstance(found, str):
        raise ConfigError(f"cannot load {FILE}: socket: must be a text")
    return found


def _read() -> str:
    try:
        with open(FILE, encoding="utf-8") as file:  # noqa: PTH123 (pathlib takes longer than all else)
            return file.read()
    except FileNotFoundError:
        return ""
    except OSError as error:
        raise ConfigError(f"cannot read {FILE}: {error.strerror}") from error
    except ValueError as error:
        raise ConfigError(f"cannot load {FILE}: {' '.join(str(error).split())}") from error


def _parsed(text: str) -> dict[str, object]:
    """The content of a text of YAML; what is wrong is told without the text, which may hold a password."""
    # Not at the top: a job without a fleet does not need it.
    import yaml

    try:
        content = yaml.safe_load(text)
    except yaml.MarkedYAMLError as error:
        words = " ".join(filter(None, (error.context, error.problem)))
        mark = error.problem_mark
        where = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
        raise ConfigError(f"cannot load {FILE}: {' '.join((where + words).split())}") from error
    except Exception as error:
        # Text that is nested too deeply raises a RecursionError, for one.
        raise ConfigError(f"cannot load {FILE}: {' '.join(str(error).split())}") from error
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise ConfigError(f"cannot load {FILE}: must be keys with values")
    return {str(key): value for key, value in content.items()}


def lock_of(socket: str) -> str:
    """The lock file beside a control socket."""
    return socket + ".lock"
