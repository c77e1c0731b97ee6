//! What lies where a partition table has a partition that the kernel does not show: failback writes a disk block by block, and the
//! kernel does not read the table again by itself.

use std::cell::RefCell;
use std::io;
use std::time::{Duration, Instant};

use super::content;
use super::found::Carried;
use super::table::{Entry, Place};
use crate::host::text;

/// Places that are read at most on a device: as many partitions as the kernel takes on one.
const MOST: usize = 256;

/// How long the places of a device may take, within the deadline of all devices: one that is slow then still has an answer.
const WITHIN: Duration = Duration::from_secs(5);

/// A partition that is smaller can carry nothing.
const LEAST: u64 = 4096;

/// Reads what lies at the places of `entries` that the kernel does not show, by `shows`; `block` reads up to 4,096 bytes that begin
/// at a multiple of the size of a sector.
pub(super) fn read(
    entries: &mut [Entry],
    shows: impl Fn(&Entry) -> bool,
    block: impl Fn(u64) -> io::Result<Vec<u8>>,
) {
    let until = Instant::now() + WITHIN;
    let in_time = |at: u64| match Instant::now() < until {
        true => block(at),
        false => Err(io::Error::other(format!("what lies there was not read within {} s", WITHIN.as_secs()))),
    };
    for (count, entry) in entries.iter_mut().filter(|entry| !shows(entry)).enumerate() {
        let place = entry.place.take();
        entry.place = Some(match place {
            // An extended one: its table tells.
            Some(place) => place,
            None if count >= MOST => Place::Unread(format!("no more than {MOST} are looked at")),
            None => at(entry, in_time),
        });
    }
    entries.iter_mut().filter(|entry| shows(entry)).for_each(|entry| entry.place = None);
}

fn at(entry: &Entry, block: impl Fn(u64) -> io::Result<Vec<u8>>) -> Place {
    let Entry { start_bytes, size_bytes, .. } = *entry;
    if size_bytes == 0 {
        return Place::Unread("it ends before it begins".to_owned());
    }
    if size_bytes < LEAST {
        return Place::NOTHING;
    }
    let failed = RefCell::new(None);
    let within = |at: u64| {
        let left = size_bytes.checked_sub(at).filter(|left| *left > 0)?;
        let read =
            start_bytes.checked_add(at).map_or_else(|| Err(io::ErrorKind::InvalidInput.into()), &block);
        match read {
            Ok(mut bytes) => {
                bytes.truncate(usize::try_from(left).unwrap_or(usize::MAX));
                Some(bytes)
            }
            Err(error) => {
                failed.replace(Some(text::safe(&error.to_string())));
                None
            }
        }
    };
    let carried = within(0).map(|start| content::carried(&start, None, Some(size_bytes), within));
    match (failed.take(), carried) {
        (None, Some(Carried { volume, group, array, .. })) => Place::Read { volume, group, array },
        (why, _) => Place::Unread(why.unwrap_or_default()),
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    fn entry(number: u32, start_bytes: u64, size_bytes: u64) -> Entry {
        Entry { number, start_bytes, size_bytes, ..Entry::default() }
    }

    /// A swap area at each place that is a multiple of 1 MiB.
    fn device(at: u64) -> io::Result<Vec<u8>> {
        let mut block = vec![0; 4096];
        if at.is_multiple_of(1 << 20) {
            block[4086..].copy_from_slice(b"SWAPSPACE2");
            block[1036..1052].fill(0x11);
        }
        Ok(block)
    }

    fn found(mut entries: Vec<Entry>, block: impl Fn(u64) -> io::Result<Vec<u8>>) -> Vec<String> {
        read(&mut entries, |entry| entry.number == 9, block);
        let found = |entry: Entry| match entry.place {
            None => "not looked at".to_owned(),
            Some(Place::Read { volume, .. }) => {
                volume.map_or("nothing".to_owned(), |volume| volume.fs_type.to_string())
            }
            Some(Place::Unread(why)) => why,
        };
        entries.into_iter().map(found).collect()
    }

    #[test]
    fn what_the_kernel_does_not_show_is_read_at_its_place_and_not_beyond() {
        let entries = vec![
            entry(1, 1 << 20, 1 << 20),
            entry(2, 4096, 1 << 20),
            entry(9, 1 << 20, 1 << 20),
            entry(3, 1 << 20, 512),
            entry(4, 1 << 20, 0),
            Entry { place: Some(Place::NOTHING), ..entry(5, 1 << 20, 1 << 20) },
        ];
        let expected = ["swap", "nothing", "not looked at", "nothing", "it ends before it begins", "nothing"];
        assert_eq!(found(entries, device), expected);
        // What follows a partition is not its own: the description of a group, for example.
        let asked = Cell::new(0);
        let counted = |at: u64| {
            asked.set(asked.get().max(at));
            let mut block = device(1)?;
            block[..8].copy_from_slice(b"LABELONE");
            block[32..64].fill(b'x');
            // Its header, and where its description would begin.
            (block[20], block[89]) = (32, 64);
            Ok(block)
        };
        assert_eq!(found(vec![entry(1, 1 << 20, 8192)], counted), [super::super::LVM]);
        assert!(asked.get() < (1 << 20) + 8192, "{}", asked.get());
    }

    #[test]
    fn a_place_that_cannot_be_read_is_told_and_their_number_is_limited() {
        let fails = |at: u64| match at {
            0x20_0000 => Err(io::Error::other("Input/output error")),
            at => device(at),
        };
        let entries = vec![entry(1, 1 << 20, 1 << 20), entry(2, 2 << 20, 1 << 20), entry(3, u64::MAX, 4096)];
        let found_all = found(entries, fails);
        assert_eq!(found_all[..2], ["swap", "Input/output error"]);
        let many = (10..).take(MOST + 1).map(|number| entry(number, 4096, 4096)).collect();
        let found_all = found(many, device);
        assert_eq!(found_all[MOST - 1..], ["nothing", "no more than 256 are looked at"]);
    }
}
