#!/bin/bash
# The container of the Dockerfile, built, used, stopped and started again: `make test-docker`.
#
# IMAGE= is an image to use in place of one that is built here. Where the container has the network of the machine
# (NETWORK=host), it takes port 80. Without docker, or where the images that it is built from cannot be had, the test is skipped,
# and says so.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
if ! docker info >/dev/null 2>&1; then
    echo "skipped: no docker, or nobody to answer it"
    exit 0
fi
if [[ -z ${IMAGE:-} ]]; then
    for base in $(sed -n 's/^FROM \([^ ]*\).*/\1/p' Dockerfile); do
        docker image inspect "$base" >/dev/null 2>&1 || docker pull -q "$base" >/dev/null || {
            echo "skipped: the image $base cannot be had"
            exit 0
        }
    done
    docker build -q -t ktbs-test . >/dev/null
fi
image=${IMAGE:-ktbs-test}
name=ktbs-test-$$
if [[ ${NETWORK:-} == host ]]; then
    network=(--network host) root=http://localhost/ktbs/
else
    network=(-p 8401:80) root=http://localhost:8401/ktbs/
fi
trap 'docker rm -f "$name" >/dev/null 2>&1 || true; docker volume rm "$name" >/dev/null 2>&1 || true' EXIT

fail() {
    echo "failed: $*"
    docker logs "$name" | tail -n 20
    exit 1
}
answered() {
    for _ in {1..100}; do
        curl -sf -o /dev/null "$1" && return
        sleep 0.1
    done
    fail "no answer of $1"
}
post() {
    curl -sSf -o /dev/null -H 'Content-Type: application/json' -d "$2" "$root$1" || fail "POST $1"
}

docker run -d --name "$name" "${network[@]}" -v "$name:/var/lib/ktbs" -e "KTBS_ROOT=$root" "$image" >/dev/null
answered "$root"
post "" '{"@id": "b/", "@type": "Base"}'
post b/ '{"@id": "t/", "@type": "StoredTrace", "hasModel": "http://example.org/m", "origin": "o"}'
post b/t/ '{"@id": "o", "@type": "m:E", "begin": 1}'
for signal in SIGWINCH SIGTERM; do
    docker kill -s "$signal" "$name" >/dev/null
    status=$(timeout 9 docker wait "$name") || fail "$signal does not end it within 9 seconds"
    [[ $status == 0 ]] || fail "$signal: it ends with status $status"
    docker start "$name" >/dev/null
    answered "${root}b/t/o.ttl"
done
docker exec "$name" ktbs -c /etc/ktbs/ktbs.conf check --apache >/dev/null || fail "ktbs check"
echo "built, used, stopped and started again: $image"
