"""Which columns a row has in the target, and where each comes from: ``fields`` and the keys beside it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from functools import cached_property
from typing import Self


class Word(Enum):
    """What ``fields`` calls things that an event tells of its change, besides the columns of its row."""

    OP = "_OP"
    """The operation, as the letters of ``ev_type`` have it."""
    EVID = "_EVID"
    """``ev_id``."""
    EVTIME = "_EVTIME"
    """``ev_time``, when the event was written."""
    TXID = "_TXID"
    """``ev_txid``, the transaction that wrote it."""
    TABLE = "_TABLE"
    """``ev_extra1``, the table of the source."""
    USER = "_USER"
    """``ev_extra3``, which PgQ's triggers fill as their option ``ev_extra3=session_user`` says."""
    DELETED = "=deleted"
    """``ev_time`` of a delete, NULL of others; ``deleted_at`` names its column, ``fields`` does not."""

    @property
    def column(self) -> str | None:
        """The column of events that holds it; None: their type tells, or their table."""
        return _COLUMNS.get(self)


_WORDS = {word.value: word for word in Word if word is not Word.DELETED}

_COLUMNS = {
    Word.EVID: "ev_id",
    Word.EVTIME: "ev_time",
    Word.TXID: "ev_txid",
    Word.USER: "ev_extra3",
    Word.DELETED: "ev_time",
}


@dataclass(frozen=True)
class FieldMap:
    """Which columns are loaded, and under which names.

    Columns that are *given* do not come from the data of an event: `words` and `constants`. They have source
    names too, which stand for them and are no names of columns of the source.

    Attributes:
        named: source and target names of columns that are named one by one.
        others: all other columns are loaded too, under their own names, unless these are taken.
        words: what is told of the change, each with its target name.
        skipped: source names of columns that are not loaded.
        constants: target names and values of columns that are the same in each row.
    """

    named: tuple[tuple[bytes, str], ...] = ()
    others: bool = True
    words: tuple[tuple[Word, str], ...] = ()
    skipped: frozenset[bytes] = frozenset()
    constants: tuple[tuple[str, str], ...] = ()

    @classmethod
    def parse(cls, value: object) -> object:
        """Read ``*``, or a list such as ``*, a:b, _OP:op`` or ``a, b``."""
        if not isinstance(value, str):
            return value
        named: list[tuple[bytes, str]] = []
        words: list[tuple[Word, str]] = []
        others = not value.strip()
        for part in value.split(",") if value.strip() else ():
            source, colon, target = (piece.strip() for piece in part.partition(":"))
            if not source or (colon and not target) or (source == "*" and colon):
                raise ValueError("must be a list of column or column:new_name, separated by commas")
            if source == "*" and others:
                raise ValueError("must have * only once")
            if source == "*":
                others = True
            elif source in _WORDS:
                words.append((_WORDS[source], target or source))
            else:
                named.append((source.encode(), target or source))
        return cls(tuple(named), others, tuple(words))

    def beside(
        self, skipped: Iterable[str], constants: Iterable[tuple[str, str]], deleted_at: str = ""
    ) -> Self:
        """The same with other keys of the file taken into account.

        Args:
            skipped: source names of columns that are not loaded.
            constants: target names and values.
            deleted_at: target name of the column that says when a row was deleted; empty: there is none.

        Raises:
            ValueError: they contradict each other.
        """
        left_out = frozenset(name.encode() for name in skipped)
        if both := sorted(left_out & {source for source, _ in self.named}):
            raise ValueError(f"must not name column {both[0].decode()}, which skip_fields names")
        if deleted_at in {name for name, _ in constants} | set(self._targets_of_all.values()):
            raise ValueError(f"must not name column {deleted_at}, which deleted_at names")
        marks = ((Word.DELETED, deleted_at),) if deleted_at else ()
        return replace(self, skipped=left_out, constants=tuple(constants), words=(*self.words, *marks))

    def __post_init__(self) -> None:
        words = [(word.value.encode(), target) for word, target in self.words]
        for names in zip(*self.named, *words, strict=True):
            if len(set(names)) < len(names):
                raise ValueError("must name no column twice")
        if both := sorted({name for name, _ in self.constants} & {name for _, name in (*self.named, *words)}):
            raise ValueError(f"must not name column {both[0]}, which constants names")

    # Columns of the source.

    @property
    def required(self) -> tuple[bytes, ...]:
        """Source names of columns that each whole row must have."""
        return () if self.others else tuple(self._targets)

    def loads(self, name: bytes) -> bool:
        """Whether a column of the source is loaded."""
        return name in self._targets or (self.others and name not in self._left_out)

    def choose(self, names: Iterable[bytes]) -> tuple[bytes, ...]:
        """Those of some columns of the source that are loaded, in their order."""
        if self.others and not self._left_out:
            return tuple(names)
        return tuple(name for name in names if self.loads(name))

    def rename(self, names: Sequence[bytes]) -> tuple[str, ...]:
        """Target names of some columns of the source; those that are not loaded are left out.

        Raises:
            UnicodeDecodeError: a name is not UTF-8.
        """
        targets = self._targets
        return tuple(targets.get(name) or name.decode() for name in names if self.loads(name))

    # Given columns.

    @cached_property
    def given(self) -> tuple[tuple[bytes, Word | str], ...]:
        """Source names of given columns, and what each holds: what a word stands for, or this text."""
        return (
            *((_source(name), text) for name, text in self.constants),
            *((word.value.encode(), word) for word, _ in self.words),
        )

    @cached_property
    def constant_names(self) -> tuple[bytes, ...]:
        """Source names of constants. A job's rows have them, so they are a part of what names a row."""
        return tuple(_source(name) for name, _ in self.constants)

    def rename_key(self, key: Sequence[bytes]) -> tuple[str, ...]:
        """Target names of what names a row; of columns that are not loaded, none.

        Args:
            key: source names of columns that name it in the source; of none, none.
        """
        return (*(name for name, _ in self.constants), *self.rename(key)) if key else ()

    def all_targets(self, names: Sequence[bytes]) -> tuple[str, ...]:
        """Target names of some columns that are loaded or given.

        Raises:
            UnicodeDecodeError: a name is not UTF-8.
        """
        targets = self._targets_of_all
        return tuple(targets.get(name) or name.decode() for name in names)

    @cached_property
    def named_targets(self) -> dict[str, str]:
        """Columns of the target that the job's file names, each with the key that does."""
        keys = dict.fromkeys((name for name, _ in self.constants), "constants")
        keys |= {name: "deleted_at" for word, name in self.words if word is Word.DELETED}
        return {name: keys.get(name, "fields") for name in self._targets_of_all.values()}

    @cached_property
    def _targets(self) -> dict[bytes, str]:
        return dict(self.named)

    @cached_property
    def _targets_of_all(self) -> dict[bytes, str]:
        words = {word.value.encode(): target for word, target in self.words}
        return {**self._targets, **words, **{_source(name): name for name, _ in self.constants}}

    @cached_property
    def _left_out(self) -> frozenset[bytes]:
        """Of columns that are not named, those that are not loaded: skipped, or their names are taken."""
        taken = {target.encode() for target in self._targets_of_all.values()}
        return frozenset(self.skipped | taken | self._targets_of_all.keys())


def _source(constant: str) -> bytes:
    """What stands for the column of a constant among source names."""
    return b"=" + constant.encode()
