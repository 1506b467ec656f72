#!/bin/sh
# Makes the files of others that the pages and their tests carry anew: JsSIP as one file for browsers, axe-core for tests.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund jssip@3.13.8 esbuild@0.28.2 axe-core@4.14.1
echo 'import * as JsSIP from "jssip"; window.JsSIP = JsSIP;' >entry.js
target="$root/gateway/services/pages/static"
echo '/*! JsSIP 3.13.8 with what it depends on; licences in jssip.LICENSE.txt */' >"$target/jssip.min.js"
node_modules/.bin/esbuild entry.js --bundle --minify --format=iife --platform=browser --target=es2020 --legal-comments=none \
    >>"$target/jssip.min.js"
for name in jssip debug events ms sdp-transform; do
    echo "===== $name $(node -p "require('./node_modules/$name/package.json').version") ====="
    cat node_modules/$name/LICENSE* node_modules/$name/license* 2>/dev/null || true
    echo
done >"$target/jssip.LICENSE.txt"
cp node_modules/axe-core/axe.min.js node_modules/axe-core/LICENSE "$root/tests/pages/axe/"
