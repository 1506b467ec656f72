#!/bin/sh
# Makes the virtual environment in $1 and installs Voxgate with what its tests need.
# Works where Debian's python3-venv is missing: pip then comes from Debian's package, unpacked, not installed.
set -eu
venv=$1

fail() { echo "environment: $*" >&2; exit 1; }

# Downloads pip's wheel as Debian packages it, into the current folder; with a package list of its own where the
# machine's is missing or may not be updated.
fetch_pip() {
    apt-get download python3-pip-whl >/dev/null 2>&1 && return 0
    mkdir -p state/lists/partial cache/archives/partial
    set -- -o "Dir::State=$PWD/state" -o Dir::State::status=/var/lib/dpkg/status -o "Dir::Cache=$PWD/cache" \
        -o APT::Sandbox::User= -o Debug::NoLocking=1 -o Acquire::Languages=none
    apt-get "$@" update >update.log 2>&1 || { cat update.log >&2; return 1; }
    apt-get "$@" download python3-pip-whl >update.log 2>&1 || { cat update.log >&2; return 1; }
}

command -v python3 >/dev/null || fail "python3 is missing: install Python 3.11 or newer"
python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' || fail "Python 3.11 or newer is needed, this is $(python3 -V)"

if [ ! -x "$venv/bin/pip" ]; then
    echo "environment: making $venv"
    if ! python3 -c 'import ensurepip' 2>/dev/null || ! python3 -m venv "$venv" 2>/dev/null; then
        rm -rf "$venv"
        python3 -m venv --without-pip "$venv" || fail "python3 -m venv failed"
        work=$(mktemp -d)
        trap 'rm -rf "$work"' EXIT
        (cd "$work" && fetch_pip && dpkg-deb -x python3-pip-whl_*.deb .) ||
            fail "pip is missing and Debian's python3-pip-whl could not be fetched: install python3-venv"
        wheel=$(ls "$work"/usr/share/python-wheels/pip-*.whl)
        "$venv/bin/python" "$wheel/pip" install -q "$wheel" || fail "pip could not be installed from $wheel"
    fi
fi
echo "environment: installing Voxgate and its test tools"
"$venv/bin/python" -m pip install -q --disable-pip-version-check -e '.[dev]' ||
    fail "pip could not install the packages: check that this machine reaches a Python package index"
