#!/bin/sh
# Stands for a real build: packs the sources of one platform.
set -eu
platform=$1 flavour=$2
echo "building $APP_NAME $APP_VERSION for $platform ($flavour)"
mkdir -p out
printf '%s %s %s %s\n' "$APP_NAME" "$APP_VERSION" "$platform" "$flavour" >"out/$platform.pkg"
