//! The answer of the device mapper about a device: `struct dm_target_spec` of the kernel's dm-ioctl.h.

/// What the device mapper says of a device.
pub struct MapStatus {
    /// Whether it is suspended. Kernels before 2.6.33 do not tell that in /sys.
    pub suspended: bool,
    pub targets: u32,
    /// One `struct dm_target_spec` after another, each with its status or parameters as text behind it.
    pub bytes: Vec<u8>,
}

impl MapStatus {
    /// The text behind each.
    pub fn texts(&self) -> Vec<String> {
        self.specs().map(|(_, text)| text).collect()
    }

    /// The lines of a table, as `dmsetup table` prints them: start and length in sectors, the kind of the target, its parameters.
    pub fn tables(&self) -> Vec<String> {
        let line = |(spec, text): (&[u8], String)| {
            let number = |at: usize| spec.get(at..at + 8)?.try_into().ok().map(u64::from_ne_bytes);
            Some(format!("{} {} {} {text}", number(0)?, number(8)?, until_zero(spec.get(24..40)?)))
        };
        self.specs().filter_map(line).collect()
    }

    fn specs(&self) -> impl Iterator<Item = (&[u8], String)> {
        // The length of one, and where in it the distance to the next one stands, from the first one on.
        const SPEC: usize = 40;
        const NEXT: usize = 20;
        let mut at = 0;
        (0..self.targets).map_while(move |_| {
            let spec = self.bytes.get(at..)?;
            let (next, text) = (spec.get(NEXT..NEXT + 4)?, spec.get(SPEC..)?);
            at = u32::from_ne_bytes(next.try_into().ok()?) as usize;
            Some((spec, until_zero(text)))
        })
    }
}

fn until_zero(bytes: &[u8]) -> String {
    let text = bytes.split(|byte| *byte == 0).next().unwrap_or_default();
    String::from_utf8_lossy(text).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_texts_lie_behind_their_structures() {
        let spec = |next: u32, text: &str| {
            let mut bytes = vec![0; 40];
            (bytes[0], bytes[8]) = (8, 16);
            bytes[20..24].copy_from_slice(&next.to_ne_bytes());
            bytes[24..30].copy_from_slice(b"linear");
            bytes.extend(text.bytes());
            bytes.resize(48, 0);
            bytes
        };
        let status =
            |bytes: &[u8], targets: u32| MapStatus { suspended: false, targets, bytes: bytes.to_vec() };
        let bytes = [spec(48, "one"), spec(96, "two")].concat();
        assert_eq!(status(&bytes, 2).texts(), ["one", "two"]);
        assert_eq!(status(&bytes, 1).tables(), ["8 16 linear one"]);
        // What is cut, or leads out, ends it.
        assert_eq!(status(&bytes, 3).texts(), ["one", "two"]);
        assert_eq!(status(&bytes[..50], 2).texts(), ["one"]);
        assert_eq!(status(&spec(u32::MAX, "one"), 2).texts(), ["one"]);
        assert_eq!(status(&[], 1).texts(), [""; 0]);
    }
}
