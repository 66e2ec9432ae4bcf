"""A seeded random stream that can be entered at any position."""

from __future__ import annotations

import hashlib

BLOCK = 32


class Dice:
    """Bytes of SHA-256(seed ‖ block number as 8 big-endian bytes), block after block: the bytes
    at a position depend on the seed and the position only."""

    def __init__(self, seed: str, position: int = 0) -> None:
        self._seed = seed.encode("utf-8", "surrogatepass")
        self.position = position

    def take(self, size: int) -> bytes:
        """The next `size` bytes."""
        start = self.position
        first, last = start // BLOCK, (start + size + BLOCK - 1) // BLOCK
        blocks = b"".join(self._block(number) for number in range(first, last))
        self.position = start + size
        return blocks[start - first * BLOCK :][:size]

    def _block(self, number: int) -> bytes:
        return hashlib.sha256(self._seed + number.to_bytes(8, "big")).digest()
