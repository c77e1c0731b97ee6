# shellcheck shell=bash
# shellcheck disable=SC2034 # set for who sources this
# Small Debians in directories, for tests that install and remove packages.

# ensure_tree CACHE VARIANT PACKAGE...: sets $tree to a directory below CACHE with a Debian of mmdebstrap's VARIANT and
# these packages, made once.
ensure_tree() {
    local cache=$1 variant=$2 key sources=/etc/apt/sources.list.d/debian.sources suite include
    shift 2
    [[ -f $sources ]] || sources=/etc/apt/sources.list
    # shellcheck source=/dev/null
    suite=$(. /etc/os-release && echo "$VERSION_CODENAME")
    key=$(sha256sum <<<"$variant $* $suite $(cat "$sources")" | cut -c1-16)
    tree=$cache/tree-$key
    [[ -d $tree ]] && return
    rm -rf "$cache"/tree-*
    mkdir -p "$cache"
    include=$(IFS=,; echo "$*")
    step roots "making a small Debian, once" mmdebstrap --quiet --mode=root --variant="$variant" ${include:+"--include=$include"} \
        --aptopt='Apt::Install-Recommends "false"' --dpkgopt='path-exclude=/usr/share/locale/*' \
        "$suite" "$tree.new" "$sources"
    mv "$tree.new" "$tree"
}

# enter ROOT NETWORK COMMAND...: runs it in the root, in namespaces of its own; NETWORK is `offline` or `online`.
enter() {
    local root=$1 network=()
    [[ $2 == online ]] || network=(--net)
    shift 2
    # shellcheck disable=SC2016 # they are the inner shell's
    unshare --mount --pid --uts --ipc "${network[@]}" --fork --kill-child bash -c '
        root=$1 && shift && mount --make-rprivate / && mount -t proc proc "$root/proc" && mount --rbind /dev "$root/dev" &&
        exec chroot "$root" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root TERM=dumb LC_ALL=C.UTF-8 "$@"
        ' - "$root" "$@" </dev/null
}
