def decode(
    block: bytes,
    start: int,
    heads: tuple[bytes, ...],
    skipped: tuple[bytes, ...],
    names: tuple[bytes, ...],
    picked: tuple[int, ...],
    part: int,
) -> tuple[int, dict[bytes, bytes], tuple[int, ...]]: ...
