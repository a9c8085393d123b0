#!/bin/sh
# Apache in the foreground of a container. KTBS_ROOT is the public address of the kTBS.
set -eu

if [ -n "${KTBS_ROOT:-}" ] && [ -w /etc/ktbs/ktbs.conf ]; then
    sed -i "s|^fixed-root-uri =.*|fixed-root-uri = $KTBS_ROOT|" /etc/ktbs/ktbs.conf
fi
# A volume may belong to root at first.
chown www-data:www-data /var/lib/ktbs
rm -f /var/run/apache2/apache2.pid
exec apache2ctl -D FOREGROUND
