# shellcheck shell=bash
# SCSI IDs equal those of the system's tools; multipath

hardware() { disk retention 1T; }

# lun VENDOR NAME SERIAL TARGET...: a disk of the kernel's own target with VMware's IDs, behind each TARGET.
lun() {
    local vendor=$1 name=$2 serial=$3 core=/sys/kernel/config/target/core/fileio_0/$2 target
    shift 3
    truncate -s 200M "/root/$name.img"
    mkdir -p "$core"
    echo "fd_dev_name=/root/$name.img,fd_dev_size=$((200 << 20))" >"$core/control"
    echo 0x000c29 >"$core/wwn/company_id"
    echo "$vendor" >"$core/wwn/vendor_id"
    echo 'Virtual disk' >"$core/wwn/product_id"
    echo "$serial" >"$core/wwn/vpd_unit_serial"
    echo 1 >"$core/enable"
    for target in "$@"; do
        target=/sys/kernel/config/target/loopback/naa.$target
        mkdir -p "$target/tpgt_1"
        echo "naa.6001405${target: -9}" >"$target/tpgt_1/nexus"
        mkdir -p "$target/tpgt_1/lun/lun_0"
        ln -s "$core" "$target/tpgt_1/lun/lun_0/$name"
    done
}

same_ids() {
    local name id map
    mt-agent disks --format json >"$out/disks.json"
    report disks "$out/disks.json" >"$out/disks"
    expect "every SCSI disk is listed" [ "$(wc -l <"$out/disks")" = "$(lsscsi | wc -l)" ]
    while read -r name id map; do
        expect "$name: scsi_id says $id" [ "$(id_of "/dev/$name")" = "$id" ]
        expect "$name: lsscsi -i says it" grep -qE "/dev/$name +$id\$" <(lsscsi -i)
        expect "$name: sg_inq says it" grep -qE "\[0x${id#3}\]" <(sg_inq --page=0x83 "/dev/$name")
        [ "$map" = - ] || expect "$name: its map is called so" [ "$map" = "$id" ]
    done <"$out/disks"
}

boot_1() {
    modprobe -a target_core_mod target_core_file tcm_loop dm-multipath dm-round-robin dm-service-time
    mount -t configfs configfs /sys/kernel/config
    lun VMware one b5df41a25811b07e74971e8000000001 60014050000000a1
    udevadm settle
    run lsscsi -i
    expect "the kernel's target answers as VMware's disks do" grep -q 36000c29b5df41a25811b07e74971e8 "$out/last"
    same_ids
    judge
    finding scsi.ids met
    finding scsi.uuid-enabled met
    finding scsi.ids-unique met

    say "one disk of an array seen twice, and no multipath"
    lun DGC two c5df41a25811b07e74971e8000000002 60014050000000b1 60014050000000b2
    udevadm settle
    judge
    finding scsi.ids-unique unmet

    say "with multipath the two paths are one map"
    printf 'defaults {\n user_friendly_names no\n find_multipaths no\n}\nblacklist {\n wwid "%s"\n}\n' \
        "$(id_of /dev/sda)" >/etc/multipath.conf
    multipath -v 0
    udevadm settle
    run multipath -ll
    same_ids
    agent 0 disks
    cut -d' ' -f3 "$out/disks" | grep -v '^-' | sort -u >"$out/maps"
    expect "every map but the root disk's is told" cmp "$out/maps" <(dmsetup ls --target multipath | cut -f1 | sort)
    expect "there are three" [ "$(wc -l <"$out/maps")" = 3 ]
    judge
    finding scsi.ids-unique met

    say "two virtual disks of one ID, which multipath takes for one"
    lun VMware three d5df41a25811b07e74971e8000000003 60014050000000c1 60014050000000c2
    udevadm settle
    multipath -v 0
    udevadm settle
    judge
    finding scsi.ids-unique unmet
    finding_says scsi.ids-unique "a VMware virtual disk has one path"
}

after() { untouched retention; }
