"""The certificate of the web child, checked before it is used, and loaded again when its files change."""

from __future__ import annotations

import calendar
import logging
import ssl
import time
from collections.abc import Iterator
from pathlib import Path

from ..errors import TdsupError

CIPHERS = "ECDHE+AESGCM:ECDHE+CHACHA20"
"""Of TLS 1.2: with forward secrecy and authenticated encryption (RFC 9325, section 4.2), as all of 1.3."""

_log = logging.getLogger("tdsup")

_Files = tuple[tuple[int, int], ...]


class Certificate:
    """A certificate with its key, in two files of PEM.

    Args:
        certificate: path of the certificate with its chain.
        key: path of its key.

    Raises:
        TdsupError: one of them cannot be read or is something else, or they do not belong together.
    """

    def __init__(self, certificate: str, key: str) -> None:
        self._certificate = certificate
        self._key = key
        self._files = self._look()
        self._context = self._load()

    @property
    def ends(self) -> float:
        """End of the validity of what clients are shown, in seconds since 1970."""
        return self._ends

    def context(self) -> ssl.SSLContext:
        """What clients are shown now. A pair that cannot be used is not taken: it may be half replaced."""
        if (files := self._look()) != self._files:
            self._files = files
            try:
                self._context = self._load()
                _log.info("web: the certificate is loaded again")
            except TdsupError as error:
                _log.warning("web: the certificate stays as it was: %s", error)
        return self._context

    def _look(self) -> _Files:
        found = []
        for path in (self._certificate, self._key):
            try:
                stat = Path(path).stat()
            except OSError:
                found.append((0, 0))
            else:
                found.append((stat.st_ino, stat.st_mtime_ns))
        return tuple(found)

    def _load(self) -> ssl.SSLContext:
        for name, path in (("web_cert", self._certificate), ("web_key", self._key)):
            try:
                Path(path).open("rb").close()
            except OSError as error:
                raise TdsupError(f"cannot read {name} {path}: {error.strerror}") from error
        try:
            ssl.create_default_context(cafile=self._certificate)
        except ssl.SSLError as error:
            reason = "it is not a certificate in PEM form"
            raise TdsupError(f"cannot use web_cert {self._certificate}: {reason}") from error
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.set_ciphers(CIPHERS)
        try:
            # Given a passphrase, it does not ask for one on a terminal.
            context.load_cert_chain(self._certificate, self._key, password=lambda: "")
        except ssl.SSLError as error:
            reason = "it is not a PEM key of that certificate, or it needs a passphrase"
            raise TdsupError(f"cannot use web_key {self._key}: {reason}") from error
        self._ends = not_after(Path(self._certificate).read_text(encoding="ascii", errors="replace"))
        return context


def not_after(pem: str) -> float:
    """End of the validity of the first certificate of a text, in seconds since 1970 (RFC 5280, section 4.1).

    Raises:
        TdsupError: there is none.
    """
    begin, end = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"
    _before, _begin, rest = pem.partition(begin)
    body, found, _after = rest.partition(end)
    if not found:
        raise TdsupError("cannot read the certificate: it has no end")
    whole = ssl.PEM_cert_to_DER_cert(f"{begin}\n{body.strip()}\n{end}\n")
    to_be_signed = _parts(next(_parts(whole))[1])
    fields = [content for kind, content in _parts(next(to_be_signed)[1]) if kind != _VERSION]
    # Serial number, algorithm, issuer, validity.
    _begins, (kind, moment) = _parts(fields[3])
    text = moment.decode("ascii")
    if kind == _UTC_TIME:
        text = ("19" if text >= "50" else "20") + text
    return float(calendar.timegm(time.strptime(text, "%Y%m%d%H%M%SZ")))


_VERSION, _UTC_TIME = 0xA0, 0x17


def _parts(content: bytes) -> Iterator[tuple[int, bytes]]:
    """The values of a constructed one in DER, each with its tag (X.690)."""
    while content:
        kind, length, start = content[0], content[1], 2
        if length & 0x80:
            start += length & 0x7F
            length = int.from_bytes(content[2:start], "big")
        yield kind, content[start : start + length]
        content = content[start + length :]
