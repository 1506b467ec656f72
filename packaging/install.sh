#!/bin/sh
# Installs Voxgate as a service of this machine from a checkout or an unpacked sdist, or upgrades it.
# As root: sh packaging/install.sh     Touches /opt/voxgate, /usr/local/bin/voxgate, the unit, its user and its folders.
set -eu
cd "$(dirname "$0")/.."
prefix=/opt/voxgate

fail() { echo "install: $*" >&2; exit 1; }

[ "$(id -u)" = 0 ] || fail "run it as root: sudo sh packaging/install.sh"
command -v systemd-sysusers >/dev/null || fail "systemd is missing; without it use the container, or pip install . as a user"
python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || fail "Python 3.11 or newer is needed: apt install python3"
python3 -c 'import ensurepip' 2>/dev/null || fail "python3 -m venv does not work here: apt install python3-venv"

[ -x "$prefix/bin/pip" ] || { echo "install: making $prefix"; python3 -m venv "$prefix"; }
echo "install: installing what is pinned in packaging/requirements.lock"
"$prefix/bin/pip" install -q --disable-pip-version-check --require-hashes -r packaging/requirements.lock
"$prefix/bin/pip" install -q --disable-pip-version-check --no-deps --force-reinstall .
ln -sf "$prefix/bin/voxgate" /usr/local/bin/voxgate

install -D -m 644 packaging/systemd/voxgate.service /etc/systemd/system/voxgate.service
install -D -m 644 packaging/systemd/sysusers.conf /usr/lib/sysusers.d/voxgate.conf
install -D -m 644 packaging/systemd/tmpfiles.conf /usr/lib/tmpfiles.d/voxgate.conf
systemd-sysusers /usr/lib/sysusers.d/voxgate.conf
systemd-tmpfiles --create /usr/lib/tmpfiles.d/voxgate.conf
[ ! -d /run/systemd/system ] || systemctl daemon-reload

echo "install: $(voxgate --version) is in $prefix"
if [ -e /etc/voxgate/voxgate.toml ]; then
    echo "install: now: systemctl restart voxgate"
else
    echo "install: now: voxgate init --system, and docs/asterisk.md from step 2 on"
fi
