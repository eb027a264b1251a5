#!/bin/sh
# Puts a clean Debian 12 into a folder, with the way to the packages as this machine has it. One that is there already stays.
#
# Usage: debian.sh FOLDER
# The Debian comes from where this machine's own packages come from, or from MIRROR. Needs root.
set -eu
base=$(realpath -m "$1")
[ ! -e "$base/ready" ] || exit 0
mirror=${MIRROR:-$(apt-get indextargets --format '$(REPO_URI)' 'Codename: bookworm' 'Created-By: Packages' | head -1)}
rm -rf "$base"
mkdir -p "$base"
debootstrap --variant=minbase --include=adduser,ca-certificates bookworm "$base/root" "$mirror"
for file in /etc/apt/sources.list /etc/apt/sources.list.d /etc/apt/apt.conf.d /etc/apt/auth.conf.d /etc/apt/trusted.gpg.d /etc/apt/keyrings \
    /usr/local/share/ca-certificates /etc/hosts /etc/resolv.conf; do
    if [ -e "$file" ]; then mkdir -p "$base/root$(dirname "$file")"; cp -rL "$file" "$base/root$(dirname "$file")/"; fi
done
chroot "$base/root" update-ca-certificates > /dev/null
chroot "$base/root" apt-get update -q
touch "$base/ready"
