#!/bin/bash
# Installs what the tests need besides Apache: other web servers, a directory, tools. Called by `make test-all`, so that no test is
# skipped. No service is started.
set -euo pipefail

# program:package
needed=(nginx:nginx lighttpd:lighttpd caddy:caddy slapd:slapd logrotate:logrotate script:bsdutils systemd-analyze:systemd
    openssl:openssl curl:curl)
missing=()
for each in "${needed[@]}"; do
    PATH=/usr/sbin:/sbin:$PATH command -v "${each%:*}" >/dev/null || missing+=("${each#*:}")
done
[[ -n $(find /usr/lib/apache2 /usr/lib64/httpd /usr/lib/httpd -name mod_auth_openidc.so 2>/dev/null) ]] ||
    missing+=(libapache2-mod-auth-openidc)
((${#missing[@]})) || exit 0

as_root=
if [[ $(id -u) != 0 ]]; then
    as_root=sudo
fi
if ! command -v apt-get >/dev/null || { [[ -n $as_root ]] && ! command -v sudo >/dev/null; }; then
    echo "These are needed: ${missing[*]}. Install them, or run this as root on Debian; \`make test\` does without." >&2
    exit 1
fi
echo "installing ${missing[*]}" >&2
policy=/usr/sbin/policy-rc.d
if [[ ! -e $policy ]]; then
    printf '#!/bin/sh\nexit 101\n' | $as_root install -m 755 /dev/stdin $policy
    trap '$as_root rm -f $policy' EXIT
fi
$as_root apt-get update -q >&2
$as_root env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends "${missing[@]}" >&2
