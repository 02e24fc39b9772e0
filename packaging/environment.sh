#!/bin/sh
# Make the environment VENV with PYTHON if it is missing, and install WHAT (a pip requirement of this project) into it.
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
