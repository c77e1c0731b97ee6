# shellcheck shell=bash
# A tree of Debian packages, from this machine's sources.

# this_release: Debian's name of the release that this machine runs.
# shellcheck source=/dev/null
this_release() { (. /etc/os-release && echo "$VERSION_CODENAME"); }

# debian_tree DIRECTORY RELEASE OPTION...: OPTIONs are mmdebstrap's.
debian_tree() {
    local to=$1 release=$2 sources=/etc/apt/sources.list.d/debian.sources
    shift 2
    [[ -f $sources ]] || sources=/etc/apt/sources.list
    mkdir -p "$to"
    # As an archive, so that mmdebstrap unpacks in a place of its own: apt takes no path with a double quote in it
    # ("apt cannot handle paths with double quotes"), and its user _apt may enter none below /root.
    sed "s/\b$(this_release)\b/$release/g" "$sources" |
        TMPDIR=/var/tmp mmdebstrap --quiet --mode=root --format=tar --aptopt='Apt::Install-Recommends "false"' "$@" \
            "$release" - - |
        tar --extract --numeric-owner --xattrs --xattrs-include='*' --directory "$to"
}
