#!/bin/sh
# Checks one part of the words: each must be lower case.
set -eu
awk -v n="$1" -v of="$2" 'NR % of == n - 1 { print; if ($0 != tolower($0)) exit 1 }' words.txt
