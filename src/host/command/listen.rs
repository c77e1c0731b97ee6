//! Listening to a command: what it prints is read as it comes, kept up to a bound, and watched line by line.

use std::fs::File;
use std::io::{self, Read};
use std::os::fd::OwnedFd;
use std::sync::mpsc::SyncSender;
use std::thread;

use super::Output;
use crate::host::text;

/// How much of each stream is kept, in bytes; the rest is read and dropped.
pub(super) const KEPT: usize = 8 << 20;

/// What came so far, with the line of each stream that has not ended yet.
#[derive(Default)]
pub(super) struct Collected {
    pub(super) output: Output,
    partial: [Vec<u8>; 2],
}

impl Collected {
    pub(super) fn take(&mut self, is_err: bool, bytes: &[u8], watch: &mut dyn FnMut(&str)) {
        let kept = if is_err { &mut self.output.stderr } else { &mut self.output.stdout };
        let room = KEPT.saturating_sub(kept.len());
        kept.extend_from_slice(&bytes[..bytes.len().min(room)]);
        self.output.truncated |= bytes.len() > room;
        let partial = &mut self.partial[usize::from(is_err)];
        for &byte in bytes {
            if matches!(byte, b'\n' | b'\r') {
                watch_line(partial, watch);
            } else if partial.len() < 4096 {
                partial.push(byte);
            }
        }
    }

    pub(super) fn flush(&mut self, watch: &mut dyn FnMut(&str)) {
        for partial in &mut self.partial {
            watch_line(partial, watch);
        }
    }
}

fn watch_line(partial: &mut Vec<u8>, watch: &mut dyn FnMut(&str)) {
    if !partial.is_empty() {
        watch(&text::safe(&text::without_secrets(&String::from_utf8_lossy(partial))));
        partial.clear();
    }
}

/// Reads `fd` to its end on a thread of its own, so that a command that says much never blocks.
pub(super) fn drain(fd: OwnedFd, is_err: bool, sender: SyncSender<(bool, Vec<u8>)>) -> io::Result<()> {
    let reading = thread::Builder::new().spawn(move || {
        let mut file = File::from(fd);
        let mut buffer = [0; 16 << 10];
        loop {
            match file.read(&mut buffer) {
                Ok(0) => break,
                Ok(read) => {
                    if sender.send((is_err, buffer[..read].to_vec())).is_err() {
                        break;
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => break,
            }
        }
    });
    reading.map(drop)
}
