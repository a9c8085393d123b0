#!/bin/bash
# Thousands of requests made from the description of the API, by schemathesis: `make test-api`.
#
# SCHEMATHESIS= is the program (pip install schemathesis); EXAMPLES= how many requests are made of each operation; PROGRAM= is
# the kTBS. Where schemathesis is absent the test is skipped, and says so.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
schemathesis=${SCHEMATHESIS:-$(command -v schemathesis || true)}
port=${PORT:-8401}
if [[ ! -x $schemathesis ]]; then
    echo "skipped: no schemathesis"
    exit 0
fi

work=$(mktemp -d)
chmod 755 "$work"
server=
stop() {
    if [[ -n $server ]]; then
        kill -TERM "$server" 2>/dev/null || true
        wait "$server" 2>/dev/null || true
    fi
    rm -rf "$work"
}
trap stop EXIT

printf '[plugins]\ncors = true\nsparql_endpoints = true\nstats_subjects = true\n[cors]\nallow-origin = *\n' >"$work/api.conf"
PORT=$port ROOT_PATH=/ktbs/ STORE=$work/store CONF=$work/api.conf conf/run.sh "${PROGRAM:-target/release/ktbs}" \
    >"$work/log" 2>&1 </dev/null &
server=$!
for _ in {1..600}; do
    grep -q '^listening on ' "$work/log" && break
    kill -0 "$server" 2>/dev/null || { cat "$work/log"; exit 1; }
    sleep 0.1
done
root=http://localhost:$port/ktbs/

# Something to ask about: names that the hooks of schemathesis put in the addresses.
post() { curl -sS -o /dev/null --fail-with-body -H 'Content-Type: application/json' "$root$1" -d "$2"; }
post '' '{"@type": "Base", "@id": "b/"}'
post b/ '{"@graph": [{"@type": "TraceModel", "@id": "m"}, {"@type": "ObselType", "@id": "m#T"}]}'
post b/ '{"@type": "StoredTrace", "@id": "t/", "hasModel": "m", "origin": "1970-01-01T00:00:00Z"}'
post b/ '{"@type": "ComputedTrace", "@id": "c/", "hasMethod": "filter", "hasSource": ["t/"], "parameter": ["after=3"]}'
post b/ '{"@type": "Method", "@id": "f", "hasParentMethod": "filter"}'
post b/ '{"@type": "DataGraph", "@id": "d"}'
post b/t/ '[{"@id": "o", "@type": "m:T", "begin": 1}, {"@type": "m:T", "begin": 5, "m:x": "y"}]'

cd "$work"
PYTHONPATH=$OLDPWD/tests/clients SCHEMATHESIS_HOOKS=api_hooks "$schemathesis" run "${root}@api" \
    --url "${root%/}" --max-examples "${EXAMPLES:-300}" --phases examples,coverage,fuzzing --no-color \
    --checks not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance,response_schema_conformance,unsupported_method \
    --continue-on-failure --generation-deterministic --suppress-health-check all
