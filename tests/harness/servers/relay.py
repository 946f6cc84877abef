"""A relay before a server that counts round trips: what a client sends and waits for."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from collections.abc import Iterator

from psycopg2.extensions import make_dsn, parse_dsn

WAITED_FOR = frozenset(b"Qc")
"""Types of messages that a client sends and waits for: Query and CopyDone."""

PIECE = 1 << 16


class Relay:
    """Passes on whatever clients and server say.

    Attributes:
        dsn: connection string through the relay.
        trips: messages so far for which a client waited.
    """

    def __init__(self, dsn: str, listener: socket.socket) -> None:
        parts = parse_dsn(dsn)
        self._address = f"{parts['host']}/.s.PGSQL.{parts['port']}"
        self._listener = listener
        host, port = listener.getsockname()
        # The first message is then the one that has no type.
        self.dsn = make_dsn(dsn, host=host, port=port, sslmode="disable", gssencmode="disable")
        self.trips = 0

    def serve(self) -> None:
        """Take connections until the listener is closed."""
        threads = []
        with contextlib.suppress(OSError):
            while True:
                client, _address = self._listener.accept()
                server = socket.socket(socket.AF_UNIX)
                server.connect(self._address)
                for method, ends in ((self._forth, (client, server)), (_pass_on, (server, client))):
                    threads.append(threading.Thread(target=method, args=ends))
                    threads[-1].start()
        for thread in threads:
            thread.join()

    def _forth(self, client: socket.socket, server: socket.socket) -> None:
        """Pass on what a client says, message by message."""
        with contextlib.closing(client), contextlib.suppress(OSError), client.makefile("rb") as stream:
            kind = b""
            while len(head := stream.read(4)) == 4:
                (length,) = struct.unpack("!I", head)
                self.trips += bool(kind) and kind[0] in WAITED_FOR
                server.sendall(kind + head + stream.read(length - 4))
                kind = stream.read(1)
        with contextlib.suppress(OSError):
            server.shutdown(socket.SHUT_WR)


def _pass_on(server: socket.socket, client: socket.socket) -> None:
    with contextlib.closing(server), contextlib.suppress(OSError):
        while piece := server.recv(PIECE):
            client.sendall(piece)
    with contextlib.suppress(OSError):
        client.shutdown(socket.SHUT_RDWR)


@contextlib.contextmanager
def relay(dsn: str) -> Iterator[Relay]:
    """A relay before the server of a connection string that names its unix socket."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        made = Relay(dsn, listener)
        thread = threading.Thread(target=made.serve)
        thread.start()
        try:
            yield made
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()
