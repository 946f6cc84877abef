def decode_block(
    block: bytes,
    start: int,
    prefixes: tuple[bytes, ...],
    ignored: tuple[bytes, ...],
    names: tuple[bytes, ...],
    picked: tuple[int, ...],
    part: int,
) -> tuple[int, dict[bytes, bytes], tuple[int, ...]]: ...
