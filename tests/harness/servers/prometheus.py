"""A real Prometheus that scrapes one target every second."""

from __future__ import annotations

import contextlib
import json
import re
import subprocess
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from harness.waiting import PATIENCE, wait_until

LISTENING = re.compile(r'msg="Listening on" address=(\S+)')
"""What it logs once its HTTP server has a port."""


class Prometheus:
    """Its HTTP API.

    Args:
        address: host and port.
    """

    def __init__(self, address: str) -> None:
        self._url = f"http://{address}/api/v1"

    def targets(self) -> list[dict[str, Any]]:
        """The targets it scrapes, with their health."""
        found: list[dict[str, Any]] = self._get("targets")["activeTargets"]
        return found

    def query(self, expression: str) -> dict[str, float]:
        """The values of an instant query by the label ``job``."""
        samples = self._get("query", query=expression)["result"]
        return {sample["metric"]["job"]: float(sample["value"][1]) for sample in samples}

    def has(self, expression: str) -> bool:
        """Whether an instant query has any answer."""
        return bool(self._get("query", query=expression)["result"])

    def firing(self) -> set[str]:
        """Alerts that fire, as ``NAME of JOB``; those of a fleet have the name of the scrape."""
        return {
            " of ".join(filter(None, (alert["labels"]["alertname"], alert["labels"].get("job", ""))))
            for alert in self._get("alerts")["alerts"]
            if alert["state"] == "firing"
        }

    def _get(self, path: str, **parameters: str) -> Any:
        url = f"{self._url}/{path}?{urllib.parse.urlencode(parameters)}"
        with urllib.request.urlopen(url, timeout=PATIENCE) as response:  # noqa: S310 (our own server)
            return json.load(response)["data"]


def _config(target: str, rules: Path | None) -> dict[str, Any]:
    scheme, _, address = target.rpartition("://")
    # As docs/metrics.md says.
    scrape = {
        "job_name": "tdsup",
        "honor_labels": True,
        "scheme": scheme or "http",
        "tls_config": {"insecure_skip_verify": True},
        "static_configs": [{"targets": [address]}],
    }
    return {
        "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
        "scrape_configs": [scrape],
        "rule_files": [str(rules)] if rules else [],
    }


@contextlib.contextmanager
def prometheus(directory: Path, target: str, rules: Path | None = None) -> Iterator[Prometheus]:
    """A server that leaves no process behind.

    Args:
        directory: for its configuration, data and log.
        target: URL to scrape, or host and port.
        rules: its alerts and recording rules.
    """
    config = _config(target, rules)
    (directory / "prometheus.yml").write_text(yaml.safe_dump(config), encoding="utf-8")
    log = directory / "prometheus.log"
    with log.open("wb") as file:
        process = subprocess.Popen(
            [
                "prometheus",
                "--config.file=prometheus.yml",
                "--storage.tsdb.path=data",
                "--web.listen-address=127.0.0.1:0",
            ],
            cwd=directory,
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=file,
        )
    try:
        (address,) = wait_until(
            lambda: LISTENING.findall(log.read_text(encoding="utf-8")), "Prometheus has a port"
        )
        wait_until(lambda: _ready(address), "Prometheus is ready")
        yield Prometheus(address)
    finally:
        process.terminate()
        process.wait(PATIENCE)


def _ready(address: str) -> bool:
    with contextlib.suppress(OSError):
        urllib.request.urlopen(f"http://{address}/-/ready", timeout=PATIENCE).close()
        return True
    return False
