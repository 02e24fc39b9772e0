"""Find, check, import, fetch and remove weights by name.

Two folders hold them: the one that comes with the program, which is never changed, and the user's own. Each has a
``manifest.toml`` that says of every file what it is, whose it is and which bytes it must have. A file is used only
when its digest is right; the digest is computed once, until the file changes.

Elsewhere: the lists in manifest.py, the files themselves in weightfile.py, importing.py and download.py.
"""

import difflib
import itertools
import os
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from engine.atomic import AnyPath, path_error
from engine.download import Goal, fetch
from engine.errors import WeightsError
from engine.folders import of_system
from engine.importing import convert_official, copy_house_file, spec_of, staged_file
from engine.locking import PATIENCE_S as LOCK_PATIENCE_S
from engine.locking import locked
from engine.manifest import WeightsEntry, is_name, make_folder, read_manifest, write_manifest
from engine.progress import CancelCheck, ProgressCallback
from engine.tensor_header import read_header
from engine.weight_checks import LIMIT_BYTES

FOLDER_VARIABLE = "PENTIMENTO_WEIGHTS"
"""Names the user's folder of weights in place of the system's usual one."""


@dataclass(frozen=True)
class ResolvedWeights:
    """A file whose bytes are what they should be."""

    path: Path
    name: str
    """Name in the manifest; the file's own name if a path was given."""
    sha256: str
    licence: str
    """In words; empty if the file says none."""


@dataclass(frozen=True)
class WeightsReport:
    """What ``verify`` found of one entry."""

    name: str
    family: str
    path: Path
    state: Literal["ok", "missing", "damaged", "not fetched"]
    detail: str
    """What is wrong and what to do; empty where all is well."""


@dataclass(frozen=True)
class ImportedWeights:
    """What an import made."""

    entry: WeightsEntry
    path: Path
    missing: tuple[str, ...]
    """Published files that were not there and are not needed to run, only to train on."""


class WeightsStore:
    """All weights this machine has or can fetch.

    Args:
        shipped: folder that comes with the program, never written; found beside the code when left out.
        user: the user's own folder, made when first needed; when left out, the environment's ``PENTIMENTO_WEIGHTS``,
            else the system's usual place.
    """

    def __init__(self, *, shipped: AnyPath | None = None, user: AnyPath | None = None) -> None:
        self._shipped = Path(shipped) if shipped is not None else shipped_folder()
        self._user = Path(user) if user is not None else user_folder()
        self._digests: dict[tuple[str, int, int], str] = {}
        self._lock = threading.Lock()

    @property
    def user(self) -> Path:
        """The user's own folder; it may not exist yet."""
        return self._user

    def entries(self, family: str | None = None) -> tuple[WeightsEntry, ...]:
        """Everything both manifests list, what comes with the program first.

        Args:
            family: with hyphen or underscore; all when left out.

        Raises:
            WeightsError: if a manifest is damaged.
        """
        wanted = None if family is None else family.replace("-", "_")
        found: dict[str, WeightsEntry] = {}
        for folder in (self._shipped, self._user):
            for entry in read_manifest(folder).weights:
                found.setdefault(entry.name, entry)
        return tuple(entry for entry in found.values() if wanted in (None, entry.family))

    def path_of(self, entry: WeightsEntry) -> Path:
        """Where an entry's file lies, or would lie once it is fetched."""
        beside = self._shipped / entry.file
        return beside if self._is_shipped(entry) and beside.is_file() else self._user / entry.file

    def resolve(self, name_or_path: str | AnyPath, family: str, *, picture: str = "") -> ResolvedWeights:
        """Find weights and check their bytes.

        Args:
            name_or_path: name in a manifest or path of a house file; empty = the family's default, which is the first
                one listed whose file is there.
            family: with hyphen or underscore.
            picture: `engine.pictures.picture_sha256` of a picture; the default is then the newest that learned it.

        Returns:
            Path, name, digest and licence. Whether a file given by path is for the family is seen when it is read.

        Raises:
            WeightsError: if nothing of that name is known, it is for another family, not fetched, missing or damaged.
        """
        family = family.replace("-", "_")
        words = os.fspath(name_or_path)
        known = {entry.name: entry for entry in self.entries()}
        if not words:
            entry = self._learned(picture, family) if picture else self._default(family)
        elif words in known:
            entry = known[words]
        else:
            return self._resolve_path(words, family)
        if entry.family != family:
            hint = f"'pentimento weights list' shows those for '{family}'"
            raise WeightsError(
                entry.name, f"weights for the family '{family}'", f"weights for '{entry.family}'", hint
            )
        path = self.path_of(entry)
        if not path.is_file():
            raise WeightsError(entry.name, f"the file {path}", "none", self._how_to_get(entry))
        found = self._digest(path)
        if found != entry.sha256:
            hint = "the file is damaged, fetch or import it again"
            raise WeightsError(path, f"sha256 {entry.sha256[:8]}", found[:8], hint)
        return ResolvedWeights(path, entry.name, found, entry.licence)

    def learned_from(self, picture: str, family: str) -> WeightsEntry | None:
        """The newest weights that learned a picture; those of the user are newer than those of the program.

        Args:
            picture: its `engine.pictures.picture_sha256`.
            family: with hyphen or underscore.

        Raises:
            WeightsError: if a manifest is damaged.
        """
        from engine.pictures import PICTURE_KEY

        for entry in reversed(self.entries(family)):
            path = self.path_of(entry)
            with suppress(WeightsError):  # a damaged file of another picture must not end this one
                if path.is_file() and read_header(path, LIMIT_BYTES).metadata.get(PICTURE_KEY) == picture:
                    return entry
        return None

    def verify(self) -> list[WeightsReport]:
        """Look at every file of both manifests anew.

        Raises:
            WeightsError: if a manifest is damaged.
        """
        return [self._verified(entry) for entry in self.entries()]

    def import_official(
        self, paths: Sequence[AnyPath] | AnyPath, family: str, name: str, *, may_replace: bool = False
    ) -> ImportedWeights:
        """Bring in published checkpoints, or a house file from elsewhere, under a name.

        Published files become one house file in float32, with everything they hold. The program runs the published
        network bit for bit; the licence stays the authors'.

        Args:
            paths: published files, a folder that holds them under their published names, or one ``.safetensors``.
            family: with hyphen or underscore.
            name: what the weights are to be called; free in both manifests.
            may_replace: the user's own of that name may give way, once the new ones are whole.

        Raises:
            WeightsError: if a file is missing, damaged or of another system, or the name is taken or not allowed.
        """
        family = family.replace("-", "_")
        sources = [Path(path) for path in ([paths] if isinstance(paths, str | os.PathLike) else paths)]
        mine = read_manifest(self._user).weights
        if not (may_replace and any(entry.name == name for entry in mine)):
            self._check_new_name(name)
        spec = spec_of(family)
        with staged_file(self._user) as staged:
            if len(sources) == 1 and sources[0].suffix.lower() == ".safetensors":
                details = copy_house_file(sources[0], family, staged)
                missing: tuple[str, ...] = ()
            else:
                details, missing = convert_official(sources, spec, staged)
            details |= {"name": name, "family": family, "status": "imported"}
            details |= {"sha256": self._digest(staged), "bytes": staged.stat().st_size}
            with self._alone():  # others may have imported meanwhile, also under this name
                mine = read_manifest(self._user).weights
                before = next((other for other in mine if other.name == name), None)
                if not (may_replace and before is not None):
                    self._check_new_name(name)
                entry = WeightsEntry(file=self._free_file(name, details["sha256"]), **details)
                target = self._user / entry.file
                os.replace(staged, target)
                try:
                    write_manifest(self._user, [*(other for other in mine if other is not before), entry])
                except BaseException:
                    target.unlink()
                    raise
                if before is not None:
                    with suppress(OSError):
                        (self._user / before.file).unlink()
        return ImportedWeights(entry, target, missing)

    def download(
        self,
        name: str,
        progress: ProgressCallback | None = None,
        *,
        is_cancelled: CancelCheck | None = None,
        allows_http: bool = False,
    ) -> Path:
        """Fetch weights of the manifest; a broken download goes on where it stopped.

        Args:
            name: as the manifest lists it.
            progress: told after every piece.
            is_cancelled: looked at before every piece.
            allows_http: fetch over plain http too, which others on the way can read and change; the digest is checked.

        Returns:
            Where the file lies. Nothing is fetched when it is there and whole.

        Raises:
            WeightsError: if the name is unknown, has no address, or the download fails.
            Cancelled: if ``is_cancelled`` said so.
        """
        entry = self._known(name)
        path = self.path_of(entry)
        if path.is_file() and self._digest(path) == entry.sha256:
            return path
        if not entry.url:
            raise WeightsError(name, "an address in the manifest", "none", "these weights cannot be fetched")
        make_folder(self._user)
        path = self._user / entry.file
        goal = Goal(entry.url, path, entry.sha256, entry.bytes, allows_http)
        fetch(goal, progress=progress, is_cancelled=is_cancelled)
        return path

    def remove(self, name: str) -> Path:
        """Remove imported or fetched weights.

        Returns:
            The file that is gone.

        Raises:
            WeightsError: if the name is unknown, or the weights come with the program.
        """
        entry = self._known(name)
        path = self._user / entry.file
        if self._is_shipped(entry) and not path.is_file():
            hint = "they come with the program and go with it"
            raise WeightsError(name, "imported or fetched weights", "weights of the program", hint)
        with self._alone():
            try:  # before the list is written anew: on a full disk that needs the room
                path.unlink(missing_ok=True)
            except OSError as error:
                raise path_error(path, error, WeightsError) from error
            mine = read_manifest(self._user).weights
            if any(other.name == name for other in mine):
                write_manifest(self._user, [other for other in mine if other.name != name])
        return path

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Be the only one who changes the user's weights."""
        with ExitStack() as held:
            try:
                held.enter_context(locked(self._user, patience_s=LOCK_PATIENCE_S))
            except OSError as error:
                raise path_error(self._user, error, WeightsError) from error
            yield

    def _free_file(self, name: str, sha256: str) -> str:
        """A file name that nothing has: what is replaced stays until the list names the new file."""
        numbered = (f"{name}-{sha256[:8]}-{number}" for number in itertools.count(2))
        stems = itertools.chain([name, f"{name}-{sha256[:8]}"], numbered)
        return next(
            file for file in map("{}.safetensors".format, stems) if not os.path.lexists(self._user / file)
        )

    def _is_shipped(self, entry: WeightsEntry) -> bool:
        return any(entry.name == other.name for other in read_manifest(self._shipped).weights)

    def _how_to_get(self, entry: WeightsEntry) -> str:
        return (
            f"run 'pentimento weights download {entry.name}'" if entry.url else "import or install them again"
        )

    def _default(self, family: str) -> WeightsEntry:
        entries = self.entries(family)
        if not entries:
            hint = "train, import or name some; 'pentimento weights list' shows what is there"
            raise WeightsError("weights", f"some for the family '{family}'", "none", hint)
        return next((entry for entry in entries if self.path_of(entry).is_file()), entries[0])

    def _learned(self, picture: str, family: str) -> WeightsEntry:
        entry = self.learned_from(picture, family)
        if entry is None:
            hint = "learn it first: pentimento train retarget --data PICTURE --out DIR; or name some with --weights"
            raise WeightsError("weights", "some that learned this picture", "none", hint)
        return entry

    def _known(self, name: str) -> WeightsEntry:
        known = {entry.name: entry for entry in self.entries()}
        if name not in known:
            raise _unknown(name, known)
        return known[name]

    def _resolve_path(self, words: str, family: str) -> ResolvedWeights:
        path = Path(words)
        if path.suffix.lower() in (".pth", ".pt", ".ckpt", ".pkl"):
            hint = "import it first: pentimento weights import FILE --family F --name NAME"
            raise WeightsError(path, "a .safetensors file", f"a {path.suffix} file", hint)
        is_path = path.suffix.lower() == ".safetensors" or path.parent != Path(".") or path.is_file()
        if not is_path:
            raise _unknown(words, [entry.name for entry in self.entries(family)])
        licence = read_header(path, LIMIT_BYTES).metadata.get("licence", "")
        return ResolvedWeights(path, path.name, self._digest(path), licence)

    def _digest(self, path: Path) -> str:
        """Digest of a file, computed anew only when its time or size has changed."""
        from engine.weightfile import sha256_of

        try:
            status = path.stat()
        except OSError:
            return sha256_of(path)  # says what is wrong
        key = (str(path), status.st_mtime_ns, status.st_size)
        with self._lock:
            known = self._digests.get(key)
        if known is None:
            known = sha256_of(path)
            with self._lock:
                self._digests[key] = known
        return known

    def _verified(self, entry: WeightsEntry) -> WeightsReport:
        from engine.weightfile import sha256_of

        path = self.path_of(entry)
        report = (entry.name, entry.family, path)
        if not path.is_file():
            state: Literal["not fetched", "missing"] = "not fetched" if entry.url else "missing"
            return WeightsReport(*report, state, self._how_to_get(entry))
        size = path.stat().st_size
        if size != entry.bytes:
            return WeightsReport(*report, "damaged", f"{size} bytes instead of {entry.bytes}")
        found = sha256_of(path)
        if found != entry.sha256:
            return WeightsReport(*report, "damaged", f"sha256 {found[:8]} instead of {entry.sha256[:8]}")
        return WeightsReport(*report, "ok", "")

    def _check_new_name(self, name: str) -> None:
        if not is_name(name):
            hint = "for example edgeconnect-places2"
            raise WeightsError("name", "lower-case letters, digits, dots and dashes", f"'{name}'", hint)
        if any(entry.name == name for entry in self.entries()):
            raise WeightsError(
                "name", "a new one", f"'{name}'", "remove those weights first or choose another"
            )


def shipped_folder() -> Path:
    """The weights that come with the program: in an installed wheel, else beside the code in a clone."""
    root = Path(__file__).resolve().parent.parent
    installed = root / "app" / "_data" / "weights"
    return installed if installed.is_dir() else root / "weights"


def user_folder() -> Path:
    """The user's own weights."""
    named = os.environ.get(FOLDER_VARIABLE, "")
    if named:
        return Path(named)
    return of_system("data") / "weights"


def _unknown(name: str, known: Iterable[str]) -> WeightsError:
    names = sorted(known)
    close = difflib.get_close_matches(name, names, n=1)
    hint = f"did you mean '{close[0]}'?" if close else "'pentimento weights list' shows what is there"
    return WeightsError(
        "weights", f"one of {', '.join(names) or 'none'}, or a .safetensors file", f"'{name}'", hint
    )
