"""The keys of a ticker."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field
from tdsup.jobtype import secret_file

from ..address import Address
from ..settings import Dsn

DAY = 86400.0
"""Longest period, in seconds."""

Period = Annotated[float, Field(gt=0, le=DAY, allow_inf_nan=False)]


class TickerSettings(BaseModel):
    """Where a ticker ticks, and how often. Names and defaults of periods are those of pgqd."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    job_name: str = Field(description="Name of the ticker.")
    db: Dsn = Field(
        examples=["host=shop dbname=shop user=pgq_ticker"],
        description="libpq connection string of the database with PgQ, for a role that may tick, such as a "
        "member of pgq_admin.",
    )
    db_file: str = Field(
        "",
        description="File with words that are added to db, such as password='…'; it is read for each "
        "connection. A name without a slash is a credential of the systemd unit.",
        json_schema_extra=secret_file(),
    )
    pgq_schema: str = Field(
        "pgq", pattern=r"^[a-z_][a-z0-9_]*$", description="Schema of PgQ in the database; pgque for PgQue."
    )
    ticker_period: Period = Field(
        1.0,
        description="Seconds between two calls of pgq.ticker(), which decides what is due; 0.1 for PgQue.",
    )
    retry_period: Period = Field(
        30.0, description="Seconds between two looks for events that are due to be tried again."
    )
    maint_period: Period = Field(
        120.0, description="Seconds between two rounds of maintenance, rotation of event tables above all."
    )

    @property
    def address(self) -> Address:
        """Where PgQ is."""
        return Address("source", self.db, self.db_file, "db")
