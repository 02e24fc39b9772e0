import json
from types import SimpleNamespace

import numpy as np
import pytest

from app import doctor
from app.__main__ import main


@pytest.fixture
def versions(monkeypatch):
    """Pretend that these packages are installed and no others."""

    def pretend(installed: dict[str, str]) -> None:
        monkeypatch.setattr(doctor, "installed_version", installed.get)

    return pretend


def test_two_opencv_wheels_are_a_fault_with_advice(versions) -> None:
    versions({"opencv-python": "4.11", "opencv-python-headless": "5.0"})
    (finding,) = doctor.check_opencv()
    assert finding.verdict == "fault"
    assert finding.found == "opencv-python-headless 5.0, opencv-python 4.11: they overwrite each other"
    assert finding.advice == (
        "pip uninstall -y opencv-python-headless opencv-python, then pip install opencv-python-headless"
    )


def test_the_opencv_wheel_with_a_qt_of_its_own_is_a_warning(versions) -> None:
    versions({"opencv-python": "4.11"})
    (finding,) = doctor.check_opencv()
    assert (finding.verdict, finding.found) == ("warning", "opencv-python 4.11: its own Qt breaks windows")


def test_no_opencv_is_a_fault(versions) -> None:
    versions({})
    (finding,) = doctor.check_opencv()
    assert (finding.verdict, finding.advice) == ("fault", "pip install opencv-python-headless")


def test_a_missing_package_is_a_fault(versions) -> None:
    versions({name: "1" for name in doctor.PACKAGES if name != "torch"})
    faults = [finding for finding in doctor.check_packages() if finding.verdict == "fault"]
    assert [(finding.check, finding.found, finding.advice) for finding in faults] == [
        ("torch", "not installed", "install pentimento again")
    ]


def test_little_memory_is_a_warning(monkeypatch) -> None:
    monkeypatch.setattr(doctor, "free_memory_bytes", lambda: 1 << 29)
    (finding,) = doctor.check_memory()
    assert (finding.verdict, finding.found) == ("warning", "0.5 GiB free")
    assert finding.advice == "close other programs: 2.0 GiB is comfortable"


def test_memory_is_told_where_the_system_says() -> None:
    free_bytes = doctor.free_memory_bytes()
    assert free_bytes is None or free_bytes > 1 << 20


def test_devices_name_the_processor_and_what_fast_means() -> None:
    checks = {finding.check: finding for finding in doctor.check_devices()}
    assert {"cpu", "fast"} <= checks.keys()
    assert checks["fast"].found.startswith("on ")


def test_a_check_that_breaks_is_a_finding_and_stops_nothing() -> None:
    def broken():
        yield doctor.Finding("a", "ok", "found")
        raise ValueError("broken")

    findings = doctor.run_check("b", broken)
    assert [(finding.check, finding.verdict) for finding in findings] == [("a", "ok"), ("b", "fault")]
    assert "ValueError: broken" in findings[1].found


def test_without_weights_the_program_cannot_be_used(tmp_path, monkeypatch, capsys) -> None:
    monkeypatch.setattr("engine.weights.shipped_folder", lambda: tmp_path / "none")
    assert main(["doctor", "--json"]) == 2
    answer = json.loads(capsys.readouterr().out)
    assert answer["is_usable"] is False
    faults = {finding["check"]: finding for finding in answer["findings"] if finding["verdict"] == "fault"}
    assert faults["weights"]["found"] == "none for inpaint"
    assert faults["weights"]["advice"] == "install pentimento again, or import, train or download weights"
    assert "self-test" in faults


def test_with_weights_the_self_test_fills_a_hole(tmp_path, weights_file, monkeypatch, capsys) -> None:
    monkeypatch.setattr("engine.weights.shipped_folder", lambda: tmp_path / "none")
    assert main(["weights", "import", str(weights_file), "--family", "inpaint", "--name", "tiny"]) == 0
    capsys.readouterr()
    assert main(["doctor"]) == 0
    said = capsys.readouterr().out
    assert "a hole filled in" in said
    assert said.endswith("pentimento can be used here\n")


def test_the_self_test_remakes_a_picture_without_weights(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr("engine.weights.shipped_folder", lambda: tmp_path / "none")
    (finding,) = doctor.check_retargeting()
    assert finding.verdict == "ok"
    assert finding.found.startswith("a picture remade wider in ")


def test_a_pattern_that_is_lost_is_a_fault(monkeypatch) -> None:
    def lose(image, target_size_hw, **_):
        size = (*target_size_hw, 3)
        return SimpleNamespace(
            image=np.zeros(size, np.float32),
            field_xy=np.zeros((*target_size_hw, 2), np.int32),
            novelty=np.zeros(target_size_hw, np.float32),
        )

    monkeypatch.setattr("engine.pipelines.retarget.remake", lose)
    (finding,) = doctor.check_retargeting()
    assert (finding.verdict, finding.found) == ("fault", "a pattern did not come back wider")


def test_damaged_weights_are_a_fault(tmp_path, weights_file, monkeypatch, capsys) -> None:
    monkeypatch.setattr("engine.weights.shipped_folder", lambda: tmp_path / "none")
    main(["weights", "import", str(weights_file), "--family", "inpaint", "--name", "tiny", "--json"])
    stored = json.loads(capsys.readouterr().out)["output"]
    with open(stored, "r+b") as file:
        file.seek(-4, 2)
        file.write(b"\x01\x02\x03\x04")
    findings = list(doctor.check_weights())
    assert [(finding.check, finding.verdict) for finding in findings] == [
        ("weights tiny", "fault"),
        ("weights", "fault"),
    ]
