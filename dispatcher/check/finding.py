"""What a check finds: notes, warnings, and faults that would keep the job from running."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Note:
    """Something worth knowing that needs no change."""

    text: str

    def line(self, job: str, where: str) -> str:
        """The note as people read it.

        Args:
            job: name of the job.
            where: ``source``, ``target``, ``source and target`` or ``events``.
        """
        return f"{job}: {where}: {self.text}"


@dataclass(frozen=True, slots=True)
class Caution:
    """Something that the job can run with, and a person should change."""

    text: str

    def line(self, job: str, where: str) -> str:
        """The warning as people read it, as `Note.line`."""
        return f"{job}: {where}: warning: {self.text}"


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that a person has to change before the job can run."""

    text: str

    def line(self, job: str, where: str) -> str:
        """The fault as people read it, as `Note.line`."""
        return f"cannot run {job}: {where}: {self.text}"


Finding = Note | Caution | Fault
