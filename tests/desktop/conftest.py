"""A screen for the session, a program on it for each test, and a folder for its pictures."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.desktop.peers import KRITA, Krita
from tests.desktop.program import ROOT, Program
from tests.desktop.screen import PACKAGES, Screen, missing_programs


@pytest.fixture(scope="session")
def screen(tmp_path_factory) -> Iterator[Screen]:
    missing = missing_programs(PACKAGES)
    if missing:
        pytest.skip(missing)
    with Screen(tmp_path_factory.mktemp("screen")) as screen:
        yield screen


@pytest.fixture(scope="session")
def krita(screen, tmp_path_factory) -> Krita:
    missing = missing_programs(KRITA)
    if missing:
        pytest.skip(missing)
    return Krita(screen, tmp_path_factory.mktemp("krita"))


@pytest.fixture
def start(screen, tmp_path) -> Iterator[Callable[..., Program]]:
    """Start a program; the same home unless another is named. All are ended after the test."""
    programs: list[Program] = []

    def start(
        *words: object, home: Path | None = None, kind: type[Program] = Program, **options: Any
    ) -> Program:
        program = kind(screen, home or tmp_path / "home", words, **options)
        programs.append(program)
        return program

    yield start
    for program in programs:
        program.close()


@pytest.fixture
def shots(request) -> Path:
    """Where this test's pictures go; --shots names the folder, which git does not see."""
    folder = Path(request.config.getoption("--shots") or ROOT / "desktop_out") / request.node.name
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.png"):
        os.unlink(old)
    return folder
