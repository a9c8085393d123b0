#!/bin/sh
# Apache in the foreground of a container. KTBS_ROOT is the public address of the kTBS.
set -e

if [ -n "${KTBS_ROOT:-}" ] && [ -w /etc/ktbs/ktbs.conf ]; then
    sed -i "s|^fixed-root-uri =.*|fixed-root-uri = $KTBS_ROOT|" /etc/ktbs/ktbs.conf
fi
# A volume may belong to root at first.
chown www-data:www-data /var/lib/ktbs
# Apache itself is to be the first process, which gets the signals: apache2ctl would keep them to itself.
. /etc/apache2/envvars
mkdir -p "$APACHE_RUN_DIR" "$APACHE_LOCK_DIR"
rm -f "$APACHE_PID_FILE"
exec apache2 -D FOREGROUND
