"""The end of a certificate's validity, which Prometheus is told."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from tdsup.supervisor.errors import TdsupError
from tdsup.supervisor.web.certificate import not_after


@pytest.mark.parametrize(
    ("end", "seconds"),
    [("20491231235959Z", 2524607999), ("20500101000000Z", 2524608000), ("19991231235959Z", 946684799)],
)
def test_the_end_is_that_of_openssl(tmp_path: Path, end: str, seconds: int) -> None:
    """In both forms of a time (RFC 5280, section 4.1.2.5); the first of a chain counts."""
    key, request, made = (tmp_path / name for name in ("key", "request", "made"))
    words = f"req -newkey rsa:2048 -nodes -subj /CN=x -keyout {key} -out {request}"
    subprocess.run(["openssl", *words.split()], check=True, capture_output=True)
    (tmp_path / "index").write_text("")
    (tmp_path / "ca").write_text(
        f"[ca]\ndefault_ca=d\n[d]\ndatabase={tmp_path}/index\nrand_serial=yes\nnew_certs_dir={tmp_path}\n"
        "default_md=sha256\npolicy=p\n[p]\ncommonName=supplied\n"
    )
    words = f"ca -batch -config {tmp_path}/ca -selfsign -keyfile {key} -in {request} -out {made}"
    words += f" -startdate 19900101000000Z -enddate {end}"
    subprocess.run(["openssl", *words.split()], check=True, capture_output=True)
    assert not_after(made.read_text()) == seconds
    assert not_after(made.read_text() + made.read_text().replace("M", "N")) == seconds


def test_no_certificate_is_told() -> None:
    """A text without one has no end."""
    with pytest.raises(TdsupError, match="cannot read the certificate"):
        not_after("-----BEGIN CERTIFICATE-----\n")
