"""Fetch one file over HTTPS, and go on where a broken download stopped.

What has arrived lies beside the goal as ``<name>.part``, with the server's mark of the version in ``<name>.part.tag``.
The goal gets its name when size and digest are right, never before. Nothing here is called unless a user asks.

Source: RFC 9110, sections 13.1.5 (If-Range), 14 (Range).
Elsewhere: which address belongs to which weights in weights.py.
"""

import contextlib
import hashlib
import http.client
import os
import ssl
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path
from typing import IO, Any, BinaryIO, cast

from engine.atomic import path_error, write_atomically
from engine.errors import WeightsError
from engine.locking import try_lock
from engine.private import open_private, read_private
from engine.progress import CancelCheck, Cancelled, Progress, ProgressCallback

_CHUNK_BYTES = 1 << 16
_TRIES = 4  # in a row without a single new byte
_TIMEOUT_S = 30.0
_MARK_BYTES = 4096


@dataclass(frozen=True)
class Goal:
    """What is fetched, and what it must be."""

    url: str
    path: Path
    sha256: str
    size_bytes: int
    allows_http: bool = False
    """Whether the address, and those the server sends on to, may be without encryption. The digest is checked anyhow."""

    @property
    def part(self) -> Path:
        """Where bytes gather."""
        return self.path.with_name(f"{self.path.name}.part")

    @property
    def tag(self) -> Path:
        """Where the server's mark of the version is kept."""
        return self.path.with_name(f"{self.path.name}.part.tag")


class _BrokenOffError(Exception):
    """The connection failed in a way that may pass."""


def fetch(
    goal: Goal,
    *,
    progress: ProgressCallback | None = None,
    is_cancelled: CancelCheck | None = None,
    pause_s: float = 1.0,
) -> None:
    """Fetch a file, check it, and give it its name.

    Args:
        goal: address, place, digest and size.
        progress: told after every piece.
        is_cancelled: looked at before every piece; what has arrived is kept for the next time.
        pause_s: wait before the first new try; doubled each time.

    Raises:
        WeightsError: if the server has no such file or another one, the connection keeps failing, or the disk
            takes no more.
        Cancelled: if ``is_cancelled`` said so.
    """
    _check_address(goal.url, goal)
    try:
        with _alone_at(goal):
            _gather(goal, progress, is_cancelled, pause_s)
            try:
                os.replace(goal.part, goal.path)
            except OSError as error:
                raise path_error(goal.path, error, WeightsError) from error
            with contextlib.suppress(OSError):  # the next download of this name writes another one
                goal.tag.unlink()
    except OSError as error:
        raise path_error(goal.part, error, WeightsError) from error


@contextlib.contextmanager
def _alone_at(goal: Goal) -> Iterator[None]:
    """Be the only one that fetches this file; a part that nothing has arrived in is gone afterwards."""
    while True:
        with open_private(goal.part, "ab") as part:
            if not try_lock(part, goal.part):
                hint = "wait for that download, or end it"
                raise WeightsError(goal.path, "a file nobody is fetching", "one that is being fetched", hint)
            try:
                if not os.path.samestat(os.fstat(part.fileno()), goal.part.lstat()):
                    continue
            except FileNotFoundError:  # another download ended just now
                continue
            try:
                yield
            finally:
                if _arrived(goal) == 0:
                    goal.part.unlink(missing_ok=True)
            return


def _check_address(url: str, goal: Goal) -> None:
    """Refuse what no server can be asked for, or not safely, before anything is tried."""
    try:
        scheme = urllib.parse.urlsplit(url).scheme
    except ValueError as error:
        raise WeightsError(url, "an address", str(error).lower(), "correct the manifest") from error
    if scheme == "http" and not goal.allows_http:
        hint = "anybody on the way could read and change what comes; --allow-http fetches it all the same"
        raise WeightsError(url, "an address with https", "'http'", hint)
    if scheme not in ("http", "https"):
        raise WeightsError(url, "an address with https", f"'{scheme}'", "correct the manifest")
    if not all("!" <= sign <= "~" for sign in url):
        got = "spaces, accents or signs that cannot be printed"
        raise WeightsError(url, "an address", got, "correct the manifest: write them as %20 and so on")


def _gather(
    goal: Goal, progress: ProgressCallback | None, is_cancelled: CancelCheck | None, pause_s: float
) -> None:
    """Fetch until every byte is there and right."""
    failures = 0
    while not _is_complete(goal):
        before = _arrived(goal)
        try:
            _fetch_rest(goal, before, progress, is_cancelled)
        except _BrokenOffError as error:
            failures = failures + 1 if _arrived(goal) <= before else 1
            if failures >= _TRIES:
                got = f"{_arrived(goal)} ({error})"
                hint = "check the connection and run the same command again, it goes on where it stopped"
                raise WeightsError(goal.url, f"{goal.size_bytes} bytes", got, hint) from error
            _wait(pause_s * 2 ** (failures - 1), is_cancelled)


def _arrived(goal: Goal) -> int:
    try:
        return goal.part.lstat().st_size
    except FileNotFoundError:
        return 0


def _is_complete(goal: Goal) -> bool:
    """Whether every byte is there and right. A whole but wrong file is removed and refused."""
    size = _arrived(goal)
    if size < goal.size_bytes:
        return False
    with open_private(goal.part, "rb") as file:
        found = hashlib.file_digest(cast(BufferedReader, file), "sha256").hexdigest()
    if size == goal.size_bytes and found == goal.sha256:
        return True
    _start_over(goal)
    hint = "the server has another file or the way damaged it, run the same command again"
    raise WeightsError(goal.url, f"sha256 {goal.sha256[:8]}", found[:8], hint)


def _start_over(goal: Goal) -> None:
    with open_private(goal.part, "ab") as file:  # emptied and not removed: it is also the lock
        file.truncate(0)
    goal.tag.unlink(missing_ok=True)


def _wait(seconds: float, is_cancelled: CancelCheck | None) -> None:
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        _stop_if(is_cancelled)
        time.sleep(min(left, 0.1))


def _stop_if(is_cancelled: CancelCheck | None) -> None:
    if is_cancelled is not None and is_cancelled():
        raise Cancelled


def _fetch_rest(
    goal: Goal, offset: int, progress: ProgressCallback | None, is_cancelled: CancelCheck | None
) -> None:
    """One connection: everything from ``offset`` on, or as much as comes."""
    _stop_if(is_cancelled)
    headers = {"Accept-Encoding": "identity", "User-Agent": "Pentimento"}
    if offset:
        headers["Range"] = f"bytes={offset}-"
        mark = _mark_of(goal)
        if mark:
            headers["If-Range"] = mark
    request = urllib.request.Request(goal.url, headers=headers)  # noqa: S310 - the scheme was checked
    try:
        opener = urllib.request.build_opener(_CheckedRedirects(goal))
        with opener.open(request, timeout=_TIMEOUT_S) as response:
            start = _start_of(goal, response, offset)
            _keep_tag(goal, response)
            with open_private(goal.part, "ab") as file:
                file.seek(start)
                file.truncate()
                _receive(goal, response, file, progress, is_cancelled)
    except urllib.error.HTTPError as error:
        with error:
            _judge(goal, error)
    except (
        urllib.error.URLError,
        http.client.HTTPException,
        ConnectionError,
        TimeoutError,
        ssl.SSLError,
    ) as error:
        raise _BrokenOffError(str(getattr(error, "reason", error)) or type(error).__name__) from error


class _CheckedRedirects(urllib.request.HTTPRedirectHandler):
    """Goes where the server sends on to, if the first address might have been there."""

    def __init__(self, goal: Goal) -> None:
        self._goal = goal

    def http_error_302(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: http.client.HTTPMessage,
    ) -> Any:
        try:
            return super().http_error_302(req, fp, code, msg, headers)
        except (ValueError, WeightsError) as error:
            fp.close()
            if isinstance(error, WeightsError):
                raise
            hint = "the server is at fault; tell who made the manifest"
            raise WeightsError(
                self._goal.url, "an address to be sent on to", str(error).lower(), hint
            ) from error

    http_error_301 = http_error_303 = http_error_307 = http_error_308 = http_error_302

    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: http.client.HTTPMessage,
        newurl: str,
    ) -> urllib.request.Request | None:
        try:
            _check_address(newurl, self._goal)
        except WeightsError as error:
            got = f"{error.got}, to which {self._goal.url} sends on"
            raise WeightsError(error.name, error.expected, got, error.hint) from error
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _judge(goal: Goal, error: urllib.error.HTTPError) -> None:
    """Tell what may pass from what will not."""
    if error.code == 416:  # what we have lies beyond the server's file: it is another one
        _start_over(goal)
        raise _BrokenOffError("the server's file is shorter than what had arrived") from error
    if error.code in (408, 425, 429) or error.code >= 500:
        raise _BrokenOffError(f"the server says {error.code}") from error
    hint = "the file has moved; look for newer weights or tell who made the manifest"
    raise WeightsError(goal.url, "a file", f"{error.code} {error.reason}".lower(), hint) from error


def _start_of(goal: Goal, response: http.client.HTTPResponse, offset: int) -> int:
    """Where the bytes that come belong; a server that knows no ranges starts at 0."""
    start, total = 0, response.headers.get("Content-Length", "")
    if response.status == 206:
        place, _, total = response.headers.get("Content-Range", "").removeprefix("bytes ").partition("/")
        first = place.partition("-")[0]
        if not first.isdecimal() or int(first) != offset:
            _start_over(goal)
            raise _BrokenOffError("the server sent another part than asked")
        start = offset
    if total.isdecimal() and int(total) != goal.size_bytes:
        _start_over(goal)
        hint = "the server has another file; look for newer weights or tell who made the manifest"
        raise WeightsError(goal.url, f"{goal.size_bytes} bytes", total, hint)
    return start


def _mark_of(goal: Goal) -> str:
    """The version that the part is of; empty where none was kept or it was spoiled. The digest judges then."""
    try:
        mark = read_private(goal.tag, _MARK_BYTES).decode("ascii")
    except (OSError, UnicodeDecodeError):
        return ""
    return mark if mark.isprintable() else ""


def _keep_tag(goal: Goal, response: http.client.HTTPResponse) -> None:
    """Remember the version, so that a later part is never joined to another one. A weak mark does not serve."""
    mark = response.headers.get("ETag", "")
    if not mark or mark.startswith("W/"):
        mark = response.headers.get("Last-Modified", "")
    if mark:
        write_atomically(goal.tag, lambda file: file.write(mark.encode()), is_private=True)
    else:
        goal.tag.unlink(missing_ok=True)


def _receive(
    goal: Goal,
    response: http.client.HTTPResponse,
    file: BinaryIO,
    progress: ProgressCallback | None,
    is_cancelled: CancelCheck | None,
) -> None:
    size = file.tell()
    while True:
        _stop_if(is_cancelled)
        piece = response.read(_CHUNK_BYTES)
        if not piece:
            break
        size += len(piece)
        if size > goal.size_bytes:
            file.truncate(0)
            hint = "the server has another file; look for newer weights or tell who made the manifest"
            raise WeightsError(goal.url, f"{goal.size_bytes} bytes", "more", hint)
        file.write(piece)
        if progress is not None:
            progress(Progress(size / goal.size_bytes, f"fetch {goal.path.name}"))
    file.flush()
    os.fsync(file.fileno())
    if size < goal.size_bytes:
        raise _BrokenOffError("the connection broke off")
