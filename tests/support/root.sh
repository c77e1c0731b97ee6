# shellcheck shell=bash
# shellcheck disable=SC2034 # set for who sources this
# Small Debians in directories, for tests that install and remove packages.

# ensure_tree CACHE OPTION...: sets $tree to a directory below CACHE with the Debian that mmdebstrap makes by these options,
# made once.
ensure_tree() {
    local cache=$1 key
    shift
    key=$({ cat /etc/os-release; echo "$*"; declare -f debian_tree; } | sha256sum | cut -c1-16)
    tree=$cache/tree-$key
    [[ -d $tree ]] && return
    rm -rf "$cache"/tree-*
    mkdir -p "$cache"
    step roots "making a small Debian, once" debian_tree "$tree.new" "$(this_release)" "$@" --dpkgopt='path-exclude=/usr/share/locale/*'
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
