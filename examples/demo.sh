#!/bin/sh
# Runs the mobile-app example where it is the top of its own tree, as its repository would be on CI: in a copy.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d "${TMPDIR:-/tmp}/cibus-demo.XXXXXX")
cp -R "$here/mobile-app" "$here/mobile-app-library" "$work/"
cd "$work/mobile-app"
"${CIBUS:-cibus}" run --state-dir "$work/state" "$@"
echo
echo "the copy that was run, with its log and artifacts, is in $work; it can be removed"
