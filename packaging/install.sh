#!/bin/bash
# Installs the program, its configuration and its samples. Called by `make install` and `make deb`.
#
# usage: packaging/install.sh PROGRAM DESTDIR PREFIX SYSCONFDIR
#
# What is there of the configuration is left alone. The folder of the store is made only if this is the real system and the user
# is root.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
program=$1 root=$2 prefix=$3 etc=$4

# configure FILE: writes a file from standard input, unless it is there.
configure() {
    local file=$root$1
    if [[ -e $file ]]; then
        echo "kept: $file"
        cat >/dev/null
    else
        install -D -m 644 /dev/stdin "$file"
    fi
}

install -D -m 755 "$program" "$root$prefix/bin/ktbs"
install -d "$root$prefix/lib/ktbs"
# Apache calls it by this name, to which its configuration gives the handler.
ln -sfn ../../bin/ktbs "$root$prefix/lib/ktbs/ktbs.fcgi"
# written OPTION... FILE: a file that the program writes about itself.
written() {
    local file=$root$prefix/share/${*: -1}
    "$program" manual "${@:1:$#-1}" | install -D -m 644 /dev/stdin "$file"
}
written man/man1/ktbs.1
written --completions bash bash-completion/completions/ktbs
written --completions zsh zsh/vendor-completions/_ktbs
written --completions fish fish/vendor_completions.d/ktbs.fish
install -D -m 644 -t "$root$prefix/share/ktbs" "$here/../conf/apache.conf" "$here/../conf/ktbs.conf"
for sample in "$here"/../conf/samples/*; do
    case $sample in
    *.service | *.socket)
        # Of a user's own programs, systemd reads those of /usr/local too.
        install -d "$root$prefix/lib/systemd/system"
        sed "s|/usr/bin/|$prefix/bin/|; s|/etc/ktbs/|$etc/ktbs/|" "$sample" >"$root$prefix/lib/systemd/system/${sample##*/}"
        ;;
    *) install -D -m 644 -t "$root$prefix/share/ktbs/samples" "$sample" ;;
    esac
done
sed -e 's|^#fixed-root-uri =.*|fixed-root-uri = http://localhost/ktbs/|' -e 's|^#repository =.*|repository = /var/lib/ktbs|' \
    "$here/../conf/ktbs.conf" | configure "$etc/ktbs/ktbs.conf"
sed -e "s|@PREFIX@|$prefix|g" -e "s|@SYSCONFDIR@|$etc|g" "$here/apache-conf.in" |
    configure "$etc/apache2/conf-available/ktbs.conf"
configure "$etc/logrotate.d/ktbs" <"$here/logrotate"

if [[ -z $root && $(id -u) == 0 ]]; then
    for user in www-data apache nobody; do
        id "$user" >/dev/null 2>&1 && break
    done
    install -d -o "$user" -g "$(id -gn "$user")" -m 750 /var/lib/ktbs /var/log/ktbs
fi
