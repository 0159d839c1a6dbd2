#!/bin/sh
# Stands for an upload to a store: needs the user and the password that the pipeline binds.
set -eu
platform=$1 package=$2
[ -n "$STORE_USR" ] && [ -n "$STORE_PSW" ]
sleep 0.3
echo "uploading $(basename "$package") to the $platform store as $STORE_USR with password $STORE_PSW"
