#!/bin/sh
# The system packages that the tests need, where this is root (or passwordless sudo) on Debian or Ubuntu.
# Elsewhere it says what is missing; the tests that need it are skipped and say so.
set -eu

PROGRAMS='git ssh ssh-agent tmux curl openssl chromium javac prometheus promtool prometheus-alertmanager'
PACKAGES='git openssh-client tmux curl openssl chromium openjdk-17-jdk-headless prometheus prometheus-alertmanager'
# what boots real hosts (tests/hosts/boot.py), which only root can do
HOST_PROGRAMS='mmdebstrap systemd-nspawn ip iptables mount ps'
HOST_PACKAGES='mmdebstrap debian-archive-keyring systemd-container iproute2 iptables mount procps'

if [ "$(id -u)" = 0 ]; then
    PROGRAMS="$PROGRAMS $HOST_PROGRAMS"
    PACKAGES="$PACKAGES $HOST_PACKAGES"
fi
missing=
for program in $PROGRAMS; do
    command -v "$program" >/dev/null 2>&1 || missing="$missing $program"
done

sudo=
[ "$(id -u)" = 0 ] || sudo='sudo -n'
if command -v apt-get >/dev/null 2>&1 && { [ -z "$sudo" ] || sudo -n true 2>/dev/null; }; then
    if [ -n "$missing" ]; then
        export DEBIAN_FRONTEND=noninteractive
        $sudo apt-get -o DPkg::Lock::Timeout=180 update -q
        # shellcheck disable=SC2086 # a list of words
        $sudo apt-get -o DPkg::Lock::Timeout=180 install -qy --no-install-recommends $PACKAGES
    fi
    command -v vagrant >/dev/null 2>&1 || $sudo apt-get -o DPkg::Lock::Timeout=180 install -qy --no-install-recommends vagrant ||
        echo "no vagrant to be had here: its file is not checked"
    if [ "$(id -u)" = 0 ]; then
        sh "$(dirname "$0")/podman-setup.sh" || echo "no usable podman here: the tests that need it are skipped"
    fi
elif [ -n "$missing" ]; then
    echo "not root on Debian or Ubuntu: the tests that need$missing are skipped; install them to have all tests run"
fi
