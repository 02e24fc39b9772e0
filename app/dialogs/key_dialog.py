"""Change the keys of any action: a profile to start from, and one's own keys over it."""

from PySide6.QtCore import Qt
from PySide6.QtGui import QIcon, QKeySequence, QPixmap
from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QHBoxLayout,
    QKeySequenceEdit,
    QLabel,
    QLineEdit,
    QPushButton,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from app.action_table import ACTIONS, AREAS, BY_ID
from app.dialogs.shortcut_sheet import key_words
from app.icons import icon
from app.key_words import key_text
from app.keys import keys_in_force, profiles
from app.panels.controls import named
from app.settings import SettingsStore

ID_ROLE = Qt.ItemDataRole.UserRole


class KeyDialog(QDialog):
    """The keys of every action; a change holds at once.

    Args:
        store: where the profile and the user's own keys are kept.
        parent: the window.
    """

    def __init__(self, store: SettingsStore, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("key_dialog")
        self.setWindowTitle("Keyboard Shortcuts")
        self._store = store
        self._profile = QComboBox(self)
        named(self._profile, "key_profile", "Key profile")
        for profile in profiles():
            self._profile.addItem(profile.title, profile.name)
        self._profile.setCurrentIndex(max(0, self._profile.findData(store.value.key_profile)))
        self._profile.activated.connect(
            lambda index: store.change(key_profile=self._profile.itemData(index), own_keys={})
        )
        self._search = QLineEdit(self)
        self._search.setObjectName("key_search")
        self._search.setAccessibleName("Search actions")
        self._search.setPlaceholderText("Search")
        self._search.setClearButtonEnabled(True)
        self._search.textChanged.connect(self._filter)
        top = QHBoxLayout()
        top.setSpacing(10)
        label = QLabel("Start from", self)
        label.setBuddy(self._profile)
        top.addWidget(label)
        top.addWidget(self._profile)
        top.addSpacing(12)
        top.addWidget(self._search, 1)
        self.tree = QTreeWidget(self)
        self.tree.setObjectName("key_tree")
        self.tree.setAccessibleName("Actions and their keys")
        self.tree.setHeaderLabels(["Action", "Keys"])
        self.tree.setColumnWidth(0, 320)
        self.tree.setUniformRowHeights(True)
        self.tree.currentItemChanged.connect(lambda *_: self._show_chosen())
        self._items: dict[str, QTreeWidgetItem] = {}
        blank = QIcon(_blank())
        for area in AREAS:
            top_item = QTreeWidgetItem([area])
            top_item.setFlags(Qt.ItemFlag.ItemIsEnabled)
            heading = top_item.font(0)
            heading.setBold(True)
            top_item.setFont(0, heading)
            self.tree.addTopLevelItem(top_item)
            for spec in ACTIONS:
                if spec.area == area:
                    item = QTreeWidgetItem([spec.plain_text, ""])
                    item.setData(0, ID_ROLE, spec.id)
                    item.setToolTip(0, spec.tip)
                    item.setIcon(0, icon(spec.icon) if spec.icon else blank)
                    top_item.addChild(item)
                    self._items[spec.id] = item
            top_item.setExpanded(True)
        self.edit = QKeySequenceEdit(self)
        self.edit.setObjectName("key_edit")
        self.edit.setAccessibleName("New key")
        self.edit.setClearButtonEnabled(True)
        self.edit.setMaximumSequenceLength(1)
        self._set = self._button("key_set", "Set Key", self._set_key)
        self._remove = self._button("key_remove", "No Key", self._remove_keys)
        self._reset = self._button("key_reset", "As in Profile", self._reset_action)
        self.note = QLabel(self)
        self.note.setObjectName("key_note")
        self.note.setProperty("look", "dim")
        self.note.setWordWrap(True)
        self.edit.keySequenceChanged.connect(self._pressed)
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addWidget(QLabel("New key", self))
        row.addWidget(self.edit, 1)
        for button in (self._set, self._remove, self._reset):
            row.addWidget(button)
        box = QDialogButtonBox(self)
        everything = box.addButton("Reset All", QDialogButtonBox.ButtonRole.ResetRole)
        everything.setObjectName("key_reset_all")
        everything.clicked.connect(lambda: store.change(own_keys={}))
        done = box.addButton(QDialogButtonBox.StandardButton.Close)
        done.setAutoDefault(False)
        done.clicked.connect(self.close)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(18, 16, 18, 16)
        layout.setSpacing(12)
        layout.addLayout(top)
        layout.addWidget(self.tree, 1)
        layout.addLayout(row)
        layout.addWidget(self.note)
        layout.addWidget(box)
        self._stop = store.observe(lambda _: self._refresh())
        self.destroyed.connect(self._stop)
        self._refresh()
        self._show_chosen()
        self.resize(680, 620)

    def choose(self, action_id: str) -> None:
        """Go to an action's row."""
        self.tree.setCurrentItem(self._items[action_id])

    def keys_shown(self, action_id: str) -> str:
        """What the row of an action says."""
        return self._items[action_id].text(1)

    @property
    def _chosen(self) -> str | None:
        item = self.tree.currentItem()
        return item.data(0, ID_ROLE) if item is not None else None

    def _keys(self) -> dict[str, tuple[str, ...]]:
        return keys_in_force(self._store.value.key_profile, self._store.value.own_keys)

    def _refresh(self) -> None:
        own = self._store.value.own_keys
        for action_id, keys in self._keys().items():
            item = self._items[action_id]
            item.setText(1, key_words([QKeySequence(key) for key in keys]))
            font = item.font(1)
            font.setBold(action_id in own)
            item.setFont(1, font)
        self._show_chosen()

    def _show_chosen(self) -> None:
        chosen = self._chosen
        for widget in (self.edit, self._remove):
            widget.setEnabled(chosen is not None)
        self._reset.setEnabled(chosen is not None and chosen in self._store.value.own_keys)
        self.edit.clear()
        self._show_note()

    def _owner_of(self, key: str) -> str | None:
        owners = [
            action_id for action_id, keys in self._keys().items() if key.lower() in map(str.lower, keys)
        ]
        return next((owner for owner in owners if owner != self._chosen), None)

    def _pressed(self, key: QKeySequence) -> None:
        words = self.edit.findChild(QLineEdit)
        if words is not None and not key.isEmpty():
            words.setText(key_text(key))  # Qt wrote "Return"
        self._show_note()

    def _show_note(self) -> None:
        key = self.edit.keySequence().toString()
        self._set.setEnabled(self._chosen is not None and bool(key))
        owner = self._owner_of(key) if key else None
        if self._chosen is None:
            self.note.setText("Choose an action, then press its new key.")
        elif owner is not None:
            self.note.setText(
                f"{key_text(key)} belongs to “{BY_ID[owner].plain_text}” and will be taken from it."
            )
        else:
            self.note.setText(BY_ID[self._chosen].tip + ".")

    def _set_key(self) -> None:
        key, chosen = self.edit.keySequence().toString(), self._chosen
        if key and chosen is not None:
            own = dict(self._store.value.own_keys)
            # An own key of another action would stay with both: it goes to the one asked for last.
            for action_id, keys in own.items():
                own[action_id] = tuple(one for one in keys if one.lower() != key.lower())
            self._store.change(own_keys={**own, chosen: (key,)})

    def _remove_keys(self) -> None:
        if self._chosen is not None:
            self._store.change(own_keys={**self._store.value.own_keys, self._chosen: ()})

    def _reset_action(self) -> None:
        own = {key: value for key, value in self._store.value.own_keys.items() if key != self._chosen}
        self._store.change(own_keys=own)

    def _filter(self, words: str) -> None:
        wanted = words.lower().split()
        for item in self._items.values():
            text = f"{item.text(0)} {item.text(1)}".lower()
            item.setHidden(not all(word in text for word in wanted))
        for row in range(self.tree.topLevelItemCount()):
            top = self.tree.topLevelItem(row)
            top.setHidden(all(top.child(one).isHidden() for one in range(top.childCount())))

    def _button(self, name: str, text: str, call: object) -> QPushButton:
        button = QPushButton(text, self)
        button.setObjectName(name)
        button.setAutoDefault(False)
        button.clicked.connect(call)
        return button


def _blank() -> QPixmap:
    """The place of an icon, where an action has none."""
    picture = QPixmap(16, 16)
    picture.fill(Qt.GlobalColor.transparent)
    return picture
