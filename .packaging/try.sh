#!/bin/sh
# Installs a package in a clean Debian 12, tries it, puts it in again over itself, removes and purges it.
#
# Usage: try.sh PACKAGE FOLDER [FORMER]
# FOLDER takes the Debian, which is kept for the next time (debian.sh). FORMER: the package of the version before, which is upgraded.
# Needs root.
set -eu
package=$(realpath "$1")
root=$(realpath -m "$2")
former=${3:+$(realpath "$3")}
"$(dirname "$0")/debian.sh" "$root.base"
rm -rf "$root"
cp -a "$root.base/root" "$root"
trap 'umount "$root/proc" 2> /dev/null || true' EXIT
mount -t proc proc "$root/proc"

in_root() { chroot "$root" env DEBIAN_FRONTEND=noninteractive LANG=C.UTF-8 "$@"; }
as_usher() { chroot --userspec=usher:usher "$root" env -C /var/lib/usher HOME=/var/lib/usher LANG=C.UTF-8 USHER_CONFIG=/etc/usher/usher.env "$@"; }
say() { printf '\n== %s\n' "$*"; }
expect() { if ! sh -c "$1"; then echo "FAILED: $1" >&2; exit 1; fi; }

if [ -n "$former" ]; then
    say "the version before"
    cp "$former" "$root/tmp/former.deb"
    in_root apt-get install -y -q --no-install-recommends /tmp/former.deb
    echo '# An edit of the admin.' >> "$root/etc/usher/usher.env"
fi
say install
cp "$package" "$root/tmp/usher.deb"
in_root apt-get install -y -q --no-install-recommends /tmp/usher.deb
expect "chroot '$root' stat -c '%a %U:%G' /etc/usher/usher.env | grep -qx '640 root:usher'"
say "a demonstration"
as_usher usher demo --once
say "the catalogue that comes along, and a booking"
as_usher usher check
as_usher usher book consultation --owner ana --at 2030-01-07T10:00 --attendee "Bo Li <bo@example.org>" --wait 30s
expect "ls '$root'/var/lib/usher/mail/new | grep -q ."
expect "[ \"\$(stat -c %a '$root/var/lib/usher')\" = 700 ]"
expect "[ \"\$(stat -c %a '$root/var/lib/usher/usher.sqlite.key')\" = 600 ]"
say "the same once more, over itself"
as_usher usher booking list | grep -q "Consultation with Ana"
in_root apt-get install -y -q --reinstall /tmp/usher.deb
as_usher usher booking list | grep -q "Consultation with Ana"
if [ -n "$former" ]; then expect "grep -q 'An edit of the admin' '$root/etc/usher/usher.env'"; fi
say remove
in_root apt-get remove -y -q usher
expect "[ ! -e '$root/usr/bin/usher' ] && [ -e '$root/etc/usher/usher.env' ]"
say purge
in_root apt-get purge -y -q usher
expect "[ ! -e '$root/etc/usher/usher.env' ] && [ -e '$root/var/lib/usher/usher.sqlite' ]"
umount "$root/proc"
trap - EXIT
rm -rf "$root"
say "all of it went well"
