"""Why a job cannot run, with what the check has to say of it."""

from __future__ import annotations

from contextlib import suppress

import psycopg2

from ..check import first_fault
from ..errors import DispatcherError, SetupError
from ..settings import Settings


def explained(error: SetupError, settings: Settings) -> SetupError:
    """An error that blocks a job, with the fault that `check --connect` finds, which tells the remedy.

    Errors of a subclass tell it themselves: what an event or a position lacks, no look at the set-up shows.
    """
    fault = ""
    if type(error) is SetupError:
        with suppress(DispatcherError, psycopg2.Error):
            fault = first_fault(settings)
    _where, _, told = fault.partition(": ")
    if not fault or told in str(error):
        return error
    what, _, said = str(error).partition(": ")
    # The check may tell more of the same.
    return SetupError(f"{what}: {fault}" if said in fault else f"{error}; {fault}")
