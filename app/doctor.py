"""The `doctor` command: what works on this machine, and what to do about what does not.

Every check stands alone: one that breaks is reported as a fault and the next one runs. A fault means that the program
cannot be used as it is (exit 2); a warning means that something is slower or smaller than it could be.
"""

import os
import platform
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path
from typing import Literal

from app.console import Console
from app.errors import BAD_INPUT, DONE, explain
from app.resources import APP_DIR

Verdict = Literal["ok", "warning", "fault"]

PACKAGES = (
    "torch", "numpy", "pillow", "safetensors", "scikit-image", "lightning-fabric", "torchmetrics",
    "pydantic", "cyclopts", "rich", "platformdirs", "lz4", "pyside6-essentials",
)  # fmt: skip
OPENCV_WHEELS = (
    "opencv-python-headless", "opencv-python", "opencv-contrib-python-headless", "opencv-contrib-python",
)  # fmt: skip

# Loading torch and the starter weights takes about 1 GiB; a photo and its crops the rest.
MEMORY_WANTED_BYTES = 2 << 30
DISK_WANTED_BYTES = 1 << 30

SELF_TEST_PX = 64


@dataclass(frozen=True)
class Finding:
    """What one check found."""

    check: str
    """What was looked at."""

    verdict: Verdict
    """Whether it is as it should be."""

    found: str
    """What is there."""

    advice: str = ""
    """What to do about it; empty where all is well."""


def run_doctor(console: Console) -> int:
    """Run every check and say what it found.

    Returns:
        0 if the program can be used, 2 otherwise.
    """
    checks: tuple[tuple[str, Callable[[], Iterator[Finding]]], ...] = (
        ("python", check_python),
        ("packages", check_packages),
        ("opencv", check_opencv),
        ("devices", check_devices),
        ("memory", check_memory),
        ("disk", check_disk),
        ("display", check_display),
        ("weights", check_weights),
        ("self-test", check_inpainting),
        ("self-test retarget", check_retargeting),
    )
    findings: list[Finding] = []
    with console.progress("doctor") as show:
        for index, (name, check) in enumerate(checks):
            show(index / len(checks), name)
            findings += run_check(name, check)
    width = max(len(finding.check) for finding in findings)
    for finding in findings:
        console.say(f"{finding.verdict:8} {finding.check:{width}} {finding.found}")
        if finding.advice:
            console.say(f"{'':8} {'':{width}} -> {finding.advice}")
    is_usable = all(finding.verdict != "fault" for finding in findings)
    console.say(
        "pentimento can be used here" if is_usable else "pentimento cannot be used here: see the faults above"
    )
    console.answer({"is_usable": is_usable, "findings": [asdict(finding) for finding in findings]})
    return DONE if is_usable else BAD_INPUT


def run_check(name: str, check: Callable[[], Iterator[Finding]]) -> list[Finding]:
    """Run one check; one that raises is a fault of its own and stops nothing."""
    findings: list[Finding] = []
    try:
        findings.extend(check())
    except Exception as error:  # noqa: BLE001  (a doctor that falls ill tells nothing)
        explanation = explain(error)
        findings.append(Finding(name, "fault", explanation.fault, explanation.next_step))
    return findings


def check_python() -> Iterator[Finding]:
    """The interpreter and the system."""
    version = platform.python_version()
    is_new = sys.version_info >= (3, 11)
    advice = "" if is_new else "install Python 3.11 or newer"
    yield Finding("python", "ok" if is_new else "fault", f"{version} on {platform.platform()}", advice)


def check_packages() -> Iterator[Finding]:
    """The program and each package it needs, with its version."""
    yield Finding(
        "pentimento", "ok", installed_version("pentimento") or f"not installed, run from {APP_DIR.parent}"
    )
    for package in PACKAGES:
        version = installed_version(package)
        if version is None:
            yield Finding(package, "fault", "not installed", "install pentimento again")
        else:
            yield Finding(package, "ok", version)


def check_opencv() -> Iterator[Finding]:
    """OpenCV once: two of its wheels overwrite each other's files, and three of the four bring a Qt of their own."""
    found = {wheel: version for wheel in OPENCV_WHEELS if (version := installed_version(wheel))}
    words = ", ".join(f"{wheel} {version}" for wheel, version in found.items())
    if not found:
        yield Finding("opencv", "fault", "not installed", "pip install opencv-python-headless")
    elif len(found) > 1:
        advice = f"pip uninstall -y {' '.join(found)}, then pip install opencv-python-headless"
        yield Finding("opencv", "fault", f"{words}: they overwrite each other", advice)
    elif "opencv-python-headless" not in found and "opencv-contrib-python-headless" not in found:
        advice = f"pip uninstall -y {next(iter(found))}, then pip install opencv-python-headless"
        yield Finding("opencv", "warning", f"{words}: its own Qt breaks windows", advice)
    else:
        yield Finding("opencv", "ok", words)


def check_devices() -> Iterator[Finding]:
    """Where networks can run, and what `fast` means there."""
    import torch

    from engine.device import choose_device, choose_precision

    kind = f"{torch.get_num_threads()} threads, {torch.backends.cpu.get_cpu_capability()}"
    yield Finding("cpu", "ok", f"{platform.processor() or platform.machine()}, {kind}")
    for index in range(torch.cuda.device_count()):
        free_bytes, total_bytes = torch.cuda.mem_get_info(index)
        name = torch.cuda.get_device_name(index)
        yield Finding(f"cuda:{index}", "ok", f"{name}, {_gib(free_bytes)} of {_gib(total_bytes)} free")
    if torch.version.cuda and not torch.cuda.is_available():
        advice = "install or update the graphics driver; until then the processor does the work"
        yield Finding("cuda", "warning", "this torch can use a GPU, but none answers", advice)
    device = choose_device("auto")
    fast = choose_precision(device, "fast")
    graphs = ", CUDA graphs" if fast.has_graphs else ""
    meaning = fast.note or f"{str(fast.dtype).removeprefix('torch.')}, channels last{graphs}"
    yield Finding("fast", "ok", f"on {device}: {meaning}")


def check_memory() -> Iterator[Finding]:
    """Memory that is free now."""
    free_bytes = free_memory_bytes()
    if free_bytes is None:
        yield Finding("memory", "warning", "the system does not say", "")
    elif free_bytes < MEMORY_WANTED_BYTES:
        advice = f"close other programs: {_gib(MEMORY_WANTED_BYTES)} is comfortable"
        yield Finding("memory", "warning", f"{_gib(free_bytes)} free", advice)
    else:
        yield Finding("memory", "ok", f"{_gib(free_bytes)} free")


def check_disk() -> Iterator[Finding]:
    """Room for results, weights and temporary files."""
    for name, folder in (("disk", Path.cwd()), ("temporary", Path(tempfile.gettempdir()))):
        free_bytes = shutil.disk_usage(folder).free
        is_enough = free_bytes >= DISK_WANTED_BYTES
        advice = "" if is_enough else f"free some space: {_gib(DISK_WANTED_BYTES)} is comfortable"
        found = f"{_gib(free_bytes)} free at {folder}"
        yield Finding(name, "ok" if is_enough else "warning", found, advice)


def check_display() -> Iterator[Finding]:
    """A display, and whether Qt can open a window there; the command line needs neither."""
    from app.errors import NoWindowError
    from app.start import check_display, check_platform_plugin

    named = next((key for key in ("WAYLAND_DISPLAY", "DISPLAY") if os.environ.get(key)), None)
    if sys.platform in ("win32", "darwin"):
        yield Finding("display", "ok", "the system's own")
    elif named is None:
        yield Finding("display", "ok", "none; the command line needs none")
        return
    try:
        check_display()
        check_platform_plugin()
    except (NoWindowError, ImportError) as error:
        yield Finding("window", "warning", explain(error).fault, explain(error).next_step)
    else:
        if named is not None:
            yield Finding("display", "ok", f"{named}={os.environ[named]}")


def check_weights() -> Iterator[Finding]:
    """Every file of weights against its digest, and that the tool has some to work with."""
    from engine.weights import WeightsStore

    reports = WeightsStore().verify()
    for report in reports:
        verdict: Verdict = "fault" if report.state == "damaged" else "warning"
        if report.state in ("ok", "not fetched"):
            verdict = "ok"
        name = f"weights {report.name}"
        yield Finding(name, verdict, report.state, report.detail if verdict != "ok" else "")
    if not any(report.state == "ok" and report.family == "inpaint" for report in reports):
        advice = "install pentimento again, or import, train or download weights"
        yield Finding("weights", "fault", "none for inpaint", advice)


def check_inpainting() -> Iterator[Finding]:
    """A small picture with a hole through the whole program, with the weights a user gets."""
    import numpy as np

    from engine.edits import EditInputs, InpaintEdit
    from engine.engine import Engine

    ramp = np.linspace(40, 200, SELF_TEST_PX, dtype=np.uint8)
    image = np.repeat(np.repeat(ramp[:, None], SELF_TEST_PX, axis=1)[..., None], 3, axis=2)
    mask = np.zeros(image.shape[:2], dtype=np.uint8)
    mask[24:40, 24:40] = 255
    engine = Engine()
    try:
        result = engine.run(InpaintEdit(), EditInputs(image=image, mask=mask))
    finally:
        engine.close()
    is_known_kept = bool((result.image[mask == 0] == image[mask == 0]).all())
    if result.image.shape != image.shape or not is_known_kept:
        yield Finding("self-test", "fault", "pixels outside the hole changed", "report it, with this page")
    else:
        seconds = result.report["seconds"]["total"]
        yield Finding("self-test", "ok", f"a hole filled in {seconds:.1f} s on {result.report['device']}")


def check_retargeting() -> Iterator[Finding]:
    """A small picture remade wider, which needs no weights."""
    import numpy as np

    from engine.edits import EditInputs, RetargetEdit
    from engine.engine import Engine

    y, x = np.mgrid[:SELF_TEST_PX, :SELF_TEST_PX]
    image = np.where((x // 8 + y // 8) % 2, 200, 60).astype(np.uint8)
    wide_hw = (SELF_TEST_PX, SELF_TEST_PX + 32)
    engine = Engine()
    try:
        result = engine.run(RetargetEdit(target_size_hw=wide_hw), EditInputs(image=image))
    finally:
        engine.close()
    if result.image.shape != wide_hw or result.image.std() < 0.5 * image.std():
        advice = "report it, with this page"
        yield Finding("self-test retarget", "fault", "a pattern did not come back wider", advice)
    else:
        seconds = result.report["seconds"]["total"]
        device = result.report["device"]
        yield Finding("self-test retarget", "ok", f"a picture remade wider in {seconds:.1f} s on {device}")


def installed_version(package: str) -> str | None:
    """Version of an installed package, or None."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def free_memory_bytes() -> int | None:
    """Memory that can be had without swapping, or None where the system does not say."""
    try:
        with open("/proc/meminfo", encoding="ascii") as lines:
            for line in lines:
                if line.startswith("MemAvailable:"):
                    return int(line.split()[1]) * 1024
    except OSError:
        pass
    try:
        return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        return None


def _gib(count_bytes: int) -> str:
    return f"{count_bytes / (1 << 30):.1f} GiB"
