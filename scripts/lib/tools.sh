# Sourced: where the tools lie that the scripts make for themselves, and how one of cargo's is built. All clones of one user
# share them; a version is part of each name.
# shellcheck shell=bash

tools=${MT_AGENT_TOOLS:-${XDG_CACHE_HOME:-$HOME/.cache}/mt-agent/tools}

# cargo_tool NAME VERSION [OPTION...]: makes sure of $tools/NAME-VERSION/bin/NAME. Built without optimisation: it works little.
cargo_tool() {
    local name=$1 version=$2 root=$tools/$1-$2 lock
    shift 2
    # What cargo writes last.
    [[ ! -f $root/.crates2.json ]] || return 0
    mkdir -p "$tools"
    # Who comes second, from another clone, finds it built.
    exec {lock}>"$root.lock"
    flock "$lock"
    if [[ ! -f $root/.crates2.json ]]; then
        echo "building $name $version, once for this user: it is kept in $tools"
        CARGO_TARGET_DIR=$root/build CARGO_PROFILE_DEV_DEBUG=0 cargo install --quiet --locked --debug \
            --root "$root" --version "$version" --force "$@" "$name" || return
        rm -rf "$root/build"
    fi
    exec {lock}>&-
}
