# shellcheck shell=bash
# Stands in for the installer of CentOS 6, which cannot be had here: reads the partitioning lines of a kickstart, and
# makes the practice machine's OS disk by them. What it does not know, or what names another disk, ends the scenario.

# read_part WORD...: one `part` line, into mount, type, size, grows and disk of the caller.
read_part() {
    local word
    mount=$1 type=$1 size='' grows=no disk=''
    for word in "${@:2}"; do
        case $word in
            --fstype=*) type=${word#*=} ;;
            --size=*) size=${word#*=} ;;
            --ondisk=*) disk=${word#*=} ;;
            --grow) grows=yes ;;
            --asprimary) ((${#os_layout[@]} == 0)) || die "anaconda.sh: only the first is sure to be primary: $*" ;;
            *) die "anaconda.sh: an unknown option: $*" ;;
        esac
    done
    [[ $size =~ ^[0-9]+$ ]] || die "anaconda.sh: no size: $*"
    [[ $type == swap || $mount$type == /*ext[234] ]] || die "anaconda.sh: a type that is not made: $*"
}

# read_kickstart FILE: sets os_layout, os_primary and os_boot_loader.
read_kickstart() {
    local words mount type size grows disk number fixed=0 only='' cleared='' zeroed=no
    os_layout=() os_boot_loader=
    while read -r -a words && [[ ${words[0]-} != %* ]]; do
        case ${words[*]-} in
            'ignoredisk --only-use='*) only=${words[1]#*=} ;;
            zerombr) zeroed=yes ;;
            'clearpart --all --initlabel --drives='*) cleared=${words[3]#*=} ;;
            'bootloader --location='*) os_boot_loader=${words[1]#*=} ;;
            'part '*)
                read_part "${words[@]:1}"
                [[ $disk == "$only" ]] || die "anaconda.sh: another disk: ${words[*]}"
                fixed=$((fixed + size))
                os_layout+=("$mount $type $size $grows") ;;
            ignoredisk* | zerombr* | clearpart* | bootloader* | part* | autopart* | volgroup* | logvol* | raid*)
                die "anaconda.sh: not known: ${words[*]}" ;;
        esac
    done <"$1"
    [[ -n $only && $only == "$cleared" && $zeroed == yes && ${#os_layout[@]} != 0 ]] ||
        die "anaconda.sh: no disk is named and cleared, or nothing is made on it"
    [[ $os_boot_loader == mbr || $os_boot_loader == partition ]] || die "anaconda.sh: no place for the boot loader"
    # Four or more: three of them primary, the others in an extended one.
    os_primary=4
    ((${#os_layout[@]} < 4)) || os_primary=3
    # Of 100 GB: the table, one more for each logical partition, and the last MiB.
    local rest=$((102400 - fixed - 2 - (${#os_layout[@]} - os_primary)))
    for number in "${!os_layout[@]}"; do
        read -r mount type size grows <<<"${os_layout[number]}"
        [[ $grows == no ]] || size=$((size + rest))
        os_layout[number]="$mount $type $size"
    done
}

# install_by FILE NAME: sets $os_disk to one that is made by this kickstart, and holds it where the installer leaves it.
install_by() {
    os_kickstart=$1
    read_kickstart "$os_kickstart"
    cached "installed-$2" "$boot_files $(cat "$os_kickstart" "$lab_source"/anaconda.sh) $(os_disk_input)" \
        "an OS disk by a kickstart ($2)" build_os_disk
    os_disk=$cached/os.qcow2
}
