"""The tickers of ``tdsup.yaml``."""

from __future__ import annotations

from pathlib import Path

import pytest
from tdsup.dispatcher.ticking.tickersettings import TickerSettings
from tdsup.supervisor.config.changes import Present, compare
from tdsup.supervisor.config.claims import settle
from tdsup.supervisor.config.confd import scan_fleet
from tdsup.supervisor.config.fleetsettings import load_fleet, needing_a_start
from tdsup.supervisor.config.jobconfig import BrokenConfig, JobConfig
from tdsup.supervisor.errors import ConfigError

pytestmark = pytest.mark.usefixtures("fleet_directory")

SHOP = "tickers: {shop: {db: host=shop dbname=shop}}"


def jobs(text: str) -> dict[str, JobConfig | BrokenConfig]:
    """The jobs of a fleet with that ``tdsup.yaml``, by name."""
    Path("tdsup.yaml").write_text(text, encoding="utf-8")
    return {job.name: job for job in scan_fleet(load_fleet())}


def sound(job: JobConfig | BrokenConfig) -> tuple[JobConfig, TickerSettings]:
    """A ticker that can run, and its own settings."""
    assert isinstance(job, JobConfig)
    assert isinstance(job.settings, TickerSettings)
    return job, job.settings


def test_a_ticker_is_a_job() -> None:
    """It has a name, a type, a file and a log; without a word about them, its periods are those of pgqd."""
    (job, settings) = sound(jobs(SHOP)["shop"])
    assert (job.name, job.path, job.section) == ("shop", "tdsup.yaml", "pgq_ticker")
    assert job.log_path == Path("log/shop.log")
    assert (settings.ticker_period, settings.retry_period, settings.maint_period) == (1, 30, 120)


def test_values_are_meant_as_they_are() -> None:
    """A percent or dollar sign in a password refers to nothing; numbers and booleans are what they seem."""
    for defaults in ("", "\ndefaults: {config_format: 2}"):
        text = (
            "tickers: {shop: {db: 'password=%(x)s${y}%$', Ticker_Period: 0.1, disabled: true, log_size: 5}}"
        )
        (job, settings) = sound(jobs(text + defaults)["shop"])
        assert (settings.db, settings.ticker_period) == ("password=%(x)s${y}%$", 0.1)
        assert (job.host.disabled, job.host.log_size) == (True, 5)


def test_defaults_hold_for_tickers_too() -> None:
    """As far as a ticker has such a key and does not set it itself."""
    defaults = (
        "\ndefaults: {log_format: json, pgq_schema: pgque, loop_delay: 3, logfile: 'log/x-%(job_name)s'}"
    )
    text = "tickers: {a: {db: dbname=a}, b: {db: dbname=a, pgq_schema: pgq}}"
    found = jobs(text + defaults)
    (job, settings) = sound(found["a"])
    assert (job.host.log_format, job.host.logfile, settings.pgq_schema) == ("json", "log/x-a", "pgque")
    assert sound(found["b"])[1].pgq_schema == "pgq"


@pytest.mark.parametrize(
    ("keys", "lines"),
    [
        ("{}", ["db: required key is missing"]),
        ("{db: dbname=a, ticker_perio: 1}", ["ticker_perio: unknown key, did you mean ticker_period?"]),
        (
            "{db: hunter2 hunter2}",
            ['db: must be a libpq connection string: missing "=" after "…" in connection info string'],
        ),
        ("{db: 'host=a:hunter2@b'}", None),
        ("{db: dbname=a, ticker_period: 0}", ["ticker_period: must be greater than 0 (it is '0')"]),
        ("{db: dbname=a, maint_period: .inf}", ["maint_period: must be a finite number (it is 'inf')"]),
        ("{db: dbname=a, pgq_schema: 'pgq; x'}", None),
        ("{db: dbname=a, job_name: x}", ["job_name: unknown key"]),
        ("{db: dbname=a, config_format: 2}", ["config_format: unknown key, did you mean log_format?"]),
        ("{db: dbname=a, owner: x}", ["owner: unknown key"]),
        ("{db: dbname=a, logfile: none/x}", None),
        (
            "{retry_period: x, maint_perod: 1}",
            [
                "maint_perod: unknown key, did you mean maint_period?",
                "db: required key is missing",
                "retry_period: must be a number (it is 'x')",
            ],
        ),
    ],
)
def test_faults_of_a_ticker_are_its_own(keys: str, lines: list[str] | None) -> None:
    """Each names file, ticker and key, and shows no password; the other ticker and the fleet are sound."""
    found = jobs(f"tickers: {{shop: {keys}, other: {{db: dbname=o}}}}")
    sound(found["other"])
    job = found["shop"]
    assert isinstance(job, BrokenConfig)
    if lines is not None:
        assert list(job.error.lines) == [f"cannot load tdsup.yaml: tickers.shop.{line}" for line in lines]
    assert all(line.startswith("cannot load tdsup.yaml: tickers.shop.") for line in job.error.lines)
    assert "hunter2" not in str(job.error)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("tickers: [a]", "tickers: must be keys with values (it is a list)"),
        ("tickers: {shop: }", "tickers.shop: must be keys with values (it is empty)"),
        ("tickers: {shop: {db: [hunter2]}}", "tickers.shop.db: must be text"),
        ("tickers: {a/b: {db: dbname=a}}", "tickers.a/b: must be of letters, digits and _ ~ . @ : + = , -"),
        ("tickers: {tdsup: {db: dbname=a}}", "tickers.tdsup: must be none of tdsup, tdsup-web"),
    ],
)
def test_what_cannot_be_tickers_is_a_fault_of_the_file(text: str, line: str) -> None:
    """Nobody can tell which jobs are meant."""
    with pytest.raises(ConfigError) as caught:
        jobs(text)
    assert str(caught.value).startswith(f"cannot load tdsup.yaml: {line}")
    assert "hunter2" not in str(caught.value)


def test_a_job_s_file_wins_a_name_over_a_ticker() -> None:
    """As the earlier of two files does; the ticker is shown by its place in the file."""
    Path("conf.d/shop.ini").write_text("[sleeper]\n", encoding="utf-8")
    found = jobs(SHOP)
    assert isinstance(found["shop"], JobConfig)
    ticker = found["tickers.shop"]
    assert isinstance(ticker, BrokenConfig)
    assert str(ticker.error) == (
        "cannot load tdsup.yaml: tickers.shop: shop is the name of the job in conf.d/shop.ini already"
    )


def test_two_tickers_of_one_pgq_are_one_too_many() -> None:
    """The second one would stand by for ever; one of another schema has something to do."""
    found = jobs(
        "tickers: {a: {db: dbname=x}, b: {db: dbname=x user=u}, c: {db: dbname=x, pgq_schema: pgque}}"
    )
    changes = compare([], found.values())
    settle(changes, [])
    assert (list(changes.added), list(changes.broken)) == (["a", "c"], ["b"])
    assert str(changes.broken["b"].error) == (
        "cannot share between jobs: tdsup.yaml: tickers.b.db: "
        "the ticker of PgQ in schema pgq of database x belongs to a (tdsup.yaml) already"
    )


@pytest.mark.parametrize(
    ("text", "outcome"),
    [
        ("tickers: {a: {db: dbname=a}, b: {db: dbname=b}}", {"unchanged": ["a", "b"]}),
        ("tickers: {b: {db: dbname=b}, a: {db: dbname=a}}", {"unchanged": ["a", "b"]}),
        ("tickers: {a: {db: dbname=a}}", {"unchanged": ["a"], "removed": ["b"]}),
        ("tickers: {a: {db: dbname=a}, b: {db: dbname=c}}", {"unchanged": ["a"], "changed": ["b"]}),
        (
            "tickers: {a: {db: dbname=a}, c: {db: dbname=b}}",
            {"unchanged": ["a"], "removed": ["b"], "added": ["c"]},
        ),
        ("tickers: {a: {db: dbname=a}, b: {d: x}}", {"unchanged": ["a"], "broken": ["b"]}),
        # The one that is broken takes no other's place.
        ("tickers: {a: {d: x}}", {"broken": ["a"], "removed": ["b"]}),
    ],
)
def test_a_reload_takes_up_each_ticker_by_itself(text: str, outcome: dict[str, list[str]]) -> None:
    """As it does with files; no start of the fleet is needed."""
    before = jobs("tickers: {a: {db: dbname=a}, b: {db: dbname=b}}")
    started = load_fleet()
    changes = compare([Present(name, job) for name, job in before.items()], jobs(text).values())
    found = changes.describe()
    found["broken"] = [each["job"] for each in found["broken"]]
    assert {key: names for key, names in found.items() if names} == outcome
    assert needing_a_start(started, load_fleet()) == []
