"""Start of the window, told in order.

1. See whether there is a display, and whether Qt can use it: what is missing is said in words, with the command that
   installs it. Qt itself would end the process.
2. Make the application and the frame of the window, and show it. Nothing that needs numpy or pydantic is imported until
   then.
3. After the first paint: the window completes itself (main_window.py), which imports those, but never torch. Then open
   the files that were named, offer work that a crash left behind, start the engine.

Whatever is raised while the window is open comes to the window's one door for errors; the traceback goes to the log.
"""

import builtins
import ctypes
import os
import signal
import socket
import sys
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

from app.errors import NoWindowError

NEXT_STEP = (
    "start it where there is one, or use 'pentimento run inpaint' and 'pentimento demo', which need none"
)
APT_PACKAGES = (
    "libegl1 libgl1 libglib2.0-0 libdbus-1-3 libfontconfig1 libx11-xcb1 libxkbcommon-x11-0 libxcb-cursor0 "
    "libxcb-icccm4 libxcb-keysyms1 libxcb-randr0 libxcb-shape0 libxcb-sync1 libxcb-xfixes0 libxcb-xkb1"
)
"""What Qt needs of a Debian-like system; packaging/environment.sh installs the same, which a test compares."""


def run_window(files: Sequence[Path], sample: str = "") -> int:
    """Open the window, and stay until the last one is closed.

    Args:
        files: what to open.
        sample: name of a bundled photo to open with its mask; none where empty.

    Returns:
        The exit code of the application.

    Raises:
        NoWindowError: if there is no display, or Qt cannot use it.
    """
    check_display()
    try:
        from PySide6.QtWidgets import QApplication
    except ImportError as error:
        raise missing_library(error) from error
    import_plainly()
    check_platform_plugin()
    application = QApplication.instance() or QApplication(["pentimento"])
    assert isinstance(application, QApplication)
    set_names(application)
    # Ctrl-C in a terminal ends the program at once, as it does elsewhere; the journal keeps the work.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    from app.main_window import MainWindow

    window = MainWindow(is_frame_first=True)
    sys.excepthook = _tell_fault
    window.first_painted.connect(lambda: after_first_paint(window, files, sample))
    window.show()
    return int(application.exec())


def after_first_paint(window: object, files: Sequence[Path], sample: str = "") -> None:
    """Everything that may wait until the window was seen."""
    from app.keeping import check_places
    from app.main_window import MainWindow

    assert isinstance(window, MainWindow)
    if files:
        window.files.open_paths(files)
    if sample:
        window.guarded(window.files.open_sample)(sample)
    window.recoveries.offer()
    window.background.run(check_places, lambda _: None, window.show_error)
    window.start_engine()


def import_plainly() -> None:
    """Give Python its own ``import`` back, which PySide6 replaces (6.11 still does).

    Theirs reads the source of every module that is imported, to see whether it may switch Qt's names to snake_case.
    Nobody here does, and reading all our source takes a tenth of a second.
    """
    original = getattr(builtins, "__orig_import__", None)
    if original is not None:
        builtins.__import__ = original


def set_names(application: object) -> None:
    """Say what the program is called, for the desktop and for window managers."""
    from PySide6.QtWidgets import QApplication

    from app.icons import window_icon

    assert isinstance(application, QApplication)
    application.setApplicationName("pentimento")
    application.setApplicationDisplayName("Pentimento")
    application.setDesktopFileName("pentimento")
    application.setWindowIcon(window_icon())


def check_display() -> None:
    """See whether there is a display to open a window on.

    Raises:
        NoWindowError: if there is none, or the one that is named does not answer.
    """
    if sys.platform in ("win32", "darwin") or os.environ.get("QT_QPA_PLATFORM", "").split(":")[0] not in (
        "",
        "xcb",
    ):
        return
    if os.environ.get("WAYLAND_DISPLAY") and not os.environ.get("QT_QPA_PLATFORM"):
        return
    display = os.environ.get("DISPLAY", "")
    if not display:
        raise NoWindowError("window", "a display", "none", NEXT_STEP)
    if not is_answering(display):
        raise NoWindowError(
            "window", "a display that answers", f"DISPLAY={display}, which does not", NEXT_STEP
        )


def is_answering(display: str) -> bool:
    """Whether an X server listens where ``DISPLAY`` says."""
    host, _, rest = display.rpartition(":")
    number = rest.partition(".")[0]
    if not number.isdigit():
        return False
    places: list[tuple[int, object]] = []
    if host in ("", "unix") and hasattr(socket, "AF_UNIX"):
        path = f"/tmp/.X11-unix/X{number}"
        places += [(socket.AF_UNIX, path), (socket.AF_UNIX, "\0" + path)]
    else:
        places.append((socket.AF_INET, (host, 6000 + int(number))))
    for family, address in places:
        try:
            with socket.socket(family, socket.SOCK_STREAM) as line:
                line.settimeout(2.0)
                line.connect(address)  # type: ignore[arg-type]
                return True
        except OSError:
            continue
    return False


def check_platform_plugin() -> None:
    """See whether Qt's X11 plug-in finds its libraries: Qt aborts the process where it does not.

    Raises:
        NoWindowError: if one is missing.
    """
    wanted = os.environ.get("QT_QPA_PLATFORM", "").split(":")[0]
    is_x11 = wanted == "xcb" or (not wanted and not os.environ.get("WAYLAND_DISPLAY"))
    if not sys.platform.startswith("linux") or not is_x11:
        return
    import PySide6

    plugin = Path(PySide6.__file__).parent / "Qt" / "plugins" / "platforms" / "libqxcb.so"
    if plugin.exists():
        try:
            ctypes.CDLL(str(plugin))
        except OSError as error:
            raise missing_library(error) from error


def missing_library(error: Exception) -> NoWindowError:
    """What to say of a library of the system that Qt needs and does not find."""
    if isinstance(error, ModuleNotFoundError):
        return NoWindowError(
            "window", "PySide6", "none", "install pentimento again, or: pip install PySide6-Essentials"
        )
    return NoWindowError(
        "window",
        "the system's libraries that Qt needs",
        str(error),
        f"on Debian: sudo apt-get install {APT_PACKAGES}",
    )


def _tell_fault(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """A fault that nobody caught: to the log and to the window in front; the program goes on."""
    from app.main_window import MainWindow

    if issubclass(kind, KeyboardInterrupt) or not MainWindow.windows:
        sys.__excepthook__(kind, error, trace)
        return
    active = next(
        (window for window in MainWindow.windows if window.isActiveWindow()), MainWindow.windows[-1]
    )
    active.show_error(error)
