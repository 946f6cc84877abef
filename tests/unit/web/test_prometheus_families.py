"""The numbers of a fleet as Prometheus reads them."""

from __future__ import annotations

from typing import Any

from prometheus_client.openmetrics.exposition import generate_latest as openmetrics
from prometheus_client.openmetrics.parser import text_string_to_metric_families
from tdsup.supervisor.web.prometheus import FleetCollector
from tdsup.supervisor.worker.processmetrics import Vitals


def answer(**job: Any) -> dict[str, Any]:
    """What a master says of one job."""
    usual = {
        "name": "orders",
        "state": "running",
        "pid": 7,
        "restarts": {"crash": 2},
        "backoff": 0,
        "labels": {"queue": "q"},
        "series": {},
    }
    metrics = {
        "events": {"kind": "counter", "help": "Events.", "labels": ["operation", "outcome"], "buckets": []},
        "lag": {"kind": "age", "help": "Lag.", "labels": [], "buckets": []},
        "sizes": {"kind": "histogram", "help": "Sizes.", "labels": [], "buckets": [1, 10]},
    }
    return {
        "version": "1",
        "reloads": {"done": 3, "failed": 1, "is_sound": False},
        "web_restarts": 2,
        "metrics": metrics,
        "jobs": [usual | job],
    }


def samples(told: dict[str, Any]) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    """All samples by name and labels, as a strict reader of OpenMetrics takes them."""
    text = openmetrics(FleetCollector(told, 1.8e9, lambda _pid: Vitals(4096, 9)))  # type: ignore[no-untyped-call]
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text.decode())  # type: ignore[no-untyped-call]
        for sample in family.samples
    }


def key(name: str, **labels: str) -> tuple[str, frozenset[tuple[str, str]]]:
    """A sample of the job."""
    return name, frozenset({"job": "orders", **labels}.items())


def test_a_histogram_counts_up_to_each_bound() -> None:
    """Buckets are cumulative, the last one is all."""
    found = samples(answer(series={"sizes": {"sum": 44.5, "0": 2, "1": 3, "2": 1}}))
    counts = [found[key("tdsup_job_sizes_bucket", queue="q", le=le)] for le in ("1.0", "10.0", "+Inf")]
    assert counts == [2, 5, 6]
    assert found[key("tdsup_job_sizes_sum", queue="q")] == 44.5
    assert found[key("tdsup_job_sizes_count", queue="q")] == 6


def test_labels_of_a_metric_join_those_of_the_job() -> None:
    """A counter of two labels is a family of series."""
    found = samples(answer(series={"events": {"insert,row": 5, "other,dead_letter": 1}, "lag": {"": 2.5}}))
    name = "tdsup_job_events_total"
    assert found[key(name, queue="q", operation="insert", outcome="row")] == 5
    assert found[key(name, queue="q", operation="other", outcome="dead_letter")] == 1
    assert found[key("tdsup_job_lag_seconds", queue="q")] == 2.5


def test_a_job_without_a_process_has_no_vitals() -> None:
    """But a wait, and counts that go on."""
    found = samples(answer(pid=None, state="backoff", backoff=1.5))
    assert found[key("tdsup_job_up")] == 0
    assert found[key("tdsup_job_backoff_seconds")] == 1.5
    assert found[key("tdsup_job_restarts_total", reason="crash")] == 2
    assert found[key("tdsup_job_state", state="backoff")] == 1
    assert key("tdsup_job_open_fds") not in found
    assert samples(answer())[key("tdsup_job_open_fds")] == 9


def test_the_fleet_has_numbers_of_its_own() -> None:
    """Reloads and which of them failed."""
    found = samples(answer())
    assert found["tdsup_config_reloads_total", frozenset()] == 3
    assert found["tdsup_config_reload_failures_total", frozenset()] == 1
    assert found["tdsup_config_last_reload_successful", frozenset()] == 0
    assert found["tdsup_web_restarts_total", frozenset()] == 2
    assert found["tdsup_web_certificate_not_after_timestamp_seconds", frozenset()] == 1.8e9
    assert found["tdsup_build_info", frozenset({("version", "1")})] == 1
