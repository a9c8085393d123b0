#!/bin/bash
# The sample for OpenID Connect, with Apache's mod_auth_openidc and a real provider on this machine: `make test-openid`.
#
# The provider is not part of this repository. OPENID= is a folder where whoever runs this has put it:
#
#   npm install --prefix target/clients/openid oidc-provider@8
#
# Without it, or without mod_auth_openidc (Debian: libapache2-mod-auth-openidc), the test is skipped, and says so.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
openid=${OPENID:-target/clients/openid}
program=${PROGRAM:-target/release/ktbs}
port=${PORT:-8411} provider=${PROVIDER_PORT:-8412}

for modules in /usr/lib/apache2/modules /usr/lib64/httpd/modules /usr/lib/httpd/modules; do
    [[ -e $modules/mod_auth_openidc.so ]] && break
done
if [[ ! -e $modules/mod_auth_openidc.so ]]; then
    echo "skipped: no mod_auth_openidc"
    exit 0
elif ! command -v node >/dev/null || [[ ! -e $openid/node_modules/oidc-provider ]]; then
    echo "skipped: no oidc-provider in $openid (or no node)"
    exit 0
fi

. tests/clients/served.sh

openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN=localhost \
    -addext subjectAltName=DNS:localhost -days 2 -keyout "$work/key.pem" -out "$work/certificate.pem" 2>/dev/null
# The sample as it is, but for the addresses of the provider, whose certificate nobody else knows.
issuer=https://localhost:$provider
sed -e "s|https://id.example.org/realms/lab/protocol/openid-connect/certs|$issuer/jwks|" \
    -e "s|https://id.example.org/realms/lab|$issuer|" conf/samples/openid.conf >"$work/openid.conf"
! grep -q example.org "$work/openid.conf" || { echo "the sample has other addresses"; exit 1; }
cat >"$work/directives.conf" <<CONF
LoadModule auth_openidc_module \${KTBS_MODULES}/mod_auth_openidc.so
OIDCCABundlePath $work/certificate.pem
Include $work/openid.conf
CONF
# Users of Apache are those of the kTBS.
cat >"$work/ktbs.conf" <<CONF
[plugins]
authx = true
[authx]
ways = remote-user
CONF
serve "$work/ktbs.conf" "$work/store" "$work/directives.conf"
NODE_EXTRA_CA_CERTS=$work/certificate.pem \
    node tests/clients/openid.mjs "$openid" "$provider" "http://localhost:$port" "$work" || { cat "$work/log"; exit 1; }
