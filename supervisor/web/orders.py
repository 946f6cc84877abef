"""Actions asked for over HTTP: checked, logged, and passed on to the master."""

from __future__ import annotations

import glob
import logging

from ..errors import Refused, TdsupError
from ..protocol import VERBS
from .access import WebToken
from .link import MasterLink
from .observer import Observer
from .reply import Reply, reply_data, reply_error
from .request import Request

ACTIONS = {**{verb.path: verb.command for verb in VERBS}, "reload": "reload"}
"""The master's commands by their name in the path."""

STATUSES = {"bad-request": 400, "unknown-job": 404, "stopping": 503}
"""HTTP statuses by the code of the master's error."""

CONFLICT = 409
"""The HTTP status of any other error: the job's state or file does not allow the action."""

_log = logging.getLogger("tdsup")


async def carry_out(request: Request, token: WebToken | None, link: MasterLink, observer: Observer) -> Reply:
    """Let the master do what a request under ``/jobs/`` asks for.

    The reply always has the form of the control socket's.
    """
    if request.method != "POST":
        return reply_error(405, "bad-request", "only POST", (b"allow", b"POST"))
    if token is None:
        return reply_error(403, "no-actions", "actions are off: tdsup.yaml names no web_token_file")
    if not token.admits(request.authorization):
        return reply_error(
            401, "bad-token", "the token is missing or wrong", (b"www-authenticate", b"Bearer")
        )
    name, verb = request.job_and_verb
    command = ACTIONS.get(verb)
    if command is None:
        return reply_error(404, "bad-request", f"no such action (there are: {' '.join(ACTIONS)})")
    try:
        jobs = (await observer.status())["jobs"]
        if name not in {job["name"] for job in jobs}:
            return reply_error(404, "unknown-job", f"cannot {verb} {name[:80]}: no job has that name")
        shown = name if name.isprintable() else repr(name)
        _log.info("web: %s asks: %s %s", request.client, verb, shown)
        data = await link.ask(command, {"jobs": [glob.escape(name)]})
    except Refused as error:
        return reply_error(STATUSES.get(error.code, CONFLICT), error.code, str(error))
    except TdsupError as error:
        return reply_error(503, error.code, str(error))
    finally:
        observer.forget()
    return reply_data(200, {"ok": True, "data": data})
