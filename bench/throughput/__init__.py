"""Throughput of the dispatcher, side by side with its limit, the original and Londiste.

``python -m bench.throughput``, from the root of the repository. Each contestant works off the same events in
a process of its own, in every round, so that ratios hold when the machine's speed drifts.
"""
