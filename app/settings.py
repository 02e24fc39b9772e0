"""What the user can choose, as one table: key, type, default, range and the words of the dialog.

The table is a frozen pydantic model. A change makes a new one, so nobody holds half-changed settings. The file is JSON
in the folder of `app.folders`; what it says wrongly is left out, one key at a time, and everything else holds.

Elsewhere: the dialog made from this table in dialogs/settings_dialog.py, key profiles in keys.py.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from app.folders import config_folder
from app.notices import NOTICES
from engine.own_file import Notice, OwnFile, Read

FILE_NAME = "settings.json"
FORMAT = 1
"""Raise it when a key changes its meaning; new keys need no new number."""


class Settings(BaseModel):
    """Every choice of the user. A field's title, description and group are what the dialog shows."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    theme: Literal["dark", "light", "system"] = Field(
        default="dark",
        title="Theme",
        description="Dark and light are neutral greys, so that colours look right beside them",
        json_schema_extra={"group": "Appearance"},
    )
    """Colours of the window; ``system`` follows the desktop."""
    mask_colour: Literal["orange", "blue", "green", "pink", "white"] = Field(
        default="orange",
        title="Mask colour",
        description="Orange and blue differ for every kind of colour vision",
        json_schema_extra={"group": "Appearance", "widget": "mask_colour"},
    )
    """Colour of the mask over the photo."""
    mask_pattern: Literal["stripes", "dots", "plain"] = Field(
        default="stripes",
        title="Mask pattern",
        description="A pattern shows the mask where its colour does not",
        json_schema_extra={"group": "Appearance"},
    )
    """Pattern of the mask over the photo."""
    mask_opacity: float = Field(
        default=0.5,
        ge=0.1,
        le=1.0,
        title="Mask opacity",
        description="How much of the photo the mask hides",
        json_schema_extra={"group": "Appearance"},
    )
    """Strength of the mask over the photo, 0.1 to 1."""
    is_live: bool = Field(
        default=True,
        title="Fill while you draw",
        description="A quick draft after each stroke, the full result when you pause",
        json_schema_extra={"group": "Filling"},
    )
    """Whether a fill starts by itself after a stroke."""
    quality: Literal["exact", "fast"] = Field(
        default="exact",
        title="Quality",
        description="Exact keeps every digit; fast takes shorter numbers where it can",
        json_schema_extra={"group": "Filling"},
    )
    """Quality of a full fill."""
    device: str = Field(
        default="auto",
        pattern=r"^(auto|cpu|cuda(:\d{1,2})?)$",
        title="Run on",
        description="A graphics card is taken where there is one; holds from the next start",
        json_schema_extra={"group": "Filling", "choices": ["auto", "cpu", "cuda"]},
    )
    """Where networks run: auto, cpu, cuda or cuda:N."""
    key_profile: str = Field(
        default="pentimento",
        pattern=r"^[a-z0-9_-]{1,40}$",
        title="Profile",
        description="The starting point for your own keys",
        json_schema_extra={"group": "Keys", "widget": "key_profile"},
    )
    """Name of a file in ``resources/keys``."""
    own_keys: dict[str, tuple[str, ...]] = Field(
        default_factory=dict, title="Own keys", json_schema_extra={"group": "Keys", "widget": "none"}
    )
    """Keys of actions that the user changed, over the profile's."""
    jpeg_quality: int = Field(default=95, ge=1, le=100, json_schema_extra={"widget": "none"})
    """Quality of the last exported JPEG."""
    webp_quality: int = Field(default=90, ge=1, le=100, json_schema_extra={"widget": "none"})
    """Quality of the last exported WebP that was not lossless."""
    is_webp_lossless: bool = Field(default=True, json_schema_extra={"widget": "none"})
    """Whether the last exported WebP kept every value."""
    flatten_colour: str = Field(
        default="#ffffff", pattern=r"^#[0-9a-f]{6}$", json_schema_extra={"widget": "none"}
    )
    """Colour that what is clear was last laid on."""
    brushes: dict[str, dict[str, float | bool]] = Field(
        default_factory=dict, title="Brushes", json_schema_extra={"widget": "none"}
    )
    """The brushes as they were when the last window was closed."""


class SettingsStore:
    """The settings in force, their file, and who wants to know of a change.

    Several processes may change settings: each writes what it changed and leaves the rest as it is in the file.

    Args:
        path: the file; the user's own when left out. It is read at once if it is there.
        on_notice: told where the file cannot be used or written.
    """

    def __init__(
        self, path: Path | None = None, *, on_notice: Callable[[Notice], None] | None = None
    ) -> None:
        self.path = path if path is not None else config_folder() / FILE_NAME
        self._file = OwnFile(
            self.path,
            what="the settings",
            empty={},
            version=FORMAT,
            load=_load,
            dump=lambda stored: dict(sorted(stored.items())),
            on_notice=on_notice,
        )
        self._observers: list[Callable[[Settings], None]] = []
        self._value = Settings.model_validate(self._file.read())

    @property
    def value(self) -> Settings:
        """The settings in force."""
        return self._value

    def change(self, **changes: Any) -> Settings:
        """Change some settings, write the file, and tell the observers.

        Raises:
            pydantic.ValidationError: if a value is out of its range; nothing has changed then.
        """
        before = self._value
        changed = Settings.model_validate({**before.model_dump(), **changes})
        if changed == before:
            return changed
        self._value = changed
        names = {name for name in Settings.model_fields if getattr(changed, name) != getattr(before, name)}
        written = changed.model_dump(mode="json", include=names, exclude_defaults=True)
        self._file.update(
            lambda stored: {**{key: stored[key] for key in stored if key not in names}, **written}
        )
        for observer in tuple(self._observers):
            observer(changed)
        return changed

    def observe(self, callback: Callable[[Settings], None]) -> Callable[[], None]:
        """Call back after each change; returns what stops it."""
        self._observers.append(callback)
        return lambda: self._observers.remove(callback) if callback in self._observers else None


def _load(data: Any) -> Read[dict[str, Any]]:
    """What holds of a file's table, with keys that are not ours: another version's settings stay in the file."""
    if not isinstance(data, dict):
        raise TypeError("it is no table")
    wrong: set[str] = set()
    while True:
        held = {key: value for key, value in data.items() if key not in wrong}
        try:
            Settings.model_validate(held)
        except ValidationError as error:
            wrong |= {str(fault["loc"][0]) for fault in error.errors()}
        else:
            return Read(held, ", ".join(sorted(wrong)))


_STORES: dict[Path, SettingsStore] = {}


def settings_store() -> SettingsStore:
    """The store of this process: every window shares it."""
    path = config_folder() / FILE_NAME
    if path not in _STORES:
        _STORES[path] = SettingsStore(path, on_notice=NOTICES.add)
    return _STORES[path]
