"""Measure a family on pictures nobody trained on: one door, one table, one report.

`evaluate` runs a family against its baselines and answers an `Evaluation`; `write_report` saves it. The door and the
table are the same for every family; what is run and measured is in the family's own file (inpaint.py), listed in
families.py. Measures that several families share are in measures.py.
"""

from engine.evaluation.families import EVALUATED_FAMILIES, evaluate
from engine.evaluation.options import PATHS, PROTOCOLS, EvaluateOptions
from engine.evaluation.report import markdown_table, write_report
from engine.evaluation.table import Evaluation, Figure, Measure, Method, Row, Skipped

__all__ = [
    "EVALUATED_FAMILIES",
    "PATHS",
    "PROTOCOLS",
    "EvaluateOptions",
    "Evaluation",
    "Figure",
    "Measure",
    "Method",
    "Row",
    "Skipped",
    "evaluate",
    "markdown_table",
    "write_report",
]
