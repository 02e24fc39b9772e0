"""What was learned of a document's picture, carried in the document: the file of its networks, byte for byte.

It comes from a file of anybody's, so it is held against a size and a digest here, and against nothing else: it is never
run from the document. Whoever wants to use it brings it in as weights, which are read with all suspicion by
engine/weightfile.py, in another process.

It stays whatever is undone, as results do; only leaving it out is a step of the history.

Elsewhere: leaving it out in learned_ops.py, its entry in a file in ora_layout.py, bringing it in in app/learning.py.
"""

import hashlib
import io
import re
from dataclasses import dataclass
from typing import Any

import numpy as np

from app.document.blobs import Blob
from app.errors import DocumentError
from engine.errors import WeightsError

LEARNED_LIMIT_BYTES = 64 << 20
"""Largest file that a document carries: networks of the published size take a third of it."""
_HEADER_LIMIT_BYTES = (
    256 << 10
)  # ours take a few thousand; while one is read, the window waits for the interpreter
_DIGEST = re.compile(r"[0-9a-f]{64}")
_HINT = "the file is damaged, learn the picture again"


@dataclass(frozen=True, eq=False)
class Learned:
    """The weights file of networks that learned a picture."""

    picture_sha256: str
    """Of the picture, as ``engine.pictures.picture_sha256`` gives it."""
    sha256: str
    """Of the file."""
    blob: Blob
    """The file's bytes."""

    @classmethod
    def of(cls, picture_sha256: str, data: bytes) -> "Learned":
        """Take in a weights file.

        Raises:
            DocumentError: if it is too large, no safetensors file, or does not say that it learned this picture.
        """
        if not _DIGEST.fullmatch(picture_sha256):
            raise DocumentError("learned picture", "a digest of 64 digits", repr(picture_sha256)[:40], _HINT)
        if len(data) > LEARNED_LIMIT_BYTES:
            expected, got = f"at most {LEARNED_LIMIT_BYTES >> 20} MiB", f"{len(data) >> 20} MiB"
            raise DocumentError("learned weights", expected, got, "keep them beside the document")
        if (named := _picture_in(data)) != picture_sha256:
            expected, hint = "networks of this picture", "they would paint another one"
            got = "networks of another one" if named else "networks that name none"
            raise DocumentError("learned weights", expected, got, hint)
        blob = Blob.of(np.frombuffer(data, np.uint8))
        return cls(picture_sha256, hashlib.sha256(data).hexdigest(), blob)

    @property
    def nbytes(self) -> int:
        """Size of the file."""
        return self.blob.shape[0]

    def data(self) -> bytes:
        """The file's bytes.

        Raises:
            OSError: if they were put aside on the disk and cannot be read.
        """
        return self.blob.load().tobytes()

    def meta(self) -> dict[str, Any]:
        """All but the bytes, as plain data."""
        return {"picture_sha256": self.picture_sha256, "sha256": self.sha256, "bytes": self.nbytes}

    @classmethod
    def from_meta(cls, meta: Any, data: bytes) -> "Learned":
        """Join what ``meta`` gave with the bytes, and trust neither.

        Raises:
            DocumentError: if they do not belong together, are too large, or are no safetensors file.
        """
        if not isinstance(meta, dict):
            raise DocumentError("learned weights", "an object", type(meta).__name__, _HINT)
        learned = cls.of(str(meta.get("picture_sha256")), data)
        if meta.get("sha256") != learned.sha256:
            got = f"{meta.get('sha256')!r}"[:12]
            raise DocumentError("learned weights", f"sha256 {learned.sha256[:8]}", got, _HINT)
        return learned

    def to_record(self) -> tuple[dict[str, Any], list[bytes]]:
        """Plain data and packed bytes, for a journal; may be called on any thread."""
        return self.meta(), [self.blob.packed()]

    @classmethod
    def from_record(cls, record: dict[str, Any], packed: list[bytes]) -> "Learned":
        """Read it back from what ``to_record`` gave.

        Raises:
            DocumentError: if it is damaged.
        """
        try:
            size = int(record["bytes"])
            if not 0 < size <= LEARNED_LIMIT_BYTES:
                raise ValueError(f"{size} bytes")
            data = Blob.of_packed(packed[0], (size,), np.uint8).load().tobytes()
        except (KeyError, IndexError, TypeError, ValueError, OverflowError) as error:
            raise DocumentError("learned weights", "their bytes", repr(error)[:80], _HINT) from error
        return cls.from_meta(record, data)


def _picture_in(data: bytes) -> str | None:
    """The picture that the header of a safetensors file names; None where it names none.

    Raises:
        DocumentError: if it has not the outline of one: a header that fits the file.
    """
    from engine.pictures import PICTURE_KEY
    from engine.tensor_header import header_of

    try:
        header = header_of("learned weights", io.BytesIO(data), len(data), limit_bytes=_HEADER_LIMIT_BYTES)
    except WeightsError as error:
        raise DocumentError("learned weights", error.expected, error.got, _HINT) from error
    return header.metadata.get(PICTURE_KEY)
