"""The control socket: its lock, who may ask what, and its server."""

from .lock import Lock, wait_free
from .peer import Access
from .server import ControlServer
from .serving import serve

__all__ = ["Access", "ControlServer", "Lock", "serve", "wait_free"]
