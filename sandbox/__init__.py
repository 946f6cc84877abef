"""A private, throw-away PostgreSQL with PgQ and its ticker, for demo, tests and benchmarks."""

from .box import Sandbox
from .cluster import Cluster
from .errors import SandboxError
from .ticker import Ticker

__all__ = ["Cluster", "Sandbox", "SandboxError", "Ticker"]
