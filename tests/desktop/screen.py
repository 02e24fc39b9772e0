"""A screen of one's own: Xvfb with a window manager, real X events by xdotool, pictures of what is to be seen.

Nothing here knows the program. Positions are (x, y) in screen pixels from the top left.

Elsewhere: starting and questioning the program in program.py.
"""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from PIL import Image

PACKAGES = {"Xvfb": "xvfb", "openbox": "openbox", "xdotool": "xdotool", "import": "imagemagick"}
"""What a screen needs, and Debian's package of each."""

SIZE_WH = (1440, 900)
STEP_S = 0.008
"""Between two moves of a drag: about what a 125 Hz mouse gives."""

# Alt-drags belong to the program here: a window manager that takes them for itself would hide whether they work.
OPENBOX_CONFIG = """<?xml version="1.0"?>
<openbox_config xmlns="http://openbox.org/3.4/rc">
  <focus><focusNew>yes</focusNew><followMouse>no</followMouse></focus>
  <placement><policy>Smart</policy><center>yes</center></placement>
  <keyboard/>
  <mouse>
    <context name="Titlebar">
      <mousebind button="Left" action="Press"><action name="Focus"/><action name="Raise"/></mousebind>
      <mousebind button="Left" action="Drag"><action name="Move"/></mousebind>
    </context>
    <context name="Client">
      <mousebind button="Left" action="Press"><action name="Focus"/><action name="Raise"/></mousebind>
    </context>
    <context name="Close">
      <mousebind button="Left" action="Click"><action name="Close"/></mousebind>
    </context>
  </mouse>
</openbox_config>
"""

Point = tuple[float, float]


def missing_programs(packages: Mapping[str, str] = PACKAGES) -> str:
    """Empty if all are there; else which are not, and the command that installs them."""
    missing = [name for name in packages if shutil.which(name) is None]
    if not missing:
        return ""
    wanted = " ".join(sorted({packages[name] for name in missing}))
    return f"{', '.join(missing)}: expected on the PATH, got none; run: sudo apt-get install {wanted}"


class Screen:
    """Xvfb and openbox, from ``with`` to its end.

    Args:
        folder: for logs and the window manager's settings.
        size_wh: of the screen.
    """

    def __init__(self, folder: Path, size_wh: tuple[int, int] = SIZE_WH) -> None:
        self.folder = folder
        self.size_wh = size_wh
        self.name = ""
        self._processes: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> Self:
        self.folder.mkdir(parents=True, exist_ok=True)
        width, height = self.size_wh
        told, tell = os.pipe()
        try:
            words = [
                "Xvfb",
                "-displayfd",
                str(tell),
                "-screen",
                "0",
                f"{width}x{height}x24",
                "-nolisten",
                "tcp",
            ]
            self._start("xvfb", [*words, "-noreset"], keep=(tell,))
            os.close(tell)
            with os.fdopen(told) as answer:
                number = answer.readline().strip()  # comes when the server listens, or is empty when it died
        except OSError:
            self.close()
            raise
        if not number:
            self.close()
            raise RuntimeError(f"Xvfb did not start: {(self.folder / 'xvfb.log').read_text()}")
        self.name = f":{number}"
        config = self.folder / "openbox.xml"
        config.write_text(OPENBOX_CONFIG)
        self._start("openbox", ["openbox", "--sm-disable", "--config-file", str(config)])
        self._wait_for_window_manager()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End what was started, the window manager first."""
        for process in reversed(self._processes):
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self._processes.clear()

    @property
    def environment(self) -> dict[str, str]:
        """What a program needs to come up on this screen."""
        kept = {
            key: value for key, value in os.environ.items() if key not in ("WAYLAND_DISPLAY", "XAUTHORITY")
        }
        kept.update(DISPLAY=self.name, QT_QPA_PLATFORM="xcb", LC_ALL="C.UTF-8")
        return kept

    def do(self, *words: object) -> str:
        """Run xdotool with these words; several commands may follow each other in one call."""
        text = [f"{word:.0f}" if isinstance(word, float) else str(word) for word in words]
        done = subprocess.run(
            ["xdotool", *text], env=self.environment, capture_output=True, text=True, timeout=60
        )
        if done.returncode:
            raise RuntimeError(f"xdotool {' '.join(text)}: {done.stderr.strip()}")
        return done.stdout.strip()

    def move(self, at: Point) -> None:
        """Move the pointer, without a button."""
        self.do("mousemove", *map(float, at))

    def click(self, at: Point, *, button: int = 1, held: Sequence[str] = (), times: int = 1) -> None:
        """Press and release at a place, with keys held."""
        clicks = ["click", "--repeat", times, "--delay", 60, button]
        self.do(
            "mousemove",
            *map(float, at),
            "sleep",
            0.03,
            *_keys("keydown", held),
            *clicks,
            *_keys("keyup", held),
        )

    def drag(self, points: Sequence[Point], *, button: int = 1, held: Sequence[str] = ()) -> None:
        """Press at the first point, pass through the others, release at the last."""
        words: list[object] = ["mousemove", *map(float, points[0]), *_keys("keydown", held), "sleep", 0.02]
        words += ["mousedown", button]
        for point in points[1:]:
            words += ["mousemove", *map(float, point), "sleep", STEP_S]
        self.do(*words, "sleep", 0.02, "mouseup", button, *_keys("keyup", held))

    def wheel(self, at: Point, steps: int, *, held: Sequence[str] = ()) -> None:
        """Turn the wheel at a place; upwards if ``steps`` is positive."""
        turns = ["click", "--repeat", abs(steps), "--delay", 30, 4 if steps > 0 else 5]
        self.do(
            "mousemove",
            *map(float, at),
            "sleep",
            0.03,
            *_keys("keydown", held),
            *turns,
            *_keys("keyup", held),
        )

    def key(self, *names: str) -> None:
        """Press keys in turn, such as ``ctrl+z``; the names are X's (``bracketleft``, ``Return``)."""
        self.do("key", "--delay", 30, *names)

    def type_text(self, text: str) -> None:
        """Type letters into what has the focus."""
        self.do("type", "--delay", 12, text)

    def shot(self, path: Path) -> Image.Image:
        """Write a picture of the whole screen as PNG, and give it as RGB."""
        path.parent.mkdir(parents=True, exist_ok=True)
        subprocess.run(
            ["import", "-silent", "-window", "root", f"png24:{path}"],
            env=self.environment, check=True, timeout=60,
        )  # fmt: skip
        with Image.open(path) as picture:
            return picture.convert("RGB")

    def _start(self, name: str, words: Sequence[str], *, keep: tuple[int, ...] = ()) -> None:
        with (self.folder / f"{name}.log").open("wb") as log:
            environment = self.environment if self.name else None
            process = subprocess.Popen(words, stdout=log, stderr=log, pass_fds=keep, env=environment)
        self._processes.append(process)

    def _wait_for_window_manager(self) -> None:
        """Windows that come before the manager lose their frame and, worse, the keyboard."""
        until = time.monotonic() + 20
        while time.monotonic() < until:
            try:
                self.do("get_num_desktops")
                return
            except RuntimeError:
                time.sleep(0.1)
        raise RuntimeError(f"openbox did not start: {(self.folder / 'openbox.log').read_text()}")


def line(start: Point, end: Point, steps: int = 20) -> list[Point]:
    """Points of a straight drag, both ends with it."""
    return [
        (start[0] + (end[0] - start[0]) * i / steps, start[1] + (end[1] - start[1]) * i / steps)
        for i in range(steps + 1)
    ]


def _keys(word: str, names: Sequence[str]) -> list[str]:
    return [part for name in names for part in (word, name)]
