"""A Debian of its own on this kernel: a root made by mmdebstrap, booted by a real systemd in namespaces."""

from __future__ import annotations

import contextlib
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path

from harness.waiting import PATIENCE, wait_until

RELEASE = "bookworm"

INCLUDED = ("systemd", "python3", "adduser", "man-db")
"""Packages beside the minimal ones: what a server has, and nothing of ours."""

BOOT = """
mount --make-rprivate /
mount -t tmpfs none {folder}
mkdir {folder}/upper {folder}/work {folder}/root
mount -t overlay overlay -o lowerdir={lower},upperdir={folder}/upper,workdir={folder}/work {folder}/root
cd {folder}/root
mount -t proc proc proc
# What is read-only in there, systemd leaves alone: it is the kernel's, and not ours.
mount --bind proc/sys proc/sys
mount -o remount,bind,ro proc/sys
mount -t sysfs -o ro sysfs sys
mount -t cgroup2 none sys/fs/cgroup
mount --rbind /dev dev
mount -t tmpfs none run
mount -t tmpfs none tmp
export container=test
mkdir old
pivot_root . old
umount --lazy old
rmdir old
# As it is on a machine, where credentials of units depend on it.
mount --make-rshared /
exec chroot . /lib/systemd/systemd --system --unit=multi-user.target
"""

APART = "unshare --mount --uts --ipc --pid --cgroup --fork --kill-child"
"""What a machine has for itself; the network is ours."""

UP = frozenset({"running", "degraded"})
"""What systemd calls itself once it is up; a minimal root lacks units that the first state would need."""


def make_root(folder: Path) -> None:
    """Make the root of a minimal Debian; this takes most of a minute, and needs root and the network."""
    subprocess.run(
        ["mmdebstrap", "--quiet", "--variant=minbase", f"--include={','.join(INCLUDED)}", RELEASE, folder],
        check=True,
        timeout=300,
    )


class Machine:
    """A Debian that runs.

    Args:
        pid: of its systemd, outside.
    """

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._root = Path(f"/proc/{pid}/root")

    def path(self, name: str) -> Path:
        """A file of the machine, as seen from outside."""
        return self._root / name.lstrip("/")

    def run(self, command: str, *, code: int | None = 0) -> str:
        """Run a line of shell as its root; returns what it printed, stderr included.

        Args:
            command: the line.
            code: the exit status that it must have; None: any.
        """
        enter = f"nsenter --target={self._pid} --mount --uts --ipc --pid --root --wd={self._root}"
        alone = "env --ignore-environment PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8"
        done = subprocess.run(
            [*enter.split(), *alone.split(), "sh", "-c", command],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=6 * PATIENCE,
        )
        said = f"{command}: exit status {done.returncode}: {done.stdout}"
        assert code is None or done.returncode == code, said
        return done.stdout

    def show(self, unit: str, key: str) -> str:
        """A property of a unit."""
        return self.run(f"systemctl show --value --property={key} {shlex.quote(unit)}").strip()


@contextlib.contextmanager
def machine(lower: Path, folder: Path) -> Iterator[Machine]:
    """Boot a machine; what it writes is gone when it ends.

    Args:
        lower: its root, of which it changes nothing.
        folder: an empty one, for its mounts.
    """
    script = BOOT.format(folder=shlex.quote(str(folder)), lower=shlex.quote(str(lower)))
    with subprocess.Popen(
        [*APART.split(), "bash", "-euc", script],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
            first = wait_until(lambda: children.read_text().split(), "the machine begins")
            made = Machine(int(first[0]))
            wait_until(
                lambda: (
                    made.path("run/systemd/private").exists()
                    and made.run("systemctl is-system-running", code=None).strip() in UP
                ),
                "systemd is up",
                3 * PATIENCE,
            )
            yield made
        finally:
            process.kill()
