"""``tdsup.yaml``."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from tdsup.supervisor.config.confd import scan
from tdsup.supervisor.config.fleetsettings import load_fleet, require_jobs
from tdsup.supervisor.errors import ConfigError


@pytest.fixture(autouse=True)
def _directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty directory to work in."""
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("text", [None, "", "# nothing\n", "web: 127.0.0.1:9867\n"])
def test_everything_has_a_default(text: str | None) -> None:
    """A missing file and an empty one are the same."""
    if text is not None:
        Path("tdsup.yaml").write_text(text, encoding="utf-8")
    settings = load_fleet()
    assert (settings.jobs, settings.socket, settings.web_address) == (
        ["conf.d/*.ini"],
        "run/tdsup.sock",
        ("127.0.0.1", 9867),
    )


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("jobz: [a]", "jobz: unknown key, did you mean jobs?"),
        ("web: nowhere", "web: must be host:port (it is 'nowhere')"),
        ("web: host:99999", "web: must be host:port (it is 'host:99999')"),
        ("socket: " + "x" * 108, "socket: must have at most 107 bytes, the longest path of a unix socket"),
        ("web_cert: a.crt", "web_key: must be set if web_cert is, and only then"),
        ("web_key: a.key", "web_key: must be set if web_cert is, and only then"),
        ("stop_timeout: -1", "stop_timeout: must be at least 0 (it is '-1')"),
        ("jobs: 1", "jobs: must be a list (it is '1')"),
        ("config_list: ''", "config_list: must not be empty"),
        ("defaults: {loop_delai: 1}", "defaults.loop_delai: unknown key, did you mean loop_delay?"),
        ("defaults: {loop_delay: [1]}", "defaults.loop_delay: must be text (it is a list)"),
        ("defaults: {job_name: x}", "defaults.job_name: unknown key"),
        (
            "heartbeat_timeout: .inf",
            "heartbeat_timeout: must be at most 86400 (it is 'inf')",
        ),
        ("log_format: xml", "log_format: must be text or json (it is 'xml')"),
        ("- a", "must be keys with values"),
        ("a: [", "line 1, column 5: while parsing a flow node expected the node content"),
        (
            "defaults:\n  src_db: host=a password: hunter2",
            "line 2, column 26: mapping values",
        ),
        ("\x00", "unacceptable character"),
        ("backoff_first: 2020-13-45", "month must be in 1..12"),
        ("web: 0b_", "invalid literal for int() with base 2: ''"),
        ("[" * 5000, "maximum recursion depth exceeded"),
    ],
)
def test_a_fault_is_one_line_that_names_file_and_key(text: str, line: str) -> None:
    """Even if the text is not YAML at all."""
    Path("tdsup.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load_fleet()
    assert str(caught.value).startswith(f"cannot load tdsup.yaml: {line}")
    assert "\n" not in str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_a_config_list_is_a_line_with_commas() -> None:
    """As in scriptmgr's own file; a list is accepted too."""
    Path("tdsup.yaml").write_text("config_list: a/*.ini, ~/b/*.ini\n", encoding="utf-8")
    assert load_fleet().jobs == ["a/*.ini", "~/b/*.ini"]


def test_defaults_are_text_as_in_a_job_s_file() -> None:
    """Even if YAML reads them as numbers or booleans."""
    Path("tdsup.yaml").write_text(
        "defaults: {loop_delay: 0.5, pgq_lazy_fetch: 0, Disabled: true}\n", encoding="utf-8"
    )
    assert load_fleet().defaults == {"loop_delay": "0.5", "pgq_lazy_fetch": "0", "disabled": "1"}


def test_a_directory_without_a_fleet_is_an_error() -> None:
    """With neither job files nor settings it is most likely the wrong one."""
    with pytest.raises(
        ConfigError, match=r"^cannot find a fleet in /.*: neither conf.d/\*.ini nor tdsup.yaml"
    ):
        require_jobs(load_fleet())
    Path("conf.d").mkdir()
    require_jobs(load_fleet())


PIECES = [
    *"jobs socket web log log_size backoff_first : : : - [ ] { } & * ! ? | > % @ ` ' # , << = ~".split(),
    *"&a *a !!int !!float !!binary !!set !!timestamp 0b_ 0x 1_ 1:2 .nan .inf 2020-13-45 1e999 null".split(),
    *[
        "\n",
        "\n",
        "\n  ",
        ": ",
        "- ",
        " ",
        "\t",
        "\x00",
        "\x85",
        "\ufeff",
        "é",
        "---\n",
        "...\n",
        '"\\ud800"',
        "9" * 5000,
    ],
]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.binary() | st.lists(st.sampled_from(PIECES)).map(lambda pieces: "".join(pieces).encode()))
@example(b"jobs: ['**a']")
@example(b"jobs: ['~nobody-of-that-name/*']")
@example(b"jobs: [&a [*a]]")
def test_any_content_is_settings_or_faults(content: bytes) -> None:
    """Nothing else is raised, neither when the file is read nor when the job files are looked for."""
    Path("tdsup.yaml").write_bytes(content)
    with contextlib.suppress(ConfigError):
        scan(load_fleet().jobs)
