"""How large a window starts and where: all of it on the screen, its frame and title bar too.

What a desktop draws round a window is only known once it is shown, and then it would be seen to jump. So room is left
for the widest frames there are.
"""

from PySide6.QtCore import QPoint, QRect, QSize

START_SIZE = QSize(1440, 900)
"""Where the screen has room for it."""
FRAME = QSize(16, 48)
"""Most that a title bar and borders take on the desktops in use."""
STEP_PX = 32
"""From one window to the next, to the right and down."""


def start_size(available: QRect) -> QSize:
    """Size of a new window without its frame.

    Args:
        available: of the screen, what panels and docks of the desktop leave.
    """
    return START_SIZE.boundedTo(available.size() - FRAME)


def start_place(size: QSize, available: QRect) -> QPoint:
    """Where the frame of a first window of this size starts: in the middle."""
    free = available.size() - size - FRAME
    return available.topLeft() + QPoint(max(free.width(), 0) // 2, max(free.height(), 0) // 2)


def next_place(size: QSize, available: QRect, before: QPoint) -> QPoint:
    """Where the frame of one more window starts: a step beside the one before, as far as the screen allows."""
    free = available.size() - size - FRAME
    wanted = before - available.topLeft() + QPoint(STEP_PX, STEP_PX)
    x, y = min(wanted.x(), free.width()), min(wanted.y(), free.height())
    return available.topLeft() + QPoint(max(x, 0), max(y, 0))
