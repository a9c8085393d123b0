#!/bin/bash
# Thousands of requests made from the description of the API, by schemathesis: `make test-api`.
#
# SCHEMATHESIS= is the program (pip install schemathesis openapi-spec-validator); EXAMPLES= how many requests are made of each
# operation; PROGRAM= is the kTBS. Where schemathesis is absent the test is skipped, and says so.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
schemathesis=${SCHEMATHESIS:-$(command -v schemathesis || true)}
program=${PROGRAM:-target/release/ktbs}
port=${PORT:-8401}
tests=$PWD/tests/clients
if [[ ! -x $schemathesis ]]; then
    echo "skipped: no schemathesis"
    exit 0
fi
validator=$(dirname "$schemathesis")/openapi-spec-validator

. "$tests/served.sh"

# Serves a kTBS with some more options, then checks it: name, options, arguments of schemathesis.
check() {
    local name=$1 options=$2
    shift 2
    printf '[plugins]\ncors = true\nsparql_endpoints = true\npost_via_get = true\nstats_subjects = true\n%b\n[cors]\nallow-origin = *\n' \
        "$options" >"$work/$name.conf"
    serve "$work/$name.conf" "$work/$name"
    if [[ -x $validator ]]; then
        curl -sS --fail -o "$work/api.json" "${root}@api"
        "$validator" --schema 3.1 "$work/api.json"
    else
        echo "skipped: the description is not validated, for there is no openapi-spec-validator beside schemathesis"
    fi
    (
        cd "$work"
        PYTHONPATH=$tests SCHEMATHESIS_HOOKS=api_hooks KTBS_ROOT=$root "$schemathesis" run "${root}@api" \
            --url "${root%/}" --phases examples,coverage,fuzzing --no-color --continue-on-failure \
            --checks not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance,response_schema_conformance,unsupported_method \
            --generation-deterministic --suppress-health-check all "$@"
    )
    stop
}

check open '' --max-examples "${EXAMPLES:-300}"
# Where somebody asks who may do what, there are access control lists too.
admin="Basic $(printf admin:secret | base64)"
KTBS_AUTHORIZATION=$admin check access \
    'authx = true\n[authx_admin]\nip_whitelist = 127.0.0.1 ::1\nlogin = admin\npassword = secret' \
    --header "Authorization: $admin" --include-path-regex @acl --max-examples "${EXAMPLES:-300}"
