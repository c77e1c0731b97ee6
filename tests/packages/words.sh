# shellcheck shell=bash
# The words that the tests of the packages are written in.

ok() { passed=$((passed + 1)); echo "ok      $*"; }
not_ok() { failed=$((failed + 1)); echo "NOT OK  $*"; }

# expect TEXT COMMAND...: the command must succeed.
expect() {
    local text=$1
    shift
    if "$@" >"${TMPDIR:-/tmp}/expect.$$" 2>&1; then ok "$text"; else not_ok "$text"; cat "${TMPDIR:-/tmp}/expect.$$"; fi
}

# expect_not TEXT COMMAND...: the command must fail.
expect_not() {
    local text=$1
    shift
    if "$@" >"${TMPDIR:-/tmp}/expect.$$" 2>&1; then not_ok "$text"; cat "${TMPDIR:-/tmp}/expect.$$"; else ok "$text"; fi
}

# same TEXT WANTED FOUND: both are the same text.
same() {
    if [[ $2 == "$3" ]]; then ok "$1"; else
        not_ok "$1"
        diff <(printf '%s\n' "$2") <(printf '%s\n' "$3") | sed 's/^/        /' || true
    fi
}
