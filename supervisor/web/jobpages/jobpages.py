"""What can be read of one job: ``/jobs/NAME/log`` and ``/jobs/NAME/dead-letters``."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from tdsup.jobtype import printable

from ...errors import UnknownJob
from ...logs import Stream
from ..observer import Observer
from ..reply import Reply, reply_data, reply_text
from ..request import Request
from .letterlist import LetterList
from .logend import end_of_log


class JobPages:
    """The pages of each job.

    Args:
        observer: knows the jobs: nothing else is read than what the master says of one.
        stream: where jobs log to; None: to files.
    """

    def __init__(self, observer: Observer, stream: Stream | None) -> None:
        self._observer = observer
        self._stream = stream
        self._letters = LetterList()
        self._pages: dict[str, Callable[[Mapping[str, Any]], Awaitable[Reply]]] = {
            "log": self._log,
            "dead-letters": self._dead_letters,
        }

    def hold(self, request: Request) -> bool:
        """Whether a path under ``/jobs/`` is that of a page."""
        return request.job_and_verb[1] in self._pages

    async def show(self, request: Request) -> Reply:
        """The page of a request that they `hold`.

        Raises:
            UnknownJob: no job has that name.
            TdsupError: the master does not answer, or what the page shows cannot be read.
        """
        name, page = request.job_and_verb
        jobs = {job["name"]: job for job in (await self._observer.status())["jobs"]}
        if name not in jobs:
            raise UnknownJob.named(name, f"show the {page} of", jobs, patterns=False)
        return await self._pages[page](jobs[name])

    async def _log(self, job: Mapping[str, Any]) -> Reply:
        if job["log"] is not None:
            return reply_text(200, await asyncio.to_thread(end_of_log, job["log"]))
        if self._stream is not None:
            reason = self._stream.whereabouts(job["name"])
        else:
            reason = "its file is broken, so it has none; tdsup check says what is wrong"
        return reply_text(404, f"cannot show the log of {printable(job['name'])}: {reason}")

    async def _dead_letters(self, job: Mapping[str, Any]) -> Reply:
        return reply_data(200, await self._letters.read(job["name"]))
