"""What people can do about a job besides running it."""

from collections.abc import Iterable, Sequence

from tdsup.jobtype import Action

from ..rights import grants
from ..settings import Settings
from .letters import list_letters, purge, replay, show
from .overview import consumers, schema
from .owners import takeover
from .partitionlist import partitions
from .registering import register, reset, retire, rewind, skip, unregister
from .standpoint import stand

__all__ = ["ACTIONS"]


def _check(settings: Settings, arguments: Sequence[str]) -> Iterable[str]:
    # Not at the top: no job at work needs it.
    from ..check import examine

    return examine(settings, arguments)


ACTIONS = (
    Action("check", "Look at both databases before the job runs; changes nothing.", _check),
    Action("register", "Register the consumer on the queue, and write its first position.", register),
    Action("unregister", "Unregister the consumer and forget the target's position.", unregister),
    Action("retire", "Unregister the consumer; the position's row is kept as history.", retire),
    Action("rewind", "Set the consumer on the source to the target's position.", rewind),
    Action("reset", "Set the target's position to where the source stands.", reset),
    Action("skip", "Pass over the open batch; its events are kept as dead letters.", skip),
    Action("takeover", "End the sessions of the process that works, and let a standby go on.", takeover),
    Action("consumers", "List the consumers of the source's queues, and who reads them.", consumers),
    Action("stand", "Show where the consumer stands in both databases, and who works for it.", stand),
    Action("partitions", "List the partitions, and what becomes of them.", partitions),
    Action("schema", "Show the version of schema tdsup in the target, or what is missing as SQL.", schema),
    Action("grants", "Print the SQL of the least rights that the job needs in both databases.", grants),
    Action("list", "List dead letters.", list_letters),
    Action("show", "Show everything about dead letters.", show),
    Action("replay", "Try dead letters again, all or the given ones; those that load are removed.", replay),
    Action("purge", "Delete dead letters, all or the given ones.", purge),
)
