"""Looking for news of several jobs over one connection, so that none of them has to ask."""

from .sourcewatch import SourceWatch
from .targetwatch import TargetWatch
from .watcher import Watcher

__all__ = ["SourceWatch", "TargetWatch", "Watcher"]
