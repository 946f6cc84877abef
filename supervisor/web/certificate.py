"""The certificate of the web child, checked before it is used."""

from __future__ import annotations

import ssl
from pathlib import Path

from ..errors import TdsupError


def check_certificate(certificate: str, key: str) -> None:
    """Find out whether these PEM files can be used.

    Raises:
        TdsupError: one of them cannot be read or is something else, or they do not belong together.
    """
    for name, path in (("web_cert", certificate), ("web_key", key)):
        try:
            Path(path).open("rb").close()
        except OSError as error:
            raise TdsupError(f"cannot read {name} {path}: {error.strerror}") from error
    try:
        ssl.create_default_context(cafile=certificate)
    except ssl.SSLError as error:
        raise TdsupError(f"cannot use web_cert {certificate}: it is not a certificate in PEM form") from error
    try:
        # Given a passphrase, it does not ask for one on a terminal.
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key, password=lambda: "")
    except ssl.SSLError as error:
        reason = "it is not a PEM key of that certificate, or it needs a passphrase"
        raise TdsupError(f"cannot use web_key {key}: {reason}") from error
