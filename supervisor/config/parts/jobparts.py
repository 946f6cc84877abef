"""Sections that belong to the only job of a file: which they are, and what they say."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from pydantic import BaseModel
from tdsup.jobtype import Sections, sections_of_model

from ..inifile import DEFAULTS, IniFile
from ..jobtypes import job_types
from ..options import NOTHING, Fault, keys_without_effect, known_keys, unknown_key, why_ignored


def part_headers(headers: Sequence[str]) -> list[str]:
    """Those headers that no job has, but parts of a job of some installed type."""
    # Only then is it worth the while to import all job types.
    if not any(" " in header for header in headers):
        return []
    kinds = [kind for _, job_type in job_types() if (kind := sections_of_model(job_type.settings))]
    return [header for header in headers if any(kind.name(header) for kind in kinds)]


@dataclass(frozen=True, slots=True)
class JobParts:
    """The parts of a job.

    Attributes:
        ini: of the job's section, its parts and the file's defaults.
        job: header of the job's section.
        headers: of the parts.
        kind: what parts a job of that type may have; None: none.
    """

    ini: IniFile
    job: str
    headers: tuple[str, ...]
    kind: Sections | None

    def values(self, given: Mapping[str, str]) -> dict[str, dict[str, str]]:
        """What each part says itself, by its name, references replaced.

        Args:
            given: values to which those of a part may refer: the job's.

        Raises:
            SyntaxFault: one line for each value with a bad reference.
        """
        if self.kind is None:
            return {}
        given = {**given, **{word: f"%({word})s" for word in self.kind.standing}}
        extended = self.ini.is_extended(self.job)
        own = self.ini.sections[self.job]
        defaults = {
            key: entry for key, entry in self.ini.sections.get(DEFAULTS, {}).items() if key not in own
        }
        found = {}
        for header in self.headers:
            keys = self.ini.sections[header]
            values = IniFile({DEFAULTS: defaults, header: keys}).interpolate(header, given, extended)
            found[self.kind.name(header)] = {key: values[key] for key in keys}
        return found

    def filled(self, values: Mapping[str, Mapping[str, str]]) -> Mapping[str, object]:
        """The field of the settings model that holds the parts, with what `values` gave; nothing if none."""
        return {self.kind.field: values} if self.kind and values else NOTHING

    def faults(self) -> Iterator[Fault]:
        """Parts that the job cannot have, and keys that nobody reads and no value refers to."""
        used = self.ini.referenced()
        for header in self.headers:
            if self.kind is None or not self.kind.name(header):
                yield Fault("", f"a job of type {self.job} has no such section", header)
                continue
            known = known_keys(self.kind.model)
            for key in self.ini.sections[header]:
                if key not in known and key not in used and not why_ignored(key):
                    yield unknown_key(key, known, header)

    def news(self, faults: Iterable[Fault]) -> Iterator[Fault]:
        """The faults, without those that parts have only because the job has them."""
        known = list(faults)
        of_job = {(fault.key, fault.reason) for fault in known if not fault.part}
        for fault in known:
            own = self.ini.sections.get(fault.part, {}) if fault.part else {}
            if not fault.part or fault.key in own or (fault.key, fault.reason) not in of_job:
                yield fault

    def warnings(self, settings: BaseModel) -> Iterator[str]:
        """What a person should know of the parts, each with its place."""
        for header in self.headers:
            yield from self.ini.warnings.get(header, ())
            if self.kind:
                part, own = (
                    getattr(settings, self.kind.field)[self.kind.name(header)],
                    self.ini.sections[header],
                )
                for key, reason in keys_without_effect(part).items():
                    if key in own:
                        yield f"[{header}] {key}: has no effect: {reason}"
