"""Which keys belong to which action: profiles as data files, and the user's own changes over them.

A profile is a TOML file in ``resources/keys`` with a title, perhaps a base it differs from, a table of keys, and gestures
of the canvas that only it has. No Qt: keys are words such as ``Ctrl+Shift+S``; what Qt makes of them is seen in actions.py.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from app.action_table import BY_ID
from app.errors import ResourceError
from app.notices import NOTICES
from app.resources import resources_dir
from engine.bounds import TOML_LIMIT_BYTES, read_limited, read_toml
from engine.own_file import Notice

Keys = Mapping[str, tuple[str, ...]]

DEFAULT_PROFILE = "pentimento"

GESTURES = ("shift_drag_sizes",)
"""What a profile may add: Shift and a drag change the brush size, where a click with Shift still draws straight."""


@dataclass(frozen=True)
class KeyProfile:
    """A set of keys with a name."""

    name: str
    """Name of its file without the ending."""
    title: str
    """Name a person reads."""
    keys: Keys
    """Of every action; an action without keys has an empty tuple."""
    gestures: frozenset[str] = frozenset()
    """Of `GESTURES`."""


def profile_names() -> tuple[str, ...]:
    """Names of the profiles there are, our own first."""
    names = {path.stem for path in _folder().glob("*.toml")}
    return (DEFAULT_PROFILE, *sorted(names - {DEFAULT_PROFILE}))


def profiles() -> tuple[KeyProfile, ...]:
    """The profiles that can be read, our own first; the others are told of."""
    found = (_read_or_tell(name) for name in profile_names())
    return tuple(profile for profile in found if profile is not None)


@cache
def read_profile(name: str) -> KeyProfile:
    """Read a profile and what it is based on.

    Raises:
        ResourceError: if there is no such file, it is damaged, or it names an action that does not exist.
    """
    path = _folder() / f"{name}.toml"
    try:
        data = read_toml(read_limited(path, TOML_LIMIT_BYTES))
        base = data.get("base")
        if base is not None and (base == name or base not in profile_names()):
            raise ValueError(f"it is based on '{base}'")
        keys: dict[str, tuple[str, ...]] = dict(read_profile(base).keys) if base else dict.fromkeys(BY_ID, ())
        own = {action_id: _words(sequences) for action_id, sequences in data.get("keys", {}).items()}
        gestures = frozenset(_words(data.get("gestures", [])))
    except (OSError, ValueError, TypeError, AttributeError) as error:
        known = ", ".join(profile_names())
        raise ResourceError(
            f"key profile {name}", f"one of {known}", str(error), "choose another profile"
        ) from error
    for action_id, sequences in own.items():
        if action_id not in BY_ID:
            raise ResourceError(path.name, "names of actions", f"'{action_id}'", "see app/action_table.py")
        keys[action_id] = sequences
    for unknown in sorted(gestures - set(GESTURES)):
        raise ResourceError(path.name, f"gestures of {', '.join(GESTURES)}", f"'{unknown}'", "leave it out")
    return KeyProfile(name, str(data.get("title", name)), keys, gestures)


def profile_in_force(name: str) -> KeyProfile:
    """A profile, or our own where there is none of that name (settings from another version) or it is damaged.

    A window opens even where our own is damaged: its actions have no keys then.
    """
    profile = _read_or_tell(name) if name in profile_names() else None
    profile = profile or _read_or_tell(DEFAULT_PROFILE)
    return profile or KeyProfile(DEFAULT_PROFILE, DEFAULT_PROFILE, dict.fromkeys(BY_ID, ()))


def _read_or_tell(name: str) -> KeyProfile | None:
    try:
        return read_profile(name)
    except ResourceError as error:
        path = _folder() / f"{name}.toml"
        NOTICES.add(Notice("damaged", f"the key profile '{name}'", path, detail=str(error.got)))
        return None


def _words(value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(word, str) for word in value):
        raise TypeError("its keys are no lists of words")
    return tuple(value)


def keys_in_force(profile_name: str, own: Keys) -> dict[str, tuple[str, ...]]:
    """The keys of every action: the user's own where there are any, else the profile's.

    A profile that is not there (settings from another version) counts as our own. A key that the user gave to one
    action is taken from every other.
    """
    keys = dict(profile_in_force(profile_name).keys)
    own = {action_id: tuple(sequences) for action_id, sequences in own.items() if action_id in BY_ID}
    taken = {_norm(key) for sequences in own.values() for key in sequences}
    for action_id, sequences in keys.items():
        if action_id in own:
            keys[action_id] = own[action_id]
        else:
            keys[action_id] = tuple(key for key in sequences if _norm(key) not in taken)
    return keys


def clashes(keys: Keys) -> dict[str, list[str]]:
    """Keys that more than one action has: {key: ids}."""
    owners: dict[str, list[str]] = {}
    for action_id, sequences in keys.items():
        for key in sequences:
            owners.setdefault(_norm(key), []).append(action_id)
    return {key: ids for key, ids in owners.items() if len(ids) > 1}


def _norm(key: str) -> str:
    return key.strip().lower()


def _folder() -> Path:
    return resources_dir() / "keys"
