#!/bin/bash
# Real clients of the kTBS, against this one behind a private Apache: `make test-clients`.
#
# They are not part of this repository. CLIENTS= is a folder where whoever runs this has put them, whole or in part:
#
#   git clone https://github.com/ktbs/ktbs              the Python kTBS, for its client library
#   git clone https://github.com/ktbs/taaabs3           the browser library ktbs-api
#   git clone https://github.com/oaubert/ktbs4js        collectors in JavaScript
#   npm install --prefix login oidc-provider puppeteer-core     an identity provider, and what drives the browser that logs in there
#
# PROGRAM= is the program to try (target/release/ktbs); PYTHON= is a Python that has what the client library needs (pip install -r ktbs/requirements.d/base.txt); CHROMIUM= the browser.
# What is absent is skipped, and said so.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
clients=${CLIENTS:-target/clients}
python=${PYTHON:-python3}
chromium=${CHROMIUM:-$(command -v chromium || command -v chromium-browser || true)}
program=${PROGRAM:-target/release/ktbs}
port=${PORT:-8401}
failed=0

work=$(mktemp -d)
chmod 755 "$work"
server=
stop_server() {
    if [[ -n $server ]]; then
        kill -TERM "$server" 2>/dev/null || true
        wait "$server" 2>/dev/null || true
        server=
    fi
}
stop() {
    stop_server
    rm -rf "$work"
}
trap stop EXIT

# Serves a configuration and a store, until stop_server.
serve() {
    PORT=$port ROOT_PATH=/ktbs/ STORE=$2 CONF=$1 conf/run.sh "$program" >"$work/log" 2>&1 </dev/null &
    server=$!
    for _ in {1..600}; do
        grep -q '^listening on ' "$work/log" && return
        kill -0 "$server" 2>/dev/null || { cat "$work/log"; exit 1; }
        sleep 0.1
    done
}

cat >"$work/clients.conf" <<CONF
[plugins]
cors = true
post_via_get = true
sparql_endpoints = true
[cors]
allow-origin = http://localhost:$((port + 1))
CONF
serve "$work/clients.conf" "$work/store"
root=http://localhost:$port/ktbs/

run() {
    echo "== $1"
    shift
    "$@" || { echo "failed"; failed=1; cat "$work/log"; }
}

if [[ ! -d $clients/ktbs/lib/ktbs ]]; then
    echo "skipped: no Python kTBS in $clients/ktbs"
elif ! PYTHONPATH=$clients/ktbs/lib "$python" -c 'import ktbs.client' 2>"$work/why"; then
    echo "skipped: the client library of the Python kTBS cannot be imported: $(tail -n 1 "$work/why")"
else
    run "client library of the Python kTBS" \
        env PYTHONPATH="$clients/ktbs/lib" "$python" tests/clients/python_client.py "$root"
fi

if [[ ! -x $chromium ]]; then
    echo "skipped: no chromium"
else
    for client in taaabs3:taaabs3/ktbs-api/Resource.js:taaabs3.html ktbs4js:ktbs4js/src/tracemanager.js:ktbs4js.html; do
        IFS=: read -r name file page <<<"$client"
        if [[ ! -e $clients/$file ]]; then
            echo "skipped: no $name in $clients/$name"
        else
            run "$name in $("$chromium" --version 2>/dev/null)" \
                "$python" tests/clients/browser.py "$chromium" "$clients" "tests/clients/$page" $((port + 1)) "$root"
        fi
    done
fi

if [[ ! -x $chromium ]]; then
    echo "skipped: the login, no chromium"
elif ! command -v node >/dev/null || [[ ! -d $clients/login/node_modules/oidc-provider || ! -d $clients/login/node_modules/puppeteer-core ]]
then
    echo "skipped: the login, no node, or no oidc-provider and puppeteer-core in $clients/login"
else
    # The same Apache again, for those who log in only.
    stop_server
    mkdir "$work/login"
    cp tests/clients/login.mjs "$work/login/"
    ln -s "$(realpath "$clients/login/node_modules")" "$work/login/node_modules"
    echo s3cret >"$work/secret"
    chmod 644 "$work/secret"
    cat >"$work/login.conf" <<CONF
[plugins]
authx = true
[authx]
issuer = http://localhost:$((port + 2))
audience = ktbs
client-id = ktbs
client-secret-file = $work/secret
introspection = true
issuer-logout = true
CONF
    serve "$work/login.conf" "$work/login-store"
    run "login of $("$chromium" --version 2>/dev/null) at oidc-provider" \
        node "$work/login/login.mjs" "$root" $((port + 2)) "$chromium"
fi
exit $failed
