"""Taking over a scriptmgr's fleet."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from harness.paths import JOBTYPES
from tdsup.supervisor.config.fleetsettings import load_fleet
from tdsup.supervisor.config.scriptmgr import import_fleet
from tdsup.supervisor.errors import ConfigError

SCRIPTMGR = """\
[scriptmgr]
job_name = scriptmgr_db5
config_list = jobs/*.ini, more/*.ini
logfile = ~/log/%(job_name)s.log
pidfile = ~/pid/%(job_name)s.pid

[DEFAULT]
cwd = {cwd}

[sleeper]
script = sleeper.py
args = -v
user = queue

[londiste3]
script = londiste3
disabled = 1
"""


@pytest.fixture(autouse=True)
def _directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A scriptmgr.ini and job files of two services."""
    monkeypatch.syspath_prepend(str(JOBTYPES))
    monkeypatch.chdir(tmp_path)
    Path("scriptmgr.ini").write_text(SCRIPTMGR.format(cwd=tmp_path), encoding="utf-8")
    for folder in ("jobs", "more"):
        Path(folder).mkdir()
    for name in ("jobs/a", "jobs/b", "more/c"):
        Path(f"{name}.ini").write_text("[sleeper]\n", encoding="utf-8")


def run() -> list[str]:
    """Import, then see that the result can be loaded; returns the lines for people."""
    told = import_fleet(Path("scriptmgr.ini"))
    load_fleet()
    return told


def test_globs_of_our_jobs_are_taken_as_they_are() -> None:
    """A file that is added later belongs to the fleet too; what cannot be kept is reported."""
    told = run()
    assert load_fleet().jobs == ["jobs/*.ini", "more/*.ini"]
    assert load_fleet().defaults == {}
    assert told == [
        "wrote tdsup.yaml: 3 job files; tdsup check tells whether they can run",
        "[sleeper] user is queue: run tdsup as that user",
        "[sleeper] args -v: dropped: jobs have no switches",
        "stop the old daemons before tdsup starts: scriptmgr stop -a",
    ]
    text = Path("tdsup.yaml").read_text(encoding="utf-8")
    assert all(f"# {line}" in text for line in told[1:])


def test_files_of_other_services_are_left_out_one_by_one() -> None:
    """Only the glob that matches them is replaced; the others stay."""
    Path("more/d.ini").write_text("[londiste3]\n", encoding="utf-8")
    told = run()
    assert load_fleet().jobs == ["jobs/*.ini", "more/c.ini"]
    assert told[1].startswith("left out more/d.ini: no job type is called londiste3 (installed: ")


def test_a_disabled_service_stays_disabled() -> None:
    """Its files are left out; if it is the only one, there is nothing to import."""
    Path("more/d.ini").write_text("[other_service]\n", encoding="utf-8")
    text = Path("scriptmgr.ini").read_text(encoding="utf-8")
    Path("scriptmgr.ini").write_text(text.replace("user = queue", "disabled = 1"), encoding="utf-8")
    with pytest.raises(ConfigError, match=r"left out jobs/a\.ini: its service sleeper is disabled"):
        import_fleet(Path("scriptmgr.ini"))
    assert not Path("tdsup.yaml").exists()


@pytest.mark.parametrize("value", ["true", "yes", "on", "True"])
def test_a_service_disabled_in_words_stays_disabled(value: str) -> None:
    """It does not begin to load beside whatever replaced it."""
    text = Path("scriptmgr.ini").read_text(encoding="utf-8")
    Path("scriptmgr.ini").write_text(text.replace("user = queue", f"disabled = {value}"), encoding="utf-8")
    with pytest.raises(ConfigError, match=r"left out jobs/a\.ini: its service sleeper is disabled"):
        import_fleet(Path("scriptmgr.ini"))


def test_a_folder_that_is_missing_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """It stops nothing; variables and homes in the globs count as in a shell."""
    monkeypatch.setenv("FLEET", "jobs")
    monkeypatch.setenv("HOME", str(tmp_path))
    text = Path("scriptmgr.ini").read_text(encoding="utf-8")
    globs = "$FLEET/*.ini, none/*.ini, ~nobody_has_this_name/*.ini, ~/more/*.ini"
    text = text.replace("jobs/*.ini, more/*.ini", globs)
    Path("scriptmgr.ini").write_text(text, encoding="utf-8")
    told = run()
    assert load_fleet().jobs == ["jobs/*.ini", "~/more/*.ini"]
    assert told[:3] == [
        "wrote tdsup.yaml: 3 job files; tdsup check tells whether they can run",
        "left out none/*.ini: there is no folder none",
        "left out ~nobody_has_this_name/*.ini: there is no folder ~nobody_has_this_name",
    ]


def test_a_note_is_one_line() -> None:
    """A value over several lines must not become YAML."""
    text = Path("scriptmgr.ini").read_text(encoding="utf-8")
    Path("scriptmgr.ini").write_text(text.replace("args = -v", "args = -v\n  x: y"), encoding="utf-8")
    assert "[sleeper] args -v x: y: dropped: jobs have no switches" in run()


def test_another_directory_is_reported() -> None:
    """The relative paths in the files were relative to it."""
    Path("scriptmgr.ini").write_text(SCRIPTMGR.format(cwd="/srv/queue"), encoding="utf-8")
    told = run()
    assert told[1] == "[sleeper] cwd is /srv/queue: relative paths in its files are now relative to here"


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("[scriptmgr]\n", "cannot load scriptmgr.ini: [scriptmgr] config_list: required key is missing"),
        ("[other]\na = 1\n", "cannot load scriptmgr.ini: no section [scriptmgr]"),
        ("[scriptmgr]\nnonsense\n", "cannot load scriptmgr.ini: line 2: neither a section header nor"),
        ("[scriptmgr]\nconfig_list = %(x)s\n", "cannot load scriptmgr.ini: [scriptmgr] config_list: refers"),
        ("[scriptmgr]\nconfig_list = none/*\n", "cannot import scriptmgr.ini: no file of config_list is a"),
        ("[scriptmgr]\nconfig_list = jobs/*\n", "cannot import scriptmgr.ini: no file of config_list is a"),
    ],
)
def test_a_file_of_no_use_is_an_error(text: str, fault: str) -> None:
    """And nothing is written."""
    Path("scriptmgr.ini").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        import_fleet(Path("scriptmgr.ini"))
    assert str(caught.value).startswith(fault)
    assert not Path("tdsup.yaml").exists()


def test_an_existing_file_is_not_overwritten() -> None:
    """A person wrote it."""
    Path("tdsup.yaml").write_text("watch: true\n", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"cannot write tdsup\.yaml: it exists already"):
        run()
    assert yaml.safe_load(Path("tdsup.yaml").read_text(encoding="utf-8")) == {"watch": True}
