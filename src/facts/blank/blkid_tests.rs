use super::*;

const LINE: &str = "blkid -p -o export /dev/sdb";

fn output(status: i32, stdout: &str, stderr: &str) -> Output {
    Output { status, stdout: stdout.into(), stderr: stderr.into(), truncated: false }
}

/// What blkid 2.38 printed for a device, without its first line.
fn found(stdout: &str) -> Vec<String> {
    match interpret(&output(0, &format!("DEVNAME=/dev/sdb\n{stdout}"), ""), LINE) {
        Signatures::Found(found) => found,
        other => panic!("{other:?}"),
    }
}

#[test]
fn finds_are_put_in_words() {
    assert_eq!(
        found("UUID=82dfe9ad-1976\nVERSION=1.0\nBLOCK_SIZE=1024\nTYPE=ext4\nUSAGE=filesystem\n"),
        ["ext4 file system (libblkid)"]
    );
    assert_eq!(
        found("LABEL=my\\ data\\\\\x1b[2J\nUUID=e7bd\nTYPE=ext4\nUSAGE=filesystem\n"),
        ["ext4 file system \"my data\\\\u{1b}[2J\" (libblkid)"]
    );
    assert_eq!(found("UUID=c0\nVERSION=1\nTYPE=swap\nUSAGE=other\n"), ["swap area (libblkid)"]);
    assert_eq!(found("PTUUID=7664b85b\nPTTYPE=dos\n"), ["MBR partition table (libblkid)"]);
    assert_eq!(found("PTUUID=21ae\nPTTYPE=gpt\n"), ["GPT partition table (libblkid)"]);
    assert_eq!(
        found("UUID=x\nVERSION=LVM2\\ 001\nTYPE=LVM2_member\nUSAGE=raid\n"),
        ["LVM physical volume (libblkid)"]
    );
    assert_eq!(found("VERSION=1.2\nTYPE=linux_raid_member\nUSAGE=raid\n"), ["RAID member (libblkid)"]);
    assert_eq!(found("TYPE=crypto_LUKS\nUSAGE=crypto\n"), ["crypto_LUKS encrypted volume (libblkid)"]);
    assert_eq!(
        found("TYPE=vfat\nUSAGE=filesystem\nPTTYPE=dos\n"),
        ["MBR partition table (libblkid)", "vfat file system (libblkid)"]
    );
    assert_eq!(found("UUID=x\nNEW=y\n"), ["a signature with UUID, NEW (libblkid)"]);
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
    assert_eq!(
        said(output(0, "DEVNAME=/dev/sdb\n", "")),
        format!("`{LINE}` ended with status 0: DEVNAME=/dev/sdb")
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
}

#[test]
fn without_blkid_nothing_is_told() {
    let signatures = signatures(&Host::image("/"), "/dev/sdb");
    assert!(
        matches!(&signatures, Signatures::Unknown(why) if why.starts_with("no `blkid` in ")),
        "{signatures:?}"
    );
}
