"""A model of who may write a batch into the target, and an explorer that walks through all that can happen.

It is the specification of the rules that `rules.py` names. ``python -m model``, in the folder of the tests,
prints what the explorer finds.
"""
