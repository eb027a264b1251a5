#!/bin/sh
# Makes an image in OCI's format from the package, without an engine for containers, and tries it.
#
# Usage: image.sh PACKAGE FOLDER ARCHIVE REVISION
# FOLDER holds the clean Debian between two calls (debian.sh). ARCHIVE takes the image; SOURCE_DATE_EPOCH dates it. Needs root.
set -eu
package=$(realpath "$1")
folder=$(realpath -m "$2")
archive=$(realpath -m "$3")
revision=$4
here=$(realpath "$(dirname "$0")")
version=$(dpkg-deb --field "$package" Version)
"$here/debian.sh" "$folder.base"

# What the package needs is put in by this machine's way to packages, which does not go into the image.
root=$folder.image
rm -rf "$root" && mkdir -p "$root"
cp -a "$folder.base/root" "$root/base"
chroot "$root/base" env DEBIAN_FRONTEND=noninteractive sh -c \
    "apt-get install -y -q --no-install-recommends $(dpkg-deb --field "$package" Depends | sed 's/ ([^)]*)//g; s/,//g') && apt-get clean"
(
    cd "$root/base"
    rm -rf etc/apt/sources.list* etc/apt/apt.conf.d/* etc/apt/auth.conf.d/* etc/apt/keyrings/* usr/local/share/ca-certificates/* var/lib/apt/lists/* \
        var/cache/* var/log/* usr/share/doc usr/share/locale usr/share/man
    find etc/apt/trusted.gpg.d -type f ! -name 'debian-*' -delete
    mkdir -p etc/apt/sources.list.d
)
: > "$root/base/etc/resolv.conf"
printf '127.0.0.1\tlocalhost\n' > "$root/base/etc/hosts"
chroot "$root/base" update-ca-certificates --fresh > /dev/null

export STORAGE_DRIVER=vfs BUILDAH_ISOLATION=chroot
storage="--root $root/storage --runroot $root/run"
container=$(buildah $storage from scratch)
buildah $storage copy -q "$container" "$root/base" / > /dev/null
buildah $storage commit -q --rm "$container" localhost/debian > /dev/null
buildah $storage build -q --squash --timestamp "$SOURCE_DATE_EPOCH" --build-arg BASE=localhost/debian \
    --label org.opencontainers.image.title=usher --label "org.opencontainers.image.version=$version" \
    --label "org.opencontainers.image.revision=$revision" --label org.opencontainers.image.licenses=Apache-2.0 \
    --label "org.opencontainers.image.description=Scheduling engine that makes meeting rooms, once" \
    -f "$here/Containerfile" -t localhost/usher "$(dirname "$package")"
rm -f "$archive"
buildah $storage push -q localhost/usher "oci-archive:$archive:usher:$version"

# It runs as a user without rights, on a root that nobody can write to.
tried=$(buildah $storage from localhost/usher)
place=$(buildah $storage mount "$tried")
mkdir -p "$root/state" && chown 65532:65532 "$root/state"
unshare --mount --pid --fork sh -eu -c '
    place=$1 state=$2 check=$3
    mount --bind "$place" "$place" && mount --bind "$state" "$place/var/lib/usher"
    mount -o remount,bind,ro "$place"
    mount -t proc proc "$place/proc"
    inside="chroot --userspec=65532:65532 $place env -i -C /var/lib/usher PATH=/usr/bin:/bin USHER_CONFIG=/etc/usher/usher.env USHER_HOST=0.0.0.0 USHER_PORT=18080"
    if $inside touch /usr/bin/there 2> /dev/null; then echo "the root can be written to" >&2; exit 1; fi
    $inside /usr/bin/usher serve &
    for second in $(seq 30); do if $inside bash -c "$check" > /dev/null 2>&1; then break; fi; sleep 1; done
    $inside bash -c "$check"
    $inside /usr/bin/usher book consultation --owner ana --at 2030-01-07T10:00 --attendee "Bo Li <bo@example.org>" --wait 30s
    kill -TERM $!
    wait $!
' sh "$place" "$root/state" \
    'exec 3<>/dev/tcp/127.0.0.1/18080 && printf "GET /health/ready HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n" >&3 && head -1 <&3 | grep " 200 "'
ls "$root/state/mail/new" | grep -q .
buildah $storage umount "$tried" > /dev/null
rm -rf "$root"
echo "$archive"
