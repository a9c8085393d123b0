#!/bin/bash
# Installs Apache with mod_fcgid if they are missing. Called by `make run` and `make test`.
set -euo pipefail

found() {
    local modules
    command -v apache2 >/dev/null || command -v httpd >/dev/null || [[ -x /usr/sbin/apache2 || -x /usr/sbin/httpd ]] || return 1
    for modules in /usr/lib/apache2 /usr/lib64/httpd /usr/lib/httpd /usr/libexec/apache2; do
        [[ -z $(find "$modules" -name mod_fcgid.so 2>/dev/null) ]] || return 0
    done
    return 1
}

found && exit 0
as_root=
if [[ $(id -u) != 0 ]]; then
    as_root=sudo
fi
if ! command -v apt-get >/dev/null || { [[ -n $as_root ]] && ! command -v sudo >/dev/null; }; then
    echo "Apache 2.4 with mod_fcgid is needed: install it (Debian: apt install apache2 libapache2-mod-fcgid), or run this as root." >&2
    exit 1
fi
echo "installing Apache and mod_fcgid" >&2
$as_root apt-get update -q >&2
# The package apache2 would also start a service, on port 80; apache2-bin has the program and the modules only.
$as_root env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends apache2-bin libapache2-mod-fcgid >&2
found || { echo "Apache with mod_fcgid is still not found" >&2; exit 1; }
