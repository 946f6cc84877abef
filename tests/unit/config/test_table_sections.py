"""Sections ``[table …]`` of a job's file."""

from __future__ import annotations

import pytest
from harness.programs.jobfiles import write
from tdsup.dispatcher.settings import Settings
from tdsup.supervisor.config.claims import shares
from tdsup.supervisor.config.confd import scan
from tdsup.supervisor.config.fleetsettings import FleetSettings
from tdsup.supervisor.config.jobconfig import BrokenConfig, JobConfig
from tdsup.supervisor.config.jobfile import jobs_of, load_only_job, settings_of
from tdsup.supervisor.errors import ConfigError

pytestmark = pytest.mark.usefixtures("fleet_directory")

JOB = """\
[DEFAULT]
part_method = yearly
log_count = 1
[table_dispatcher]
src_db = dbname=a
dst_db = dbname=b
pgq_queue_name = q
part_field = day
part_method = monthly
"""

SECTIONS = """\
[table orders]
dest_table = archive.%(table)s
part_method = daily
[table sales.*]
dest_table = %(schema)s_archive.of_%(queue_name)s_%(table)s
queue_name = x
[table log]
part_field =
"""


def job(text: str) -> JobConfig:
    """The only job of a file."""
    return load_only_job(write("several", text))


def settings(text: str) -> Settings:
    """Its settings."""
    found = job(JOB + text).settings
    assert isinstance(found, Settings)
    return found


def faults(text: str) -> list[str]:
    """What is wrong with a file, without its name."""
    with pytest.raises(ConfigError) as raised:
        job(text)
    return [line.removeprefix("cannot load conf.d/several.ini: ") for line in raised.value.lines]


def test_a_section_says_what_differs() -> None:
    """What it leaves out is as in the job's, whose keys count before the defaults; but not its table."""
    found = settings(SECTIONS.replace("queue_name = x\n", "").replace("of_%(queue_name)s_", ""))
    tables = [
        (name, str(keys.dest_table), keys.part_field, keys.part_method) for name, keys in found.tables.items()
    ]
    assert tables == [
        ("orders", "archive.%(table)s", "day", "daily"),
        ("sales.*", "%(schema)s_archive.%(table)s", "day", "monthly"),
        ("log", "%(schema)s.%(table)s", "", "monthly"),
    ]
    for table, dest in (
        ("public.orders", "archive.orders"),
        ("sales.x", "sales_archive.x"),
        ("sales.%(schema)s", "sales_archive.%(schema)s"),
        ("public.log", "public.log"),
    ):
        listed = found.of_table(table)
        assert listed
        assert (str(listed.settings.dest_table), listed.settings.tables) == (dest, {})
    with pytest.raises(ValueError, match="there is no section"):
        found.of_table("other.orders")


def test_values_refer_to_those_of_the_job() -> None:
    """And to those of the section."""
    found = settings("[table sales.*]\ndest_table = %(schema)s.%(pgq_queue_name)s_%(x)s\nx = 1\n")
    assert str(found.tables["sales.*"].dest_table) == "%(schema)s.q_1"


@pytest.mark.parametrize("schema", ["tdsup", "pgq", "pgq_ext", "pgque", "pg_catalog", "information_schema"])
def test_no_rows_go_into_schemas_that_others_rely_on(schema: str) -> None:
    """Whether a file names them, or an event does where a section is for a pattern."""
    for section in ("", "[table a]\n"):
        (fault,) = faults(f"{JOB}{section}dest_table = {schema}.x\n")
        where = "[table a]" if section else "[table_dispatcher]"
        assert fault.startswith(f"{where} dest_table: must not be in schema {schema}, which is ")
    for dest in ("", "dest_table = %(schema)s.a_%(table)s\n"):
        found = settings(f"[table *.*]\n{dest}")
        with pytest.raises(ValueError, match=f"it goes to {schema}.*, and no rows are put into"):
            found.of_table(f"{schema}.b")
    assert settings("[table *.*]\ndest_table = copies.%(table)s\n").of_table(f"{schema}.b")


def test_faults_name_the_section() -> None:
    """Of an unknown key, with the nearest one; of a value; what is the job's own fault is told once."""
    text = "[table a]\npart_feld = x\npart_limit = 0\nlogfile = x\n[table b]\ndest_table = %(c)s\n"
    text = JOB.replace("part_method = monthly", "part_method = hour") + text
    assert faults(text) == [
        "[table b] dest_table: refers to c, which is not set; write a % (or $) of the text twice"
    ]
    assert faults(text.replace("%(c)s", "x")) == [
        "[table a] part_feld: unknown key, did you mean part_field?",
        "[table a] logfile: unknown key",
        *[fault for fault in faults(text.replace("%(c)s", "x")) if fault.startswith("[table_dispatcher]")],
        "[table a] part_limit: must be at least 1 (it is '0')",
    ]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("[table a]\n[table public.a]\n", "[table a] and [table public.a] are for the same table"),
        ("[table x.*]\n[table *.a]\n", "may both mean the same table"),
        ("[table a]\n[table b]\ndest_table = a\n", "load into the same table, public.a"),
        ("[table a.*]\ndest_table = x\n[table b.*]\ndest_table = x\n", "load into the same table, public.x"),
        (
            "[table o]\npart_field = day\npart_method = yearly\n[table o_2024]\n",
            "[table o_2024] loads into public.o_2024, which is named like a partition of public.o: set",
        ),
        ("[table a]\n[table b]\ndest_table = x\n", "[table b] loads into public.x, which is the job's own"),
        (
            "[table tdsup.x]\n",
            "[table tdsup.x] must have another dest_table: it goes to tdsup.x, and no rows",
        ),
        ("[table pgq.queue]\ndest_table = %(schema)s.x\n", "no rows are put into schema pgq"),
        ("", "unlisted_tables is for a file with sections"),
        ("[table a]\n", "table_filter is not for a file with sections"),
    ],
)
def test_sections_that_contradict_each_other(text: str, reason: str) -> None:
    """Are told, with what to do."""
    own = "dest_table = x\n"
    if not text:
        own += "unlisted_tables = error\n"
    if "table_filter" in reason:
        own += "table_filter = a\n"
    (fault,) = faults(JOB + own + text)
    assert reason in fault
    assert fault.startswith("[table_dispatcher] ")


@pytest.mark.parametrize("text", ["[table x.*]\n[table y.*]\n", "[table x.*]\n[table x.a*]\n", "[table *]\n"])
def test_patterns_that_can_be_told_apart(text: str) -> None:
    """Stand beside each other."""
    assert settings(text).tables


def test_unlisted_tables_need_a_table() -> None:
    """Of the job's own; without any section the job needs one anyway."""
    (fault,) = faults(JOB + "unlisted_tables = default\n[table a]\n")
    assert "dest_table, which is missing" in fault
    assert faults(JOB) == ["[table_dispatcher] dest_table: required key is missing"]


def test_only_the_job_of_a_file_has_sections() -> None:
    """One of several has none, nor a job of another type."""
    (fault,) = faults(JOB + "[sleeper]\n[table a]\n")
    assert fault == (
        "[table a] belongs to the only job of a file, and this one has 2: give the job a file of its own"
    )
    assert faults("[sleeper]\n[table a]\n") == ["[table a] a job of type sleeper has no such section"]
    (broken,) = jobs_of(write("several", JOB + "dest_table = t\n[tabel a]\n"))
    assert isinstance(broken, BrokenConfig)
    assert "no job type is called tabel a" in str(broken.error)


def test_two_jobs_that_load_one_table() -> None:
    """They are told of the section; that both have sections for one queue is no matter."""
    one = JOB.replace("[DEFAULT]", "[DEFAULT]\nlogfile = %(job_name)s.log")
    write("a", one + "[table orders]\ndest_table = archive.%(table)s\n[table log]\n")
    write("b", one + "[table items]\n")
    assert shares(scan(["conf.d/*.ini"])) == []
    write("b", one + "[table items]\n[table new_orders]\ndest_table = archive.orders\n")
    (line,) = shares(scan(["conf.d/*.ini"]))
    assert line == (
        "conf.d/b.ini: [table new_orders]: the way from queue q in database a to table archive.orders in "
        "database b belongs to a (conf.d/a.ini) too"
    )


def test_a_change_of_a_section_is_a_change_of_the_job() -> None:
    """A reload takes it; and `show` tells what a section says, and where."""
    first, other = (job(JOB + f"[table a]\npart_limit = {limit}\n") for limit in (3, 4))
    assert first.digest != other.digest
    shown = settings_of(other, FleetSettings())[-1]
    assert (shown.key, shown.value) == ("[table a] part_limit", "4")
    assert shown.origin.endswith("line 11")
