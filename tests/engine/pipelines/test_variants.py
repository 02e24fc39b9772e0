import numpy as np
import pytest

from engine.edits import EditInputs, InpaintEdit
from engine.pipelines.variants import Variant, weighed


def scene(h=72, w=88, seed=0):
    """Areas, an edge and some noise; sides that are no multiple of 4 matter where a crop is transposed and padded."""
    y, x = np.mgrid[:h, :w].astype(np.float32)
    picture = np.stack([x / w, y / h, np.where(x > w / 2, 0.8, 0.2)], axis=-1)
    noise = np.random.default_rng(seed).normal(0, 0.05, picture.shape)
    return np.rint((picture + noise).clip(0, 1) * 255).astype(np.uint8)


def holed(h=72, w=88):
    mask = np.zeros((h, w), np.uint8)
    mask[30:50, 34:60] = 255
    return EditInputs(scene(h, w), mask)


class Counter:
    def __init__(self, call):
        self.call = call
        self.interrupt = call.interrupt
        self.count = 0

    def __call__(self, *planes):
        self.count += 1
        return self.call(*planes)


def counted(engine, name):
    """Count the calls of a loaded network."""
    (resident,) = engine._residents._things.values()
    counter = Counter(resident.calls[name])
    resident.calls[name] = counter
    return counter


# The seed -------------------------------------------------------------------------------------------------------------


def test_seed_zero_asks_plainly():
    variant = Variant.of(0, edge_sigma=2.5, edge_sensitivity=0.3)
    assert variant == Variant(2.5, 0.3)
    plane = np.arange(6.0).reshape(2, 3)
    assert variant.shown(plane) is plane


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("shape", [(2, 3), (3, 2, 3)])
def test_an_answer_is_turned_back_as_the_question_was_turned(seed, shape):
    variant = Variant.of(seed, edge_sigma=2, edge_sensitivity=0.5)
    plane = np.arange(np.prod(shape)).reshape(shape)
    assert np.array_equal(variant.turned_back(variant.shown(plane)), plane)


def test_any_seven_seeds_in_a_row_turn_the_crop_in_seven_ways():
    tags = [Variant.of(seed, edge_sigma=2, edge_sensitivity=0.5).tag for seed in range(5, 12)]
    assert len(set(tags)) == 7
    assert "000" not in tags


def test_the_amounts_stay_near_what_was_asked():
    for seed in range(1, 200):
        variant = Variant.of(seed, edge_sigma=2, edge_sensitivity=0.5)
        assert 2 / 2**0.5 <= variant.edge_sigma <= 2 * 2**0.5
        assert 0.18 < variant.edge_sensitivity < 0.82
    assert Variant.of(9, edge_sigma=16, edge_sensitivity=0.5).edge_sigma <= 16


@pytest.mark.parametrize("limit", [0.0, 1.0])
def test_none_and_all_of_the_edges_are_not_drawn_around(limit):
    assert Variant.of(3, edge_sigma=2, edge_sensitivity=limit).edge_sensitivity == limit


def test_a_seed_draws_the_same_everywhere():
    variant = Variant.of(12345, edge_sigma=2, edge_sensitivity=0.5)
    assert variant.edge_sigma == pytest.approx(2.788623084, abs=1e-9)
    assert variant.edge_sensitivity == pytest.approx(0.635182374, abs=1e-9)


@pytest.mark.parametrize("size", [(72, 88), (71, 87)])
def test_another_seed_gives_another_answer_and_each_the_same_one(engine, size):
    inputs = holed(*size)
    answers = [engine.run(InpaintEdit(seed=seed), inputs) for seed in range(8)]
    hole = inputs.mask > 0
    for place, answer in enumerate(answers):
        assert answer.report["seed"] == place
        assert np.array_equal(answer.image[~hole], inputs.image[~hole])
        for other in answers[:place]:
            assert np.abs(answer.image[hole].astype(int) - other.image[hole]).mean() > 0.3
    engine.close()
    again = engine.run(InpaintEdit(seed=5), inputs)
    assert np.array_equal(again.image, answers[5].image)
    assert np.array_equal(again.edges, answers[5].edges)


def test_a_seed_counts_in_windows_too(engine):
    mask = np.zeros((200, 180), np.uint8)
    mask[40:160, 40:140] = 255
    inputs = EditInputs(scene(200, 180), mask)
    plain, other = (engine.run(InpaintEdit(seed=seed, working_size_px=64), inputs) for seed in (0, 4))
    assert plain.report["crops"][0]["windows"] > 4
    assert np.abs(plain.image.astype(int) - other.image)[mask > 0].mean() > 0.3


def test_an_official_match_has_one_answer(engine):
    inputs = holed()
    plain = engine.run(InpaintEdit(is_official_match=True), inputs)
    other = engine.run(InpaintEdit(is_official_match=True, seed=7, edge_sensitivity=0.9), inputs)
    assert np.array_equal(plain.image, other.image)
    assert other.report["seed"] == 0


# Sensitivity ----------------------------------------------------------------------------------------------------------


def test_sensitivity_multiplies_the_odds():
    edges = np.array([0.0, 0.2, 0.5, 0.9, 1.0], np.float32)
    odds = 0.8 / 0.2
    wanted = [0.0, 0.2 * odds / (0.8 + 0.2 * odds), odds / (1 + odds), 0.9 * odds / (0.1 + 0.9 * odds), 1.0]
    assert weighed(edges, 0.8) == pytest.approx(wanted, abs=1e-6)
    assert weighed(weighed(edges, 0.8), 0.2) == pytest.approx(edges, abs=1e-6)


def test_the_ends_of_the_range_are_none_and_all_that_can_be():
    edges = np.array([0.0, 1e-6, 0.5, 1.0], np.float32)
    assert weighed(edges, 0.0).tolist() == [0, 0, 0, 0]
    assert weighed(edges, 1.0).tolist() == [0, 1, 1, 1]


def test_the_middle_of_the_range_keeps_every_bit():
    edges = np.random.default_rng(0).random((9, 9), dtype=np.float32)
    assert weighed(edges, 0.5) is edges


def test_more_sensitivity_gives_more_edges_in_the_hole_alone(engine):
    inputs = holed()
    hole = inputs.mask > 0
    maps = [engine.run(InpaintEdit(edge_sensitivity=s), inputs).edges for s in (0.0, 0.2, 0.5, 0.8, 1.0)]
    sums = [int(edges[hole].sum()) for edges in maps]
    assert sums == sorted(set(sums))
    assert sums[0] == 0
    for edges in maps:
        assert np.array_equal(edges[~hole], maps[0][~hole])


def test_sensitivity_and_drawn_edges_do_not_ask_the_edge_network_again(engine):
    inputs = holed()
    engine.run(InpaintEdit(), inputs)
    edges, fill = counted(engine, "edges"), counted(engine, "fill")
    line = np.zeros(inputs.size_hw, np.uint8)
    line[40, 30:64] = 255
    for sensitivity in (0.1, 0.5, 0.9):
        for drawn in (None, line):
            engine.run(
                InpaintEdit(edge_sensitivity=sensitivity), EditInputs(inputs.image, inputs.mask, drawn)
            )
    assert (edges.count, fill.count) == (0, 6)


def test_a_turned_crop_is_another_question(engine):
    engine.run(InpaintEdit(), holed())
    edges = counted(engine, "edges")
    engine.run(InpaintEdit(seed=1), holed())
    engine.run(InpaintEdit(seed=1, edge_sensitivity=0.7), holed())
    assert edges.count == 1


# Previews -------------------------------------------------------------------------------------------------------------


def test_a_preview_says_where_it_belongs(engine):
    mask = np.zeros((300, 400), np.uint8)
    mask[200:220, 300:330] = 255
    seen = []
    result = engine.run(InpaintEdit(), EditInputs(scene(300, 400), mask), progress=seen.append)
    (shown,) = [step for step in seen if step.preview is not None]
    x0, y0, x1, y1 = result.report["crops"][0]["frame"]
    assert shown.box_xyxy == (x0, y0, x1, y1)
    assert shown.preview.shape == (y1 - y0, x1 - x0, 3)


def test_previews_of_windows_lie_in_their_crop(engine):
    mask = np.zeros((300, 400), np.uint8)
    mask[150:290, 200:390] = 255
    seen = []
    result = engine.run(
        InpaintEdit(working_size_px=64), EditInputs(scene(300, 400), mask), progress=seen.append
    )
    frame = result.report["crops"][0]["frame"]
    boxes = [step.box_xyxy for step in seen if step.preview is not None]
    assert len(boxes) == 1 + result.report["crops"][0]["windows"]
    for x0, y0, x1, y1 in boxes:
        assert frame[0] <= x0 < x1 <= frame[2]
        assert frame[1] <= y0 < y1 <= frame[3]
    assert len({box[2] - box[0] for box in boxes}) > 1
