"""A container without an engine: namespaces, a read-only root, the image's user without any right."""

from __future__ import annotations

import contextlib
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from harness.containers.containerfile import containerfile
from harness.paths import ROOT
from harness.waiting import PATIENCE, wait_until

HOST_ROOT = """
mount -t tmpfs -o mode=755 none {root}
cd {root}
ln -s usr/bin usr/sbin usr/lib usr/lib64 .
mkdir -p proc dev run/tdsup opt/tdsup etc/tdsup/conf.d etc/tdsup/credentials
for folder in {programs}; do
    mkdir -p .$folder
    mount --bind $folder .$folder
    mount -o remount,bind,ro .$folder
done
mount --bind {checkout}/.venv opt/tdsup
mount -o remount,bind,ro opt/tdsup
touch etc/tdsup/tdsup.yaml
cp -P /etc/ld.so.cache /etc/passwd /etc/group /etc/hosts etc
"""
"""A root of this machine's programs and of the checkout, for who has no image."""

IMAGE_ROOT = """
mount --bind {root} {root}
cd {root}
"""

RUN = """
mount --bind {settings} etc/tdsup/tdsup.yaml
mount --bind {jobs} etc/tdsup/conf.d
mount --bind {credentials} etc/tdsup/credentials
# As engines mount it, and as the kubelet mounts an emptyDir.
mount -t tmpfs -o mode=1777 none run/tdsup
mount -t proc proc proc
mount --rbind /dev dev
mount -o remount,bind,ro .
exec chroot . {enter} "$@"
"""

APART = "unshare --mount --pid --ipc --uts --fork --kill-child"


@dataclass(frozen=True)
class Mounts:
    """What a container gets from outside.

    Attributes:
        settings: its tdsup.yaml.
        jobs: its conf.d.
        credentials: the folder of its service file.
    """

    settings: Path
    jobs: Path
    credentials: Path


class Contained:
    """A container that runs.

    Args:
        process: what has made its namespaces.
        pid: of its first process, outside.
    """

    def __init__(self, process: subprocess.Popen[str], pid: int) -> None:
        self._process = process
        self._pid = pid

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Run a command in it, as the image's user; the caller judges its exit status."""
        enter = f"nsenter --target={self._pid} --mount --pid --ipc --uts --root --wd=/proc/{self._pid}/root"
        return subprocess.run(
            [*enter.split(), *_as_user(), *command],
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )

    def ended(self) -> bool:
        """Whether it has ended; fails, with what it said, if it has."""
        if self._process.poll() is not None:
            raise AssertionError(f"the container has ended: {self._process.communicate()}")
        return False

    def end(self, number: signal.Signals = signal.SIGTERM) -> tuple[int, str, str]:
        """Send its first process a signal, as engines do; returns exit status, stdout and stderr."""
        subprocess.run(["kill", f"-{int(number)}", str(self._pid)], check=True)
        out, error = self._process.communicate(timeout=3 * PATIENCE)
        return self._process.returncode, out, error


@contextlib.contextmanager
def contained(folder: Path, mounts: Mounts, image: Path | None = None) -> Iterator[Contained]:
    """Run the image's start command; what is left of it is killed.

    Args:
        folder: an empty one.
        mounts: what it gets.
        image: root of the built image; without one this machine's programs stand in for it.
    """
    with subprocess.Popen(
        [*APART.split(), "bash", "-euc", _script(folder, mounts, image), "sh", *containerfile().start],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
            first = wait_until(lambda: children.read_text().split(), "the container begins")
            yield Contained(process, int(first[0]))
        finally:
            process.kill()


def ends_at_once(folder: Path, mounts: Mounts) -> tuple[int, str]:
    """Run the start command, which fails; returns exit status and stderr."""
    done = subprocess.run(
        [*APART.split(), "bash", "-euc", _script(folder, mounts, None), "sh", *containerfile().start],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    return done.returncode, done.stderr


def _script(folder: Path, mounts: Mounts, image: Path | None) -> str:
    names = {
        "root": image or folder,
        "checkout": ROOT,
        "settings": mounts.settings,
        "jobs": mounts.jobs,
        "credentials": mounts.credentials,
    }
    programs = {Path("/usr"), Path(sys.base_prefix), ROOT}
    quoted = {key: shlex.quote(str(path)) for key, path in names.items()}
    made = "mount --make-rprivate /" + (IMAGE_ROOT if image else HOST_ROOT) + RUN
    quoted["programs"] = shlex.join(sorted(map(str, programs)))
    return made.format(**quoted, enter=shlex.join(_as_user()))


def _as_user() -> list[str]:
    """The words that make a process the image's: its user, no group, no capability, its environment."""
    image = containerfile()
    uid, gid = image.user
    bare = "--clear-groups --no-new-privs --inh-caps=-all --bounding-set=-all"
    variables = [f"{key}={value}" for key, value in image.environment.items()]
    return [
        "/usr/bin/setpriv",
        *f"--reuid={uid} --regid={gid} {bare}".split(),
        *("/usr/bin/env", "--ignore-environment", f"--chdir={image.last('WORKDIR')}", *variables),
    ]
