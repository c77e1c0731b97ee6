//! How much a tool has written to a device, by the kernel's counts.

use crate::changes::device::Device;
use crate::host::Host;

/// The largest write that a kernel before 4.18 makes in one piece, in sectors of 512 bytes, whatever
/// `queue/max_sectors_kb` says: the 256 pages of a bio.
const LARGEST: u64 = 2048;

/// What has been written to a device since a moment. What was discarded is not counted: mke2fs discards the whole disk
/// first, which says nothing of how far it is.
#[derive(Debug)]
pub(super) struct Written {
    last: Option<Counts>,
    sectors: u64,
    /// The largest write in one piece, in sectors.
    largest: u64,
}

/// Of the device's `stat` (Documentation/block/stat.rst).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Counts {
    writes: u64,
    sectors: u64,
    /// Whether discards are counted elsewhere: since 4.18. Kernels before, 2.6.32 among them, count them among the writes.
    discards_apart: bool,
}

impl Written {
    pub(super) fn since_now(host: &Host, device: &Device) -> Self {
        let limit = host.read(format!("/sys/dev/block/{}/queue/max_sectors_kb", device.major_minor()));
        let limit = limit.ok().and_then(|limit| limit.trim().parse::<u64>().ok()).unwrap_or_default();
        let largest = limit.saturating_mul(2).max(LARGEST);
        Self { last: read(host, device), sectors: 0, largest }
    }

    /// Bytes so far; `None` where the kernel does not say.
    pub(super) fn bytes(&mut self, host: &Host, device: &Device) -> Option<u64> {
        self.add(read(host, device))
    }

    fn add(&mut self, now: Option<Counts>) -> Option<u64> {
        let (before, now) = (self.last?, now?);
        let sectors = now.sectors.saturating_sub(before.sectors);
        let writes = now.writes.saturating_sub(before.writes);
        // No write is so large: discards were among them, and what was written beside cannot be distinguished from them.
        let discarded = !now.discards_apart && sectors > writes.saturating_mul(self.largest);
        if !discarded {
            self.sectors = self.sectors.saturating_add(sectors);
        }
        self.last = Some(now);
        self.sectors.checked_mul(512)
    }
}

fn read(host: &Host, device: &Device) -> Option<Counts> {
    counts(&host.read(format!("/sys/dev/block/{}/stat", device.major_minor())).ok()?)
}

fn counts(stat: &str) -> Option<Counts> {
    let numbers: Vec<u64> = stat.split_ascii_whitespace().map_while(|number| number.parse().ok()).collect();
    Some(Counts { writes: *numbers.get(4)?, sectors: *numbers.get(6)?, discards_apart: numbers.len() >= 15 })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is told after each of these `stat`.
    fn written_after(stats: &[&str]) -> Vec<Option<u64>> {
        let mut written = Written { last: counts(stats[0]), sectors: 0, largest: LARGEST };
        stats[1..].iter().map(|stat| written.add(counts(stat))).collect()
    }

    #[test]
    fn what_2_6_32_counts_of_a_discard_is_not_told_as_written() {
        // 64 GiB discarded in pieces of 4 GiB, then 1 MiB written in two pieces.
        let stats = [
            "10 0 80 5 7 0 4096 9 0 9 14",
            "10 0 80 5 23 0 134221824 9 0 9 14",
            "10 0 80 5 25 0 134223872 9 0 9 14",
        ];
        assert_eq!(written_after(&stats), [Some(0), Some(1 << 20)]);
    }

    #[test]
    fn newer_kernels_count_discards_apart() {
        let stats = ["1 0 8 0 1 0 0 0 0 0 0 0 0 0 0 0 0", "1 0 8 0 2 0 8192 0 0 0 0 16 0 134217728 0 0 0"];
        assert_eq!(written_after(&stats), [Some(8192 * 512)]);
        assert_eq!(written_after(&["", "1 0 8 0 2 0 8192"]), [None]);
    }
}
