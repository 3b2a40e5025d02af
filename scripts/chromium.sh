#!/bin/sh
# Install Debian's Chromium where browser tests would miss it and we may; else those tests skip.
command -v chromium >/dev/null && exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium >/dev/null && exit 0
fi
echo "chromium is missing and cannot be installed here: the browser tests will be skipped" >&2
