"""The results of a document as a list for Qt: the picture itself first, then each result, oldest first.

Elsewhere: how an item is drawn in result_delegate.py; the strip around the list in results.py.
"""

import html
from collections.abc import Hashable
from datetime import datetime
from typing import Any

from PySide6.QtCore import QAbstractListModel, QModelIndex, QObject, QPersistentModelIndex, Qt
from PySide6.QtGui import QPixmap

from app.document.document import Document
from app.document.flatten import flattened_view
from app.document.result_look import seen_on, surroundings
from app.document.results import Result
from app.fill_state import seam_words, seconds_words, shortage_words
from app.panels.thumbnails import square_thumbnail, whole_picture

THUMBNAIL_PX = 88
"""Side of a thumbnail in logical pixels."""

ID_ROLE = Qt.ItemDataRole.UserRole
"""The result's id; None for the picture itself."""
STAR_ROLE = Qt.ItemDataRole.UserRole + 1
DRAFT_ROLE = Qt.ItemDataRole.UserRole + 2
SHOWN_ROLE = Qt.ItemDataRole.UserRole + 3
"""Whether the canvas shows it."""

AnyIndex = QModelIndex | QPersistentModelIndex


class ResultItems(QAbstractListModel):
    """Keeps thumbnails until their result is gone."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._document: Document | None = None
        self._results: tuple[Result, ...] = ()
        self._thumbnails: dict[Hashable, QPixmap] = {}
        self.ratio = 1.0
        """Device pixels of a logical one; thumbnails are made for it."""

    def set_document(self, document: Document | None) -> None:
        """List another document's results."""
        self._document = document
        self._thumbnails.clear()
        self.refresh()

    def refresh(self) -> None:
        """List what there is now; rows that stay keep their selection."""
        new = _worth_listing(self._document) if self._document is not None else ()
        kept = {result.id for result in new}
        for key in self._thumbnails.keys() - kept:  # of the picture itself, and of what is no more
            del self._thumbnails[key]
        for row in range(len(self._results) - 1, -1, -1):
            if self._results[row].id not in kept:
                self.beginRemoveRows(QModelIndex(), row + 1, row + 1)
                self._results = self._results[:row] + self._results[row + 1 :]
                self.endRemoveRows()
        known = [result.id for result in self._results]
        if known == [result.id for result in new[: len(known)]] and known:
            if len(new) > len(known):
                self.beginInsertRows(QModelIndex(), len(known) + 1, len(new))
                self._results = tuple(new)
                self.endInsertRows()
            self._results = tuple(new)
            self.dataChanged.emit(self.index(0), self.index(self.rowCount() - 1))
            return
        self.beginResetModel()
        self._results = tuple(new)
        self.endResetModel()

    @property
    def results(self) -> tuple[Result, ...]:
        """What is listed, without the picture itself."""
        return self._results

    def row_of(self, result_id: str | None) -> int:
        """Row of a result; 0, the picture itself, where there is none."""
        ids = [result.id for result in self._results]
        return ids.index(result_id) + 1 if result_id in ids else 0

    def result_at(self, row: int) -> Result | None:
        """The result of a row; None for the picture itself."""
        return self._results[row - 1] if 1 <= row <= len(self._results) else None

    def rowCount(self, parent: AnyIndex | None = None) -> int:  # noqa: N802
        """The picture itself and every result; nothing while there are no results."""
        if parent is not None and parent.isValid():
            return 0
        return len(self._results) + 1 if self._results else 0

    def data(self, index: AnyIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """What the strip shows of a row."""
        if not index.isValid() or self._document is None:
            return None
        result = self.result_at(index.row())
        current = self._document.current_result_id
        answers = {
            Qt.ItemDataRole.DisplayRole: lambda: caption(result, index.row()),
            Qt.ItemDataRole.AccessibleTextRole: lambda: spoken(result, index.row()),
            Qt.ItemDataRole.DecorationRole: lambda: self._thumbnail(result),
            Qt.ItemDataRole.ToolTipRole: lambda: tip(result),
            ID_ROLE: lambda: result.id if result else None,
            STAR_ROLE: lambda: bool(result and result.is_starred),
            DRAFT_ROLE: lambda: bool(result and result.is_draft),
            SHOWN_ROLE: lambda: current == (result.id if result else None),
        }
        answer = answers.get(role)
        return answer() if answer else None

    def _thumbnail(self, result: Result | None) -> QPixmap | None:
        """A result as it looked where it was made; the picture as it is where the newest result is."""
        document = self._document
        if document is None or not self._results:
            return None
        around = surroundings((result or self._results[-1]).box_xyxy, document.size_hw)
        key = result.id if result is not None else (document.picture_revision, around)
        if key not in self._thumbnails:
            least_px = 2 * round(THUMBNAIL_PX * self.ratio)
            if result is not None and result.is_whole:
                pixels = whole_picture(result, least_px=least_px)
            elif result is not None and result.thumbnail is not None:
                pixels = result.thumbnail
            else:  # the picture itself; or a result of a file from before thumbnails were kept
                picture = flattened_view(document)
                pixels = seen_on(picture, result, around, document.mode, most_px=2 * least_px)
            self._thumbnails[key] = square_thumbnail(pixels, THUMBNAIL_PX, ratio=self.ratio)
        return self._thumbnails[key]


def _worth_listing(document: Document) -> tuple[Result, ...]:
    """All results but drafts that are not shown: each stroke leaves one, and nobody misses them."""
    shown = document.current_result_id
    return tuple(
        result
        for result in document.results
        if not result.is_draft or result.is_starred or result.id == shown
    )


def caption(result: Result | None, row: int) -> str:
    """The line below a thumbnail: what it is and its place in the strip, and the seed of a variant."""
    if result is None:
        return "Picture"
    if result.is_draft:
        return "Draft"
    what = f"{'Remake' if result.is_whole else 'Fill'} {row}"
    return f"{what} · seed {result.step.seed}" if result.step.seed else what


def spoken(result: Result | None, row: int) -> str:
    """A row for a screen reader."""
    if result is None:
        return "The picture without a fill"
    h, w = result.size_hw
    parts = [
        f"{'Remake' if result.is_whole else 'Fill'} {row}",
        f"{w} by {h} pixels" if result.is_whole else "",
        "draft" if result.is_draft else f"seed {result.step.seed}" if result.step.seed else "",
        "starred" if result.is_starred else "",
    ]
    return ", ".join(filter(None, parts))


def tip(result: Result | None) -> str:
    """What hovering tells: kind, seed, quality, time, shortage of memory, seam, weights."""
    if result is None:
        return "The picture without a fill"
    edit, report = result.step.edit, result.report
    if result.is_whole:
        return _table(f"Remade at {result.size_hw[1]} × {result.size_hw[0]} px", _remade_rows(result))
    rows = [
        ("Seed", str(result.step.seed)),
        ("Quality", str(edit.get("quality", ""))),
        ("Weights", str(result.step.weights.get("name", ""))),
        (
            "Edges",
            f"sensitivity {edit.get('edge_sensitivity', 0.5):g}, detail {edit.get('edge_sigma', 2.0):g} px",
        ),
        ("Took", _took(report)),
        ("Memory", _shortage(shortage_words(report, edit.get("working_size_px")))),
        ("Seam", _seam(report)),
        ("Made", _local_time(result.created)),
    ]
    return _table("Draft" if result.is_draft else "Full result", rows)


def _remade_rows(result: Result) -> list[tuple[str, str]]:
    """What hovering tells of a remade picture."""
    edit = result.step.edit
    return [
        ("Seed", str(result.step.seed)),
        ("Quality", str(edit.get("quality", ""))),
        ("Weights", str(result.step.weights.get("name", ""))),
        ("Keeps", f"every part: {edit['completeness']:g}" if "completeness" in edit else ""),
        ("Locked", "what was masked" if "lock" in result.step.inputs else ""),
        ("Took", _took(result.report)),
        ("Made", _local_time(result.created)),
    ]


def _table(title: str, rows: list[tuple[str, str]]) -> str:
    cells = "".join(
        f"<tr><td style='padding-right:10px'>{html.escape(name)}</td><td>{html.escape(value)}</td></tr>"
        for name, value in rows
        if value
    )
    return f"<b>{title}</b><table>{cells}</table>"


def _shortage(words: str) -> str:
    return f"short: {words}" if words else ""


def _took(report: dict[str, Any]) -> str:
    seconds = report.get("seconds")
    total = seconds.get("total") if isinstance(seconds, dict) else seconds
    if not isinstance(total, int | float):
        return ""
    device = report.get("device")
    return f"{seconds_words(float(total))} on {device}" if device else seconds_words(float(total))


def _seam(report: dict[str, Any]) -> str:
    words = seam_words(report)
    return f"{words.verdict} ({words.figure})" if words else ""


def _local_time(created: str) -> str:
    try:
        moment = datetime.fromisoformat(created)
    except ValueError:
        return ""
    return moment.astimezone().strftime("%H:%M:%S, %d %b")
