"""A process that stood back and becomes the owner again keeps its own sessions."""

from __future__ import annotations

from harness.rows.pipeline import Pipeline
from tdsup.jobtype import Order


def test_a_pause_and_a_resume_cost_no_session(pipeline: Pipeline) -> None:
    """The owner is paused from elsewhere and goes on over the same sessions, without an outage."""
    with pipeline.running() as job:
        job.wait_for("running")
        with pipeline.running() as other:
            other.wait_for("standby")
            other.context.give(Order.PAUSE)
            other.wait_for("paused")
            pipeline.insert(10)
            job.wait_for("paused")
            job.context.give(Order.RESUME)
            pipeline.target.wait_for("select count(*) = 10 from t")
        conditions = {report.condition for report in job.context.reports}
    assert "retrying" not in conditions
    pipeline.check()
