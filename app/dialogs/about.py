"""About: version, what stays on this machine, licence."""

import platform
from importlib.metadata import PackageNotFoundError, version

from PySide6.QtCore import Qt, qVersion
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QLabel, QVBoxLayout, QWidget

from app.console import log_path
from app.icons import pixmap
from app.theme import current_theme

WORDS = (
    "A pentimento is the earlier drawing that shows through a painting: you draw on a photo, and what you drew becomes "
    "the picture.\n\n"
    "Everything happens on this computer. No account, no telemetry, no download you did not ask for.\n\n"
    "Licence: Apache-2.0. Weights name their own licence in the manifest. Inpainting after Nazeri et al., EdgeConnect, "
    "2019."
)


class About(QDialog):
    """A few words about the program; what a fault report needs can be copied from it."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("about")
        self.setWindowTitle("About Pentimento")
        picture = QLabel(self)
        picture.setPixmap(pixmap("brush", 44, current_theme().focus))
        title = QLabel("Pentimento", self)
        title.setProperty("look", "title")
        words = QLabel(WORDS, self)
        words.setWordWrap(True)
        facts = QLabel(self.facts(), self)
        facts.setObjectName("about_facts")
        facts.setProperty("look", "dim")
        facts.setWordWrap(True)
        facts.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        box = QDialogButtonBox(QDialogButtonBox.StandardButton.Close, self)
        box.rejected.connect(self.close)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(28, 24, 28, 18)
        layout.setSpacing(10)
        for widget in (picture, title, words, facts):
            layout.addWidget(widget)
        layout.addSpacing(6)
        layout.addWidget(box)
        self.setFixedWidth(460)

    @staticmethod
    def facts() -> str:
        """Versions and where the log is."""
        try:
            ours = version("pentimento")
        except PackageNotFoundError:
            ours = "from a clone"
        return (
            f"Version {ours}, Python {platform.python_version()}, Qt {qVersion()}, {platform.system()}\n"
            f"Log: {log_path()}"
        )
