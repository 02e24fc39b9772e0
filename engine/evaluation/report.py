"""Write an evaluation down: JSON for programs, one HTML file for people, Markdown for a README.

The HTML stands alone: no script, no font, no picture from elsewhere; the contact sheet is in it as JPEG.
"""

import base64
import html
import io
import json
import math
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from engine.atomic import write_atomically
from engine.errors import EvaluationError
from engine.evaluation.table import Evaluation, Figure, Measure, shown

REPORT_SUFFIXES = (".json", ".html", ".md")
JPEG_QUALITY = 88
"""Twenty lines of five 256-px pictures come to about 1.5 MB."""
PANEL_PX = 256
"""Larger panels are shrunk to this side in the contact sheet."""

_NAMED_LIMIT = 20  # pictures left out that an HTML report names; JSON names all


def write_report(evaluation: Evaluation, path: str | Path) -> None:
    """Write a report of the kind the file name asks for, whole or not at all.

    Args:
        evaluation: what was measured.
        path: ends in ``.json``, ``.html`` or ``.md``.

    Raises:
        EvaluationError: if the name ends otherwise or the file cannot be written.
    """
    suffix = check_report_name(path)
    if suffix == ".json":
        text = json.dumps(evaluation.as_json(), indent=2, allow_nan=False) + "\n"
    elif suffix == ".html":
        text = html_report(evaluation)
    else:
        text = "\n\n".join(_markdown_sections(evaluation)) + "\n"
    write_atomically(path, lambda file: file.write(text.encode()), error_type=EvaluationError)


def check_report_name(path: str | Path) -> str:
    """The suffix that says which report is wanted, lower case; to be asked before the work starts.

    Raises:
        EvaluationError: if it is none of `REPORT_SUFFIXES`.
    """
    suffix = Path(path).suffix.lower()
    if suffix not in REPORT_SUFFIXES:
        known = ", ".join(REPORT_SUFFIXES)
        raise EvaluationError(path, f"a name ending in {known}", suffix or "no ending", "rename the report")
    return suffix


def markdown_table(evaluation: Evaluation, bin_name: str = "") -> str:
    """The numbers as Markdown: a line a method, the best value of each column in bold.

    Args:
        evaluation: what was measured.
        bin_name: that bin alone; empty = every bin, each under a line that names it.

    Raises:
        KeyError: if there is no such bin.
    """
    if not bin_name:
        return "\n\n".join(
            f"{evaluation.bin_title(n)}\n\n{markdown_table(evaluation, n)}" for n in evaluation.bins()
        )
    columns = _filled_columns(evaluation)
    rows = [(method, evaluation.row(method.key, bin_name).values) for method in evaluation.methods]
    heads = [f"{column.title} {'↑' if column.is_higher_better else '↓'}" for column in columns]
    lines = ["| method | " + " | ".join(heads) + " |", "|---" + "|---:" * len(columns) + "|"]
    best = [_best(column, [values.get(column.key) for _, values in rows]) for column in columns]
    for method, values in rows:
        cells = [_marked(values.get(c.key), c, top, "**", "**") for c, top in zip(columns, best, strict=True)]
        lines.append(f"| {method.title} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _markdown_sections(evaluation: Evaluation) -> list[str]:
    notes = "\n".join(f"- {note}" for note in evaluation.notes)
    return [_summary(evaluation), markdown_table(evaluation), notes]


def html_report(evaluation: Evaluation) -> str:
    """The whole report as one HTML page."""
    title = f"Evaluation of {evaluation.family}, {evaluation.protocol} protocol"
    parts = [
        f"<h1>{_text(title)}</h1>",
        f"<p>{_text(_summary(evaluation))}</p>",
        *(_bin_section(evaluation, name) for name in _wide_first(evaluation.bins())),
        _legend(evaluation),
        _settings_section(evaluation),
        _sheet(evaluation.figures),
    ]
    body = "\n".join(part for part in parts if part)
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{_text(title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n<main>\n{body}\n</main>\n"
        "</body>\n</html>\n"
    )


_STYLE = """
:root { color-scheme: light dark; --line: #d8d8d4; --soft: #6b6b66; --ours: #f3efe2; --page: #fdfdfb; --ink: #1d1d1b; }
@media (prefers-color-scheme: dark) {
  :root { --line: #3b3b38; --soft: #a0a09a; --ours: #2c2a22; --page: #171716; --ink: #ececE6; }
}
body { margin: 0; background: var(--page); color: var(--ink); font: 15px/1.5 system-ui, sans-serif; }
main { max-width: 1180px; margin: 0 auto; padding: 2rem 1.5rem 4rem; }
h1 { font-size: 1.6rem; line-height: 1.25; margin: 0 0 .5rem; }
h2 { font-size: 1.1rem; margin: 2.2rem 0 .6rem; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { padding: .35rem .7rem; text-align: right; border-bottom: 1px solid var(--line); white-space: nowrap; }
th { font-weight: 600; color: var(--soft); }
th:first-child, td:first-child { text-align: left; }
tbody th { color: inherit; }
tr.ours { background: var(--ours); }
td.best { font-weight: 700; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .2rem 1rem; }
dt { font-weight: 600; } dd { margin: 0; color: var(--soft); overflow-wrap: anywhere; }
.sheet { display: grid; gap: .4rem; overflow-x: auto; }
.sheet img { width: 100%; min-width: 120px; display: block; }
.line { display: grid; gap: .4rem; }
.line figure { margin: 0; }
figcaption { color: var(--soft); font-size: .8rem; }
.name { color: var(--soft); font-size: .85rem; margin: .8rem 0 0; }
"""


def _bin_section(evaluation: Evaluation, bin_name: str) -> str:
    columns = _filled_columns(evaluation)
    rows = [(method, evaluation.row(method.key, bin_name)) for method in evaluation.methods]
    best = [_best(column, [row.values.get(column.key) for _, row in rows]) for column in columns]
    heads = "".join(
        f'<th scope="col" title="{_text(c.text)}">{_text(c.title)} {"↑" if c.is_higher_better else "↓"}</th>'
        for c in columns
    )
    lines = []
    for method, row in rows:
        cells = "".join(
            _html_cell(row.values.get(c.key), c, top) for c, top in zip(columns, best, strict=True)
        )
        kind = ' class="ours"' if method.key == evaluation.methods[0].key else ""
        lines.append(
            f'<tr{kind}><th scope="row" title="{_text(method.text)}">{_text(method.title)}</th>{cells}</tr>'
        )
    results = max(row.count for _, row in rows)
    return (
        f"<h2>{_text(evaluation.bin_title(bin_name))} ({results} results a method)</h2>\n"
        f'<div class="scroll"><table>\n<thead><tr><th scope="col">method</th>{heads}</tr></thead>\n'
        f"<tbody>\n{chr(10).join(lines)}\n</tbody></table></div>"
    )


def _html_cell(value: float | None, column: Measure, best: str | None) -> str:
    text = shown(value, column.digits)
    return f'<td class="best">{text}</td>' if text == best else f"<td>{text}</td>"


def _legend(evaluation: Evaluation) -> str:
    entries = [(m.title, m.text) for m in _filled_columns(evaluation)]
    entries += [(m.title, f"{m.text} ({m.path})") for m in evaluation.methods]
    notes = "".join(f"<li>{_text(note)}</li>" for note in evaluation.notes)
    return f"<h2>What the words mean</h2>\n{_pairs(entries)}\n<ul>{notes}</ul>"


def _settings_section(evaluation: Evaluation) -> str:
    entries = [(key.replace("_", " "), _plain(value)) for key, value in evaluation.settings.items()]
    entries += [("pictures", str(evaluation.pictures)), ("skipped", str(len(evaluation.skipped)))]
    entries += [(item.name, item.reason) for item in evaluation.skipped[:_NAMED_LIMIT]]
    further = Counter(item.reason for item in evaluation.skipped[_NAMED_LIMIT:])
    entries += [(f"{number} more", reason) for reason, number in further.most_common(_NAMED_LIMIT)]
    entries.append(("seconds", f"{evaluation.seconds:.1f}"))
    return f"<h2>Settings</h2>\n{_pairs(entries)}"


def _sheet(figures: Sequence[Figure]) -> str:
    if not figures:
        return ""
    lines = []
    for figure in figures:
        panels = "".join(
            f'<figure><img alt="{_text(caption)} of {_text(figure.title)}" src="{_jpeg(panel)}">'
            f"<figcaption>{_text(caption)}</figcaption></figure>"
            for caption, panel in figure.panels.items()
        )
        columns = f"grid-template-columns: repeat({len(figure.panels)}, minmax(0, 1fr))"
        lines.append(
            f'<p class="name">{_text(figure.title)}</p><div class="line" style="{columns}">{panels}</div>'
        )
    return f'<h2>Results</h2>\n<div class="sheet">\n{chr(10).join(lines)}\n</div>'


def _jpeg(panel: NDArray[np.uint8]) -> str:
    image = Image.fromarray(panel)
    image.thumbnail((PANEL_PX, PANEL_PX), Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    image.convert("RGB").save(buffer, "JPEG", quality=JPEG_QUALITY)
    return "data:image/jpeg;base64," + base64.b64encode(buffer.getvalue()).decode()


def _summary(evaluation: Evaluation) -> str:
    skipped = f", {len(evaluation.skipped)} left out" if evaluation.skipped else ""
    weights = evaluation.settings.get("weights")
    named = (
        f"; weights {weights['name']} (sha256 {str(weights['sha256'])[:8]})"
        if isinstance(weights, dict)
        else ""
    )
    return f"{evaluation.pictures} pictures{skipped}{named}."


def _filled_columns(evaluation: Evaluation) -> list[Measure]:
    """Columns in which at least one row has a value."""
    return [
        m for m in evaluation.measures if any(row.values.get(m.key) is not None for row in evaluation.rows)
    ]


def _best(column: Measure, values: Sequence[float | None]) -> str | None:
    """The best value as it is shown, so that what looks equal is marked alike; None with nothing to compare."""
    known = [value for value in values if value is not None and not math.isnan(value)]
    if len(known) < 2:
        return None
    return shown(max(known) if column.is_higher_better else min(known), column.digits)


def _marked(value: float | None, column: Measure, best: str | None, before: str, after: str) -> str:
    text = shown(value, column.digits)
    return f"{before}{text}{after}" if text == best else text


def _wide_first(names: Sequence[str]) -> list[str]:
    """Merged bins first: they are what one looks for."""
    return sorted(names, key=lambda name: (name != "10-40", name != "all"))


def _pairs(entries: Sequence[tuple[str, str]]) -> str:
    return "<dl>" + "".join(f"<dt>{_text(k)}</dt><dd>{_text(v)}</dd>" for k, v in entries) + "</dl>"


def _plain(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} {item}" for key, item in value.items())
    if isinstance(value, (list, tuple)):
        return ", ".join(str(item) for item in value)
    return "none" if value is None or value == "" else str(value)


def _text(value: object) -> str:
    return html.escape(str(value), quote=True)
