"""What a job reads and by which name: the first keys of a ``[table_dispatcher]`` section."""

from __future__ import annotations

from pydantic import AliasChoices, BaseModel, ConfigDict, Field
from tdsup.jobtype import filled_in, secret_file

from ..address import Address
from .keyvalues import Dsn


class Ends(BaseModel):
    """The two databases of a job, the queue in the one, and the consumer on it."""

    model_config = ConfigDict(frozen=True, arbitrary_types_allowed=True, extra="ignore")

    job_name: str = Field(description="Name of the job; also the consumer's name, unless one is given.")
    unnamed_section: str = Field(
        "",
        description="Header of the section, which named the job in 2.1, if the file does not.",
        json_schema_extra=filled_in(),
    )
    src_db: Dsn = Field(
        examples=["host=shop dbname=shop"],
        description="libpq connection string of the source database, which has the queue.",
    )
    dst_db: Dsn = Field(
        examples=["host=archive dbname=archive"],
        description="libpq connection string of the target database.",
    )
    src_db_file: str = Field(
        "",
        description="File with words that are added to src_db, such as password='…'; it is read for each "
        "connection. A name without a slash is a credential of the systemd unit.",
        json_schema_extra=secret_file(),
    )
    dst_db_file: str = Field("", description="The same for dst_db.", json_schema_extra=secret_file())
    queue: str = Field(
        min_length=1,
        validation_alias=AliasChoices("pgq_queue_name", "queue_name"),
        examples=["orders"],
        description="Queue to read.",
    )
    consumer: str = Field(
        "",
        validation_alias=AliasChoices("pgq_consumer_id", "consumer_name"),
        description="Consumer name to register on the queue; empty: job_name.",
    )
    pgq_schema: str = Field(
        "pgq",
        pattern=r"^[a-z_][a-z0-9_]*$",
        description="Schema of PgQ in the source database; pgque for PgQue.",
    )

    @property
    def source(self) -> Address:
        """Where the queue is."""
        return Address("source", self.src_db, self.src_db_file)

    @property
    def target(self) -> Address:
        """Where the tables are."""
        return Address("target", self.dst_db, self.dst_db_file)

    @property
    def consumer_name(self) -> str:
        """The name under which the job is registered."""
        return self.consumer or self.job_name

    @property
    def former_name(self) -> str:
        """The consumer that the file had with table_dispatcher 2.1, if that was another one; else empty."""
        return "" if self.consumer or self.unnamed_section == self.job_name else self.unnamed_section
