# A kTBS behind a private Apache, for the tests of this folder, which source this with `program` and `port` set.
#
# work: a folder that is removed at the end. root: the root URI of what is served.

work=$(mktemp -d)
chmod 755 "$work"
root=http://localhost:$port/ktbs/
server=

# Ends what is served.
stop() {
    if [[ -n $server ]]; then
        kill -TERM "$server" 2>/dev/null || true
        wait "$server" 2>/dev/null || true
        server=
    fi
}
trap 'stop; rm -rf "$work"' EXIT

# Serves a configuration and a store, with some more directives of Apache or none, in place of what was served.
serve() {
    stop
    : >"$work/log"
    PORT=$port ROOT_PATH=/ktbs/ STORE=$2 CONF=$1 DIRECTIVES=${3:-} conf/run.sh "$program" \
        >"$work/log" 2>&1 </dev/null &
    server=$!
    for _ in {1..600}; do
        grep -q '^listening on ' "$work/log" && return
        kill -0 "$server" 2>/dev/null || break
        sleep 0.1
    done
    cat "$work/log"
    exit 1
}
