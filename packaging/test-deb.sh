#!/bin/bash
# Installs, uses, upgrades and removes the Debian package in a Debian of its own. Called by `make test-deb`, as root.
#
#   PROGRAM=target/release/ktbs   the program to be packed
#   ROOT=                         a folder with a fresh Debian, which is changed; without it, debootstrap makes one
#   PORT=8650                     a port on localhost
#   SUITE=bookworm
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
PROGRAM=${PROGRAM:-target/release/ktbs} PORT=${PORT:-8650} SUITE=${SUITE:-bookworm}

fail() {
    echo "test-deb: $*" >&2
    [[ ! -e $ROOT/var/log/apache2/error.log ]] || tail -n 20 "$ROOT/var/log/apache2/error.log" >&2
    exit 1
}
command -v debootstrap >/dev/null || apt-get install -q -y --no-install-recommends debootstrap
cargo deb --version >/dev/null || { echo "test-deb: cargo install cargo-deb --locked" >&2; exit 1; }

work=$(mktemp -d)
ROOT=${ROOT:-$work/root}
inside() { chroot "$ROOT" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin DEBIAN_FRONTEND=noninteractive LC_ALL=C "$@"; }
stop() {
    inside apache2ctl stop >/dev/null 2>&1 || true
    sleep 2
    umount "$ROOT/proc" || true
    rm -rf --one-file-system "$work"
}
trap stop EXIT

make --no-print-directory deb PROGRAM="$PROGRAM" DEB_OPTIONS="--deb-revision 1 -o $work/old.deb"
make --no-print-directory deb PROGRAM="$PROGRAM" DEB_OPTIONS="--deb-revision 2 -o $work/new.deb"
[[ -e $ROOT/etc/debian_version ]] || debootstrap --variant=minbase "$SUITE" "$ROOT" >"$work/debootstrap.log"
mount -t proc proc "$ROOT/proc"
cp "$work"/*.deb "$ROOT/tmp/"

echo "--- install"
# Nothing is started before it listens on localhost only.
printf '#!/bin/sh\nexit 101\n' | install -m 755 /dev/stdin "$ROOT/usr/sbin/policy-rc.d"
inside apt-get update -q >/dev/null
inside apt-get install -q -y /tmp/old.deb >"$work/apt.log" 2>&1 || { cat "$work/apt.log"; fail "it cannot be installed"; }
# As where there is an init: services may be reloaded.
printf '#!/bin/sh\nexit 0\n' | install -m 755 /dev/stdin "$ROOT/usr/sbin/policy-rc.d"
[[ $(inside stat -c %U:%G:%a /var/lib/ktbs) == www-data:www-data:750 ]] || fail "the store is not that of www-data"
[[ -e $ROOT/usr/share/man/man1/ktbs.1.gz && -e $ROOT/usr/share/bash-completion/completions/ktbs ]] || fail "no manual"
inside ktbs --version | grep -q '^ktbs ' || fail "no program"
echo "Listen 127.0.0.1:$PORT" >"$ROOT/etc/apache2/ports.conf"
echo "ServerName localhost" >"$ROOT/etc/apache2/conf-enabled/name.conf"
root=http://localhost:$PORT/ktbs/
sed -i "s|^fixed-root-uri =.*|fixed-root-uri = $root|" "$ROOT/etc/ktbs/ktbs.conf"

echo "--- use"
inside a2enmod -q fcgid
inside a2enconf -q ktbs
inside apache2ctl configtest 2>&1 | grep -q 'Syntax OK' || fail "Apache does not take the configuration"
inside apache2ctl start
status() { curl -s -o /dev/null -w '%{http_code}' -m 30 "$@" || true; }
for _ in {1..50}; do
    [[ $(status "$root") == 200 ]] && break
    sleep 0.2
done
[[ $(status "$root") == 200 ]] || fail "$root is not answered"
[[ $(status -H 'Content-Type: application/json' -d '{"@type": "Base", "@id": "lab/"}' "$root") == 201 ]] || fail "nothing can be stored"
[[ $(status --path-as-is "${root}lab%2F") == 200 ]] || fail "encoded slashes are refused"
inside ktbs -c /etc/ktbs/ktbs.conf check >/dev/null || fail "check finds something wrong"

status -H 'Content-Type: application/json' -d '{"@type": "StoredTrace", "@id": "t/", "hasModel": "http://example.org/m", "origin": "o"}' "${root}lab/" >/dev/null
[[ $(status -H 'Content-Type: application/json' -d '[{"@type": "m:T", "begin": 1}, {"@type": "m:T", "begin": 2}]' "${root}lab/t/") == 201 ]] ||
    fail "no obsels can be stored"
tool() { inside ktbs -c /etc/ktbs/ktbs.conf "$@"; }
tool dump >"$work/before.nq"
(($(wc -l <"$work/before.nq") > 20)) || fail "the dump is not whole"
inside ktbs -c /etc/ktbs/ktbs.conf check --apache >"$work/check" 2>&1 || { cat "$work/check"; fail "check --apache finds something wrong"; }
! grep '^warning' "$work/check" || fail "check --apache doubts what the package installs"

echo "--- upgrade, under load"
touch "$work/go"
for client in 1 2 3 4; do
    while [[ -e $work/go ]]; do
        echo "$(status "${root}lab/")"
    done >"$work/client$client" &
done
sleep 3
inside dpkg -i /tmp/new.deb >"$work/dpkg.log" 2>&1 || { cat "$work/dpkg.log"; fail "it cannot be upgraded"; }
sleep 4
rm "$work/go"
wait $(jobs -p)
sort "$work"/client? | uniq -c
[[ $(sort -u "$work"/client?) == 200 ]] || fail "requests were lost"
grep -q "^fixed-root-uri = $root" "$ROOT/etc/ktbs/ktbs.conf" || fail "the configuration was overwritten"
tool dump | cmp - "$work/before.nq" || fail "the data are others"
tool verify | grep -q '^problems: 0$' || fail "the store is not well"
inside dpkg -s ktbs | grep -q '^Version: .*-2$' || fail "it is not upgraded"
running=0
for process in /proc/[0-9]*; do
    if [[ $(readlink "$process/root") == "$ROOT" && $(cat "$process/comm") == ktbs.fcgi ]]; then
        running=$((running + 1))
        [[ $(readlink "$process/exe") != *deleted* ]] || fail "the old program is still running"
    fi
done
((running > 0)) || fail "nothing runs"

echo "--- remove"
inside dpkg -r ktbs >"$work/dpkg.log" 2>&1 || { cat "$work/dpkg.log"; fail "it cannot be removed"; }
[[ ! -e $ROOT/etc/apache2/conf-enabled/ktbs.conf && ! -e $ROOT/usr/bin/ktbs ]] || fail "something is left"
sleep 1
[[ $(status "http://localhost:$PORT/") == 200 ]] || fail "Apache does not go on without it"
[[ $(status "$root") == 404 ]] || fail "$root is still answered"
inside dpkg --purge ktbs 2>&1 | tee "$work/purge.log"
grep -q '/var/lib/ktbs is kept' "$work/purge.log" || fail "nothing is said of the data"
[[ -e $ROOT/var/lib/ktbs/data.mdb && ! -e $ROOT/etc/ktbs/ktbs.conf ]] || fail "the data are gone, or the configuration is not"

echo "--- install again: the data are there"
inside dpkg -i /tmp/new.deb >/dev/null 2>&1
sed -i "s|^fixed-root-uri =.*|fixed-root-uri = $root|" "$ROOT/etc/ktbs/ktbs.conf"
inside a2enconf -q ktbs
inside apache2ctl graceful
sleep 2
[[ $(status "${root}lab/") == 200 ]] || fail "the data are lost"
tool dump | cmp - "$work/before.nq" || fail "the data are others"
echo "the package installs, runs, upgrades and removes"
