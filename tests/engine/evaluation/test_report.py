import base64
import html
import io
import json
import re
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from engine.errors import EvaluationError
from engine.evaluation import Evaluation, Figure, Measure, Method, Row, Skipped, markdown_table, write_report
from engine.evaluation.report import check_report_name, html_report


@pytest.fixture
def evaluation():
    rng = np.random.default_rng(0)
    panels = {
        "input": rng.integers(0, 256, (300, 400, 3), np.uint8),
        "edges": rng.integers(0, 256, (300, 400), np.uint8),
    }
    values = iter(np.arange(1, 100) / 37)
    return Evaluation(
        family="inpaint",
        protocol="house",
        measures=(
            Measure("l1", "L1", False, 4, "a difference"),
            Measure("psnr", "PSNR dB", True, 2, "a ratio"),
            Measure("fid", "FID", False),
        ),
        methods=(Method("ours", "ours <b>", "product"), Method("telea", "Telea", "baseline")),
        rows=tuple(
            Row(method, name, 7, {"l1": next(values), "psnr": next(values), "fid": None})
            for method in ("ours", "telea")
            for name in ("10-20", "10-40", "all")
        ),
        pictures=7,
        skipped=(Skipped("bad & <broken>.png", "no picture"),),
        settings={"seed": 3, "weights": {"name": "starter", "sha256": "0123456789abcdef"}, "data": ["x.tar"]},
        notes=("A note.",),
        figures=(Figure("one.png", panels), Figure("two.png", panels)),
    )


def test_html_holds_every_number_that_has_a_column(evaluation):
    page = html_report(evaluation)
    for row in evaluation.rows:
        assert f">{row.values['l1']:.4f}</td>" in page
        assert f">{row.values['psnr']:.2f}</td>" in page
    assert page.count("<tr") == 3 * (1 + 2)
    assert "<th>FID" not in page


def test_html_names_some_of_what_is_left_out_and_counts_the_rest(evaluation):
    skipped = tuple(Skipped(f"{number:04d}.png", "no picture") for number in range(3000))
    page = html_report(replace(evaluation, skipped=skipped))
    assert len(re.findall(r"\b\d{4}\.png", page)) == 20
    assert "2980 more" in page


def test_html_escapes_what_comes_from_outside(evaluation):
    page = html_report(evaluation)
    assert "ours <b>" not in page
    assert html.escape("bad & <broken>.png") in page


def test_html_needs_nothing_from_elsewhere(evaluation):
    page = html_report(evaluation)
    assert "<script" not in page
    assert not re.search(r'(src|href)="(?!data:image/jpeg;base64,)', page)
    assert "http" not in page


def test_contact_sheet_has_every_panel_as_a_small_jpeg(evaluation):
    coded = re.findall(r'src="data:image/jpeg;base64,([^"]+)"', html_report(evaluation))
    assert len(coded) == 4
    for item in coded:
        picture = Image.open(io.BytesIO(base64.b64decode(item)))
        assert picture.format == "JPEG"
        assert picture.size == (256, 192)


def test_best_value_of_a_column_is_marked(evaluation):
    page = html_report(evaluation)
    table = page[page.index("Mask 10-40") : page.index("</table>")]
    best = [evaluation.row("ours", "10-40").values["l1"], evaluation.row("telea", "10-40").values["psnr"]]
    assert re.findall(r'class="best">([^<]+)', table) == [f"{best[0]:.4f}", f"{best[1]:.2f}"]


def test_markdown_table_has_a_line_a_method_and_no_empty_column(evaluation):
    lines = markdown_table(evaluation, "all").splitlines()
    assert lines[0] == "| method | L1 ↓ | PSNR dB ↑ |"
    assert lines[1] == "|---|---:|---:|"
    assert len(lines) == 4
    assert f"**{evaluation.row('ours', 'all').values['l1']:.4f}**" in lines[2]
    assert f"**{evaluation.row('telea', 'all').values['psnr']:.2f}**" in lines[3]


def test_markdown_of_everything_names_each_bin(evaluation):
    text = markdown_table(evaluation)
    for title in ("Mask 10-20 % of the frame", "Mask 10-40 % of the frame", "Mask of any size"):
        assert title in text
    assert text.count("| Telea |") == 3


@pytest.mark.parametrize("suffix", [".json", ".html", ".md", ".HTML"])
def test_report_is_written_by_its_ending(evaluation, tmp_path, suffix):
    path = tmp_path / f"report{suffix}"
    write_report(evaluation, path)
    text = path.read_text()
    if suffix == ".json":
        assert json.loads(text) == evaluation.as_json()
    assert "starter" in text
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


def test_unknown_ending_is_refused(evaluation, tmp_path):
    with pytest.raises(EvaluationError) as caught:
        check_report_name("report.pdf")
    assert str(caught.value) == (
        "report.pdf: expected a name ending in .json, .html, .md, got .pdf; rename the report"
    )
    with pytest.raises(EvaluationError, match="got no ending"):
        write_report(evaluation, tmp_path / "report")


def test_report_into_a_missing_folder_is_an_error_in_words(evaluation, tmp_path):
    with pytest.raises(EvaluationError, match="expected a folder that exists, got no such folder"):
        write_report(evaluation, tmp_path / "gone" / "report.json")
