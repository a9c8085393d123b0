#!/bin/bash
# Serves a kTBS from a private Apache, in the foreground, until Ctrl-C or SIGTERM. Called by `make run`.
#
# It touches neither the configuration of the machine's Apache nor any service: all that it writes is in a temporary
# folder, which it removes, and in the directory of the store, which it keeps.
#
# usage: conf/run.sh PROGRAM
#   PORT=8001           port on localhost
#   ROOT_PATH=/ktbs/    path of the root URI; / for the whole server
#   STORE=              directory of the store; by default one that outlives this command
#   PROCESSES=4         how many requests are served at once
#   CONF=               an ini file laid over the default configuration
#   DIRECTIVES=         a file of directives that Apache includes last; the modules are in ${KTBS_MODULES}
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
program=${1:?usage: conf/run.sh PROGRAM}
PORT=${PORT:-8001}
ROOT_PATH=${ROOT_PATH:-/ktbs/}
PROCESSES=${PROCESSES:-4}
CONF=${CONF:-}

fail() {
    echo "run: $*" >&2
    exit 1
}

[[ $PORT =~ ^[0-9]+$ && $PORT -ge 1 && $PORT -le 65535 ]] || fail "PORT=$PORT is not a port"
[[ $PROCESSES =~ ^[0-9]+$ && $PROCESSES -ge 1 && $PROCESSES -le 1000 ]] || fail "PROCESSES=$PROCESSES is not a number from 1 to 1000"
[[ $ROOT_PATH =~ ^/([A-Za-z0-9._~-]+/)*$ ]] || fail "ROOT_PATH=$ROOT_PATH does not begin and end with /, or has odd characters"
[[ -x $program ]] || fail "$program is not a program"
[[ -z $CONF || -r $CONF ]] || fail "CONF=$CONF cannot be read"
"$here/need-apache.sh"
root=http://localhost:$PORT$ROOT_PATH

httpd=$(command -v apache2 || command -v httpd || ls /usr/sbin/apache2 /usr/sbin/httpd 2>/dev/null | head -n 1)
for modules in /usr/lib/apache2/modules /usr/lib64/httpd/modules /usr/lib/httpd/modules /usr/libexec/apache2; do
    [[ -e $modules/mod_fcgid.so ]] && break
done

# Apache starts the program as a user without privileges, who can neither enter root's folders nor write there.
user=$(id -un)
if [[ $(id -u) == 0 ]]; then
    for user in www-data apache nobody; do
        id "$user" >/dev/null 2>&1 && break
    done
fi
as_user() {
    if [[ $(id -u) == 0 ]]; then
        setpriv --reuid "$user" --regid "$(id -g "$user")" --clear-groups -- "$@"
    else
        "$@"
    fi
}

if [[ -z ${STORE:-} ]]; then
    if [[ $(id -u) == 0 ]]; then
        STORE=/var/lib/ktbs
    else
        STORE=${XDG_DATA_HOME:-$HOME/.local/share}/ktbs
    fi
fi
mkdir -p "$STORE"
STORE=$(cd "$STORE" && pwd -P)
if [[ $(id -u) == 0 ]] && ! as_user test -w "$STORE"; then
    # Only what is empty or a store already is given away.
    if [[ -e $STORE/data.mdb || -z $(ls -A "$STORE") ]]; then
        chown -R "$user:" "$STORE"
    fi
fi
as_user test -w "$STORE" || fail "$user cannot write in STORE=$STORE (or cannot enter a folder above it): choose another directory"

run=$(mktemp -d "${TMPDIR:-/tmp}/ktbs-run.XXXXXX")
chmod 755 "$run"
apache=
tail=

stop() {
    trap '' INT TERM HUP
    if [[ -n $apache ]]; then
        # Apache ends the processes that it started, with SIGTERM first, so that each can finish what it does.
        kill -TERM "$apache" 2>/dev/null || true
        for _ in {1..100}; do
            kill -0 -- "-$apache" 2>/dev/null || break
            sleep 0.1
        done
        kill -KILL -- "-$apache" 2>/dev/null || true
        wait "$apache" 2>/dev/null || true
    fi
    if [[ -n $tail ]]; then
        sleep 0.1
        kill "$tail" 2>/dev/null || true
        wait "$tail" 2>/dev/null || true
    fi
    rm -rf "$run"
}
trap stop EXIT
# An end that was asked for is no failure.
trap 'exit 0' INT TERM HUP

# The folder of the checkout may be closed to that user, and the build may replace the program while it runs.
install -m 755 "$program" "$run/ktbs.fcgi"
cat >"$run/ktbs.conf" <<END
[server]
fixed-root-uri = $root
[rdf_database]
repository = $STORE
END
config=$run/ktbs.conf
if [[ -n $CONF ]]; then
    CONF=$(cd "$(dirname "$CONF")" && pwd -P)/$(basename "$CONF")
    if ! as_user test -r "$CONF"; then
        install -m 644 "$CONF" "$run/over.conf"
        CONF=$run/over.conf
    fi
    config=$config:$CONF
fi

mkdir "$run/fcgid"
chown "$user:" "$run/fcgid"
listen="Listen 127.0.0.1:$PORT"
grep -q '^0\{31\}1 ' /proc/net/if_inet6 2>/dev/null && listen+=$'\n'"Listen [::1]:$PORT"
built_in=$("$httpd" -l)
load=
for module in mpm_event unixd authn_core authn_file authz_core authz_user auth_basic alias env headers reqtimeout setenvif fcgid; do
    if [[ $built_in != *" mod_$module.c"* && -e $modules/mod_$module.so ]]; then
        load+="LoadModule ${module}_module $modules/mod_$module.so"$'\n'
    fi
done
workers=$((PROCESSES > 16 ? 4 * PROCESSES : 64))
cat >"$run/apache.conf" <<END
ServerRoot "$run"
ServerName localhost:$PORT
PidFile "$run/apache.pid"
ErrorLog "$run/error.log"
LogLevel warn mpm_event:crit
$listen
$load
User $user
Group $(id -gn "$user")
# Many more workers than processes: a connection that is kept open is closed when all the workers are busy, often just
# when its client sends the next request. (ServerLimit is for graceful restarts.)
ServerLimit 4
StartServers 1
ThreadsPerChild $workers
MaxRequestWorkers $workers
KeepAlive On
KeepAliveTimeout 5
MaxKeepAliveRequests 0
FcgidIPCDir "$run/fcgid"
FcgidProcessTableFile "$run/fcgid/table"
Define KTBS_WHOLE_SERVER
Define KTBS_LOCKS "$run/fcgid"
Define KTBS_PATH "$ROOT_PATH"
Define KTBS_PROGRAM "$run/ktbs.fcgi"
Define KTBS_CONFIG "$config"
# One that was killed counts until mod_fcgid has noticed, which takes seconds: let another take its place meanwhile.
Define KTBS_PROCESSES $((2 * PROCESSES))
Include "$here/apache.conf"
Define KTBS_MODULES "$modules"
${DIRECTIVES:+Include "$DIRECTIVES"}
END

: >"$run/error.log"
tail -n +1 -f "$run/error.log" >&2 &
tail=$!
# In a process group of its own, so that Ctrl-C comes to this script only, and that nothing is left behind.
setsid "$httpd" -DFOREGROUND -d "$run" -f "$run/apache.conf" </dev/null >&2 &
apache=$!

# Prints the status of an answer to GET.
status() {
    local line
    exec 3<>"/dev/tcp/localhost/$PORT" || return
    printf 'GET %s HTTP/1.0\r\nHost: localhost:%s\r\n\r\n' "$ROOT_PATH" "$PORT" >&3
    read -r -t 10 -u 3 _ line _
    exec 3>&-
    echo "$line"
}
answered=
for _ in {1..100}; do
    kill -0 "$apache" 2>/dev/null || fail "Apache ended; its messages are above"
    answered=$(status 2>/dev/null) || true
    # Who asks may have to say who they are.
    [[ $answered == 2* || $answered == 401 ]] && break
    [[ $answered == [45]* ]] && fail "$root is answered with status $answered; the reason is above"
    sleep 0.1
done
[[ $answered == 2* || $answered == 401 ]] || fail "$root is not answered"
echo "listening on $root"
wait "$apache"
