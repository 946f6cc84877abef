"""Looking for news of several jobs over one connection, so that none of them has to ask."""

from .watcher import Watcher

__all__ = ["Watcher"]
