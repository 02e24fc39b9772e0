"""Ours beside plain, in turns, in one run; a table of ratios at the end.

``make bench`` collects the files bench_*.py; ``make test`` does not. The table also goes to the file named by
PENTIMENTO_BENCH_JSON, if it is set. PENTIMENTO_BENCH_ROUNDS caps the rounds: 1 shows that everything runs.
"""

import importlib.util
import json
import os
import platform
import statistics
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from types import ModuleType

import pytest
import torch

HERE = Path(__file__).parent
JSON_VARIABLE = "PENTIMENTO_BENCH_JSON"
ROUNDS_VARIABLE = "PENTIMENTO_BENCH_ROUNDS"


@dataclass(frozen=True)
class Ratio:
    """One line of the table."""

    name: str
    beside: str
    """What ``other_s`` is the time of."""
    ours_s: float
    """Median of a round."""
    other_s: float
    """Median of a round."""
    ratio: float
    """Median over the rounds of other / ours: above 1, ours is quicker."""
    rounds: int
    note: str = ""


_ratios: list[Ratio] = []
_facts: list[tuple[str, str]] = []


@pytest.fixture(scope="session")
def plain() -> ModuleType:
    """The plain networks of plain.py."""
    spec = importlib.util.spec_from_file_location("benchmarks_plain", HERE / "plain.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def beside(benchmark, request):
    """Time ``ours`` and ``other`` in turns; rounds of both see the same noise of the machine."""

    def run(
        name: str,
        ours: Callable[[], object],
        other: Callable[[], object],
        *,
        what: str = "plain",
        rounds: int = 5,
        note: str = "",
    ) -> Ratio:
        rounds = min(rounds, int(os.environ.get(ROUNDS_VARIABLE, rounds)))
        ours(), other()  # the first calls pick algorithms and touch memory
        other_s: list[float] = []

        def in_turn() -> None:
            start = time.perf_counter()
            other()
            other_s.append(time.perf_counter() - start)

        benchmark.pedantic(ours, setup=in_turn, rounds=rounds, iterations=1)
        if benchmark.stats is None:
            pytest.skip("benchmarks are switched off; run make bench")
        ours_s = list(benchmark.stats.stats.data)
        pairs = [b / a for a, b in zip(ours_s, other_s[-len(ours_s) :], strict=True)]
        result = Ratio(
            name,
            what,
            statistics.median(ours_s),
            statistics.median(other_s),
            statistics.median(pairs),
            rounds,
            note,
        )
        benchmark.extra_info.update(asdict(result))
        _ratios.append(result)
        # At once, so that a run that is stopped half-way has told what it found.
        terminal = request.config.pluginmanager.get_plugin("terminalreporter")
        terminal.write_line(f" {_line(result, len(name))}")
        return result

    return run


@pytest.fixture
def fact():
    """Add a line to the table that is no ratio."""
    return lambda name, text: _facts.append((name, text))


def pytest_terminal_summary(terminalreporter) -> None:
    if not _ratios and not _facts:
        return
    write = terminalreporter.write_line
    terminalreporter.section("ratios: above 1, ours is quicker")
    write(_machine())
    width = max((len(r.name) for r in _ratios), default=4)
    write(f"{'what':<{width}}  {'ours s':>8}  {'other s':>8}  {'ratio':>6}  beside")
    for r in _ratios:
        write(_line(r, width))
    for name, text in _facts:
        write(f"{name}: {text}")
    path = os.environ.get(JSON_VARIABLE)
    if path:
        content = {"machine": _machine(), "ratios": [asdict(r) for r in _ratios], "facts": dict(_facts)}
        Path(path).write_text(json.dumps(content, indent=2) + "\n")
        write(f"written to {path}")


def _line(r: Ratio, width: int) -> str:
    note = f"; {r.note}" if r.note else ""
    return f"{r.name:<{width}}  {r.ours_s:8.3f}  {r.other_s:8.3f}  {r.ratio:6.2f}  {r.beside}{note}"


def _machine() -> str:
    parts = [
        f"torch {torch.__version__}",
        f"python {platform.python_version()}",
        f"{torch.get_num_threads()} threads",
        torch.backends.cpu.get_cpu_capability(),
        f"avx512-bf16 {torch.cpu._is_avx512_bf16_supported()}",
        f"amx {torch.cpu._is_amx_tile_supported()}",
    ]
    return ", ".join(parts)
