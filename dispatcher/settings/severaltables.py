"""The tables that a job loads: one, or several, each with a section ``[table …]`` of the job's file."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from types import MappingProxyType
from typing import Any, Generic, Literal, NamedTuple, Self, TypeVar

from pydantic import Field, model_validator
from tdsup.jobtype import sections as further_sections

from ..events import COLUMNS
from ..partitions import BATCH_TIME, EVENT_TIME
from ..postgres import TableName
from .ends import Ends
from .keyvalues import Names
from .rowsettings import RowSettings
from .sourcename import SourceName, most_exact, target_of
from .tablesettings import TableSettings, clashes

NOTHING: Mapping[str, Any] = MappingProxyType({})

MAX_SHOWN = 130
"""Letters that are shown of the name of a table, which anybody may write."""

NOWHERE = TableName("", "")
"""``dest_table`` of a job that has none of its own, but sections ``[table …]``."""

Its = TypeVar("Its")


class Listed(NamedTuple, Generic[Its]):
    """What holds for a table of the source, where a job loads several.

    Attributes:
        settings: of a job that loads it alone.
        section: what its section is for; None: it has none.
        is_only: no other table of the source goes to the same one of the target.
    """

    settings: Its
    section: SourceName | None
    is_only: bool


class SeveralTables(RowSettings, Ends):
    """Which tables of the source a job loads, into which of the target."""

    tables: dict[str, TableSettings] = Field(
        {},
        description="A section [table NAME] for each of several tables of the source, or for a pattern of "
        "names, says what differs there from the section above.",
        json_schema_extra=further_sections("table", ("schema", "table")),
    )
    unlisted_tables: Literal["", "ignore", "error", "default"] = Field(
        "",
        description="In a file with sections [table …], events of other tables: ignore does not even read "
        "them, error makes them bad events, default loads them into the job's own dest_table; empty: default "
        "if there is one, else error.",
    )
    table_filter: Names = Field(
        (),
        description="Source tables to load, separated by commas, each with its partitions; empty: all that "
        "feed the queue.",
    )

    @property
    def leading(self) -> tuple[str, ...]:
        """Columns of events that are read besides type, data and table: ``ev_id`` first."""
        needed = {"ev_id"}
        for each in self._loaded:
            needed |= {word.column for word, _ in each.fields.words if word.column}
            if each.part_field == EVENT_TIME:
                needed.add("ev_time")
        return tuple(column for column in COLUMNS if column in needed)

    @property
    def counts_ticks(self) -> bool:
        """Whether the time of its tick is what counts of a row."""
        return any(each.part_field == BATCH_TIME for each in self._loaded)

    @property
    def _loaded(self) -> tuple[SeveralTables | TableSettings, ...]:
        """What is said of any table."""
        return (self, *self.tables.values())

    # Several tables.

    @model_validator(mode="before")
    @classmethod
    def _inherit(cls, given: Any) -> Any:
        """What a section leaves out is as in the job's, but for the table."""
        if not isinstance(given, Mapping) or not given.get("tables"):
            return given
        shared = {key: given[key] for key in TableSettings.model_fields if key in given}
        shared.pop("dest_table", None)
        tables = {name: {**shared, **keys} for name, keys in given["tables"].items()}
        return {"dest_table": NOWHERE, **given, "tables": tables}

    @model_validator(mode="after")
    def _agree(self) -> Self:
        if self.unlisted_tables and not self.tables:
            raise ValueError("unlisted_tables is for a file with sections [table …], and there is none")
        if self.unlisted_tables == "default" and self.dest_table == NOWHERE:
            raise ValueError("unlisted_tables = default loads into dest_table, which is missing")
        if self.tables and self.table_filter:
            raise ValueError(
                "table_filter is not for a file with sections [table …]: these name the tables, and with "
                "unlisted_tables = ignore no others are read"
            )
        for reason in clashes(self.tables, self.dest_table):
            raise ValueError(reason)
        return self

    @property
    def sections(self) -> dict[SourceName, str]:
        """The names of sections [table …], by what these are for."""
        return {SourceName.parse(name): name for name in self.tables}

    @property
    def unlisted(self) -> Literal["ignore", "error", "default"]:
        """What becomes of events of a table without a section."""
        return self.unlisted_tables or ("error" if self.dest_table == NOWHERE else "default")

    @property
    def wanted(self) -> tuple[SourceName, ...]:
        """The tables whose events are read, without their partitions; empty: all."""
        if self.tables:
            return tuple(self.sections) if self.unlisted == "ignore" else ()
        return tuple(SourceName.parse(name, is_exact=True) for name in self.table_filter)

    @property
    def shown_filter(self) -> str:
        """What names the tables that are wanted, for people; empty: nothing does."""
        if self.tables:
            return f"the sections ({', '.join(map(str, self.sections))})" if self.wanted else ""
        return f"table_filter ({', '.join(self.table_filter)})" if self.table_filter else ""

    def of_table(self, table: str) -> Listed[Self] | None:
        """What holds for a table of the source.

        Args:
            table: as ``ev_extra1`` names it; of a partition, the table that it is a part of.

        Returns:
            None, if its events are ignored.

        Raises:
            ValueError: its events are bad, and why.
        """
        found = most_exact(self.sections, table)
        if found is not None:
            section = self.tables[self.sections[found]]
            changes = {key: getattr(section, key) for key in TableSettings.model_fields}
            changes["dest_table"] = target_of(section.dest_table, table)
            return Listed(self.alone(changes), found, is_only=found.names_one(section.dest_table))
        if self.unlisted == "error":
            shown = table[:MAX_SHOWN] or "no table"
            raise ValueError(f"it is of {shown}, for which there is no section (unlisted_tables)")
        return Listed(self.alone(), None, is_only=False) if self.unlisted == "default" else None

    def rows_of(self, table: str) -> RowSettings | None:
        """What holds for rows of a table, whether these can be loaded or not; None: that cannot be told.

        Args:
            table: as for `of_table`.
        """
        found = most_exact(self.sections, table)
        if found is not None:
            return self.tables[self.sections[found]]
        return self if self.unlisted == "default" else None

    def alone(self, changes: Mapping[str, Any] = NOTHING) -> Self:
        """The settings of a job without sections, with some changes."""
        found = self.model_copy(update={**changes, "tables": {}, "unlisted_tables": ""})
        for kind in type(self).__mro__:
            for name, value in vars(kind).items():
                if isinstance(value, cached_property):
                    # A copy has it of its original, and it may be another one now.
                    found.__dict__.pop(name, None)
        return found

    def named(self) -> list[Self]:
        """Settings of jobs that load each table alone whose name the file tells."""
        if not self.tables:
            return [self]
        own = [self.alone()] if self.unlisted == "default" else []
        listed = [self.of_table(str(name)) for name in self.sections if not name.is_pattern]
        return [*own, *(each.settings for each in listed if each is not None)]

    @property
    def loads(self) -> dict[str, str]:
        """Tables that are loaded, or a pattern of their names, by the key or the section that says so."""
        found = {} if self.tables and self.unlisted != "default" else {"dest_table": str(self.dest_table)}
        for name, keys in self.tables.items():
            source = SourceName.parse(name)
            dest = keys.dest_table if source.is_pattern else target_of(keys.dest_table, str(source))
            found[f"[table {name}]"] = str(dest)
        return found

    @property
    def shown_table(self) -> str:
        """The table, or the first ones of several, for people."""
        if not self.tables:
            return str(self.dest_table)
        names = list(map(str, self.sections))
        return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
