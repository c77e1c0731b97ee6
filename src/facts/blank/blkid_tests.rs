use super::*;

const LINE: &str = "blkid -p -o udev /dev/sdb";

fn output(status: i32, stdout: &str, stderr: &str) -> Output {
    Output { status, stdout: stdout.into(), stderr: stderr.into(), truncated: false }
}

/// What blkid 2.38 printed for a device.
fn found(stdout: &str) -> Vec<String> {
    match interpret(&output(0, stdout, ""), LINE) {
        Signatures::Found(found) => found,
        other => panic!("{other:?}"),
    }
}

#[test]
fn finds_are_put_in_words() {
    assert_eq!(
        found(
            "ID_FS_UUID=82dfe9ad\nID_FS_UUID_ENC=82dfe9ad\nID_FS_VERSION=1.0\nID_FS_BLOCK_SIZE=1024\nID_FS_TYPE=ext4\n\
             ID_FS_USAGE=filesystem\n"
        ),
        ["ext4 file system (libblkid)"]
    );
    assert_eq!(
        found(
            "ID_FS_LABEL=my_data__[2J\nID_FS_LABEL_ENC=my\\x20data\\x5c\\x1b[2J\\xzz\\x\nID_FS_UUID=e7bd\nID_FS_TYPE=ext4\n\
             ID_FS_USAGE=filesystem\n"
        ),
        ["ext4 file system \"my data\\\\u{1b}[2J\\xzz\\x\" (libblkid)"]
    );
    assert_eq!(
        found("ID_FS_LABEL=old\nID_FS_TYPE=ext3\nID_FS_USAGE=filesystem\n"),
        ["ext3 file system \"old\" (libblkid)"]
    );
    assert_eq!(
        found("ID_FS_UUID=c0\nID_FS_VERSION=1\nID_FS_TYPE=swap\nID_FS_USAGE=other\n"),
        ["swap area (libblkid)"]
    );
    assert_eq!(
        found("ID_PART_TABLE_UUID=7664b85b\nID_PART_TABLE_TYPE=dos\n"),
        ["MBR partition table (libblkid)"]
    );
    assert_eq!(
        found("ID_PART_TABLE_UUID=21ae\nID_PART_TABLE_TYPE=gpt\n"),
        ["GPT partition table (libblkid)"]
    );
    assert_eq!(
        found("ID_FS_UUID=x\nID_FS_VERSION=LVM2_001\nID_FS_TYPE=LVM2_member\nID_FS_USAGE=raid\n"),
        ["LVM physical volume (libblkid)"]
    );
    assert_eq!(
        found("ID_FS_VERSION=1.2\nID_FS_TYPE=linux_raid_member\nID_FS_USAGE=raid\n"),
        ["RAID member (libblkid)"]
    );
    assert_eq!(
        found("ID_FS_TYPE=crypto_LUKS\nID_FS_USAGE=crypto\n"),
        ["crypto_LUKS encrypted volume (libblkid)"]
    );
    assert_eq!(
        found("ID_FS_TYPE=vfat\nID_FS_USAGE=filesystem\nID_PART_TABLE_TYPE=dos\n"),
        ["MBR partition table (libblkid)", "vfat file system (libblkid)"]
    );
    assert_eq!(
        found("ID_FS_UUID=x\nID_FS_UUID_ENC=x\nID_PART_ENTRY_NEW=y\n"),
        ["a signature with UUID, PART_ENTRY_NEW (libblkid)"]
    );
}

#[test]
fn what_is_no_tag_is_no_find_and_blkid_is_named() {
    let noise = output(0, "pa\u{fffd}ssword=x\n\u{7f}k@y=y\nid_fs_type=ext4\n", "");
    let Signatures::Unknown(why) = interpret(&noise, LINE) else { panic!() };
    assert!(why.contains("blkid"), "{why}");
}

#[test]
fn only_a_silent_status_2_is_nothing() {
    assert_eq!(interpret(&output(2, "", ""), LINE), Signatures::Nothing);
    let said = |output: Output| match interpret(&output, LINE) {
        Signatures::Unknown(why) => why,
        other => panic!("{other:?}"),
    };
    assert_eq!(
        said(output(2, "", "error: /dev/sdb: Permission denied\n")),
        format!("`{LINE}` ended with status 2: error: /dev/sdb: Permission denied")
    );
    assert_eq!(said(output(4, "", "")), format!("`{LINE}` ended with status 4"));
    // No find and no failure: nothing that blkid does, so nothing to believe.
    assert_eq!(said(output(0, "", "")), format!("`{LINE}` ended with status 0"));
    assert_eq!(said(output(0, "no tag\n", "")), format!("`{LINE}` ended with status 0: no tag"));
    // As util-linux-ng 2.17 refuses a format that it does not have.
    let refused = output(4, "", "Invalid output format udev. Choose from value, device or full\n");
    assert!(
        said(refused)
            .ends_with("ended with status 4: Invalid output format udev. Choose from value, device or full")
    );
}

#[test]
fn ambivalent_is_a_find_whatever_the_version() {
    let text =
        "blkid: /dev/sdb: ambivalent result (probably more filesystems on the device, use wipefs(8))\n";
    let expected =
        Signatures::Found(vec!["signatures that contradict each other (libblkid: ambivalent)".into()]);
    assert_eq!(interpret(&output(8, "", text), LINE), expected);
    assert_eq!(interpret(&output(2, "", text), LINE), expected);
    assert_eq!(interpret(&output(8, "", ""), LINE), expected);
    // For udev it is told on standard output, by 2.17 with status 2 or 0, and without the last letter.
    for name in ["ID_FS_AMBIVALENT", "ID_FS_AMBIVALEN"] {
        let udev = format!("{name}=filesystem:ext4:1.0 other:swap:1\n");
        for status in [8, 2, 0] {
            assert_eq!(interpret(&output(status, &udev, ""), LINE), expected, "{name} {status}");
        }
    }
}

#[test]
fn without_blkid_nothing_is_told() {
    let signatures = signatures(&Host::image("/"), "/dev/sdb");
    assert!(
        matches!(&signatures, Signatures::Unknown(why) if why.starts_with("no `blkid` in ")),
        "{signatures:?}"
    );
}
