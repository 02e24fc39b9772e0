"""What holds for every file of weights, whatever its format: it is there, and not too large.

Elsewhere: safetensors in tensor_header.py and tensorfile.py, pickled checkpoints in checkpoints.py, our own files in
weightfile.py.
"""

import os
import stat

from engine.atomic import AnyPath, path_error
from engine.errors import WeightsError

LIMIT_BYTES = 4 << 30
"""Largest file, and largest sum of its tensors, that is read unless the caller says otherwise."""


def read_error(path: AnyPath, error: OSError) -> WeightsError:
    """What kept a file from being read, as the error to raise."""
    if isinstance(error, FileNotFoundError):
        return WeightsError(path, "a file of weights", "no such file", "check the path")
    if isinstance(error, IsADirectoryError):
        return WeightsError(path, "a file of weights", "a folder", "name the file inside it")
    if isinstance(error, PermissionError):
        return WeightsError(path, "a file that can be read", "no permission", "change its permissions")
    wrapped = path_error(path, error, WeightsError, expected="a file that can be read")
    assert isinstance(wrapped, WeightsError), "path_error builds the class it is given"
    return wrapped


def check_size(path: AnyPath, limit_bytes: int) -> int:
    """Size of a regular file in bytes.

    Raises:
        WeightsError: if it is not there, no regular file, empty or above the limit.
    """
    try:
        status = os.stat(path)
    except OSError as error:
        raise read_error(path, error) from error
    if stat.S_ISDIR(status.st_mode):
        raise WeightsError(path, "a file of weights", "a folder", "name the file inside it")
    if not stat.S_ISREG(status.st_mode):
        raise WeightsError(path, "a file of weights", "a device or pipe", "name a file")
    size = status.st_size
    if size == 0:
        raise WeightsError(path, "a file of weights", "an empty file", "fetch or write it again")
    if size > limit_bytes:
        hint = "this is no file of weights for any family here, or the limit must be raised"
        raise WeightsError(path, f"at most {limit_bytes} bytes", f"{size} bytes", hint)
    return size


def first_bytes(path: AnyPath, count: int) -> bytes:
    """At most so many bytes from the start of a file.

    Raises:
        WeightsError: if it cannot be read.
    """
    try:
        with open(path, "rb") as file:
            return file.read(count)
    except OSError as error:
        raise read_error(path, error) from error
