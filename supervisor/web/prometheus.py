"""The numbers of a fleet in Prometheus' terms. Only the web child imports this."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import accumulate
from typing import Any

from prometheus_client import Metric
from prometheus_client.registry import Collector

from ..jobs import CAUSES, SUM, State
from ..worker import Vitals, vitals

KINDS = {
    "counter": ("counter", "", "_total"),
    "gauge": ("gauge", "", ""),
    "age": ("gauge", "_seconds", ""),
    "histogram": ("histogram", "", ""),
}
"""By kind of metric: Prometheus' type, the suffix of the name, the further suffix of a sample's name."""


FLEET: tuple[tuple[str, str, str, Callable[[Mapping[str, Any]], float]], ...] = (
    ("config_reloads", "counter", "Reloads of the fleet or of jobs", lambda told: told["reloads"]["done"]),
    (
        "config_reload_failures",
        "counter",
        "Reloads that met a faulty file",
        lambda told: told["reloads"]["failed"],
    ),
    (
        "config_last_reload_successful",
        "gauge",
        "Whether no file was faulty when files were read last",
        lambda told: told["reloads"]["is_sound"],
    ),
    ("web_restarts", "counter", "Starts of the web child after the first", lambda told: told["web_restarts"]),
)
"""Numbers of the fleet: name, type, meaning, and where the master's answer has them."""


class FleetCollector(Collector):
    """The answer of the `metrics` command as metric families.

    Series are labelled by job and by the job's constant labels; never by pid or partition: new ones come
    without end.

    Args:
        answer: of the master.
        certificate_ends: end of the validity of the page's certificate, in seconds since 1970, if it has one.
        look: looks at a process.
    """

    def __init__(
        self,
        answer: Mapping[str, Any],
        certificate_ends: float | None = None,
        look: Callable[[int], Vitals | None] = vitals,
    ) -> None:
        self._answer = answer
        self._certificate_ends = certificate_ends
        self._look = look

    def collect(self) -> Iterator[Metric]:
        """The families, each with the samples of all jobs."""
        yield from self._fleet()
        yield from self._states()
        yield from self._processes()
        for name, description in self._answer["metrics"].items():
            yield self._numbers(name, description)

    def _fleet(self) -> Iterator[Metric]:
        info = Metric("tdsup_build", "Version of the master", "info")
        info.add_sample("tdsup_build_info", {"version": self._answer["version"]}, 1)
        yield info
        for name, kind, text, number in FLEET:
            yield _number(name, kind, number(self._answer), text)
        if self._certificate_ends is not None:
            text = "End of the validity of the status page's certificate, in seconds since 1970"
            name = "web_certificate_not_after_timestamp_seconds"
            yield _number(name, "gauge", self._certificate_ends, text)

    def _states(self) -> Iterator[Metric]:
        state = Metric("tdsup_job_state", "1 for the state that the job is in", "gauge")
        up = Metric("tdsup_job_up", "Whether the job has a process", "gauge")
        backoff = Metric("tdsup_job_backoff_seconds", "Time until the job is started again", "gauge")
        restarts = Metric("tdsup_job_restarts", "Processes started after the first, by reason", "counter")
        for job in self._answer["jobs"]:
            name = job["name"]
            for each in State:
                labels = {"job": name, "state": each.value}
                state.add_sample(state.name, labels, int(job["state"] == each.value))
            up.add_sample(up.name, {"job": name}, int(job["pid"] is not None))
            backoff.add_sample(backoff.name, {"job": name}, job["backoff"])
            for cause in CAUSES:
                labels = {"job": name, "reason": cause}
                restarts.add_sample("tdsup_job_restarts_total", labels, job["restarts"].get(cause, 0))
        yield from (state, up, backoff, restarts)

    def _processes(self) -> Iterator[Metric]:
        memory = Metric("tdsup_job_resident_memory_bytes", "Memory of the job's process", "gauge")
        descriptors = Metric("tdsup_job_open_fds", "Open descriptors of the job's process", "gauge")
        for job in self._answer["jobs"]:
            found = self._look(job["pid"]) if job["pid"] is not None else None
            if found is not None:
                memory.add_sample(memory.name, {"job": job["name"]}, found.resident)
                descriptors.add_sample(descriptors.name, {"job": job["name"]}, found.descriptors)
        yield from (memory, descriptors)

    def _numbers(self, metric: str, description: Mapping[str, Any]) -> Metric:
        """The family of a metric that a job type reports."""
        kind, suffix, sample = KINDS[description["kind"]]
        family = Metric(f"tdsup_job_{metric}{suffix}", description["help"], kind)
        for job in self._answer["jobs"]:
            labels = {**job["labels"], "job": job["name"]}
            series = job["series"].get(metric, {})
            if kind == "histogram" and series:
                _add_histogram(family, labels, description["buckets"], series)
            elif kind != "histogram":
                for key, number in series.items():
                    names = dict(zip(description["labels"], key.split(","), strict=False)) if key else {}
                    family.add_sample(family.name + sample, labels | names, number)
        return family


def _number(name: str, kind: str, number: float, text: str) -> Metric:
    """The family of one number of the fleet."""
    family = Metric(f"tdsup_{name}", text, kind)
    family.add_sample(family.name + ("_total" if kind == "counter" else ""), {}, number)
    return family


def _add_histogram(
    family: Metric, labels: Mapping[str, str], bounds: list[float], series: Mapping[str, float]
) -> None:
    """Add the samples of one histogram; a bucket counts all values up to its bound."""
    counts = accumulate(series.get(str(number), 0) for number in range(len(bounds) + 1))
    count = 0.0
    for bound, count in zip([*(str(float(bound)) for bound in bounds), "+Inf"], counts, strict=True):
        family.add_sample(f"{family.name}_bucket", {**labels, "le": bound}, count)
    family.add_sample(f"{family.name}_sum", dict(labels), series.get(SUM, 0))
    family.add_sample(f"{family.name}_count", dict(labels), count)
