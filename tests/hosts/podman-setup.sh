#!/bin/sh
# Makes podman usable for the container tests: packages, configuration, and a tiny image.
#
# Debian 12, as root, also where PID 1 is not systemd and no registry can be reached. May be run again.
#
#   packages: podman 4.3 (containers), runc (crun 1.8 refuses some kernels), netavark, aardvark-dns and iptables (network),
#             busybox-static (the image's whole content), tar
#   config:   /etc/containers/containers.conf.d/cibus-test.conf
#   image:    localhost/cibus-test:latest, busybox with its applets
set -eu

IMAGE=localhost/cibus-test:latest

packages() {
    missing=
    for p in podman runc netavark aardvark-dns iptables busybox-static tar; do
        dpkg-query -W -f '${Status}' "$p" 2>/dev/null | grep -q '^install ok' || missing="$missing $p"
    done
    [ -z "$missing" ] && return
    export DEBIAN_FRONTEND=noninteractive
    apt-get -o DPkg::Lock::Timeout=180 update -q
    # shellcheck disable=SC2086
    apt-get -o DPkg::Lock::Timeout=180 install -qy --no-install-recommends $missing
}

config() {
    conf=/etc/containers/containers.conf.d/cibus-test.conf
    mkdir -p "$(dirname "$conf")"
    hard=$(ulimit -Hn)
    [ "$hard" = unlimited ] && hard=1048576
    # The default limits of podman are above the hard limits of some hosts; without systemd there is neither its
    # cgroup manager nor journald.
    cat >"$conf" <<EOF
[containers]
default_ulimits = ["nofile=$hard:$hard", "nproc=30000:30000"]

[engine]
cgroup_manager = "cgroupfs"
events_logger = "file"
runtime = "runc"

[network]
network_backend = "netavark"
EOF
}

image() {
    podman image exists "$IMAGE" && return
    root=$(mktemp -d)
    trap 'rm -rf "$root"' EXIT
    mkdir -p "$root/bin" "$root/etc" "$root/tmp" "$root/proc" "$root/sys" "$root/dev" "$root/usr"
    chmod 1777 "$root/tmp"
    cp "$(command -v busybox)" "$root/bin/busybox"
    ln -s ../bin "$root/usr/bin"
    for applet in $("$root/bin/busybox" --list); do
        [ "$applet" = busybox ] || ln -s busybox "$root/bin/$applet"
    done
    echo 'root:x:0:0:root:/:/bin/sh' >"$root/etc/passwd"
    echo 'root:x:0:' >"$root/etc/group"
    echo 'cibus test image' >"$root/etc/cibus-image"
    tar -C "$root" -c . | podman import -q --change 'ENV PATH=/bin:/usr/bin' --change 'CMD ["sh"]' - "$IMAGE" >/dev/null
}

works() {
    podman run --rm "$IMAGE" cat /etc/cibus-image
}

packages
image 2>/dev/null && works 2>/dev/null && exit  # a podman that works is left as it is
config
image
works
