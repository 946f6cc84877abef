"""Files and queues of table_dispatcher 2.1."""

from __future__ import annotations

from pathlib import Path

import pytest
from harness.rows.check import examined
from harness.rows.job import drain, job_keys, settings_of
from harness.rows.orders import Orders
from harness.servers.database import Database
from harness.servers.queue import Queue
from tdsup.dispatcher.errors import SetupError
from tdsup.dispatcher.settings import Settings
from tdsup.supervisor.config import load_only_job

FORMER = "table_dispatcher"


@pytest.fixture
def pending(orders: Orders) -> Orders:
    """Rows that the consumer of table_dispatcher 2.1 has before it."""
    orders.source.execute("select pgq.register_consumer('orders', %s)", FORMER)
    orders.insert(3)
    return orders


def test_a_file_without_job_name_loses_nothing(pending: Orders, target: Database) -> None:
    """It does not begin at the newest tick; the fault says which key takes over, and how to begin anew."""
    keys = pending.keys(unnamed_section=FORMER, loop_delay=0)
    with pytest.raises(SetupError, match="pgq_consumer_id = table_dispatcher goes on where that stands"):
        drain(**keys)
    assert "start = registered begins anew" in examined(keys)[1][0]
    drain(**keys, pgq_consumer_id=FORMER, start="registered")
    assert target.value("select count(*) from orders") == 3


def test_it_may_begin_anew(pending: Orders, target: Database) -> None:
    """If somebody says so; and a file that names its job is not asked."""
    drain(**pending.keys(unnamed_section=FORMER, start="registered", loop_delay=0))
    drain(**pending.keys(job_name="named", loop_delay=0))
    assert target.value("select count(*) from orders") == 0


def test_a_job_with_a_position_is_told_to_register_there(orders: Orders, target: Database) -> None:
    """It loses nothing by that; neither job nor check take another consumer for its past."""
    keys = orders.keys(job_name="job", unnamed_section=FORMER, loop_delay=0)
    drain(**keys)
    orders.source.execute("select pgq.register_consumer('orders', %s)", FORMER)
    orders.source.execute("select pgq.unregister_consumer('orders', 'job')")
    notes, faults = examined(keys)
    assert faults == []
    assert any("the next start registers it there" in note for note in notes)
    orders.insert(3)
    drain(**keys)
    assert target.value("select count(*) from orders") == 3


@pytest.mark.parametrize(
    ("lines", "section"), [("", FORMER), ("job_name = orders\n", ""), ("[DEFAULT]\njob_name = orders\n", "")]
)
def test_the_file_tells_who_named_the_job(tmp_path: Path, orders: Orders, lines: str, section: str) -> None:
    """In its section or in its defaults."""
    keys = "".join(f"{key} = {value}\n" for key, value in orders.keys().items() if key != "job_name")
    path = tmp_path / "orders.ini"
    header = f"[{FORMER}]\n"
    path.write_text(lines + header + keys if "[" in lines else header + lines + keys, encoding="utf-8")
    settings = load_only_job(str(path)).settings
    assert isinstance(settings, Settings)
    assert settings.unnamed_section == section


def test_no_file_says_it_itself(tmp_path: Path) -> None:
    """What the host fills in is no key."""
    path = tmp_path / "orders.ini"
    path.write_text(f"[{FORMER}]\nunnamed_section = x\n", encoding="utf-8")
    with pytest.raises(Exception, match="unnamed_section: unknown key"):
        load_only_job(str(path))


def test_part_column_is_ignored_as_ever(tmp_path: Path, orders: Orders, target: Database) -> None:
    """The original never read it; a warning says what part_field would do."""
    keys = {**orders.keys(loop_delay=0), "part_column": "day", "part_field": ""}
    path = tmp_path / "orders.ini"
    text = "".join(f"{key} = {value}\n" for key, value in keys.items())
    path.write_text(f"[{FORMER}]\n{text}", encoding="utf-8")
    (warning,) = load_only_job(str(path)).warnings
    assert "part_column: has no effect: the original never read it, and dest_table is loaded whole" in warning
    assert "part_field in its place would load a table for each day or month of that column" in warning
    drain(**keys)
    orders.insert(3)
    drain(**keys)
    assert target.value("select count(*) from only orders") == 3


def test_part_column_beside_part_field(tmp_path: Path, orders: Orders) -> None:
    """The warning does not deny the partitions that part_field makes."""
    keys = {**orders.keys(), "part_column": "other", "part_field": "day"}
    path = tmp_path / "orders.ini"
    text = "".join(f"{key} = {value}\n" for key, value in keys.items())
    path.write_text(f"[{FORMER}]\n{text}", encoding="utf-8")
    (warning,) = load_only_job(str(path)).warnings
    assert "dest_table is loaded whole unless part_field is given" in warning


def test_a_pgq_that_is_too_old(source: Database, target: Database, queue: Queue) -> None:
    """The job and the check say so in a sentence, with the version."""
    source.execute(
        "alter function pgq.next_batch_custom(text, text, interval, int4, interval) rename to gone"
    )
    told = "PgQ 3.5 of the source is too old: it has no next_batch_custom; PgQ 3 is needed"
    keys = job_keys(source, target)
    with pytest.raises(SetupError, match=f"cannot read queue q: {told}"):
        drain(**keys)
    assert any(told in fault for fault in examined(keys)[1])
    assert settings_of(**keys).queue == queue.name
