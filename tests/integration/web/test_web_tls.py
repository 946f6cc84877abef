"""HTTPS, configured by two file names."""

from __future__ import annotations

import ssl
import subprocess
import urllib.request
from pathlib import Path

import pytest
from harness.programs.fleet import fleet
from harness.programs.web import web_child
from harness.waiting import wait_until


@pytest.fixture
def pair(tmp_path: Path) -> Path:
    """A directory with ``cert`` for 127.0.0.1, its ``key``, and the key ``locked`` by a passphrase."""
    name = "-subj /CN=x -addext subjectAltName=IP:127.0.0.1"
    for line in (
        f"req -x509 -newkey rsa:2048 -nodes -days 1 {name} -keyout key -out cert",
        "rsa -aes128 -passout pass:secret -in key -out locked",
    ):
        subprocess.run(["openssl", *line.split()], cwd=tmp_path, check=True, capture_output=True)
    (tmp_path / "junk").write_text("junk", encoding="utf-8")
    return tmp_path


def test_a_fleet_serves_https(pair: Path) -> None:
    """To a client that checks the certificate; status names the scheme."""
    with fleet(pair / "fleet", web_cert=str(pair / "cert"), web_key=str(pair / "key")) as made:
        made.write_job("orders")
        made.start()
        address = wait_until(lambda: made.status()["web"], "the web child listens")
        assert address.startswith("https://127.0.0.1:")
        trust = ssl.create_default_context(cafile=str(pair / "cert"))
        with urllib.request.urlopen(f"{address}/metrics", timeout=20, context=trust) as response:  # noqa: S310 (ours)
            assert b'tdsup_job_up{job="orders"}' in response.read()


@pytest.mark.parametrize(
    ("cert", "key", "reason"),
    [
        ("none", "key", "cannot read web_cert none: No such file or directory"),
        ("cert", "none", "cannot read web_key none: No such file or directory"),
        ("junk", "key", "cannot use web_cert junk: it is not a certificate in PEM form"),
        ("cert", "junk", "cannot use web_key junk: it is not a PEM key of that certificate, or it needs a"),
        (
            "cert",
            "locked",
            "cannot use web_key locked: it is not a PEM key of that certificate, or it needs a",
        ),
    ],
)
def test_a_pair_that_is_none_is_told_in_one_line(pair: Path, cert: str, key: str, reason: str) -> None:
    """And nothing is served, certainly not without TLS."""
    with web_child(pair, web_cert=cert, web_key=key) as web:
        assert web.said["reason"].startswith(f"cannot serve https://127.0.0.1:0: {reason}")
        assert web.exit_code() == 1


def test_the_fault_shows_in_status(pair: Path) -> None:
    """The jobs run all the same, and HTTPS begins once the file is there."""
    key = pair / "later"
    with fleet(pair / "fleet", web_cert=str(pair / "cert"), web_key=str(key)) as made:
        made.write_job("orders")
        made.start()
        made.wait_all()
        line = f"cannot serve https://127.0.0.1:0: cannot read web_key {key}: No such file or directory"
        wait_until(lambda: made.status()["web_error"] == line, "the fault is told")
        key.write_bytes((pair / "key").read_bytes())
        wait_until(lambda: made.status()["web"], "the web child listens")
        assert made.status()["web_error"] == ""
