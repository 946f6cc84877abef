"""Files of conf.d: what is accepted, what is refused, and in which words."""

from __future__ import annotations

from pathlib import Path

import pytest
from harness.programs.jobfiles import write
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tdsup.supervisor.config import jobtypes
from tdsup.supervisor.config.confd import scan
from tdsup.supervisor.config.jobconfig import BrokenConfig, JobConfig
from tdsup.supervisor.config.jobfile import load_only_job
from tdsup.supervisor.errors import ConfigError

pytestmark = pytest.mark.usefixtures("fleet_directory")

MAN_PAGE = """\

job_name          = table_dispatcher_source_table_targetdb

src_db            = dbname=sourcedb
dst_db            = dbname=targetdb

pgq_queue_name    = sourceq

logfile           = log/%(job_name)s.log
pidfile           = pid/%(job_name)

# where to put data.  when partitioning, will be used as base name
dest_table        = orders

# names of the fields that must be read from source records
fields            = id, order_date, customer_name

# date field with will be used for partitioning
part_field        = order_date

# template used for creating partition tables
part_template     =
     create table _DEST_TABLE () inherits (orders);
     alter table only _DEST_TABLE add constraint _DEST_TABLE_pkey primary key (id);
     grant select on _DEST_TABLE to group reporting;

"""
"""The example of table_dispatcher(1), word for word: no header, and a reference without its s."""

TEMPLATE = """
create table _DEST_TABLE () inherits (orders);
alter table only _DEST_TABLE add constraint _DEST_TABLE_pkey primary key (id);
grant select on _DEST_TABLE to group reporting;"""


def faults(text: str) -> list[str]:
    """The lines that say what is wrong with a text, without the words that all begin with."""
    with pytest.raises(ConfigError) as caught:
        load_only_job(write("orders", text))
    return [line.removeprefix("cannot load conf.d/orders.ini: ") for line in caught.value.lines]


def test_the_manual_page_s_own_example_loads() -> None:
    """Unchanged, with a warning for each line that is not read as it is written."""
    file = load_only_job(write("example", MAN_PAGE))
    assert file.section == "table_dispatcher"
    assert file.name == "table_dispatcher_source_table_targetdb"
    assert str(file.log_path) == f"log/{file.name}.log"
    assert file.host.pidfile == f"pid/{file.name}"
    assert getattr(file.settings, "part_template") == TEMPLATE  # noqa: B009 (the model is another package's)
    assert file.warnings == (
        "conf.d/example.ini: line 2: no section header before the first key; read as [table_dispatcher]",
        "conf.d/example.ini: line 10: [table_dispatcher] pidfile: %(name) without s is read as %(name)s",
    )


@pytest.mark.parametrize("key", ["pidfile", "logfile"])
def test_a_home_of_an_unknown_user_is_a_fault_of_its_file(key: str) -> None:
    """And stops no other file."""
    write("orders", f"[sleeper]\n{key} = ~nobody-of-that-name/x\n")
    write("sound", "[sleeper]\n")
    broken, sound = scan(["conf.d/*.ini"])
    assert isinstance(broken, BrokenConfig)
    reason = "must name a user with a home directory after its ~ (it is '~nobody-of-that-name/x')"
    assert broken.error.lines == (f"cannot load conf.d/orders.ini: [sleeper] {key}: {reason}",)
    assert isinstance(sound, JobConfig)


def test_a_job_type_is_looked_up_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not for every file: that reads the descriptions of all installed packages, 4 ms each time."""
    paths = [write(name, "[sleeper]\n") for name in ("orders", "clicks")]
    load_only_job(paths[0])
    monkeypatch.setattr(jobtypes, "entry_points", lambda **_names: pytest.fail("looked up again"))
    assert load_only_job(paths[1]).name == "clicks"


def test_keys_of_old_files_that_nobody_reads_are_warnings() -> None:
    """An original's file loads; each such key says why it has no effect."""
    keys = ("sql_retry_max_count", "db_encoding", "src_db_extra_connstr", "owner")
    file = load_only_job(write("orders", "[sleeper]\n" + "".join(f"{key} = 1\n" for key in keys)))
    start = "conf.d/orders.ini: [sleeper]"
    assert file.warnings == (
        f"{start} sql_retry_max_count: has no effect: a database that is lost is tried again for ever",
        f"{start} db_encoding: has no effect: the databases are asked for their encodings",
        f"{start} src_db_extra_connstr: has no effect: what it says belongs into src_db and dst_db",
        f"{start} owner: has no effect: table_dispatcher never read it",
    )


def test_the_format_may_be_set_for_all_sections() -> None:
    """As with the original: config_format = 2 in [DEFAULT] holds for every job of the file."""
    text = "[DEFAULT]\nconfig_format = 2\n[sleeper]\npidfile = ${job_name}.pid\nline = 100% %(a)\n"
    file = load_only_job(write("orders", text))
    assert file.host.pidfile == "orders.pid"
    assert file.warnings == ()


def test_a_size_of_a_log_may_have_a_unit() -> None:
    """As the size of a buffer may."""
    assert load_only_job(write("orders", "[sleeper]\nlog_size = 10 MB\n")).host.log_size == 10_000_000


def test_a_file_without_keys_is_a_job_with_every_default() -> None:
    """Its name is the file's base name, its log is in log/."""
    file = load_only_job(write("orders", "[sleeper]\n"))
    assert (file.name, str(file.log_path), file.host.log_size, file.host.log_count) == (
        "orders",
        "log/orders.log",
        10485760,
        3,
    )
    assert not file.host.disabled
    assert file.warnings == ()


def test_injected_names_can_be_used_and_are_not_keys() -> None:
    """job_name, service_name, host_name, config_dir and config_file."""
    text = "[sleeper]\nline = %(job_name)s %(service_name)s %(config_dir)s %(config_file)s\n"
    file = load_only_job(write("orders", text))
    folder = Path("conf.d").absolute()
    assert getattr(file.settings, "line") == f"orders sleeper {folder} {folder}/orders.ini"  # noqa: B009


def test_a_key_that_others_refer_to_is_not_unknown() -> None:
    """People name a host once and refer to it."""
    load_only_job(write("orders", "[DEFAULT]\nnobody = x\n[sleeper]\nhost = db1\nline = at %(host)s\n"))


def test_the_first_spelling_of_a_key_wins() -> None:
    """pgq_queue before queue, as the model says; either alone will do."""
    queues = []
    for keys in ("pgq_queue = a\nqueue = b", "queue = b\npgq_queue = a", "queue = b", "pgq_queue = a"):
        file = load_only_job(write("orders", f"[sleeper]\n{keys}\n"))
        queues.append(getattr(file.settings, "queue"))  # noqa: B009
    assert queues == ["a", "a", "b", "a"]


def test_a_key_without_effect_is_a_warning() -> None:
    """Only if it differs from its default; old files are full of defaults."""
    text = "[sleeper]\nuse_skylog = 0\nunused = 3\nservice_name = td\n"
    assert load_only_job(write("orders", text)).warnings == (
        "conf.d/orders.ini: [sleeper] service_name: has no effect: the section header names the job type",
        "conf.d/orders.ini: [sleeper] unused: has no effect: it sleeps",
    )


REFUSED = {
    "a near miss": ("[sleeper]\nbehav = x", ["[sleeper] behav: unknown key, did you mean behave?"]),
    "no near miss": ("[sleeper]\nqwertz = x", ["[sleeper] qwertz: unknown key"]),
    "a key of the host": ("[sleeper]\nlogfil = x", ["[sleeper] logfil: unknown key, did you mean logfile?"]),
    "all at once": (
        "[sleeper]\nafter = -2\nlog_count = -1\nbehav = y",
        [
            "[sleeper] behav: unknown key, did you mean behave?",
            "[sleeper] log_count: must be at least 0 (it is '-1')",
            "[sleeper] after: must be at least 0 (it is '-2')",
        ],
    ),
    "no section": ("", ["no section; its header names the job type, such as [table_dispatcher]"]),
    "two jobs": (
        "[sleeper]\n[napper]",
        [
            (
                "it has 2 jobs, [sleeper] [napper], and table_dispatcher runs one: "
                "run the file with tdsup, or give each job a file of its own"
            )
        ],
    ),
    "a strange line": (
        "[sleeper]\nhello world",
        ["line 2: neither a section header nor key = value"],
    ),
    "a lone percent sign": (
        "[sleeper]\nline = 5%",
        ["line 2: [sleeper] line: has a % (or $) that starts no reference; write it twice"],
    ),
    "a log in no directory": (
        "[sleeper]\nlogfile = nowhere/x.log",
        ["[sleeper] logfile: must be in a directory that exists; nowhere does not (it is 'nowhere/x.log')"],
    ),
    "a name that is a path": (
        "[sleeper]\njob_name = a/b",
        [
            (
                "[sleeper] job_name: must be of letters, digits and _ ~ . @ : + = , -, "
                "and not begin with . or - (it is 'a/b')"
            )
        ],
    ),
    "a name of the fleet's own": (
        "[sleeper]\njob_name = tdsup-web",
        [
            (
                "[sleeper] job_name: must be none of tdsup, tdsup-web, "
                "which name the fleet's own logs (it is 'tdsup-web')"
            )
        ],
    ),
    "a format": (
        "[sleeper]\nlogfmt_file = %%(nope)s",
        ["[sleeper] logfmt_file: must be a format of a log line; there is no nope in it (it is '%(nope)s')"],
    ),
    "a job type that cannot be imported": (
        "[unloadable]",
        ["[unloadable] the job type cannot be imported: module 'fake_jobs' has no attribute 'MISSING'"],
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused(name: str) -> None:
    """Each fault is one line that names section and key, and all faults of a file are reported."""
    text, expected = REFUSED[name]
    assert faults(text) == expected


def test_the_fault_of_an_unknown_job_type_lists_the_installed_ones() -> None:
    """The section header is the most likely typing mistake."""
    (line,) = faults("[slepper]")
    assert line == (
        "[slepper] no job type is called slepper, did you mean sleeper? "
        "(installed: holder, napper, pgq_ticker, sleeper, table_dispatcher, unloadable)"
    )
    assert faults("[qwertz]")[0].startswith(
        "[qwertz] no job type is called qwertz (installed: holder, napper, "
    )


def test_a_secret_is_never_shown() -> None:
    """The fault of a connection string does not quote it."""
    text = "\n".join(faults(f"[sleeper]\nsrc_db = password=hunter2 {'x' * 50}"))
    assert "src_db" in text
    assert "hunter2" not in text


def test_a_missing_file_is_one_line() -> None:
    """It says which file and why."""
    with pytest.raises(ConfigError, match=r"^cannot read conf.d/none.ini: No such file or directory$"):
        load_only_job("conf.d/none.ini")


def test_bytes_of_any_encoding_are_read() -> None:
    """Old files have comments in latin-1."""
    Path("conf.d/orders.ini").write_bytes(b"[sleeper]\n# caf\xe9\nline = caf\xe9\n")
    file = load_only_job("conf.d/orders.ini")
    assert getattr(file.settings, "line") == "caf\N{LATIN SMALL LETTER E WITH ACUTE}"  # noqa: B009


PIECES = [
    *"[sleeper] [table_dispatcher] [DEFAULT] [] [sleeper job_name job_name behave log_size pidfile".split(),
    *"logfile logfmt_file config_format use_skylog disabled = : %(job_name)s %(a)s ${a}".split(),
    *"%% % $ 0 1 2 -1 1e9 nan ~nobody-of-that-name/x ~ / . .. %%(process)c %%(x)s ² ; # \" '".split(),
    *[
        "\n",
        "\n",
        "\n",
        "\r\n",
        "\n ",
        "\t",
        " ",
        " = ",
        "[sleeper]\n",
        "\ufeff",
        "\x00",
        "\x85",
        "\u2028",
        "é",
    ],
]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.binary() | st.lists(st.sampled_from(PIECES)).map(lambda pieces: "".join(pieces).encode()))
def test_any_file_is_sound_or_broken(content: bytes) -> None:
    """Nothing is raised, whether the file is text or not, and each fault is one line."""
    Path("conf.d/orders.ini").write_bytes(content)
    jobs = scan(["conf.d/*.ini"])
    assert jobs
    lines = [line for job in jobs if isinstance(job, BrokenConfig) for line in job.error.lines]
    assert all(line.startswith("cannot load ") for line in lines)
    assert not [line for line in lines if "\n" in line]
