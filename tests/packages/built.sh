# shellcheck shell=bash disable=SC2154 # for tests/packages/run
# The packages as they were built: bytes, header, contents, lints.

again() {
    # Elsewhere, in another zone and with another mask, and not by the date of today.
    local copy="$work/another's \"place\""
    mkdir "$copy"
    cp -r "$top"/{packaging,Cargo.toml,LICENSE,CHANGELOG.md,README.md} "$copy/"
    (cd / && umask 077 && SOURCE_DATE_EPOCH=$1 TZ=Asia/Tokyo LC_ALL=C.UTF-8 \
        "$copy/packaging/build" "$work/mt-agent" "$copy/out" >/dev/null)
    diff -r "$new" "$copy/out"
}

rpm_file=$new/mt-agent-$version-1.x86_64.rpm
deb_file=$new/mt-agent_${version}_amd64.deb
same "both packages are there, by their names" "mt-agent-$version-1.x86_64.rpm mt-agent_${version}_amd64.deb" \
    "$(cd "$new" && echo ./* | sed 's|\./||g')"
expect "built again they are the same bytes" again "$(rpm -qp --qf '%{BUILDTIME}' "$rpm_file" 2>/dev/null)"
expect "rpm 4.8 understands the rpm" python3 "$here/header.py" "$rpm_file"

# The judge of the header sees what it is there for.
cat >"$work/modern.spec" <<'END'
Name: modern
Version: 1~rc1
Release: 1
Summary: What rpm 4.8 does not understand
License: MIT
BuildArch: x86_64
Recommends: something
Requires: (this or that)
%description
Nothing.
%files
END
rpmbuild -bb --quiet --target x86_64 --define "_topdir $work/modern" --define '_binary_payload w3.zstdio' \
    "$work/modern.spec" >/dev/null 2>&1 || not_ok "a package of today could be built"
same "of a package of today it says what is wrong" "1~rc1: tildes and carets are letters to rpm 4.8
CentOS 6.6 minimal has no (this or that)
it has the tag 5046 (weak dependencies)
it has the tag 5047 (weak dependencies)
it has the tag 5048 (weak dependencies)
rpm 4.8 has no rpmlib(PayloadIsZstd) 5.4.18-1
rpm 4.8 has no rpmlib(RichDependencies) 4.12.0-1
rpm 4.8 has no rpmlib(TildeInVersions) 4.10.0-1
the payload is compressed with zstd, not gzip" \
    "$(python3 "$here/header.py" "$work/modern/RPMS/x86_64/modern-1~rc1-1.x86_64.rpm" | grep -v 'digests of files' | LC_ALL=C sort)"

pages() { sed -E 's|man([578])/mt-agent[a-z-]*\.\1\.gz$|man\1/*|' | LC_ALL=C sort -u; }
same "the rpm has what it should, where it should" "-rw-r--r-- root root /etc/bash_completion.d/mt-agent
-rw-r--r-- root root /etc/cron.d/mt-agent
-rw-r--r-- root root /etc/logrotate.d/mt-agent
-rw-r--r-- root root /etc/mt-agent/profile.yaml
-rw-r--r-- root root /usr/lib/systemd/system/mt-agent-resume.service
-rw-r--r-- root root /usr/share/doc/mt-agent/CHANGELOG.md
-rw-r--r-- root root /usr/share/doc/mt-agent/LICENSE
-rw-r--r-- root root /usr/share/doc/mt-agent/README.md
-rw-r--r-- root root /usr/share/fish/vendor_completions.d/mt-agent.fish
-rw-r--r-- root root /usr/share/man/man5/*
-rw-r--r-- root root /usr/share/man/man7/*
-rw-r--r-- root root /usr/share/man/man8/*
-rw-r--r-- root root /usr/share/zsh/site-functions/_mt-agent
-rwxr-xr-x root root /etc/rc.d/init.d/mt-agent-resume
-rwxr-xr-x root root /usr/sbin/mt-agent
drwxr-xr-x root root /etc/bash_completion.d
drwxr-xr-x root root /etc/mt-agent
drwxr-xr-x root root /etc/mt-agent/seal.d
drwxr-xr-x root root /usr/lib/systemd
drwxr-xr-x root root /usr/lib/systemd/system
drwxr-xr-x root root /usr/share/doc/mt-agent
drwxr-xr-x root root /usr/share/fish
drwxr-xr-x root root /usr/share/fish/vendor_completions.d
drwxr-xr-x root root /usr/share/zsh
drwxr-xr-x root root /usr/share/zsh/site-functions" \
    "$(rpm -qp --qf '[%{FILEMODES:perms} %{FILEUSERNAME} %{FILEGROUPNAME} %{FILENAMES}\n]' "$rpm_file" 2>/dev/null | pages)"
same "three of its files are configuration" "/etc/cron.d/mt-agent
/etc/logrotate.d/mt-agent
/etc/mt-agent/profile.yaml" "$(rpm -qcp "$rpm_file" 2>/dev/null)"
same "the deb has what it should, where it should" "-rw-r--r-- root/root ./etc/cron.d/mt-agent
-rw-r--r-- root/root ./etc/logrotate.d/mt-agent
-rw-r--r-- root/root ./etc/mt-agent/profile.yaml
-rw-r--r-- root/root ./lib/systemd/system/mt-agent-resume.service
-rw-r--r-- root/root ./usr/share/bash-completion/completions/mt-agent
-rw-r--r-- root/root ./usr/share/doc/mt-agent/CHANGELOG.md.gz
-rw-r--r-- root/root ./usr/share/doc/mt-agent/README.md.gz
-rw-r--r-- root/root ./usr/share/doc/mt-agent/changelog.gz
-rw-r--r-- root/root ./usr/share/doc/mt-agent/copyright
-rw-r--r-- root/root ./usr/share/fish/vendor_completions.d/mt-agent.fish
-rw-r--r-- root/root ./usr/share/lintian/overrides/mt-agent
-rw-r--r-- root/root ./usr/share/man/man5/*
-rw-r--r-- root/root ./usr/share/man/man7/*
-rw-r--r-- root/root ./usr/share/man/man8/*
-rw-r--r-- root/root ./usr/share/zsh/vendor-completions/_mt-agent
-rwxr-xr-x root/root ./usr/sbin/mt-agent
drwxr-xr-x root/root ./etc/mt-agent/seal.d/" \
    "$(dpkg-deb -c "$deb_file" | awk '/^-|seal\.d/ { print $1, $2, $6 }' | pages)"
for page in "$MT_AGENT_PAGES"/man/*; do
    name=$(basename "$page")
    expect "both have the page $name" grep -qx 2 <(
        { rpm -qlp "$rpm_file" 2>/dev/null; dpkg-deb -c "$deb_file"; } | grep -c "/usr/share/man/man${name##*.}/$name.gz$")
done
expect "the program in both is the one that was given" cmp "$work/mt-agent" <(dpkg-deb --fsys-tarfile "$deb_file" | tar -xO ./usr/sbin/mt-agent)
same "lintian has nothing to say" "" "$(lintian --allow-root --fail-on error,warning "$deb_file" 2>&1 || echo "status $?")"

printf '#!/bin/sh\necho mt-agent 9.9.9\n' >"$work/other"
chmod 755 "$work/other"
same "a binary of another version is refused" \
    "packaging/build: $work/other is 'mt-agent 9.9.9', and Cargo.toml says $version: build it anew" \
    "$("$top/packaging/build" "$work/other" "$work/none" 2>&1)"

# The pages, by what typesets them: no warning, 80 columns.
for page in "$MT_AGENT_PAGES"/man/*; do
    name=$(basename "$page")
    sed 's/@DATE@/2026-01-01/; s/@VERSION@/1/' "$page" >"$work/$name"
    same "$name: man has no warning" "" "$(man --warnings -E UTF-8 -P cat -l "$work/$name" 2>&1 >/dev/null)"
    same "$name: groff has no warning" "" "$(groff -man -Tutf8 -ww -b "$work/$name" 2>&1 >/dev/null)"
    same "$name: mandoc has nothing to say" "" "$(mandoc -T lint "$work/$name" 2>&1 | grep -v 'referenced manual not found')"
    expect "$name: nothing is wider than 80 columns" \
        test "$(MANWIDTH=80 LC_ALL=C.UTF-8 man -E UTF-8 -P cat -l "$work/$name" 2>/dev/null | LC_ALL=C.UTF-8 wc -L)" -le 80
    expect_not "$name: on an ASCII console it is ASCII alone" \
        grep -qP '[^\x00-\x7f]' <(mandoc -T ascii "$work/$name")
done
