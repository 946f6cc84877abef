"""The web child's pages, as an ASGI application."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

from tdsup.jobtype import printable

from ..errors import BadRequest, TdsupError, UnknownJob
from ..logs import Stream
from .access import Rules
from .assets import load_assets
from .certificate import Certificate
from .jobpages.jobpages import JobPages
from .link import MasterLink
from .observer import Observer
from .orders import carry_out
from .reply import Reply, reply_data, reply_text
from .request import Request, Scope

READY = frozenset({"running", "standby"})
"""States of a job that does what it should."""

ON_PURPOSE = frozenset({"stopped", "paused"})
"""States of a job that should not run."""

JOBS = "/jobs/"
"""Where actions are, POST /jobs/NAME/VERB, and pages of single jobs."""

PROBES = frozenset({"/healthz", "/readyz"})
"""What anybody may ask, under any name: an orchestrator knows only an address and a port."""

CHALLENGES = (
    (b"www-authenticate", b'Basic realm="tdsup", charset="UTF-8"'),
    (b"www-authenticate", b"Bearer"),
)

READING = frozenset({"GET", "HEAD"})

HEADERS = (
    # All that the page needs comes from this server, and nothing that it shows can become code.
    (
        b"content-security-policy",
        b"; ".join(
            (
                b"default-src 'none'",
                b"script-src 'self'",
                b"style-src 'self'",
                b"img-src 'self'",
                b"connect-src 'self'",
                b"base-uri 'none'",
                b"form-action 'none'",
                b"frame-ancestors 'none'",
                b"require-trusted-types-for 'script'",
            )
        ),
    ),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
)
"""The headers of every answer."""

Send = Callable[[dict[str, Any]], Awaitable[None]]


class Site:
    """The ASGI application.

    Args:
        link: the way to the master.
        observer: knows the status.
        rules: who may do what.
        certificate: the page's, if it has one.
        stream: where jobs log to; None: to files.
    """

    def __init__(
        self,
        link: MasterLink,
        observer: Observer,
        rules: Rules,
        certificate: Certificate | None,
        stream: Stream | None,
    ) -> None:
        self._link = link
        self._observer = observer
        self._rules = rules
        self._certificate = certificate
        self._place = {"host": socket.gethostname(), "directory": printable(str(Path.cwd()))}
        self._job_pages = JobPages(observer, stream)
        self._assets = load_assets()
        self._routes: dict[str, Callable[[Request], Awaitable[Reply]]] = {
            **dict.fromkeys(self._assets, self._asset),
            "/status.json": self._status,
            "/metrics": self._metrics,
            "/healthz": self._healthz,
            "/readyz": self._readyz,
        }

    async def __call__(self, scope: Scope, _receive: Any, send: Send) -> None:
        """Answer one request."""
        request = Request.of(scope)
        reply = await self._answer(request)
        length = (b"content-length", str(len(reply.body)).encode())
        headers = [(b"content-type", reply.content_type.encode()), length, *reply.headers, *HEADERS]
        await send({"type": "http.response.start", "status": reply.status, "headers": headers})
        body = b"" if request.method == "HEAD" else reply.body
        await send({"type": "http.response.body", "body": body})

    async def learn_names(self) -> None:
        """Find out this machine's full name, which may take a while."""
        self._rules.names.add(await asyncio.to_thread(socket.getfqdn))

    async def _answer(self, request: Request) -> Reply:
        if request.is_too_large:
            # The rest of the body is not read, so this connection cannot be used again.
            return reply_text(413, "no request needs a body", (b"connection", b"close"))
        if request.path not in PROBES and not self._rules.names.hold(request.host):
            shown = request.host[:100].decode("latin-1")
            return reply_text(
                421, f"cannot serve host {shown!a}: web_hosts of tdsup.yaml names those that lead here"
            )
        route = self._routes.get(request.path)
        if request.path.startswith(JOBS):
            if request.method not in READING or not self._job_pages.hold(request):
                return await carry_out(request, self._rules.token, self._link, self._observer)
            route = self._job_pages.show
        if route is None:
            return reply_text(404, f"no such page (there are: {' '.join(sorted(self._routes))})")
        if request.method not in READING:
            return reply_text(405, "only GET and HEAD", (b"allow", b"GET, HEAD"))
        reading = self._rules.reading
        if reading and request.path not in PROBES and not reading.admits(request.authorization):
            return reply_text(401, "reading needs what web_read_file holds", *CHALLENGES)
        try:
            return await route(request)
        except BadRequest as error:
            return reply_text(400, str(error))
        except UnknownJob as error:
            return reply_text(404, printable(str(error)))
        except TdsupError as error:
            return reply_text(503, str(error))

    async def _asset(self, request: Request) -> Reply:
        asset = self._assets[request.path]
        # The browser keeps it, but asks every time, so that a new version of tdsup shows at once.
        headers = ((b"etag", asset.etag), (b"cache-control", b"no-cache"))
        if asset.etag in request.headers.get(b"if-none-match", b""):
            return Reply(304, asset.content_type, b"", headers)
        return Reply(200, asset.content_type, asset.body, headers)

    async def _status(self, request: Request) -> Reply:
        after = request.query.get("after")
        if after is not None and not (after.isascii() and after.isdigit() and len(after) < 20):
            raise BadRequest("after is not a step of the history")
        answer = await self._observer.describe(None if after is None else int(after))
        return reply_data(200, {**answer, **self._place, "actions": self._rules.token is not None})

    async def _healthz(self, _request: Request) -> Reply:
        await self._link.ask("version")
        return reply_text(200, "ok")

    async def _readyz(self, _request: Request) -> Reply:
        jobs = (await self._observer.status())["jobs"]
        lines = [_complaint(job) for job in jobs if job["state"] not in READY | ON_PURPOSE]
        return reply_text(503, "\n".join(lines)) if lines else reply_text(200, "ok")

    async def _metrics(self, request: Request) -> Reply:
        from prometheus_client.exposition import choose_encoder

        from .prometheus import FleetCollector

        accept = request.headers.get(b"accept", b"").decode("latin-1")
        encode, content_type = choose_encoder(accept)
        ends = self._certificate.ends if self._certificate is not None else None
        body = encode(FleetCollector(await self._link.ask("metrics"), ends))
        return Reply(200, content_type, body)


def _complaint(job: Mapping[str, Any]) -> str:
    parts = (job["name"], job["state"], job["reason"])
    return ": ".join(" ".join(str(part).split()) for part in parts if part)
