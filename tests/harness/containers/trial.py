"""The demo's jobs in a container, whatever its root is."""

from __future__ import annotations

import json
import shutil
import socket
import time
from pathlib import Path

from tdsup.sandbox import Sandbox

from harness.containers.contained import Contained, Mounts, contained
from harness.containers.containerfile import CONTAINERFILE, containerfile
from harness.paths import ROOT
from harness.waiting import wait_until
from script.shop import Shop

PORT = "9867"
"""Of the image's tdsup.yaml; trials have another one each, as they share this machine's network."""


def mounts_for(folder: Path, box: Sandbox) -> Mounts:
    """What a person would give a container: the demo's job files, and services with addresses."""
    jobs, credentials = folder / "conf.d", folder / "credentials"
    shutil.copytree(ROOT / "conf.d", jobs)
    credentials.mkdir()
    services = {"tdsup_source": box.source, "tdsup_target": box.target}
    (credentials / "pg_service.conf").write_text(
        "".join(
            f"[{name}]\n" + "\n".join(cluster.tcp_dsn("postgres").split()) + "\n"
            for name, cluster in services.items()
        )
    )
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = str(free.getsockname()[1])
    settings = folder / "tdsup.yaml"
    settings.write_text(CONTAINERFILE.with_name("tdsup.yaml").read_text().replace(PORT, port))
    for path in (folder, jobs, credentials, settings, *jobs.iterdir(), *credentials.iterdir()):
        path.chmod(0o755 if path.is_dir() else 0o644)
    return Mounts(settings, jobs, credentials)


def try_out(folder: Path, mounts: Mounts, shop: Shop, image: Path | None = None) -> None:
    """From start to end.

    Raises:
        AssertionError: something is not as the image promises.
    """
    port = mounts.settings.read_text().partition("0.0.0.0:")[2].split()[0]
    check = [word.replace(PORT, port) for word in containerfile().check]
    with contained(folder, mounts, image) as made:
        wait_until(lambda: made.run(*check).returncode == 0 or made.ended(), "the health check passes")
        wait_until(lambda: _states(made) == ["running"] * 3, "the jobs run")
        assert made.run("touch", "/etc/tdsup/x", "/opt/tdsup/x", "/x").stderr.count("Read-only") == 3
        shop.begin()
        for _ in range(30):
            shop.work()
            time.sleep(0.1)
        # The rest arrives before the end, or not at all.
        wait_until(lambda: shop.arrived() == shop.sent, "all events arrive")
        code, out, error = made.end()
    assert (code, error) == (0, "")
    lines = [json.loads(line) for line in out.splitlines()]
    assert {"orders", "clicks", "payments"} <= {line["job"] for line in lines}
    assert lines[-1]["message"] == "the fleet has stopped"


def _states(made: Contained) -> list[str]:
    done = made.run("tdsup", "-C", "/etc/tdsup", "status", "--json")
    return [job["state"] for job in json.loads(done.stdout)["jobs"]] if done.returncode == 0 else []
