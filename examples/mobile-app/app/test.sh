#!/bin/sh
# Stands for a test run: checks the packages and writes a JUnit report.
set -eu
report=$1 total=0 failed=0 cases=
for package in out/android.pkg out/ios.pkg; do
    total=$((total + 1))
    if grep -q "^$APP_NAME $APP_VERSION " "$package"; then
        echo "ok   $package"
        cases="$cases<testcase classname=\"Packages\" name=\"$package\" time=\"0.01\"/>"
    else
        echo "FAIL $package"
        failed=$((failed + 1))
        cases="$cases<testcase classname=\"Packages\" name=\"$package\" time=\"0.01\"><failure message=\"wrong content\"/></testcase>"
    fi
done
printf '<testsuite name="packages" tests="%s" failures="%s">%s</testsuite>\n' "$total" "$failed" "$cases" >"$report"
