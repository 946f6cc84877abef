"""Try the built image: the demo's jobs run from its root. `deploy/container/try` calls it."""

from __future__ import annotations

import contextlib
import json
import sys
import tempfile
from pathlib import Path

from tdsup.sandbox import Sandbox

from harness.containers.containerfile import containerfile
from harness.containers.trial import mounts_for, try_out
from script.shop import Shop

RATE = 200
"""Events a second and job."""


def main() -> int:
    """Arguments are the image's root and its description, as buildah gives them."""
    root, description = map(Path, sys.argv[1:])
    made, said = containerfile(), json.loads(description.read_text(encoding="utf-8"))["Docker"]["config"]
    assert said["Entrypoint"] + said["Cmd"] == made.start
    assert said["User"] == ":".join(map(str, made.user))
    assert said["Healthcheck"]["Test"] == ["CMD", *made.check]
    assert set(said["Env"]) == {f"{key}={value}" for key, value in made.environment.items()}
    with (
        tempfile.TemporaryDirectory() as name,
        Sandbox() as box,
        contextlib.closing(Shop(box, RATE)) as shop,
    ):
        try_out(root, mounts_for(Path(name), box), shop, root)
        sys.stdout.write(f"try: {shop.sent} events arrived, and SIGTERM ended it with 0\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
