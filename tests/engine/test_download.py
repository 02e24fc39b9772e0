import hashlib
import http.client
import http.server
import io
import os
import stat
import threading
import urllib.request
from dataclasses import replace

import pytest

from engine.download import Goal, _CheckedRedirects, fetch
from engine.errors import WeightsError
from engine.progress import Cancelled

CONTENT = bytes(range(256)) * 2000
DIGEST = hashlib.sha256(CONTENT).hexdigest()


class Server(http.server.ThreadingHTTPServer):
    """Serves CONTENT, and misbehaves as its fields say."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.content, self.tag = CONTENT, '"one"'
        self.knows_ranges, self.says_length = True, True
        self.break_after: list[int] = []
        self.codes: list[int] = []
        self.sends_on_to = ""
        self.asked: list[tuple[str | None, str | None]] = []

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}/a.safetensors"


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):  # noqa: N802 - the name is the base class's
        server = self.server
        wanted, condition = self.headers.get("Range"), self.headers.get("If-Range")
        server.asked.append((wanted, condition))
        if server.codes:
            self.send_error(server.codes.pop(0))
            return
        if server.sends_on_to and self.path == "/a.safetensors":
            self.send_response(302)
            self.send_header("Location", server.sends_on_to)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        start = 0
        is_part = server.knows_ranges and wanted is not None and condition in (None, server.tag)
        if is_part:
            start = int(wanted.removeprefix("bytes=").rstrip("-"))
            if start >= len(server.content):
                self.send_error(416)
                return
        body = server.content[start:]
        self.send_response(206 if is_part else 200)
        if is_part:
            end = len(server.content) - 1
            self.send_header("Content-Range", f"bytes {start}-{end}/{len(server.content)}")
        if server.says_length:
            self.send_header("Content-Length", str(len(body)))
        if server.tag:
            self.send_header("ETag", server.tag)
        self.end_headers()
        if server.break_after:
            body = body[: server.break_after.pop(0)]
            self.close_connection = True
        self.wfile.write(body)

    def log_message(self, *words):
        pass


@pytest.fixture
def server(monkeypatch):
    for name in list(os.environ):
        if name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    with Server() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def goal(server, tmp_path):
    return Goal(server.url, tmp_path / "a.safetensors", DIGEST, len(CONTENT), allows_http=True)


def names_in(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_whole_file_arrives_and_nothing_beside_it(goal, tmp_path):
    shares = []
    fetch(goal, progress=lambda step: shares.append(step.share))
    assert goal.path.read_bytes() == CONTENT
    assert names_in(tmp_path) == ["a.safetensors"]
    assert shares == sorted(shares)
    assert shares[-1] == 1.0


def test_a_broken_download_goes_on_where_it_stopped(server, goal):
    server.break_after = [100_000, 50_000]
    fetch(goal, pause_s=0)
    assert goal.path.read_bytes() == CONTENT
    assert server.asked == [(None, None), ("bytes=100000-", '"one"'), ("bytes=150000-", '"one"')]


def test_a_download_goes_on_in_the_next_run(server, goal, tmp_path):
    stops = iter([False, False, False, True])
    with pytest.raises(Cancelled):
        fetch(goal, is_cancelled=lambda: next(stops))
    arrived = goal.part.stat().st_size
    assert 0 < arrived < len(CONTENT)
    assert names_in(tmp_path) == ["a.safetensors.part", "a.safetensors.part.tag"]
    fetch(goal)
    assert goal.path.read_bytes() == CONTENT
    assert server.asked[-1] == (f"bytes={arrived}-", '"one"')
    assert names_in(tmp_path) == ["a.safetensors"]


def test_a_server_without_ranges_starts_over(server, goal):
    server.knows_ranges, server.break_after = False, [100_000]
    fetch(goal, pause_s=0)
    assert goal.path.read_bytes() == CONTENT
    assert len(server.asked) == 2


def test_a_file_that_changed_meanwhile_is_not_joined_to_the_old_one(server, goal):
    goal.part.write_bytes(b"old" * 1000)
    goal.tag.write_text('"old"')
    fetch(goal)
    assert server.asked == [("bytes=3000-", '"old"')]
    assert goal.path.read_bytes() == CONTENT


def test_a_part_without_a_mark_is_judged_by_the_digest(server, goal, tmp_path):
    server.tag = ""
    goal.part.write_bytes(CONTENT[:1000])
    fetch(goal)
    assert goal.path.read_bytes() == CONTENT
    goal.path.unlink()
    goal.part.write_bytes(b"x" * 1000)
    with pytest.raises(
        WeightsError, match=rf"expected sha256 {DIGEST[:8]}, got \w{{8}}; the server has another"
    ):
        fetch(goal)
    assert names_in(tmp_path) == []


def test_a_part_longer_than_the_file_is_thrown_away(server, goal):
    server.content = CONTENT
    goal.part.write_bytes(CONTENT + b"more")
    with pytest.raises(WeightsError, match=r"expected sha256"):
        fetch(goal)
    fetch(goal)
    assert goal.path.read_bytes() == CONTENT


def test_a_part_beyond_a_shorter_file_is_thrown_away(server, goal):
    server.content = CONTENT[:100]
    goal.part.write_bytes(CONTENT[:200])
    with pytest.raises(
        WeightsError, match=r"expected 512000 bytes, got 100; the server has another file; look for"
    ):
        fetch(goal, pause_s=0)
    assert server.asked[0] == ("bytes=200-", None)
    assert not goal.part.exists()


def test_wrong_bytes_are_refused_and_removed(server, goal, tmp_path):
    server.content = CONTENT[::-1]
    words = rf"{server.url}: expected sha256 {DIGEST[:8]}, got \w{{8}}; the server has another file or the way damaged"
    with pytest.raises(WeightsError, match=words):
        fetch(goal)
    assert names_in(tmp_path) == []


def test_another_size_is_refused_before_it_is_fetched(server, goal, tmp_path):
    server.content = CONTENT + b"!"
    with pytest.raises(WeightsError, match=r"expected 512000 bytes, got 512001; the server has another file"):
        fetch(goal)
    assert names_in(tmp_path) == []


def test_an_endless_answer_is_cut_off(server, goal):
    server.content, server.says_length = CONTENT * 3, False
    with pytest.raises(WeightsError, match=r"expected 512000 bytes, got more; the server has another file"):
        fetch(goal)
    assert not goal.path.exists()
    assert not goal.part.exists()


def test_an_answer_without_a_length_is_taken(server, goal):
    server.says_length = False
    fetch(goal)
    assert goal.path.read_bytes() == CONTENT


def test_a_missing_file_is_told_at_once(server, goal, tmp_path):
    server.codes = [404]
    with pytest.raises(
        WeightsError, match=r"expected a file, got 404 not found; the file has moved; look for newer"
    ):
        fetch(goal)
    assert len(server.asked) == 1
    assert names_in(tmp_path) == []


def test_a_busy_server_is_asked_again(server, goal):
    server.codes = [503, 429]
    fetch(goal, pause_s=0)
    assert goal.path.read_bytes() == CONTENT


def test_a_server_that_stays_busy_is_given_up(server, goal):
    server.codes = [503] * 9
    words = (
        r"expected 512000 bytes, got 0 \(the server says 503\); check the connection and run the same command"
    )
    with pytest.raises(WeightsError, match=words):
        fetch(goal, pause_s=0)
    assert len(server.asked) == 4


def test_nobody_answering_is_told(goal, server):
    server.server_close()
    with pytest.raises(
        WeightsError, match=r"expected 512000 bytes, got 0 \(.*\); check the connection and run"
    ):
        fetch(goal, pause_s=0)


def test_cancelling_ends_a_wait(server, goal):
    server.codes = [503] * 9
    answers = iter([False, False, True])
    with pytest.raises(Cancelled):
        fetch(goal, pause_s=60, is_cancelled=lambda: next(answers))


@pytest.mark.parametrize("url", ["file:///etc/hostname", "ftp://127.0.0.1/a", "a.safetensors"])
def test_other_ways_than_http_are_refused(tmp_path, url):
    with pytest.raises(
        WeightsError, match=r"expected an address with https, got '\w*'; correct the manifest"
    ):
        fetch(Goal(url, tmp_path / "a.safetensors", DIGEST, 5))


def test_plain_http_is_refused_unless_it_is_asked_for(server, goal):
    words = r"http://127.*: expected an address with https, got 'http'; anybody .*; --allow-http fetches it all the same"
    with pytest.raises(WeightsError, match=words):
        fetch(replace(goal, allows_http=False))
    assert server.asked == []


def test_a_server_may_send_on(server, goal):
    server.sends_on_to = "/elsewhere"
    fetch(goal)
    assert goal.path.read_bytes() == CONTENT


@pytest.mark.parametrize(
    ("url", "got"),
    [
        ("ftp://127.0.0.1/a", "'ftp'"),
        ("file:///etc/hostname", "302"),
        ("http://[::1/a", "invalid ipv6 url"),
    ],
)
def test_a_server_may_not_send_on_to_what_could_not_be_asked_for_itself(server, goal, url, got, tmp_path):
    server.sends_on_to = url
    with pytest.raises(WeightsError, match="expected an? (address|file)") as caught:
        fetch(goal, pause_s=0)
    assert got in str(caught.value)
    assert len(server.asked) == 1
    assert not goal.path.exists()


def test_https_may_not_send_on_to_http(goal):
    """Looked at where the library asks, since a server with a certificate would be a test of its own."""
    checked = _CheckedRedirects(replace(goal, url="https://a.example/x", allows_http=False))
    request = urllib.request.Request("https://a.example/x")
    sent_on = ("http://b.example/x", "https://b.example/x")
    with pytest.raises(
        WeightsError, match="http://b.example/x: expected an address with https, got 'http', to which"
    ):
        checked.redirect_request(request, io.BytesIO(), 302, "Found", http.client.HTTPMessage(), sent_on[0])
    assert (
        checked.redirect_request(
            request, io.BytesIO(), 302, "Found", http.client.HTTPMessage(), sent_on[1]
        ).full_url
        == sent_on[1]
    )


def test_a_missing_folder_is_told(server, tmp_path):
    goal = Goal(server.url, tmp_path / "nowhere" / "a.safetensors", DIGEST, len(CONTENT), allows_http=True)
    with pytest.raises(WeightsError, match=r"a folder that exists, got no such folder"):
        fetch(goal)


def test_a_goal_that_is_a_folder_is_told(server, goal):
    goal.path.mkdir()
    with pytest.raises(WeightsError, match=r"a.safetensors: expected a file name, got a folder"):
        fetch(goal)


def test_a_server_that_sends_another_part_is_asked_anew(server, goal, monkeypatch):
    sent = Handler.send_header

    def lie(self, name, value):
        sent(self, name, value.replace("bytes 1000-", "bytes 999-"))

    monkeypatch.setattr(Handler, "send_header", lie)
    goal.part.write_bytes(CONTENT[:1000])
    fetch(goal, pause_s=0)
    assert goal.path.read_bytes() == CONTENT
    assert [wanted for wanted, _ in server.asked] == ["bytes=1000-", None]


@pytest.mark.parametrize("mark", [b"\xff\xfe", b"a\nHost: elsewhere", "\u20ac".encode()])
def test_a_spoiled_mark_is_no_mark(server, goal, mark):
    goal.part.write_bytes(CONTENT[:1000])
    goal.tag.write_bytes(mark)
    fetch(goal)
    assert goal.path.read_bytes() == CONTENT
    assert server.asked == [("bytes=1000-", None)]


@pytest.mark.parametrize("url", ["http://[::1/a", "http://127.0.0.1/\u00fc", "http://127.0.0.1/a b"])
def test_an_address_that_is_none_is_told_at_once(tmp_path, url):
    goal = Goal(url, tmp_path / "a", DIGEST, len(CONTENT), allows_http=True)
    with pytest.raises(WeightsError, match="expected an address, got .*; correct the manifest"):
        fetch(goal, pause_s=60)


def test_a_part_that_is_a_folder_is_told(goal):
    goal.part.mkdir()
    with pytest.raises(WeightsError, match="folder"):
        fetch(Goal(goal.url, goal.path, DIGEST, 1, allows_http=True), pause_s=0)


def test_what_arrives_is_the_user_s_alone(server, goal):
    server.break_after = [100_000]
    fetch(goal, pause_s=0)
    assert stat.S_IMODE(goal.path.stat().st_mode) == 0o600


@pytest.mark.parametrize("name", ["part", "tag"])
def test_a_link_in_the_place_of_what_arrives_is_not_followed(server, goal, tmp_path, name):
    (tmp_path / "foreign").write_bytes(b"dear")
    getattr(goal, name).symlink_to(tmp_path / "foreign")
    if name == "part":
        with pytest.raises(
            WeightsError, match=r"a.safetensors.part: expected a file, got a link; move it away"
        ):
            fetch(goal)
    else:
        fetch(goal)
        assert goal.path.read_bytes() == CONTENT
    assert (tmp_path / "foreign").read_bytes() == b"dear"


def test_two_who_fetch_the_same_do_not_mix(server, goal):
    seen = []

    def second(_progress):
        if not seen:
            with pytest.raises(WeightsError) as raised:
                fetch(goal)
            seen.append(str(raised.value))

    fetch(goal, progress=second)
    assert goal.path.read_bytes() == CONTENT
    assert "a.safetensors: expected a file nobody is fetching, got one that is being fetched; wait" in seen[0]
