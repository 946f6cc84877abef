"""The numbers of a fleet in Prometheus' terms. Only the web child imports this."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from prometheus_client import Metric
from prometheus_client.registry import Collector

from .job import CAUSES, State

KINDS = {"counter": ("counter", "", "_total"), "gauge": ("gauge", "", ""), "age": ("gauge", "_seconds", "")}
"""By kind of metric: Prometheus' type, what the name gets, what the sample's name gets besides."""


class FleetCollector(Collector):
    """The answer of the `metrics` command as metric families.

    Series are labelled by job and by the job's constant labels: never by pid or partition, which are endless.
    """

    def __init__(self, answer: Mapping[str, Any]) -> None:
        self._answer = answer

    def collect(self) -> Iterator[Metric]:
        """The families, each with the samples of all jobs."""
        info = Metric("tdsup_build", "Version of the master", "info")
        info.add_sample("tdsup_build_info", {"version": self._answer["version"]}, 1)
        yield info
        yield from self._states()
        yield from self._numbers()

    def _states(self) -> Iterator[Metric]:
        state = Metric("tdsup_job_state", "1 for the state that the job is in", "gauge")
        up = Metric("tdsup_job_up", "Whether the job has a process", "gauge")
        restarts = Metric("tdsup_job_restarts", "Processes started after the first, by reason", "counter")
        for job in self._answer["jobs"]:
            name = job["name"]
            for each in State:
                state.add_sample(
                    state.name, {"job": name, "state": each.value}, int(job["state"] == each.value)
                )
            up.add_sample(up.name, {"job": name}, int(job["up"]))
            for cause in CAUSES:
                labels = {"job": name, "reason": cause}
                restarts.add_sample("tdsup_job_restarts_total", labels, job["restarts"].get(cause, 0))
        yield from (state, up, restarts)

    def _numbers(self) -> Iterator[Metric]:
        families: dict[str, Metric] = {}
        for job in self._answer["jobs"]:
            labels = {**job["labels"], "job": job["name"]}
            for number in job["metrics"]:
                kind, suffix, sample = KINDS[number["kind"]]
                name = f"tdsup_job_{number['name']}{suffix}"
                family = families.setdefault(name, Metric(name, number["help"], kind))
                # Another job type's metric of the same name and another kind cannot be shown.
                if family.type == kind:
                    family.add_sample(name + sample, labels, number["value"])
        yield from families.values()
