"""How a result is drawn in the strip: a square, a line below it, a star, and a frame around what the canvas shows."""

from PySide6.QtCore import (
    QAbstractItemModel,
    QEvent,
    QModelIndex,
    QPersistentModelIndex,
    QPoint,
    QRect,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import QColor, QMouseEvent, QPainter, QPalette, QPen, QPixmap
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

from app.icons import pixmap as icon_pixmap
from app.panels.result_items import DRAFT_ROLE, ID_ROLE, SHOWN_ROLE, STAR_ROLE, THUMBNAIL_PX

MARGIN_PX = 6
CAPTION_PX = 20
STAR_PX = 18
FRAME_PX = 3
"""Of what the canvas shows; drawn outside the thumbnail, so that it hides nothing of it."""
BADGE_GROUND = QColor(0, 0, 0, 150)
BADGE_TEXT = "#ffffff"
STAR_COLOUR = "#ffc457"

AnyIndex = QModelIndex | QPersistentModelIndex


class ResultDelegate(QStyledItemDelegate):
    """Draws one result; a click on its star is told apart from a click on it."""

    star_clicked = Signal(str, bool)
    """Id of a result, and whether it is to be starred."""

    def sizeHint(self, option: QStyleOptionViewItem, index: AnyIndex) -> QSize:  # noqa: N802
        """A square, a line, and air around."""
        return QSize(THUMBNAIL_PX + 2 * MARGIN_PX, THUMBNAIL_PX + CAPTION_PX + 2 * MARGIN_PX - 4)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: AnyIndex) -> None:
        """Draw it in the colours of the palette."""
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        palette = option.palette
        box = _picture_box(option.rect)
        is_selected = bool(option.state & QStyle.StateFlag.State_Selected)
        if is_selected or option.state & QStyle.StateFlag.State_MouseOver:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(palette.color(QPalette.ColorRole.Light))
            painter.drawRoundedRect(option.rect.adjusted(1, 1, -1, -1), 6, 6)
        self._draw_picture(painter, box, index, palette)
        if index.data(SHOWN_ROLE):
            frame = QPen(palette.color(QPalette.ColorRole.Highlight), FRAME_PX)
            painter.setPen(frame)
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(box.adjusted(-2, -2, 2, 2), 6, 6)
        if index.data(ID_ROLE) is not None:
            self._draw_badges(painter, option, box, index)
        self._draw_caption(painter, option, index)
        if option.state & QStyle.StateFlag.State_HasFocus:
            painter.setPen(QPen(palette.color(QPalette.ColorRole.Text), 1, Qt.PenStyle.DotLine))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(option.rect.adjusted(1, 1, -2, -2), 6, 6)
        painter.restore()

    def editorEvent(  # noqa: N802
        self, event: QEvent, model: QAbstractItemModel, option: QStyleOptionViewItem, index: AnyIndex
    ) -> bool:
        """Take a click on the star, and only that."""
        if isinstance(event, QMouseEvent) and event.button() == Qt.MouseButton.LeftButton:
            result_id = index.data(ID_ROLE)
            if result_id is not None and star_box(option.rect).contains(event.position().toPoint()):
                if event.type() == QEvent.Type.MouseButtonRelease:
                    self.star_clicked.emit(result_id, not index.data(STAR_ROLE))
                return True
        return False

    def _draw_picture(self, painter: QPainter, box: QRect, index: AnyIndex, palette: QPalette) -> None:
        picture = index.data(Qt.ItemDataRole.DecorationRole)
        if isinstance(picture, QPixmap):
            painter.drawPixmap(box, picture)
            return
        painter.setPen(QPen(palette.color(QPalette.ColorRole.Mid), 1))
        painter.setBrush(palette.color(QPalette.ColorRole.Window))
        painter.drawRoundedRect(box, 4, 4)
        drawing = icon_pixmap("image", 32, palette.color(QPalette.ColorRole.PlaceholderText).name())
        painter.drawPixmap(box.center() - QPoint(15, 15), drawing)

    def _draw_badges(
        self, painter: QPainter, option: QStyleOptionViewItem, box: QRect, index: AnyIndex
    ) -> None:
        is_starred = bool(index.data(STAR_ROLE))
        if is_starred or option.state & QStyle.StateFlag.State_MouseOver:
            place = star_box(option.rect)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(BADGE_GROUND)
            painter.drawRoundedRect(place, 5, 5)
            name, colour = ("star-filled", STAR_COLOUR) if is_starred else ("star", BADGE_TEXT)
            painter.drawPixmap(place.topLeft() + QPoint(3, 3), icon_pixmap(name, STAR_PX, colour))
        if index.data(DRAFT_ROLE):
            words = "DRAFT"
            font = painter.font()
            font.setPixelSize(10)
            font.setBold(True)
            painter.setFont(font)
            width = painter.fontMetrics().horizontalAdvance(words) + 10
            place = QRect(box.left() + 4, box.bottom() - 19, width, 16)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(BADGE_GROUND)
            painter.drawRoundedRect(place, 4, 4)
            painter.setPen(QColor(BADGE_TEXT))
            painter.drawText(place, Qt.AlignmentFlag.AlignCenter, words)

    def _draw_caption(self, painter: QPainter, option: QStyleOptionViewItem, index: AnyIndex) -> None:
        painter.setFont(option.font)
        painter.setPen(option.palette.color(QPalette.ColorRole.Text))
        place = QRect(
            option.rect.left(), _picture_box(option.rect).bottom() + 4, option.rect.width(), CAPTION_PX
        )
        words = painter.fontMetrics().elidedText(
            str(index.data(Qt.ItemDataRole.DisplayRole)), Qt.TextElideMode.ElideRight, place.width() - 6
        )
        painter.drawText(place, Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignVCenter, words)


def _picture_box(item: QRect) -> QRect:
    return QRect(item.left() + MARGIN_PX, item.top() + MARGIN_PX, THUMBNAIL_PX, THUMBNAIL_PX)


def star_box(item: QRect) -> QRect:
    """Where the star of an item is, in the coordinates of the item's rectangle."""
    box = _picture_box(item)
    side = STAR_PX + 6
    return QRect(box.right() - side - 2, box.top() + 3, side, side)
