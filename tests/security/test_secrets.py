"""Passwords come by many ways, and go nowhere but to the servers."""

from __future__ import annotations

import json
import re
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from harness.programs.fleet import Fleet, fleet
from harness.rows.orders import Orders
from harness.servers.database import Database
from psycopg2.extensions import make_dsn, parse_dsn
from tdsup.dispatcher.address import Address
from tdsup.dispatcher.errors import Outage
from tdsup.sandbox import Sandbox

SECRET = "planted&secret'1"  # noqa: S105 (what this file is about)

Way = Callable[[Path, str, pytest.MonkeyPatch], dict[str, str]]
"""Lays the password somewhere, given a connection string without it; returns keys of a job that finds it."""


def _write(path: Path, text: str) -> Path:
    path.write_text(text)
    path.chmod(0o600)
    return path


def by_file(folder: Path, bare: str, _patch: pytest.MonkeyPatch) -> dict[str, str]:
    """``dst_db_file``, relative to the fleet's directory."""
    _write(folder / "secret", make_dsn(password=SECRET))
    return {"dst_db": bare, "dst_db_file": "./secret"}


def by_credential(folder: Path, bare: str, patch: pytest.MonkeyPatch) -> dict[str, str]:
    """A credential of a systemd unit."""
    _write(folder / "db_orders", make_dsn(password=SECRET))
    patch.setenv("CREDENTIALS_DIRECTORY", str(folder))
    return {"dst_db": bare, "dst_db_file": "db_orders"}


def by_passfile(folder: Path, bare: str, _patch: pytest.MonkeyPatch) -> dict[str, str]:
    """``passfile`` of the connection string."""
    return {"dst_db": make_dsn(bare, passfile=str(_write(folder / "pgpass", f"*:*:*:*:{SECRET}\n")))}


def by_environment(_folder: Path, bare: str, patch: pytest.MonkeyPatch) -> dict[str, str]:
    """``PGPASSWORD``."""
    patch.setenv("PGPASSWORD", SECRET)
    return {"dst_db": bare}


def by_service(folder: Path, bare: str, patch: pytest.MonkeyPatch) -> dict[str, str]:
    """A service file."""
    lines = [f"{key}={value}" for key, value in {**parse_dsn(bare), "password": SECRET}.items()]
    patch.setenv("PGSERVICEFILE", str(_write(folder / "services", "\n".join(["[kept]", *lines, ""]))))
    return {"dst_db": "service=kept"}


def by_ini(_folder: Path, bare: str, _patch: pytest.MonkeyPatch) -> dict[str, str]:
    """The job's file itself."""
    return {"dst_db": make_dsn(bare, password=SECRET)}


COMMANDS = (
    ("status",),
    ("check", "--connect"),
    ("dead-letters", "orders", "list"),
    ("schema",),
    ("consumers",),
)
"""A command that does not connect, and some that do."""


@pytest.fixture
def bare(sandbox: Sandbox, target: Database) -> Iterator[str]:
    """A connection string for a role that has to give the password."""
    target.execute("create role keeper superuser login password %s", SECRET)
    database = parse_dsn(target.dsn)["dbname"]
    yield make_dsn(host="127.0.0.1", port=sandbox.target.port, dbname=database, user="keeper")
    target.execute("reassign owned by keeper to postgres")
    target.execute("drop owned by keeper")
    target.execute("drop role keeper")


def leaks(made: Fleet, target: Database, said: list[str]) -> list[str]:
    """Where the secret is seen, in any of its forms."""
    texts = {f"output {number}": text for number, text in enumerate(said)}
    for folder in ("log", "run"):
        for path in (made.directory / folder).rglob("*"):
            if stat.S_ISREG(path.stat().st_mode):
                texts[str(path)] = path.read_text(errors="replace")
    for pid in made.processes():
        texts[f"process {pid}"] = Path(f"/proc/{pid}/cmdline").read_text(errors="replace")
    texts["metrics"] = made.get("/metrics")
    texts["page"] = made.get("/") + made.get("/status.json")
    texts["status"] = json.dumps(made.status())
    texts["streams"] = made.stdout() + made.stderr()
    texts["activity"] = str(target.rows("select application_name, query from pg_stat_activity"))
    texts["ledger"] = str(target.rows("select c::text from tdsup.consumer c"))
    forms = {SECRET, quote(SECRET), SECRET.replace("'", "\\'"), json.dumps(SECRET)[1:-1]}
    return [name for name, text in texts.items() if any(form in text for form in forms)]


@pytest.mark.parametrize(
    "way",
    [by_file, by_credential, by_passfile, by_environment, by_service, by_ini],
    ids=lambda way: str(way.__name__),
)
def test_a_password_is_used_and_never_shown(
    way: Way,
    tmp_path: Path,
    source: Database,
    target: Database,
    bare: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """By whatever way it comes; while it is right, and while it is wrong."""
    orders = Orders(source, target)
    with fleet(tmp_path / "fleet") as made:
        orders.write_job(made, **way(made.directory, bare, monkeypatch))
        made.start()
        made.wait_for("orders", state="running")
        orders.insert(10)
        orders.wait_loaded()
        said = [str(made.said(*words)) for words in COMMANDS]
        assert [text for text in said if "cannot" in text] == []
        target.execute("alter role keeper password 'other'")
        made.kill_worker("orders")
        made.wait_for("orders", state="backoff", reason=lambda reason: "password" in reason)
        said += [str(made.said(*words)) for words in COMMANDS]
        assert leaks(made, target, said) == []
        # It is asked for at each connection.
        target.execute("alter role keeper password %s", SECRET)
        made.wait_for("orders", 45, state="running")
        made.stop()


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, "No such file or directory"),
        (b"", "it is empty"),
        (SECRET.encode(), "it holds no connection string, such as password='…'"),
        (b"password=x host=elsewhere", "it says host, which belongs into dst_db"),
        (b"password=\xff", "it is not of UTF-8"),
    ],
)
def test_a_file_that_is_wrong_is_told_without_its_content(
    tmp_path: Path, content: bytes | None, reason: str
) -> None:
    """Which key and file, and what is wrong."""
    path = tmp_path / "secret"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(Outage) as caught:
        Address("target", "host=a", str(path)).read()
    assert str(caught.value) == f"cannot read dst_db_file {path}: {reason}"


def test_a_credential_needs_a_unit(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A name without a slash is looked up where systemd says; without that, the message says so."""
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)
    address = Address("source", "host=a dbname=b", "orders")
    with pytest.raises(Outage, match="is not set, and a name without a slash is a systemd credential"):
        address.read()
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    (tmp_path / "orders").write_text("postgresql://keeper:p%40ss@/\n")
    wanted = {"host": "a", "dbname": "b", "user": "keeper", "password": "p@ss"}
    assert parse_dsn(address.read()) == wanted


def test_check_tells_who_may_read_a_secret(tmp_path: Path, target: Database, source: Database) -> None:
    """A file of secrets that others may read is told of, by its name alone."""
    with fleet(tmp_path) as made:
        secret = made.directory / "secret"
        secret.write_text(f"password={SECRET}")
        Orders(source, target).write_job(made, dst_db_file=str(secret))
        secret.chmod(0o644)
        told = "".join(map(str, made.said("check")))
        assert re.search(r"/secret: others may read it \(mode 0644\), and it holds a secret", told)
        secret.chmod(0o600)
        assert "secret" not in "".join(map(str, made.said("check")))
