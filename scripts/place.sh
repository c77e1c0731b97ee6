# shellcheck shell=bash
# For the scripts that build, to source: ends them at once where the name of this directory has what a tool cannot do
# with. All other names do: tests/anywhere tries a blank, quotes and a comma.
case $(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd) in
    *:*)
        echo "${0##*/}: this directory has a ':' in its name, and cargo cannot build there (\"path segment contains separator\")" >&2
        exit 2 ;;
    *%*)
        echo "${0##*/}: this directory has a '%' in its name, and Rust's linker, rust-lld, cannot write there" >&2
        exit 2 ;;
esac
