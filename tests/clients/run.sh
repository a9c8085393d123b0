#!/bin/bash
# Real clients of the kTBS, against this one behind a private Apache: `make test-clients`.
#
# They are not part of this repository. CLIENTS= is a folder where whoever runs this has put them, whole or in part:
#
#   git clone https://github.com/ktbs/ktbs              the Python kTBS, for its client library
#   git clone https://github.com/ktbs/taaabs3           the browser library ktbs-api, and the GUI made of it
#   git clone https://github.com/oaubert/ktbs4js        collectors in JavaScript
#   npm install --prefix login oidc-provider puppeteer-core     an identity provider, and what drives the browser that logs in there
#
# PYTHON= is a Python that has what the client library needs (pip install -r ktbs/requirements.d/base.txt); CHROMIUM= the browser;
# PROGRAM= the kTBS.
# What is absent is skipped, and said so.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
clients=${CLIENTS:-target/clients}
python=${PYTHON:-python3}
program=${PROGRAM:-target/release/ktbs}
chromium=${CHROMIUM:-$(command -v chromium || command -v chromium-browser || true)}
port=${PORT:-8401}
failed=0

. tests/clients/served.sh

cat >"$work/clients.conf" <<CONF
[plugins]
cors = true
post_via_get = true
sparql_endpoints = true
[cors]
allow-origin = http://localhost:$((port + 1))
CONF
serve "$work/clients.conf" "$work/store"

run() {
    echo "== $1"
    shift
    "$@" || { echo "failed"; failed=1; }
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
    run "our own pages" "$python" tests/clients/pages.py "$chromium" "$root"
    if [[ -e $clients/taaabs3/index.html ]]; then
        run "samples and GUI of taaabs3" "$python" tests/clients/taaabs3.py "$chromium" "$clients" $((port + 1)) "$root"
        if command -v htpasswd >/dev/null; then
            # As samples/users.conf and apache.conf tell: passwords of Apache, compressed answers.
            htpasswd -bcB "$work/passwords" alice secret 2>"$work/why"
            chmod 644 "$work/passwords"
            cat >"$work/directives" <<CONF
<IfModule !deflate_module>
    LoadModule deflate_module \${KTBS_MODULES}/mod_deflate.so
</IfModule>
<IfModule !filter_module>
    LoadModule filter_module \${KTBS_MODULES}/mod_filter.so
</IfModule>
<Location "/ktbs/">
    SetOutputFilter DEFLATE
    SetEnvIf Origin "^http://localhost:$((port + 1))\$" KTBS_ORIGIN=\$0
    Header always set Access-Control-Allow-Origin "%{KTBS_ORIGIN}e" "expr=%{REQUEST_STATUS} == 401 && -n reqenv('KTBS_ORIGIN')"
    Header always set Access-Control-Allow-Credentials "true" "expr=%{REQUEST_STATUS} == 401 && -n reqenv('KTBS_ORIGIN')"
    Header always merge Vary "Origin" "expr=%{REQUEST_STATUS} == 401"
</Location>
Define KTBS_PASSWORDS "$work/passwords"
Include "$PWD/conf/samples/users.conf"
CONF
            serve "$work/clients.conf" "$work/store" "$work/directives"
            run "samples and GUI of taaabs3, with passwords of Apache and mod_deflate" \
                "$python" tests/clients/taaabs3.py "$chromium" "$clients" $((port + 1)) "$root" alice secret
        else
            echo "skipped: no htpasswd, so no client with passwords"
        fi
    fi
fi
if [[ ! -x $chromium ]]; then
    echo "skipped: the login, no chromium"
elif ! command -v node >/dev/null || [[ ! -d $clients/login/node_modules/oidc-provider || ! -d $clients/login/node_modules/puppeteer-core ]]
then
    echo "skipped: the login, no node, or no oidc-provider and puppeteer-core in $clients/login"
else
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
if [[ $failed != 0 ]]; then
    cat "$work/log"
fi
exit $failed
