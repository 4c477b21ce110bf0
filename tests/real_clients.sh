#!/bin/sh
# Installs the programs that tests use as the other end (tests/clients.py has the list), where Debian's packages can be
# had without a question. It never fails: what is still missing is said here and in the summary of the tests, which are
# skipped then.
set -u
missing() {
    for pair in redis-cli:redis-tools socat:socat nc.openbsd:netcat-openbsd curl:curl openssl:openssl; do
        command -v "${pair%%:*}" >/dev/null 2>&1 || printf '%s ' "${pair##*:}"
    done
}

wanted=$(missing)
[ -z "$wanted" ] && exit 0

root=
[ "$(id -u)" = 0 ] || root="sudo -n"
if command -v apt-get >/dev/null 2>&1 && $root true 2>/dev/null; then
    echo "== clients for the tests: $wanted"
    quiet="-qq -o DPkg::Lock::Timeout=120 -o Acquire::Retries=1 -o Acquire::http::Timeout=20"
    log=$(mktemp)
    # shellcheck disable=SC2086 # lists of words
    $root env DEBIAN_FRONTEND=noninteractive sh -c "
        apt-get $quiet install --no-install-recommends -y $wanted ||
        { timeout 120 apt-get $quiet update && apt-get $quiet install --no-install-recommends -y $wanted; }
    " >"$log" 2>&1 </dev/null || tail -n 3 "$log"
    rm -f "$log"
fi
wanted=$(missing)
[ -z "$wanted" ] || echo "not installed: $wanted(tests that need them are skipped)"
exit 0
