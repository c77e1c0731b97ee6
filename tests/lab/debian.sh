# shellcheck shell=bash
# A tree of Debian packages, of this machine's release and from its sources.

# debian_tree DIRECTORY OPTION...: OPTIONs are mmdebstrap's.
debian_tree() {
    local to=$1 sources=/etc/apt/sources.list.d/debian.sources suite
    shift
    [[ -f $sources ]] || sources=/etc/apt/sources.list
    # shellcheck source=/dev/null
    suite=$(. /etc/os-release && echo "$VERSION_CODENAME")
    mkdir -p "$to"
    # As an archive, so that mmdebstrap unpacks in a place of its own: apt takes no path with a double quote in it
    # ("apt cannot handle paths with double quotes"), and its user _apt may enter none below /root.
    TMPDIR=/var/tmp mmdebstrap --quiet --mode=root --format=tar --aptopt='Apt::Install-Recommends "false"' "$@" \
        "$suite" - "$sources" |
        tar --extract --numeric-owner --xattrs --xattrs-include='*' --directory "$to"
}
