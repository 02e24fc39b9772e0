import json
import time
from dataclasses import asdict
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from engine.corners import coverage_of
from engine.edits import EditInputs, RetargetEdit
from engine.engine import Engine
from engine.errors import MaskError, OutOfMemoryError, PictureError, WeightsError
from engine.host import EngineHost
from engine.host_events import Done
from engine.patches.reduction import LIMIT_PX
from engine.pictures import PICTURE_KEY, picture_sha256
from engine.pipelines import retarget
from engine.pipelines.exchange import Demand
from engine.progress import Cancelled
from engine.weightfile import WeightFile, write_weights
from engine.weights import WeightsStore
from models.registry import family_spec
from models.retarget.network import RetargetGenerator
from models.retarget.options import RetargetOptions

LAYOUTS = {"L": (), "LA": (2,), "RGB": (3,), "RGBA": (4,)}
TRAPEZIUM = ((20, 10), (100, 10), (116, 74), (10, 70))


def scene(h=48, w=64, channels=(3,), kind=np.uint8, seed=0):
    rng = np.random.default_rng(seed)
    return rng.integers(0, np.iinfo(kind).max + 1, (h, w, *channels), dtype=kind)


def edit_of(h=40, w=96, **more):
    return RetargetEdit(target_size_hw=(h, w), **more)


class NoWeights:
    """Whoever looks for weights here is wrong."""

    def resolve(self, name, family, *, picture=""):
        raise AssertionError(f"weights '{name}' of {family} were looked for")


@pytest.fixture
def engine():
    return Engine(device="cpu", weights=NoWeights())


@pytest.fixture
def calls(monkeypatch):
    """A stand-in for the search: takes pixels from a field that turns the picture round; keeps what it was given."""
    found = []

    def remake(image, target_size_hw, **given):
        found.append(SimpleNamespace(image=image, size_hw=target_size_hw, **given))
        h, w = target_size_hw
        y, x = np.mgrid[:h, :w]
        field = np.stack([image.shape[1] - 1 - x % image.shape[1], y % image.shape[0]], axis=-1).astype(
            np.int32
        )
        novelty = np.broadcast_to(np.linspace(0, 1, w, dtype=np.float32), (h, w))
        return SimpleNamespace(image=image[field[..., 1], field[..., 0]], field_xy=field, novelty=novelty)

    monkeypatch.setattr(retarget, "remake", remake)
    return found


@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_layout_keeps_its_depth_and_takes_its_transparency_along(engine, calls, layout, kind):
    image = scene(channels=LAYOUTS[layout], kind=kind)
    result = engine.run(edit_of(), EditInputs(image)).image
    assert (result.shape, result.dtype) == ((40, 96, *LAYOUTS[layout]), kind)
    y, x = np.mgrid[:40, :96]
    assert np.array_equal(result, image[y % 48, 63 - x % 64])


@pytest.mark.parametrize("layout", LAYOUTS)
def test_corners_give_a_result_that_ends_at_them(engine, calls, layout):
    image = scene(channels=LAYOUTS[layout])
    if layout in ("LA", "RGBA"):
        image[..., -1] = 255
    result = engine.run(RetargetEdit(corners_xy=TRAPEZIUM), EditInputs(image)).image
    assert result.shape == (64, 106, 2 if layout in ("L", "LA") else 4)
    alpha = result[..., -1]
    assert alpha[0, 0] == alpha[-1, 0] == alpha[0, -1] == 0
    assert alpha[20:50, 20:80].min() == 255
    assert calls[0].corners_xy == ((10, 0), (90, 0), (106, 64), (0, 60))
    assert calls[0].size_hw == (64, 106)


def test_what_was_asked_reaches_the_search(engine, calls):
    lock = np.zeros((48, 64), np.uint8)
    lock[4:9, 4:9] = 255
    edit = edit_of(seed=7, quality="fast", completeness=0.25)
    engine.run(edit, EditInputs(scene(), lock=lock))
    given = calls[0]
    assert (given.seed, given.completeness, given.corners_xy) == (7, 0.25, None)
    assert given.image.dtype == np.float32
    assert np.array_equal(given.lock, lock > 0)
    engine.run(edit, EditInputs(scene(), lock=np.zeros((48, 64), bool)))
    assert calls[1].lock is None


def test_the_same_size_is_remade_all_the_same(engine, calls):
    engine.run(edit_of(48, 64), EditInputs(scene()))
    assert len(calls) == 1


def test_the_report_is_plain_and_names_the_whole_result_as_changed(engine, calls):
    result = engine.run(edit_of(), EditInputs(scene()))
    report = json.loads(json.dumps(result.report))
    assert (report["family"], report["weights"], report["notes"]) == ("retarget", None, [])
    (crop,) = report["crops"]
    assert crop["hole"] == crop["frame"] == [0, 0, 96, 40]
    assert result.edges is None
    assert (result.novelty.dtype, result.novelty.shape) == (np.uint8, (40, 96))
    assert (result.novelty[0, 0], result.novelty[0, -1]) == (0, 255)


def test_a_lock_over_everything_is_refused(engine, calls):
    words = (
        "lock: expected a part of the picture left unlocked, got everything locked; nothing is left to remake"
    )
    with pytest.raises(MaskError, match=words):
        engine.run(edit_of(), EditInputs(scene(), lock=np.ones((48, 64), bool)))


def test_a_lock_out_of_range_is_refused(engine, calls):
    with pytest.raises(MaskError, match=r"lock: expected values in \[0, 1\]"):
        engine.run(edit_of(), EditInputs(scene(), lock=np.full((48, 64), 2, np.float32)))


@pytest.mark.parametrize(
    ("size", "words"),
    [
        (
            (31, 64),
            "image: expected a picture with sides from 32 to 12000 px, got 64x31 px; there is too little",
        ),
        ((40, 12001), "image: expected a picture .* 32 to 12000 px, got 12001x40 px; make it smaller first"),
        ((12000, 10001), "image: expected a picture of at most 120 megapixels, got 10001x12000 px; make it"),
    ],
)
@pytest.mark.parametrize("method", ["instant", "learned"])
def test_pictures_beyond_the_limits_are_refused_before_anything_is_loaded(engine, size, words, method):
    with pytest.raises(PictureError, match=words):
        engine.run(edit_of(method=method), EditInputs(np.zeros(size, np.uint8)))


def test_a_search_without_memory_ends_in_words(engine, monkeypatch):
    def remake(*_, **__):
        raise MemoryError("std::bad_alloc")

    monkeypatch.setattr(retarget, "remake", remake)
    with pytest.raises(
        OutOfMemoryError, match="retarget: expected enough memory .*smaller picture, hole or result"
    ):
        engine.run(edit_of(), EditInputs(scene()))


def test_instant_needs_no_networks_and_one_size():
    found = retarget.demand(edit_of(40, 96), EditInputs(scene()))
    assert found == Demand(62, has_networks=False, is_fixed=True)


def test_learned_without_a_name_asks_for_what_learned_the_picture():
    inputs = EditInputs(scene())
    name = picture_sha256(inputs.image)
    assert retarget.demand(edit_of(method="learned"), inputs).picture == name
    assert retarget.demand(edit_of(method="learned", weights="wall"), inputs).picture == ""
    assert retarget.demand(edit_of(), inputs).picture == ""


@pytest.mark.parametrize(("quality", "searched"), [("exact", 1 << 20), ("fast", 640 * 640)])
def test_a_large_picture_is_searched_as_a_small_copy(engine, calls, quality, searched):
    image = scene(1500, 2000)
    result = engine.run(edit_of(1500, 3000, quality=quality), EditInputs(image))
    h, w = calls[0].size_hw
    assert 0.95 * searched <= h * w <= 1.05 * searched
    assert result.image.shape == (1500, 3000, 3)
    assert result.novelty.shape == (1500, 3000)
    (crop,) = result.report["crops"]
    assert (crop["source_hw"], crop["levels_hw"]) == ([1500, 2000], [[1500, 3000]])


@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_large_picture_is_made_of_its_own_pixels(engine, monkeypatch, layout, kind):
    """The whole way, with the real search; the same shape is the same picture, bit for bit."""
    monkeypatch.setitem(LIMIT_PX, "exact", 40 * 48)
    image = scene(120, 150, LAYOUTS[layout], kind)
    result = engine.run(edit_of(120, 150), EditInputs(image))
    assert (result.image.dtype, result.image.shape) == (image.dtype, image.shape)
    assert (result.image == image).mean() > 0.9


def test_a_large_lock_comes_back_bit_for_bit_and_once(engine, monkeypatch):
    monkeypatch.setitem(LIMIT_PX, "exact", 40 * 48)
    image = scene(120, 150)
    lock = np.zeros((120, 150), np.uint8)
    lock[31:61, 42:73] = 200
    for edit in (edit_of(125, 250), RetargetEdit(corners_xy=((0, 0), (220, 4), (220, 140), (8, 132)))):
        made = engine.run(edit, EditInputs(image, lock=lock)).image[..., :3]
        windows = np.lib.stride_tricks.sliding_window_view(made[..., 0], (30, 31))
        assert (windows == image[31:61, 42:73, 0]).all(axis=(2, 3)).sum() == 1


def test_large_corners_end_sharply_and_show_the_picture_up_to_them(engine, monkeypatch):
    monkeypatch.setitem(LIMIT_PX, "exact", 40 * 48)
    image = np.full((120, 150, 3), 200, np.uint8)
    image[:20, :20] = 0
    corners = ((0, 40), (200, 0), (220, 140), (30, 160))
    made = engine.run(RetargetEdit(corners_xy=corners), EditInputs(image)).image
    inside = coverage_of(corners, range(160), 220)
    assert np.array_equal(made[..., 3], np.rint(255 * inside))
    assert (made[inside == 0] == 0).all()
    rim = (inside > 0) & (inside < 1) & (np.arange(220) > 60)
    assert (made[rim][:, :3] == 200).all(), "nothing from elsewhere along the sides"


def test_a_texture_is_remade_from_its_own_pixels(engine):
    """The whole way, with the real search: no colour that was not there, more of the same pattern."""
    y, x = np.mgrid[:40, :40]
    image = np.where(((x // 5 + y // 5) % 2)[..., None], (200, 40, 40), (30, 30, 120)).astype(np.uint8)
    shares = []
    result = engine.run(edit_of(40, 72), EditInputs(image), progress=lambda step: shares.append(step.share))
    assert result.image.shape == (40, 72, 3)
    near = (
        np.abs(result.image[:, :, None].astype(int) - np.unique(image.reshape(-1, 3), axis=0))
        .sum(axis=-1)
        .min(axis=-1)
    )
    assert (near < 30).mean() > 0.8
    assert shares == sorted(shares)
    assert shares[-1] == 1
    again = engine.run(edit_of(40, 72), EditInputs(image))
    assert np.array_equal(again.image, result.image)


def test_a_search_stops_when_asked(engine):
    asked = []

    def is_cancelled():
        asked.append(True)
        return len(asked) > 3

    with pytest.raises(Cancelled):
        engine.run(edit_of(64, 64), EditInputs(scene()), is_cancelled=is_cancelled)


def test_a_process_of_its_own_takes_the_lock_and_gives_the_map_back(engine):
    lock = np.zeros((48, 64), np.uint8)
    lock[10:30, 10:30] = 255
    inputs = EditInputs(scene(), lock=lock)
    with EngineHost(device="cpu") as host:
        host.submit(edit_of(), inputs)
        events = []
        until = time.monotonic() + 60
        while not any(isinstance(event, Done) for event in events) and time.monotonic() < until:
            events += host.poll(0.2)
    (reply,) = [event.reply for event in events if isinstance(event, Done)]
    here = engine.run(edit_of(), inputs)
    whole = np.zeros((*reply.size_hw, 3), np.uint8)
    reply.paste_into(whole)
    assert np.array_equal(whole, here.image)
    assert np.array_equal(reply.plane_in("novelty", (0, 0, 96, 40)), here.novelty)
    assert np.array_equal(reply.novelty[0].pixels, here.novelty)


# Learned ------------------------------------------------------------------------------------------------------------


def write_learned(path, *, learned_from=None, seed=0, **size):
    """Networks that answer something else than grey, as a weights file."""
    options = RetargetOptions(**{"width": 4, "depth": 1, "downscales": 3, "scales": 1, **size})
    generator = torch.Generator().manual_seed(seed)
    state = {}
    for key, value in family_spec("retarget").build(options).state_dict().items():
        scale = (2 / value[0].numel()) ** 0.5 if value.ndim == 4 else 0.1
        state[key] = torch.randn(value.shape, generator=generator) * scale
    metadata = {} if learned_from is None else {PICTURE_KEY: picture_sha256(learned_from)}
    write_weights(path, WeightFile("retarget", asdict(options), state, metadata))
    return path


@pytest.fixture
def learned(tmp_path):
    """An engine, and the edit that names weights learned on `scene`."""
    path = write_learned(tmp_path / "mine.safetensors", learned_from=scene())
    store = WeightsStore(shipped=tmp_path / "none", user=tmp_path / "user")
    return SimpleNamespace(engine=Engine(device="cpu", weights=store), path=path, name=str(path))


def learned_edit(learned, h=40, w=96, **more):
    shape = {} if "corners_xy" in more else {"target_size_hw": (h, w)}
    return RetargetEdit(method="learned", weights=learned.name, **shape, **more)


@pytest.mark.parametrize("size_hw", [(40, 96), (33, 67), (48, 64), (32, 150)])
def test_learned_gives_any_size_and_says_nothing_of_its_own_picture(learned, size_hw):
    result = learned.engine.run(learned_edit(learned, *size_hw), EditInputs(scene()))
    assert result.image.shape == (*size_hw, 3)
    assert result.image.std() > 5
    assert result.novelty is None
    assert result.report["notes"] == []
    assert result.report["weights"]["name"] == "mine.safetensors"
    again = learned.engine.run(learned_edit(learned, *size_hw), EditInputs(scene()))
    assert np.array_equal(again.image, result.image)


@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_learned_keeps_layout_and_depth(learned, layout, kind):
    image = scene(channels=LAYOUTS[layout], kind=kind)
    plain = learned.engine.run(learned_edit(learned), EditInputs(image)).image
    assert (plain.shape, plain.dtype) == ((40, 96, *LAYOUTS[layout]), kind)
    shaped = learned.engine.run(learned_edit(learned, corners_xy=TRAPEZIUM), EditInputs(image)).image
    assert (shaped.shape, shaped.dtype) == ((64, 106, 2 if layout in ("L", "LA") else 4), kind)
    assert shaped[0, 0, -1] == 0


def test_learned_draws_transparency_out_with_the_picture(learned):
    image = scene(channels=(4,))
    image[..., 3] = 0
    image[:, 32:, 3] = 255
    alpha = learned.engine.run(learned_edit(learned, 48, 128), EditInputs(image)).image[..., 3]
    assert not alpha[:, :62].any()
    assert (alpha[:, 66:] == 255).all()


def test_weights_learned_on_another_picture_are_used_and_it_is_said(learned):
    result = learned.engine.run(learned_edit(learned), EditInputs(scene(seed=1)))
    assert result.report["notes"] == [
        "these weights were learned on another picture: they will paint that one"
    ]


def test_weights_that_do_not_say_what_they_learned_say_nothing(learned):
    write_learned(learned.path)
    assert learned.engine.run(learned_edit(learned), EditInputs(scene(seed=1))).report["notes"] == []


def test_learned_says_that_it_does_not_look_at_a_lock(learned):
    lock = np.zeros((48, 64), bool)
    lock[3, 4] = True
    notes = learned.engine.run(learned_edit(learned), EditInputs(scene(), lock=lock)).report["notes"]
    assert notes == [retarget.LOCK_NOTE]


def test_weights_of_another_family_are_refused(learned, small_weights):
    edit = learned_edit(learned).model_copy(update={"weights": str(small_weights)})
    with pytest.raises(WeightsError, match="small.safetensors"):
        learned.engine.run(edit, EditInputs(scene()))


def test_without_weights_it_is_said_how_to_get_some(learned):
    edit = learned_edit(learned).model_copy(update={"weights": ""})
    with pytest.raises(
        WeightsError, match="weights: expected some that learned this picture, got none; learn it first"
    ):
        learned.engine.run(edit, EditInputs(scene()))


def test_short_of_memory_the_picture_is_remade_smaller_and_enlarged(learned, monkeypatch):
    image, sizes = scene(160, 240), []
    plain = RetargetGenerator.forward

    def forward(self, image, size_hw=None, **more):
        sizes.append(size_hw)
        if len(sizes) == 1:
            raise torch.OutOfMemoryError("out of memory")
        return plain(self, image, size_hw, **more)

    monkeypatch.setattr(RetargetGenerator, "forward", forward)
    result = learned.engine.run(learned_edit(learned, 160, 400), EditInputs(image))
    assert result.image.shape == (160, 400, 3)
    assert sizes[1][0] * sizes[1][1] < sizes[0][0] * sizes[0][1] / 2
    words = " ".join(result.report["notes"])
    assert "out of memory on cpu with a working size of 253 px" in words
    assert "remade at 202x81 px and enlarged: memory is short" in words


# The published routine ------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def official(parity, tmp_path_factory):
    """An engine and the published layout's seeded weights, imported."""
    spec = family_spec("retarget")
    name = "checkpoint_0075000.pth.tar"
    state = spec.import_official({name: parity.official_file("ingan", name)})
    path = tmp_path_factory.mktemp("official") / "official.safetensors"
    write_weights(path, WeightFile("retarget", asdict(spec.options_from_state(state)), state))
    return SimpleNamespace(engine=Engine(device="cpu"), name=str(path), state=state)


@pytest.mark.parametrize(("case", "size_hw"), [("same", (64, 72)), ("larger", (88, 112))])
def test_an_official_match_equals_the_published_routine(official, parity, case, size_hw):
    """With sixteen bits, so that rounding the picture does not hide a difference; a level is 257 of them."""
    picture = parity.array("ingan/generator/picture", (1, 3, 64, 72)).numpy()[0].transpose(1, 2, 0)
    image = np.rint((picture + 1) / 2 * 65535).astype(np.uint16)
    edit = learned_edit(official, *size_hw, is_official_match=True)
    expected = (parity.cases("ingan")[f"generator/{case}"][0].transpose(1, 2, 0) + 1) / 2
    for _ in range(2):  # a pass moves the networks: each job has its own
        result = official.engine.run(edit, EditInputs(image))
        assert np.abs(result.image / 65535 - expected).max() < 0.5 / 255
    assert official.engine.resident_count == 0


@pytest.mark.parametrize(
    ("source_hw", "size_hw"), [((8, 8), (16, 16)), ((8, 24), (16, 24)), ((15, 40), (31, 64))]
)
def test_an_official_match_takes_every_multiple_of_eight(official, source_hw, size_hw):
    edit = learned_edit(official, *size_hw, is_official_match=True)
    result = official.engine.run(edit, EditInputs(scene(*source_hw))).image
    assert result.shape == (size_hw[0] // 8 * 8, size_hw[1] // 8 * 8, 3)


def test_a_picture_below_what_the_published_routine_takes_is_refused(official):
    edit = learned_edit(official, 64, 64, is_official_match=True)
    with pytest.raises(
        PictureError, match="image: expected a picture with sides from 8 to 12000 px, got 24x7 px"
    ):
        official.engine.run(edit, EditInputs(scene(7, 24)))


def test_an_official_match_cuts_both_sizes_and_rounds_to_the_nearest(official):
    image = scene(61, 75)
    edit = learned_edit(official, 47, 85, is_official_match=True)
    result = official.engine.run(edit, EditInputs(image)).image
    networks = family_spec("retarget").load(official.state, as_published=True)
    x = torch.from_numpy(image[:56, :72].astype(np.float32) / 255).permute(2, 0, 1)[None]
    with torch.no_grad():
        answer = networks["generator"](x, (40, 80))[0].permute(1, 2, 0).numpy()
    difference = np.abs(np.round(answer * 255) - result)
    assert result.shape == (40, 80, 3)
    assert difference.max() <= 1
    assert (difference == 0).mean() > 0.99


def test_folded_weights_cannot_match_the_published_routine(learned):
    with pytest.raises(WeightsError, match="these weights are folded"):
        learned.engine.run(learned_edit(learned, is_official_match=True), EditInputs(scene()))
