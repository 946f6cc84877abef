"""The key ``mask``: what is masked is in the target nowhere as it was."""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
from pathlib import Path

import pytest
from harness.rows.check import examined
from harness.rows.job import Keys, act, drain, job_keys
from harness.servers.database import Database
from harness.servers.queue import Queue
from tdsup.dispatcher.errors import DataError, SetupError
from tdsup.dispatcher.load.rows import RowLoader

KEY = "a secret of thirty-two characters"


def digest(text: str) -> str:
    """What becomes of an email."""
    return hmac.new(KEY.encode(), text.encode(), hashlib.sha256).hexdigest()


@pytest.fixture
def keys(source: Database, target: Database, queue: Queue, tmp_path: Path) -> Keys:
    """Keys of a job whose consumer is registered."""
    source.execute("create table t (id int primary key, email text, name text, phone text, n text)")
    target.execute("create table t (id int primary key, email text, name text, phone text, n int)")
    queue.attach("t", "backup")
    (tmp_path / "key").write_text(KEY, encoding="utf-8")
    masks = "email: hmac, name: null, phone: 'unknown'"
    found = job_keys(source, target, mask=masks, mask_key_file=tmp_path / "key", row_mode="plain")
    drain(**found)
    return found


def everywhere(target: Database) -> str:
    """All that the target holds of rows, dead letters and the ledger."""
    tables = target.column(
        "select c.oid::regclass::text from pg_class c join pg_namespace n on n.oid = relnamespace "
        "where relkind = 'r' and nspname in ('public', 'tdsup')"
    )
    return json.dumps([target.rows(f"select to_jsonb(x) from {table} x") for table in tables])


def test_rows_are_masked(
    source: Database, target: Database, queue: Queue, keys: Keys, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the block path: equal values stay equal, and NULL stays NULL."""
    taken = []
    monkeypatch.setattr(RowLoader, "take", lambda *event: taken.append(event))
    source.execute("insert into t values (1, 'a@b', 'Ann', '123', 1)")
    source.execute("insert into t (id, email) values (2, 'a@b'), (3, null)")
    source.execute("update t set n = 7, email = 'é@\\' where id = 2")
    queue.tick()
    drain(**keys)
    assert target.rows("select * from t order by id") == [
        (1, digest("a@b"), None, "unknown", 1),
        (2, digest("é@\\"), None, None, 7),
        (3, None, None, None, None),
    ]
    assert not taken


def test_a_row_without_a_masked_column_blocks_the_job(
    source: Database, target: Database, queue: Queue, keys: Keys, caplog: pytest.LogCaptureFixture
) -> None:
    """Its values may be under another name. Nothing of its batch is in the target, the log or the message."""
    caplog.set_level(logging.DEBUG)
    source.execute("insert into t values (1, 'secret1', 'secret2', 'secret3', 'no number')")
    queue.insert("I:id", "id=4&e_mail=secret4&name=secret5&phone=secret6", "public.t")
    queue.tick()
    with pytest.raises(SetupError, match="a row has no column email, which mask names") as blocked:
        drain(**keys)
    assert "secret" not in str(blocked.value) + everywhere(target) + caplog.text


def test_letters_of_what_the_target_refuses(
    source: Database, target: Database, queue: Queue, keys: Keys, caplog: pytest.LogCaptureFixture
) -> None:
    """They are replayed once the target takes them, and nothing is masked twice."""
    caplog.set_level(logging.DEBUG)
    target.execute("alter table t add constraint c check (email !~ '^[0-7]' or n < 100)")
    source.execute(
        "insert into t select g, 'secret' || g, 'secret', 'secret', 500 from generate_series(1, 40) g"
    )
    source.execute(
        "insert into t values (50, 'secret', 'secret', 'secret', 'x'), (51, null, null, 'secret', 1)"
    )
    source.execute("update t set n = 'y', email = 'secret' where id = 51")
    for data in (
        "id=103&email=secret5&name=%zz&phone=1",
        "id=104&email=secret&name=secret&phone=secret&color=red",
    ):
        queue.insert("I:id", data, "public.t")
    queue.tick()
    drain(**keys)
    letters = target.value("select count(*) from tdsup.dead_letter")
    reasons = target.column("select reason from tdsup.dead_letter where sqlstate is null order by ev_id")
    assert reasons == [
        "its data cannot be read, and is not shown, as mask hides a part of it",
        "table public.t has no column color (on_new_column)",
    ]
    assert "secret" not in everywhere(target) + caplog.text + "".join(act("list", keys))
    target.execute(
        "alter table t drop constraint c; alter table t alter n type text; alter table t add color text"
    )
    replayed = act("replay", keys)
    assert f"loaded {letters - 1} of {letters}" in replayed, replayed
    emails = target.rows("select id, email, name, phone from t where id <> 104 order by id")
    assert emails == [(g, digest(f"secret{g}"), None, "unknown") for g in range(1, 41)] + [
        (50, digest("secret"), None, "unknown"),
        (51, digest("secret"), None, "unknown"),
    ]
    assert "secret" not in everywhere(target)


def test_a_bad_event_that_stops_the_job_shows_nothing(target: Database, queue: Queue, keys: Keys) -> None:
    """Its reason is the dead letter's."""
    queue.insert("I:id", "id=3&email=secret%zz", "public.t")
    queue.tick()
    with pytest.raises(DataError, match="its data cannot be read, and is not shown") as stopped:
        drain(**keys, bad_events="stop")
    assert "secret" not in str(stopped.value)


def test_rows_are_found_by_a_masked_key(source: Database, target: Database, queue: Queue, keys: Keys) -> None:
    """A digest names its row as the value did."""
    source.execute("alter table t drop constraint t_pkey; alter table t add primary key (email)")
    target.execute("alter table t drop constraint t_pkey; alter table t add primary key (email)")
    source.execute("insert into t select g, 'secret' || g, 'a', 'b', g from generate_series(1, 9) g")
    queue.tick()
    drain(**keys)
    source.execute("delete from t where id < 4; update t set n = 0 where id < 7")
    queue.tick()
    assert drain(**keys)["dead_letters"] == 0
    assert target.rows("select email, n from t order by id") == [
        *((digest(f"secret{g}"), 0 if g < 7 else g) for g in range(4, 10)),
    ]


def test_without_a_key_the_job_is_blocked(
    source: Database, target: Database, queue: Queue, keys: Keys
) -> None:
    """No row is loaded as it is."""
    source.execute("insert into t values (1, 'secret', 'secret', 'secret', 1)")
    queue.tick()
    Path(str(keys["mask_key_file"])).unlink()
    with pytest.raises(SetupError, match=r"cannot read mask_key_file .*: No such file or directory"):
        drain(**keys)
    _facts, faults = examined(keys)
    assert any("cannot read mask_key_file" in fault for fault in faults)
    assert "secret" not in everywhere(target)


def test_the_check_shows_masked_values(source: Database, queue: Queue, keys: Keys) -> None:
    """Of events that can be read; of others nothing."""
    source.execute("insert into t values (1, 'secret', 'secret', 'secret', 1)")
    queue.insert("I:id", "id=3&email=secret%zz", "public.t")
    queue.tick()
    facts, faults = examined(keys)
    assert not faults
    told = "\n".join(facts)
    assert "secret" not in told
    assert f"id=1 email={digest('secret')[:29]}… name=NULL phone=unknown n=1" in told
    assert "becomes a dead letter: its data cannot be read, and is not shown" in told


def test_the_check_tells_of_masks_that_cannot_be(keys: Keys) -> None:
    """A name that no row has, and a key whose values are all the same."""
    _facts, faults = examined({**keys, "mask": "emial: null, id: 'x'"})
    told = "\n".join(faults)
    assert "public.t has no column emial, which mask names (did you mean email?" in told
    assert "id is of the key, and all rows would have the same: mask it by hmac" in told
