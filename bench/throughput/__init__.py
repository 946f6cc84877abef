"""Throughput of the dispatcher, side by side with its limit, the original and Londiste.

``python -m bench.throughput``, from the root of the repository. In every round each contestant consumes the
same events in its own process, so that ratios hold even if the machine's speed drifts.
"""
