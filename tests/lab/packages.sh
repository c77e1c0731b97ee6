# shellcheck shell=bash
# The practice machine's rpm packages and its yum repository, from packages.table.

# write_spec: one spec file on stdout, a subpackage for each line of the table.
write_spec() {
    local where name version release requires word
    cat <<EOF
Name: practice-lab
Version: 1
Release: 1
Summary: Empty packages for the practice machine
License: MIT
%description
Not built itself.
EOF
    while read -r where name version release requires; do
        [[ -z $where || $where == '#'* ]] && continue
        printf '%%package -n %s\nVersion: %s\nRelease: %s\n' "$name" "$version" "$release"
        printf 'Summary: Stand-in for %s on the practice machine\n' "$name"
        [[ $requires == - ]] || for word in ${requires//,/ }; do echo "Requires: $word"; done
        # yum and dnf tell $releasever from who provides this.
        [[ $name == centos-release ]] && echo 'Provides: system-release = 6, redhat-release = 6'
        # What every package with a script asks for.
        [[ $name == bash ]] && echo 'Provides: /bin/sh'
        printf '%%description -n %s\nEmpty.\n%%files -n %s\n\n' "$name" "$name"
    done <"$lab_source/packages.table"
}

# build_packages DIRECTORY: DIRECTORY/installed holds what a fresh machine has, DIRECTORY/repo the rest.
build_packages() {
    local top=$1 work where name version release _
    mkdir -p "$top/installed" "$top/repo"
    # rpmbuild's own scripts do not quote the path that they work in.
    work=$(mktemp -d)
    write_spec >"$work/lab.spec"
    # x86_64 like the real ones. Reproducible, so that only a change of the table changes them.
    SOURCE_DATE_EPOCH=1420070400 rpmbuild -bb --quiet --target x86_64 \
        --define "_topdir $work" --define '_build_id_links none' \
        --define 'use_source_date_epoch_as_buildtime 1' --define '_buildhost practice-lab' \
        "$work/lab.spec"
    while read -r where name version release _; do
        [[ -z $where || $where == '#'* ]] && continue
        [[ $where != both ]] || cp "$work/RPMS/x86_64/$name-$version-$release.x86_64.rpm" "$top/repo/"
        mv "$work/RPMS/x86_64/$name-$version-$release.x86_64.rpm" "$top/${where/both/installed}/"
    done <"$lab_source/packages.table"
    createrepo_c --quiet --simple-md-filenames "$top/repo"
    rm -rf "$work"
}
