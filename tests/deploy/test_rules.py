"""The rules for Prometheus, and the runbook of each alert."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import yaml
from harness.paths import ROOT

FOLDER = ROOT / "deploy" / "prometheus"

CHAPTERS = ["## Look", "## Do", "## When to ignore it"]


def promtool(*words: str | Path) -> None:
    """Run promtool, which must find no fault."""
    done = subprocess.run(["promtool", *words], capture_output=True, text=True, check=False, cwd=FOLDER)
    assert done.returncode == 0, done.stdout + done.stderr


def alerts() -> dict[str, dict[str, dict[str, str]]]:
    """The alerts by name."""
    groups = yaml.safe_load((FOLDER / "tdsup.rules.yml").read_text())["groups"]
    return {rule["alert"]: rule for group in groups for rule in group["rules"] if "alert" in rule}


def test_rules_and_the_sample_are_sound() -> None:
    """As Prometheus itself reads them."""
    promtool("check", "rules", "tdsup.rules.yml")
    promtool("check", "config", "prometheus.yml")


def test_each_alert_fires_with_its_fault_and_is_silent_without() -> None:
    """By invented series; none is left out."""
    promtool("test", "rules", "tests/tdsup.tests.yml")
    tests = [
        each
        for test in yaml.safe_load((FOLDER / "tests" / "tdsup.tests.yml").read_text())["tests"]
        for each in test["alert_rule_test"]
    ]
    firing = {each["alertname"] for each in tests if each.get("exp_alerts")}
    silent = {each["alertname"] for each in tests if not each.get("exp_alerts")}
    names = alerts().keys()
    assert firing == names
    # Of the others a series that is well is among the ones that are not.
    assert names - silent == {"TdsupCrashLoop"}


def test_each_alert_has_a_runbook() -> None:
    """Its annotation names the page, each page has an alert, the same chapters, and is one screen long."""
    pages = {path.stem: path for path in (ROOT / "docs" / "runbooks").glob("*.md")}
    found = alerts()
    assert pages.keys() == found.keys()
    for name, path in pages.items():
        url = found[name]["annotations"]["runbook_url"]
        assert url == f"/usr/share/doc/tdsup/docs/runbooks/{name}.md"
        assert found[name]["labels"]["severity"] in {"critical", "warning"}
        lines = path.read_text().splitlines()
        assert lines[0] == f"# {name}"
        assert [line for line in lines if line.startswith("## ")] == CHAPTERS
        assert len(lines) <= 40
        for link in re.findall(r"\]\(([^)#]+)", path.read_text()):
            assert (path.parent / link).exists(), link
