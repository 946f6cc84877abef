"""The Debian package on a Debian of its own, under a real systemd: from its build to its last trace."""

from __future__ import annotations

import contextlib
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from harness.pages import commands
from harness.paths import ROOT
from harness.servers.machine import Machine, machine, make_root
from harness.waiting import wait_until
from psycopg2.extensions import make_dsn, parse_dsn
from tdsup.sandbox import Sandbox

from script.shop import Shop

pytestmark = pytest.mark.timeout(600)

RATE = 200
"""Events a second and job."""

HARDEST = 2.0
"""What `systemd-analyze security` may say at most."""


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package, built as anybody builds it."""
    folder = tmp_path_factory.mktemp("package")
    done = subprocess.run(
        [ROOT / "script" / "package", "deb", folder], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    (built,) = folder.glob("*.deb")
    assert done.stdout.splitlines()[-1] == str(built)
    return built


@pytest.fixture(scope="module")
def debian(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    """A minimal Debian that runs."""
    folder = tmp_path_factory.mktemp("debian")
    lower, mounts = folder / "root", folder / "mounts"
    mounts.mkdir()
    make_root(lower)
    try:
        with machine(lower, mounts) as made:
            yield made
    finally:
        shutil.rmtree(lower)


def next_version(package: Path, folder: Path) -> Path:
    """The same package with a later version."""
    tree = folder / "tree"
    subprocess.run(["dpkg-deb", "--raw-extract", package, tree], check=True)
    control = tree / "DEBIAN" / "control"
    control.write_text(re.sub(r"(?m)^Version: .*", "Version: 99.0", control.read_text()))
    later = folder / "later.deb"
    subprocess.run(["dpkg-deb", "--build", tree, later], check=True, capture_output=True)
    shutil.rmtree(tree)
    return later


def install(debian: Machine, package: Path) -> str:
    """Install a package without any network."""
    shutil.copy(package, debian.path("/root/package.deb"))
    return debian.run("dpkg --install --force-confold /root/package.deb")


def move_events(debian: Machine, shop: Shop, seconds: int = 3) -> None:
    """Let the demo's load run for a while; every event arrives."""
    shop.begin()
    for _ in range(10 * seconds):
        shop.work()
        debian.run("sleep 0.1")
    wait_until(lambda: shop.arrived() == shop.sent, "all events arrive")


def test_the_package_has_no_fault(package: Path) -> None:
    """Lintian finds nothing, and what it is told to overlook has a reason."""
    done = subprocess.run(
        ["lintian", "--fail-on=error,warning", "--allow-root", package],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "")
    overrides = (ROOT / "deploy" / "debian" / "tdsup.lintian-overrides").read_text().splitlines()
    assert all(line.startswith(("#", "tdsup:")) for line in overrides)
    assert overrides[0].startswith("#")


def test_units_are_sound_and_hardened(package: Path, tmp_path: Path) -> None:
    """Of both units, which differ in the name of the fleet alone."""
    folder = ROOT / "deploy" / "systemd"
    one, several = (folder / name for name in ("tdsup.service", "tdsup@.service"))
    for unit in (one, several):
        done = subprocess.run(
            ["systemd-analyze", "security", "--offline=true", "--threshold=100", "--no-pager", unit],
            capture_output=True,
            text=True,
            check=True,
        )
        exposure = re.search(r"exposure level for \S+: ([0-9.]+)", done.stdout)
        assert exposure, done.stdout
        assert float(exposure[1]) < HARDEST
    text = several.read_text()
    named = {"the fleet %i of": "a fleet of", "/etc/tdsup/%i": "/etc/tdsup", "=tdsup/%i": "=tdsup"}
    for there, here in named.items():
        assert there in text
        text = text.replace(there, here)
    assert text == one.read_text()


def test_a_service_lives_from_install_to_purge(package: Path, debian: Machine, tmp_path: Path) -> None:
    """The demo's fleet moves its events under the unit, over a crash, a reload, a restart and an upgrade."""
    install(debian, package)
    assert debian.show("tdsup", "ActiveState") == "active"
    assert debian.run("systemd-analyze verify tdsup.service tdsup@shop.service") == ""
    assert debian.run("tdsup --version").startswith("tdsup ")
    assert debian.run("stat -c '%U:%G %a' /etc/tdsup /etc/tdsup/conf.d /etc/tdsup/tdsup.yaml").split() == [
        *("root:tdsup", "750"),
        *("root:tdsup", "750"),
        *("root:tdsup", "640"),
    ]
    assert debian.run("stat -c '%U %a' /etc/tdsup/credentials /run/tdsup /var/log/tdsup").split() == [
        *("root", "700"),
        *("tdsup", "750"),
        *("tdsup", "750"),
    ]
    for page in ("tdsup", "tdsup.yaml", "table_dispatcher"):
        assert "NAME" in debian.run(f"man --warnings=w {page}")
    assert "_tdsup" in debian.run("cat /usr/share/bash-completion/completions/tdsup")
    for command in commands("systemd.md"):
        debian.run(command)
    with Sandbox() as box, contextlib.closing(Shop(box, RATE)) as shop:
        serve(debian, box, shop)
        die(debian)
        reload(debian, shop)
        upgrade(debian, package, tmp_path, shop)
        second_fleet(debian, box)
    leave(debian)


def serve(debian: Machine, box: Sandbox, shop: Shop) -> None:
    """The service at work."""
    for path in (ROOT / "conf.d").glob("*.ini"):
        shutil.copy(path, debian.path("/etc/tdsup/conf.d/"))
    services = "".join(
        f"[tdsup_{name}]\n" + "\n".join(cluster.tcp_dsn("postgres").split()) + "\n"
        for name, cluster in (("source", box.source), ("target", box.target))
    )
    debian.path("/etc/tdsup/services.conf").write_text(services)
    debian.run("chown root:tdsup /etc/tdsup/services.conf; chmod 640 /etc/tdsup/services.conf")
    debian.run(
        "mkdir -p /etc/systemd/system/tdsup.service.d; "
        "printf '[Service]\\nEnvironment=PGSERVICEFILE=/etc/tdsup/services.conf\\n' "
        ">/etc/systemd/system/tdsup.service.d/services.conf; systemctl daemon-reload; systemctl restart tdsup"
    )
    wait_until(lambda: debian.show("tdsup", "StatusText") == "3 jobs: 3 running", "the jobs run")
    move_events(debian, shop)


def die(debian: Machine) -> None:
    """A master that dies or stands still is started again."""
    before = debian.show("tdsup", "MainPID")
    debian.run("systemctl kill --kill-who=main --signal=KILL tdsup")
    wait_until(lambda: debian.show("tdsup", "MainPID") not in {before, "0"}, "the service is restarted")
    wait_until(lambda: debian.show("tdsup", "StatusText") == "3 jobs: 3 running", "the jobs run")
    debian.run(
        "printf '[Service]\\nWatchdogSec=3\\n' >/etc/systemd/system/tdsup.service.d/watchdog.conf; "
        "systemctl daemon-reload; systemctl restart tdsup"
    )
    before = debian.show("tdsup", "MainPID")
    debian.run("systemctl kill --kill-who=main --signal=STOP tdsup")
    wait_until(lambda: debian.show("tdsup", "MainPID") not in {before, "0"}, "the watchdog bites", 30)
    assert "Watchdog timeout" in debian.run("journalctl --unit=tdsup --no-pager --lines=50")
    debian.run(
        "rm /etc/systemd/system/tdsup.service.d/watchdog.conf; "
        "systemctl daemon-reload; systemctl restart tdsup"
    )
    wait_until(lambda: debian.show("tdsup", "StatusText") == "3 jobs: 3 running", "the jobs run")


def reload(debian: Machine, shop: Shop) -> None:
    """What is wrong is told, and what no restart can mend is not restarted."""
    # A reload says what is wrong, and the jobs go on.
    debian.path("/etc/tdsup/conf.d/bad.ini").write_text("[table_dispatcher]\nnonsense = 1\n")
    debian.run("systemctl reload tdsup", code=1)
    assert "blocked" in debian.run("tdsup -C /etc/tdsup status bad")
    debian.path("/etc/tdsup/conf.d/bad.ini").unlink()
    debian.run("systemctl reload tdsup")
    move_events(debian, shop)
    # What no restart can mend is not restarted.
    settings = debian.path("/etc/tdsup/tdsup.yaml")
    sound = settings.read_text()
    settings.write_text(sound + "nonsense: 1\n")
    debian.run("systemctl restart tdsup", code=1)
    assert (debian.show("tdsup", "ExecMainStatus"), debian.show("tdsup", "ActiveState")) == ("78", "failed")
    assert "tdsup.yaml: nonsense" in debian.run("journalctl --unit=tdsup --no-pager --lines=20")
    settings.write_text(sound + "# edited\n")
    debian.run("systemctl restart tdsup")


def upgrade(debian: Machine, package: Path, folder: Path, shop: Shop) -> None:
    """A later version takes over the service, its settings and its events."""
    before = debian.show("tdsup", "MainPID")
    install(debian, next_version(package, folder))
    assert debian.run("dpkg-query -W -f '${Version}' tdsup") == "99.0"
    assert debian.show("tdsup", "MainPID") not in {before, "0"}
    assert debian.path("/etc/tdsup/tdsup.yaml").read_text().endswith("# edited\n")
    wait_until(lambda: debian.show("tdsup", "StatusText") == "3 jobs: 3 running", "the jobs run")
    move_events(debian, shop)
    stopped = debian.run("systemctl stop tdsup; systemctl show --property=Result --value tdsup")
    assert stopped.strip() == "success"


def second_fleet(debian: Machine, box: Sandbox) -> None:
    """The fleet that the page has made: its job's passwords are credentials, which only root can read."""
    folder = debian.path("/etc/tdsup/shop")
    lines = ["[table_dispatcher]", "pgq_queue_name = payments", "dest_table = payments", "row_mode = append"]
    for key, cluster, database in (("src_db", box.source, "shop"), ("dst_db", box.target, "archive")):
        words = parse_dsn(cluster.tcp_dsn(database))
        (folder / "credentials" / key).write_text(make_dsn(password=words.pop("password")))
        lines += [f"{key} = {make_dsn(**words)}", f"{key}_file = db_{key}"]
    (folder / "conf.d" / "second.ini").write_text("\n".join([*lines, ""]))
    debian.run("chown root:tdsup /etc/tdsup/shop/conf.d/*; systemctl restart tdsup@shop")
    wait_until(lambda: debian.show("tdsup@shop", "StatusText") == "1 job: 1 running", "the job runs")
    debian.run("systemctl start tdsup")


def leave(debian: Machine) -> None:
    """Removed, it keeps what somebody has written; purged, it leaves nothing."""
    debian.run("dpkg --remove tdsup")
    assert debian.show("tdsup", "ActiveState") == "inactive"
    assert debian.show("tdsup@shop", "ActiveState") == "inactive"
    assert debian.path("/etc/tdsup/conf.d/orders.ini").exists()
    assert debian.path("/var/log/tdsup/tdsup.log").exists()
    assert not debian.path("/usr/lib/tdsup").exists()
    debian.run("dpkg --purge tdsup")
    left = debian.run("find / -xdev -name '*tdsup*' ! -path '/var/cache/man/*'")
    assert left.split() == ["/etc/systemd/system/tdsup.service.d"]
    assert "tdsup" not in debian.run("cat /etc/passwd /etc/group")
