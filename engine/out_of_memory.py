"""Tell that memory ran out, whoever says it and in whatever words. Imports no torch: every process asks."""

import errno
import sys

_WORDS = (
    "out of memory",
    "not enough memory",  # DefaultCPUAllocator
    "can't allocate memory",
    "cannot allocate memory",
    "could not create a memory object",  # oneDNN
    "std::bad_alloc",
    "cudnn_status_alloc_failed",
    "cublas_status_alloc_failed",
)
"""Of torch 2.13 and its libraries, in plain runtime errors alone."""
_LOADING_WORDS = ("failed to map segment", "cannot allocate memory")
"""Of the system's loader, when a library finds no room."""


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error says that memory ran out.

    By type where the backend has one. torch's CPU allocator, the convolution libraries and the loader only have words.
    """
    torch = sys.modules.get("torch")
    if isinstance(error, MemoryError | getattr(torch, "OutOfMemoryError", MemoryError)):
        return True
    words = str(error).lower()
    if isinstance(error, ImportError):
        return any(part in words for part in _LOADING_WORDS)
    if isinstance(error, OSError):
        return error.errno == errno.ENOMEM
    return isinstance(error, RuntimeError) and any(part in words for part in _WORDS)
