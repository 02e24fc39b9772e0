#!/bin/sh
# Make the environment VENV with PYTHON if it is missing, and install WHAT (a pip requirement of this project) into it,
# with the system's packages that a window needs.
# usage: sh packaging/environment.sh PYTHON VENV WHAT
set -eu
python=$1 venv=$2 what=$3

fail() {
    echo "error: $1" >&2
    exit 2
}

command -v "$python" >/dev/null 2>&1 ||
    fail "python: expected Python 3.11 or newer as '$python', got none; on Debian: apt-get install python3 python3-venv"
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
    fail "python: expected 3.11 or newer, got $("$python" -V 2>&1); name a newer one: make PYTHON=python3.12 ..."

if [ ! -x "$venv/bin/pip" ]; then
    # Debian keeps ensurepip in a package of its own, named after the version.
    if ! "$python" -c 'import ensurepip, venv' >/dev/null 2>&1; then
        package=$("$python" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])')
        if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
            echo "installing $package"
            apt-get update -qq && apt-get install -y -qq "$package"
        else
            fail "venv: expected the module ensurepip, got none; run: sudo apt-get install $package"
        fi
    fi
    "$python" -m venv "$venv"
fi

echo "installing $what into $venv"
"$venv/bin/pip" install --quiet -e "$what" ||
    fail "pip: expected to install $what, got the fault above; see 'Installing' in README.md"

# Qt's own wheel leaves these to the system. Without them the command line works and the window does not.
if [ "$(uname -s)" = Linux ] && ! QT_QPA_PLATFORM=xcb "$venv/bin/python" -c '
from PySide6 import QtSvg, QtWidgets
from app.start import check_platform_plugin
check_platform_plugin()' 2>/dev/null; then
    packages="libegl1 libgl1 libglib2.0-0 libdbus-1-3 libfontconfig1 libx11-xcb1 libxkbcommon-x11-0 libxcb-cursor0"
    packages="$packages libxcb-icccm4 libxcb-keysyms1 libxcb-randr0 libxcb-shape0 libxcb-sync1 libxcb-xfixes0 libxcb-xkb1"
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
        echo "installing what Qt needs of the system"
        # shellcheck disable=SC2086 - one word a package
        apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $packages
    else
        fail "qt: expected the system's libraries for a window, got an import error; on Debian: sudo apt-get install $packages"
    fi
fi
