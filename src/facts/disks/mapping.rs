//! Where a partition that kpartx made lies on its map: sysfs does not say that of a mapping, the device mapper does.

use nix::libc;

use crate::host::{DeviceNumber, Host, files, ioctl};

/// Where the mapping `name`, which has the number `number`, begins on the one device of which it is a piece, in bytes; `None` where
/// it is no such piece, or the device mapper cannot be asked.
pub(super) fn begin(host: &Host, name: &str, number: DeviceNumber) -> Option<u64> {
    if !host.is_live() {
        return linear(&host.read(format!("/commands/dm-table/{name}")).ok()?);
    }
    let control = files::node(&host.path(ioctl::DEVICE_MAPPER), libc::O_NONBLOCK).ok()?;
    linear(&ioctl::device_mapper_table(&control, number.dev()).ok()?.tables().join("\n"))
}

/// Reads a table of one line as `dmsetup table` prints it: `0 204800 linear 253:1 2048`.
fn linear(table: &str) -> Option<u64> {
    let words: Vec<&str> = table.split_whitespace().collect();
    let ["0", _, "linear", _, sectors] = words.as_slice() else { return None };
    sectors.parse::<u64>().ok()?.checked_mul(512)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_of_one_linear_piece_tells_where_it_begins() {
        assert_eq!(linear("0 204800 linear 253:1 2048\n"), Some(1 << 20));
        for other in [
            "",
            "0 204800 striped 253:1 2048",
            "0 8 linear 253:1 2048\n8 8 linear 253:1 4096\n",
            "8 8 linear 253:1 2048",
            "0 8 linear 253:1 x",
            "0 8 linear 253:1 18446744073709551615",
        ] {
            assert_eq!(linear(other), None, "{other}");
        }
    }
}
