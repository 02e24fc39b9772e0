# Two commands matter: `make demo` shows the program, `make test` proves it.
# The environment lives in .venv; a second run installs nothing.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: demo demo-retarget test fuzz test-desktop screenshots check bench clean

# The sheet of repaired samples; then, where there is a display, the window with the first of them.
demo: $(VENV)/.installed
	$(BIN)/pentimento demo --out demo_out
	@if [ -n "$$DISPLAY$$WAYLAND_DISPLAY" ]; then $(BIN)/pentimento --sample coffee; fi

# Learn one picture from nothing on a processor, some five minutes: before and after, and how it was learned. Ctrl-C keeps it.
demo-retarget: $(VENV)/.installed
	rm -rf demo_out/retarget
	$(BIN)/pentimento train retarget --data resources/samples/gravel.png --out demo_out/retarget --device cpu --width 16 --steps 3000
	@echo "demo_out/retarget/before-after.png demo_out/retarget/film.png"

# Units are small: one thread each is quicker than two that wait for each other on a busy machine.
test: $(VENV)/.installed-test
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest

# Files of every kind, changed at random from a fixed seed: what `make test` reads some hundred of, in thousands.
FUZZ_INPUTS ?= 5000
FUZZ_SEED ?= 1
fuzz: $(VENV)/.installed-test
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest tests/fuzz --fuzz-inputs $(FUZZ_INPUTS) --fuzz-seed $(FUZZ_SEED)

# The real program on a screen of its own (Xvfb), with a window manager, GIMP, and a soak of SOAK_MINUTES. Pictures: desktop_out/.
SOAK_MINUTES ?= 30
test-desktop: $(VENV)/.installed-test
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -m desktop --soak-minutes $(SOAK_MINUTES)

# Every state of the window in both themes, for looking at.
screenshots: $(VENV)/.installed-test
	OMP_NUM_THREADS=1 $(BIN)/python packaging/screenshots.py --out screenshots_out

check: $(VENV)/.installed-dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

bench: $(VENV)/.installed-test
	$(BIN)/python -m pytest tests/benchmarks -o python_files='bench_*.py' --benchmark-enable --benchmark-only --timeout 1800 -s

$(VENV)/.installed: pyproject.toml
	sh packaging/environment.sh "$(PYTHON)" "$(VENV)" .
	@touch $@

$(VENV)/.installed-test: $(VENV)/.installed
	sh packaging/environment.sh "$(PYTHON)" "$(VENV)" '.[test]'
	@touch $@

$(VENV)/.installed-dev: $(VENV)/.installed-test
	sh packaging/environment.sh "$(PYTHON)" "$(VENV)" '.[test,dev]'
	@touch $@

clean:
	rm -rf $(VENV) demo_out desktop_out screenshots_out build dist .pytest_cache .mypy_cache .ruff_cache
