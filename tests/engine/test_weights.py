import hashlib
import os
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest
import torch

import engine.weights
from engine.errors import WeightsError
from engine.locking import locked
from engine.manifest import WeightsEntry, write_manifest
from engine.weightfile import WeightFile, read_weights, sha256_of, write_weights
from engine.weights import WeightsStore, shipped_folder, user_folder

STATE = {"fill.w": torch.arange(4.0)}


def put(folder, name, *, family="inpaint", url="", has_file=True, state=STATE, **metadata):
    """A file and its entry in a folder's manifest."""
    folder.mkdir(exist_ok=True)
    path = folder / f"{name}.safetensors"
    metadata["licence"] = "CC0"
    write_weights(path, WeightFile(family, {"width": 8, "depth": 1}, state, metadata))
    entry = WeightsEntry(
        name=name,
        family=family,
        options={"width": 8, "depth": 1},
        file=path.name,
        sha256=sha256_of(path),
        bytes=path.stat().st_size,
        licence="CC0",
        url=url,
    )
    from engine.manifest import read_manifest

    write_manifest(folder, [*read_manifest(folder).weights, entry])
    if not has_file:
        path.unlink()
    return entry


@pytest.fixture
def store(tmp_path):
    put(tmp_path / "shipped", "inpaint-starter")
    put(tmp_path / "shipped", "inpaint-large", url="http://127.0.0.1:9/x", has_file=False)
    put(tmp_path / "shipped", "exemplar-starter", family="exemplar")
    return WeightsStore(shipped=tmp_path / "shipped", user=tmp_path / "user")


# Finding


def test_entries_are_listed_by_family(store):
    assert [entry.name for entry in store.entries()] == [
        "inpaint-starter",
        "inpaint-large",
        "exemplar-starter",
    ]
    assert [entry.name for entry in store.entries("exemplar")] == ["exemplar-starter"]


def test_no_name_means_the_first_of_the_family(store, tmp_path):
    resolved = store.resolve("", "inpaint")
    assert resolved.name == "inpaint-starter"
    assert resolved.path == tmp_path / "shipped" / "inpaint-starter.safetensors"
    assert resolved.sha256 == hashlib.sha256(resolved.path.read_bytes()).hexdigest()
    assert resolved.licence == "CC0"


def test_no_name_passes_over_files_that_were_not_fetched(tmp_path):
    put(tmp_path / "shipped", "a", url="http://127.0.0.1:9/x", has_file=False)
    put(tmp_path / "user", "b")
    assert (
        WeightsStore(shipped=tmp_path / "shipped", user=tmp_path / "user").resolve("", "inpaint").name == "b"
    )


def test_no_name_for_a_picture_means_what_learned_it(tmp_path):
    mine = {"family": "retarget", "picture_sha256": "a" * 64}
    put(tmp_path / "shipped", "wall", family="retarget", picture_sha256="b" * 64)
    put(tmp_path / "shipped", "published", family="retarget")
    put(tmp_path / "user", "mine", **mine)
    put(tmp_path / "user", "mine-again", **mine)
    store = WeightsStore(shipped=tmp_path / "shipped", user=tmp_path / "user")
    assert store.resolve("", "retarget").name == "wall"
    assert store.resolve("", "retarget", picture="a" * 64).name == "mine-again"
    assert store.resolve("wall", "retarget", picture="a" * 64).name == "wall"
    (tmp_path / "shipped" / "wall.safetensors").write_bytes(b"damaged")
    assert store.resolve("", "retarget", picture="a" * 64).name == "mine-again"
    words = "weights: expected some that learned this picture, got none; learn it first: pentimento train"
    with pytest.raises(WeightsError, match=words):
        store.resolve("", "retarget", picture="c" * 64)


def test_a_family_without_weights_is_told(tmp_path):
    store = WeightsStore(shipped=tmp_path / "shipped", user=tmp_path / "user")
    words = r"weights: expected some for the family 'face_sketch', got none; train, import or name some"
    with pytest.raises(WeightsError, match=words):
        store.resolve("", "face-sketch")


def test_a_misspelt_name_gets_a_guess(store):
    words = r"weights: expected one of inpaint-large, inpaint-starter, or a .safetensors file, got 'inpaint-startr'; "
    with pytest.raises(WeightsError, match=words + r"did you mean 'inpaint-starter'\?"):
        store.resolve("inpaint-startr", "inpaint")
    with pytest.raises(WeightsError, match=r"got 'zzz'; 'pentimento weights list' shows what is there"):
        store.resolve("zzz", "inpaint")


def test_a_name_of_another_family_is_told(store):
    words = r"exemplar-starter: expected weights for the family 'inpaint', got weights for 'exemplar'; 'pentimento"
    with pytest.raises(WeightsError, match=words):
        store.resolve("exemplar-starter", "inpaint")


def test_weights_that_were_not_fetched_are_told(store):
    words = r"inpaint-large: expected the file .*, got none; run 'pentimento weights download inpaint-large'"
    with pytest.raises(WeightsError, match=words):
        store.resolve("inpaint-large", "inpaint")


def test_weights_that_are_gone_are_told(store, tmp_path):
    (tmp_path / "shipped" / "inpaint-starter.safetensors").unlink()
    with pytest.raises(
        WeightsError, match=r"inpaint-starter: expected the file .*, got none; import or install"
    ):
        store.resolve("inpaint-starter", "inpaint")


def test_a_damaged_file_is_told(store, tmp_path):
    path = tmp_path / "shipped" / "inpaint-starter.safetensors"
    path.write_bytes(path.read_bytes()[:-1] + b"!")
    words = (
        r"inpaint-starter.safetensors: expected sha256 \w{8}, got \w{8}; the file is damaged, fetch or import"
    )
    with pytest.raises(WeightsError, match=words):
        store.resolve("", "inpaint")


def test_the_digest_is_computed_once_until_the_file_changes(store, monkeypatch):
    calls = []
    monkeypatch.setattr("engine.weightfile.sha256_of", lambda path: calls.append(path) or sha256_of(path))
    first = store.resolve("", "inpaint")
    store.resolve("inpaint-starter", "inpaint")
    assert len(calls) == 1
    status = first.path.stat()
    os.utime(first.path, ns=(status.st_atime_ns, status.st_mtime_ns + 1_000_000))
    store.resolve("", "inpaint")
    assert len(calls) == 2


def test_a_path_is_taken_as_it_is(store, tmp_path):
    path = tmp_path / "my own.safetensors"
    write_weights(path, WeightFile("inpaint", {}, STATE, {"licence": "mine"}))
    resolved = store.resolve(path, "inpaint")
    assert (resolved.path, resolved.name, resolved.licence) == (path, "my own.safetensors", "mine")
    assert resolved.sha256 == sha256_of(path)


def test_a_path_to_nothing_is_told(store, tmp_path):
    with pytest.raises(
        WeightsError, match=r"b.safetensors: expected a file of weights, got no such file; check"
    ):
        store.resolve(str(tmp_path / "b.safetensors"), "inpaint")


def test_an_official_file_must_be_imported_first(store):
    with pytest.raises(
        WeightsError, match=r"expected a .safetensors file, got a .pth file; import it first: pentim"
    ):
        store.resolve("EdgeModel_gen.pth", "inpaint")


def test_listing_imports_no_torch(tmp_path):
    code = (
        "import sys; from engine.weights import WeightsStore; WeightsStore().entries();"
        "sys.exit(str([name for name in ('torch', 'PIL', 'cv2') if name in sys.modules]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.stderr.strip() == "[]"


def test_the_environment_names_the_user_s_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("PENTIMENTO_WEIGHTS", str(tmp_path))
    assert user_folder() == tmp_path
    assert WeightsStore().user == tmp_path
    monkeypatch.delenv("PENTIMENTO_WEIGHTS")
    assert user_folder().name == "weights"
    assert "pentimento" in str(user_folder())


def test_the_program_s_folder_is_found_in_a_clone_and_in_a_wheel(tmp_path, monkeypatch):
    assert shipped_folder() == Path(engine.weights.__file__).parent.parent / "weights"
    monkeypatch.setattr(engine.weights, "__file__", str(tmp_path / "engine" / "weights.py"))
    assert shipped_folder() == tmp_path.resolve() / "weights"
    (tmp_path / "app" / "_data" / "weights").mkdir(parents=True)
    assert shipped_folder() == tmp_path.resolve() / "app" / "_data" / "weights"


# Verifying


def test_verify_tells_of_every_entry(store, tmp_path):
    assert [report.state for report in store.verify()] == ["ok", "not fetched", "ok"]
    starter = tmp_path / "shipped" / "inpaint-starter.safetensors"
    content = starter.read_bytes()
    starter.write_bytes(content[:-1] + b"!")
    (tmp_path / "shipped" / "exemplar-starter.safetensors").unlink()
    reports = store.verify()
    assert [report.state for report in reports] == ["damaged", "not fetched", "missing"]
    assert reports[0].detail.startswith("sha256 ")
    assert reports[1].detail == "run 'pentimento weights download inpaint-large'"
    assert reports[2].detail == "import or install them again"
    starter.write_bytes(content[:-1])
    assert store.verify()[0].detail == f"{len(content) - 1} bytes instead of {len(content)}"


# Removing


def test_weights_of_the_program_stay(store):
    words = (
        r"inpaint-starter: expected imported or fetched weights, got weights of the program; they come with"
    )
    with pytest.raises(WeightsError, match=words):
        store.remove("inpaint-starter")


def test_the_user_s_weights_go_with_their_entry(store, tmp_path):
    put(tmp_path / "user", "mine")
    put(tmp_path / "user", "other")
    assert store.remove("mine") == tmp_path / "user" / "mine.safetensors"
    assert not (tmp_path / "user" / "mine.safetensors").exists()
    assert "mine" not in [entry.name for entry in store.entries()]
    assert store.resolve("other", "inpaint").name == "other"


def test_fetched_weights_go_and_can_be_fetched_again(store, tmp_path):
    (tmp_path / "user").mkdir()
    (tmp_path / "user" / "inpaint-large.safetensors").write_bytes(b"x")
    store.remove("inpaint-large")
    assert not (tmp_path / "user" / "inpaint-large.safetensors").exists()
    assert store.verify()[1].state == "not fetched"


def test_an_unknown_name_is_told_on_removing(store):
    with pytest.raises(WeightsError, match=r"got 'inpaint-larg'; did you mean 'inpaint-large'\?"):
        store.remove("inpaint-larg")


def test_a_file_that_cannot_be_removed_is_told(store, tmp_path):
    put(tmp_path / "user", "mine")
    (tmp_path / "user" / "mine.safetensors").unlink()
    (tmp_path / "user" / "mine.safetensors").mkdir()
    with pytest.raises(WeightsError, match=r"mine.safetensors: expected"):
        store.remove("mine")


# Fetching


def test_fetching_goes_to_the_user_s_folder(store, tmp_path, monkeypatch):
    goals = []

    def fake(goal, *, progress, is_cancelled):
        goals.append(goal)
        write_weights(goal.path, WeightFile("inpaint", {"width": 8, "depth": 1}, STATE, {"licence": "CC0"}))

    monkeypatch.setattr("engine.weights.fetch", fake)
    path = store.download("inpaint-large")
    assert path == tmp_path / "user" / "inpaint-large.safetensors"
    assert goals[0].url == "http://127.0.0.1:9/x"
    assert store.resolve("inpaint-large", "inpaint").path == path
    store.download("inpaint-large")
    assert len(goals) == 1


def test_weights_without_an_address_are_told(store, tmp_path):
    assert store.download("inpaint-starter").is_file()
    (tmp_path / "shipped" / "inpaint-starter.safetensors").unlink()
    words = r"inpaint-starter: expected an address in the manifest, got none; these weights cannot be fetched"
    with pytest.raises(WeightsError, match=words):
        store.download("inpaint-starter")


# Importing


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    """The four files of a small network, as the published system saves them."""
    from models.inpaint.discriminator import EdgeDiscriminator, FillDiscriminator
    from models.inpaint.network import EdgeGenerator, FillGenerator
    from models.inpaint.official import OFFICIAL_FILES, OFFICIAL_PARTS, to_official

    networks = {
        "edges": EdgeGenerator(width=4, depth=1, is_spectral=True),
        "fill": FillGenerator(width=4, depth=1),
        "edges_discriminator": EdgeDiscriminator(width=4),
        "fill_discriminator": FillDiscriminator(width=4),
    }
    house = {
        f"{name}.{key}": value
        for name, network in networks.items()
        for key, value in network.state_dict().items()
    }
    folder = tmp_path_factory.mktemp("published")
    for file, name in OFFICIAL_FILES.items():
        torch.save({"iteration": 2000000, OFFICIAL_PARTS[name]: to_official(house, name)}, folder / file)
    return folder, house


def test_a_published_folder_becomes_one_house_file(store, published, tmp_path):
    folder, house = published
    imported = store.import_official([folder], "inpaint", "places2")
    assert imported.missing == ()
    assert imported.entry.licence == "CC BY-NC 4.0 (EdgeConnect authors); non-commercial"
    assert imported.entry.options == {"width": 4, "depth": 1}
    assert imported.entry.status == "imported"
    resolved = store.resolve("places2", "inpaint")
    assert resolved.path == tmp_path / "user" / "places2.safetensors"
    read = read_weights(resolved.path, family="inpaint")
    assert read.metadata["licence"] == imported.entry.licence
    assert read.state.keys() == house.keys()
    for key, value in house.items():
        assert torch.equal(read.state[key], value), key
    assert [report.state for report in store.verify()][-1] == "ok"


def test_generators_alone_are_enough_and_the_rest_is_told(store, published):
    folder, _ = published
    files = [folder / "EdgeModel_gen.pth", folder / "InpaintingModel_gen.pth"]
    imported = store.import_official(files, "inpaint", "places2")
    assert imported.missing == ("EdgeModel_dis.pth", "InpaintingModel_dis.pth")


def test_a_missing_generator_is_refused(store, published, tmp_path):
    folder, _ = published
    words = (
        r"EdgeModel_gen.pth: expected EdgeModel_gen.pth and InpaintingModel_gen.pth, got no InpaintingModel_gen.pth; "
        r"every generator is needed"
    )
    with pytest.raises(WeightsError, match=words):
        store.import_official([folder / "EdgeModel_gen.pth"], "inpaint", "places2")
    assert not (tmp_path / "user").exists()


def test_files_of_another_system_are_refused(store, tmp_path):
    torch.save({"generator": {"layer.weight": torch.zeros(2)}}, tmp_path / "a.pth")
    words = r"a.pth: expected published weights of the family 'inpaint', got .*; the files belong to another system"
    with pytest.raises(WeightsError, match=words) as caught:
        store.import_official([tmp_path / "a.pth"], "inpaint", "places2")
    assert "\n" not in str(caught.value)


def test_a_folder_without_published_files_is_told(store, tmp_path):
    with pytest.raises(
        WeightsError, match=r"expected a folder with EdgeModel_gen.pth, .*, got none of them; name"
    ):
        store.import_official(tmp_path, "inpaint", "places2")


def test_two_sets_in_one_folder_are_told(store, published, tmp_path):
    for name in ("celeba", "places2"):
        (tmp_path / "both" / name).mkdir(parents=True)
        (tmp_path / "both" / name / "EdgeModel_gen.pth").touch()
    words = (
        r"EdgeModel_gen.pth: expected one file of this name, got several in .*celeba and .*places2; name one"
    )
    with pytest.raises(WeightsError, match=words):
        store.import_official([tmp_path / "both"], "inpaint", "places2")


def test_no_files_are_told(store):
    with pytest.raises(
        WeightsError, match=r"files: expected published files or their folder, got none; name at"
    ):
        store.import_official([], "inpaint", "places2")


def test_an_unknown_family_gets_a_guess(store):
    with pytest.raises(
        WeightsError, match=r"family: expected one of .*inpaint.*, got 'inpant'; did you mean 'inpaint'"
    ):
        store.import_official([], "inpant", "places2")
    with pytest.raises(WeightsError, match=r"got 'zzz'; name the tool the checkpoint is for"):
        store.import_official([], "zzz", "places2")


@pytest.mark.parametrize("name", ["../places2", "a/b", "Places 2", "", ".."])
def test_a_name_that_leads_elsewhere_is_refused(store, name):
    with pytest.raises(
        WeightsError, match=r"name: expected lower-case letters, digits, dots and dashes, got '"
    ):
        store.import_official([], "inpaint", name)


def test_a_name_that_is_taken_is_refused(store):
    with pytest.raises(
        WeightsError, match=r"name: expected a new one, got 'inpaint-starter'; remove those weights"
    ):
        store.import_official([], "inpaint", "inpaint-starter")


def test_a_family_without_published_files_is_told(store, tmp_path, monkeypatch):
    from dataclasses import replace

    from models.registry import family_spec

    spec = replace(family_spec("inpaint"), import_official=None)
    monkeypatch.setattr("engine.weights.spec_of", lambda family: spec)
    with pytest.raises(
        WeightsError, match=r"family: expected one with published checkpoints, got 'inpaint'; import"
    ):
        store.import_official([tmp_path / "a.pth"], "inpaint", "places2")


def test_a_house_file_is_copied_under_its_new_name(store, tmp_path):
    source = tmp_path / "trained.safetensors"
    metadata = {"licence": "mine", "command": "pentimento train inpaint", "training_data": "my photos"}
    write_weights(
        source, WeightFile("inpaint", {"width": 8, "depth": 1}, STATE, metadata), dtype=torch.float16
    )
    imported = store.import_official(source, "inpaint", "my-own")
    assert imported.path.read_bytes() == source.read_bytes()
    assert (imported.entry.licence, imported.entry.training_data) == ("mine", "my photos")
    assert store.resolve("my-own", "inpaint").sha256 == sha256_of(source)


def test_a_house_file_of_another_family_is_refused(store, tmp_path):
    source = tmp_path / "trained.safetensors"
    write_weights(source, WeightFile("exemplar", {}, STATE))
    with pytest.raises(
        WeightsError, match=r"expected weights for the family 'inpaint', got weights for the family"
    ):
        store.import_official(source, "inpaint", "my-own")
    assert not (tmp_path / "user").exists()


# Several at once, and disks that are full


@pytest.fixture
def trained(tmp_path):
    """A house file from elsewhere."""
    path = tmp_path / "trained.safetensors"
    write_weights(path, WeightFile("inpaint", {"width": 8, "depth": 1}, STATE))
    return path


def at_once(count, call):
    """What ``call`` raised for each number, all of them started together."""
    gate, raised = threading.Barrier(count), {}

    def run(number):
        gate.wait()
        try:
            call(number)
        except WeightsError as error:
            raised[number] = str(error)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return raised


def test_eight_imports_at_once_are_all_kept(store, trained, tmp_path):
    def bring_in(number):
        other = WeightsStore(shipped=tmp_path / "shipped", user=tmp_path / "user")
        other.import_official(trained, "inpaint", f"mine-{number}")

    assert at_once(8, bring_in) == {}
    names = [entry.name for entry in store.entries() if entry.name.startswith("mine-")]
    assert sorted(names) == [f"mine-{number}" for number in range(8)]
    assert {report.state for report in store.verify() if report.name in names} == {"ok"}


def test_of_imports_under_one_name_at_once_one_is_kept_whole(store, trained, tmp_path):
    raised = at_once(4, lambda _: store.import_official(trained, "inpaint", "mine"))
    assert len(raised) == 3
    assert {words.partition("; ")[0] for words in raised.values()} == {"name: expected a new one, got 'mine'"}
    assert [report.state for report in store.verify() if report.name == "mine"] == ["ok"]
    assert sorted(path.name for path in (tmp_path / "user").iterdir()) == [
        "manifest.toml",
        "mine.safetensors",
    ]


def test_what_is_replaced_stays_until_the_list_names_what_is_new(store, trained, tmp_path, monkeypatch):
    put(tmp_path / "user", "mine", state={"fill.w": torch.arange(9.0)})

    def refuse(*_):
        raise WeightsError("manifest.toml", "free space on the disk", "no space left", "free some")

    with monkeypatch.context() as patch:
        patch.setattr(engine.weights, "write_manifest", refuse)
        with pytest.raises(WeightsError, match=r"got no space left"):
            store.import_official(trained, "inpaint", "mine", may_replace=True)
    assert [report.state for report in store.verify() if report.name == "mine"] == ["ok"]
    imported = store.import_official(trained, "inpaint", "mine", may_replace=True)
    assert store.resolve("mine", "inpaint").sha256 == sha256_of(trained)
    assert sorted(path.name for path in (tmp_path / "user").iterdir()) == [
        "manifest.toml",
        imported.path.name,
    ]


def test_imported_weights_are_the_user_s_alone(store, trained, tmp_path):
    (tmp_path / "user").mkdir(mode=0o755)
    trained.chmod(0o644)
    imported = store.import_official(trained, "inpaint", "mine")
    rights = [
        stat.S_IMODE(path.stat().st_mode) for path in (imported.path, tmp_path / "user" / "manifest.toml")
    ]
    assert rights == [0o600, 0o600]
    assert stat.S_IMODE((tmp_path / "user").stat().st_mode) == 0o700


def test_what_a_killed_import_left_goes_with_the_next_and_nothing_else(store, trained, tmp_path):
    user = tmp_path / "user"
    user.mkdir()
    content = {
        ".pentimento-0123456789ab.part": trained.read_bytes()[:50],
        ".pentimento-0123456789ac.part": b"a letter of somebody else",
        "film.part": trained.read_bytes()[:50],
    }
    for name, data in content.items():
        (user / name).write_bytes(data)
        os.utime(user / name, (0, 0))
    (user / ".pentimento-0123456789ad.part").write_bytes(b"")  # of an import that runs
    store.import_official(trained, "inpaint", "mine")
    left = [".pentimento-0123456789ac.part", ".pentimento-0123456789ad.part", "film.part"]
    assert sorted(path.name for path in user.iterdir()) == [*left, "manifest.toml", "mine.safetensors"]


def test_somebody_who_keeps_the_folder_locked_is_told(store, trained, tmp_path, monkeypatch):
    put(tmp_path / "user", "other")
    monkeypatch.setattr(engine.weights, "LOCK_PATIENCE_S", 0.1)
    with locked(tmp_path / "user"):
        words = r"user: expected a folder nobody is writing to, got one that another program has kept for 0.1 s; end"
        with pytest.raises(WeightsError, match=words):
            store.import_official(trained, "inpaint", "mine")
        with pytest.raises(WeightsError, match=words):
            store.remove("other")
    assert sorted(path.name for path in (tmp_path / "user").iterdir()) == [
        "manifest.toml",
        "other.safetensors",
    ]


def test_weights_are_removed_on_a_disk_that_is_full(store, tmp_path, monkeypatch):
    """The disk is made up: nothing can be written before the file is gone."""
    put(tmp_path / "user", "mine")
    real = engine.weights.write_manifest

    def write(folder, entries):
        if (folder / "mine.safetensors").exists():
            raise WeightsError("manifest.toml", "free space on the disk", "no space left", "free some")
        real(folder, entries)

    monkeypatch.setattr(engine.weights, "write_manifest", write)
    store.remove("mine")
    assert "mine" not in [entry.name for entry in store.entries()]


@pytest.fixture
def small_disk(tmp_path):
    """A disk of 64 KiB."""
    place = tmp_path / "disk"
    place.mkdir()
    mounted = sys.platform == "linux" and os.geteuid() == 0
    command = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(place)]
    if not mounted or subprocess.run(command, check=False, capture_output=True).returncode:
        pytest.skip("no small disk can be mounted here")
    yield place
    subprocess.run(["umount", str(place)], check=True)


def test_weights_are_removed_on_a_real_disk_that_is_full(store, small_disk, tmp_path):
    put(small_disk / "user", "mine")
    rest = small_disk / "rest"
    with pytest.raises(OSError, match=r"No space left"):
        rest.write_bytes(bytes(1 << 16))
    full = WeightsStore(shipped=tmp_path / "shipped", user=small_disk / "user")
    full.remove("mine")
    assert [path.name for path in (small_disk / "user").iterdir()] == ["manifest.toml"]
    assert "mine" not in [entry.name for entry in full.entries()]
