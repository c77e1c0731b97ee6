//! Options that a file system does not know, so that it is not mounted: the tables of mount(8) and of the kernel.
//!
//! Taken from mount.c of util-linux-ng 2.17.2, libmount's optmap.c, and the option tables in fs/ext3/super.c, fs/ext4/super.c
//! and fs/xfs/xfs_super.c of Linux 2.6.32 (RHEL 6) and of later ones up to 6.12. Where versions differ after CentOS 6, what any
//! of them takes counts as known. swapon(8) passes over options that it does not know, in every version.

use super::Dialect;

/// Of each: `name` stands alone, `name=` has any value, `name=#` a number, `name=a|b` one of these.
const MOUNT: &str = "defaults ro rw exec noexec suid nosuid dev nodev sync async dirsync remount bind rbind auto noauto users \
    nousers user nouser owner noowner group nogroup _netdev _rnetdev comment comment= sub nosub quiet loud mand nomand loop \
    loop= vfs= offset= sizelimit= encryption= speed= uhelper= atime noatime iversion noiversion diratime nodiratime relatime \
    norelatime strictatime nostrictatime nofail context= fscontext= defcontext= rootcontext=";

const MOUNT_LATER: &str = "silent lazytime nolazytime move private rprivate shared rshared slave rslave unbindable runbindable \
    user= helper= symfollow nosymfollow seclabel";

const EXT: &str = "bsddf minixdf grpid bsdgroups nogrpid sysvgroups resgid=# resuid=# sb=# errors=continue|panic|remount-ro \
    nouid32 debug oldalloc orlov user_xattr nouser_xattr acl noacl noload nobh bh commit=# journal_dev=# abort \
    data=journal|ordered|writeback data_err=abort|ignore usrjquota= grpjquota= jqfmt=vfsold|vfsv0|vfsv1 grpquota noquota quota \
    usrquota barrier barrier=#";

const EXT3: &str =
    "nobarrier check=none nocheck reservation noreservation journal=update|# resize resize=# xip";

const EXT4: &str = "nobarrier norecovery min_batch_time=# max_batch_time=# journal_checksum journal_async_commit i_version \
    stripe=# resize resize=# delalloc nodelalloc block_validity noblock_validity inode_readahead_blks=# journal_ioprio=# \
    auto_da_alloc auto_da_alloc=# noauto_da_alloc discard nodiscard dioread_nolock dioread_lock init_itable init_itable=# \
    noinit_itable mblk_io_submit nomblk_io_submit";

const EXT4_LATER: &str = "nojournal_checksum max_dir_size_kb=# test_dummy_encryption test_dummy_encryption= nombcache no_mbcache \
    prjquota dax dax= inlinecrypt warn_on_error nowarn_on_error debug_want_extra_isize=# mb_optimize_scan=# \
    prefetch_block_bitmaps no_prefetch_block_bitmaps journal_path= nodioread_nolock";

const XFS: &str = "logbufs=# logbsize= logdev= rtdev= mtpt= biosize=# allocsize= wsync noalign swalloc sunit=# swidth=# nouuid \
    grpid bsdgroups nogrpid sysvgroups attr2 noattr2 ikeep noikeep largeio nolargeio barrier nobarrier inode64 inode32 \
    norecovery uquota usrquota quota uqnoenforce pquota prjquota pqnoenforce gquota grpquota gqnoenforce qnoenforce noquota \
    osyncisosync osyncisdsync dmapi xdsm dmi ihashsize= irixsgid delaylog nodelaylog filestreams discard nodiscard";

const XFS_LATER: &str = "dax dax= lifetime nolifetime max_open_zones=# max_atomic_write=";

/// The name of the first option with which a file system of that type is not mounted; `None` for types whose options are
/// not known here.
pub(super) fn refused(fs_type: &str, options: &[&str], dialect: Dialect) -> Option<String> {
    let later = dialect == Dialect::Libmount;
    let known: &[&str] = match (fs_type, later) {
        ("ext2" | "ext3", false) => &[MOUNT, EXT, EXT3],
        ("ext4", false) => &[MOUNT, EXT, EXT4],
        // The driver of ext4 mounts them all.
        ("ext2" | "ext3" | "ext4", true) => &[MOUNT, MOUNT_LATER, EXT, EXT3, EXT4, EXT4_LATER],
        ("xfs", false) => &[MOUNT, XFS],
        ("xfs", true) => &[MOUNT, MOUNT_LATER, XFS, XFS_LATER],
        _ => return None,
    };
    let is_known = |option: &&&str| {
        // Comments for other programs, which mount(8) of CentOS 6 hands to the kernel.
        later && (option.starts_with("x-") || option.starts_with("X-"))
            || known.iter().any(|table| table.split_ascii_whitespace().any(|pattern| fits(pattern, option)))
    };
    let option = options.iter().find(|option| !is_known(option))?;
    // What stands behind the sign may be nobody's business.
    let (name, valued) = option.split_once('=').map_or((*option, false), |(name, _)| (name, true));
    let name: String = name.chars().take(40).collect();
    Some(if valued { format!("{name}=") } else { name })
}

fn fits(pattern: &str, option: &str) -> bool {
    let (Some((name, values)), Some((other, value))) = (pattern.split_once('='), option.split_once('='))
    else {
        return pattern == option;
    };
    let is_number = || {
        let digits = value.strip_prefix("0x").map_or((value, 10), |digits| (digits, 16));
        u64::from_str_radix(digits.0, digits.1).is_ok()
    };
    name == other
        && (values.is_empty()
            || values.split('|').any(|wanted| if wanted == "#" { is_number() } else { wanted == value }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(fs_type: &str, options: &str, dialect: Dialect) -> Option<String> {
        let options: Vec<_> = options.split(',').collect();
        refused(fs_type, &options, dialect)
    }

    #[test]
    fn what_a_file_system_does_not_know_is_named_without_its_value() {
        let refused = |fs_type: &str, options: &str| refusal(fs_type, options, Dialect::UtilLinuxNg);
        for (fs_type, options) in [
            ("ext4", "defaults"),
            ("ext4", "rw,noatime,data=ordered,barrier=1,commit=30,errors=remount-ro"),
            ("ext3", "acl,user_xattr,journal=update,context=\"a:b\""),
            ("xfs", "noatime,inode64,logbsize=256k,nobarrier"),
            ("swap", "sw,whatever"),
            ("nfs", "whatever=1"),
        ] {
            assert_eq!(refused(fs_type, options), None, "{fs_type} {options}");
        }
        for (fs_type, options, name) in [
            ("ext4", "defalts", "defalts"),
            ("ext4", "rw,1", "1"),
            ("ext4", "data=orderd", "data="),
            ("ext4", "commit=soon", "commit="),
            ("ext3", "delalloc", "delalloc"),
            ("xfs", "data=ordered,password=x", "data="),
            ("xfs", "rw;noatime", "rw;noatime"),
        ] {
            assert_eq!(refused(fs_type, options).as_deref(), Some(name), "{fs_type} {options}");
        }
    }

    #[test]
    fn what_came_later_is_not_known_to_centos_6() {
        for options in ["x-systemd.device-timeout=5", "lazytime", "dax=always", "silent"] {
            assert!(refusal("ext4", options, Dialect::UtilLinuxNg).is_some(), "{options}");
            assert_eq!(refusal("ext4", options, Dialect::Libmount), None, "{options}");
        }
    }
}
