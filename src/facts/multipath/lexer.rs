//! What libmultipath takes for a line of /etc/multipath.conf, and for the pieces of one (parser.c: `read_line`, `alloc_strvec`).

use std::ops::Range;

use crate::facts::os;
use crate::host::Host;

/// Which version reads the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// 0.4.9 of CentOS 6: a quoted value that begins with `!` or `#` is empty, `overrides` is not known, a carriage return ends
    /// a line, and a last line without its end is lost.
    El6,
    /// Later ones: two quotation marks in a quoted value stand for one, and the blacklist has `property` and `protocol`.
    Later,
}

impl Dialect {
    /// That of the host: CentOS 6 is what has no systemd.
    pub fn of(host: &Host) -> Self {
        if os::systemd(host).unwrap_or(false) { Self::Later } else { Self::El6 }
    }
}

/// A piece of a line.
pub(super) struct Piece {
    pub span: Range<usize>,
    pub kind: Kind,
}

#[derive(PartialEq)]
pub(super) enum Kind {
    Word,
    Quote,
    Open,
    Close,
}

/// The size of multipath's buffer for a line (parser.h, from before 0.4.9 to 0.9.4).
const MAXBUF: usize = 1024;

fn is_end(byte: &u8) -> bool {
    matches!(byte, b'\n' | b'\r')
}

/// How long the first line of `rest` is, and how many bytes are read with it; `None` where there is none (`read_line`).
pub(super) fn first_line(rest: &[u8], dialect: Dialect) -> Option<(usize, usize)> {
    match dialect {
        // By fgetc(3): the byte that finds no room is dropped, and what the file ends with is lost where no newline ends it.
        Dialect::El6 => {
            let length = rest.iter().take(MAXBUF + 1).position(is_end).unwrap_or(MAXBUF);
            (length < rest.len()).then_some((length, length + 1))
        }
        // By fgets(3), which needs a byte for the end, and strtok(3), which passes over ends that come first.
        Dialect::Later => {
            let room = &rest[..rest.len().min(MAXBUF - 1)];
            let read = room.iter().position(|&byte| byte == b'\n').map_or(room.len(), |at| at + 1);
            let begin = room.iter().take_while(|byte| is_end(byte)).count().min(read);
            let length = room[begin..read].iter().position(is_end).map_or(read, |at| begin + at);
            (read > 0).then_some((length, read))
        }
    }
}

/// Whether the last `read` bytes of `text`, which were read as a line, are a part of one that is longer than the buffer.
pub(super) fn is_cut(text: &[u8], read: usize) -> bool {
    read >= MAXBUF - 1 && !text.last().is_some_and(is_end)
}

/// The pieces of one line, which starts at byte `start` of the file. Bytes above 127 are blanks outside of quotation marks.
pub(super) fn pieces(line: &[u8], start: usize, dialect: Dialect) -> Vec<Piece> {
    // isspace(3) has the vertical tab, which Rust's own has not.
    let is_blank = |byte: &u8| byte.is_ascii_whitespace() || *byte == 0x0b || !byte.is_ascii();
    // To C it ends there.
    let line = line.split(|&byte| byte == 0).next().unwrap_or_default();
    let mut pieces = Vec::new();
    let (mut at, mut in_string) = (0, false);
    loop {
        if !in_string {
            at += line[at..].iter().take_while(|byte| is_blank(byte)).count();
        }
        let ends = |byte: &u8| matches!(byte, b'!' | b'#') && (!in_string || dialect == Dialect::El6);
        let Some(byte) = line.get(at).filter(|byte| !ends(byte)) else { return pieces };
        let begin = at;
        let kind = match byte {
            b'"' => {
                in_string = !in_string;
                at += 1;
                Kind::Quote
            }
            b'{' | b'}' if !in_string => {
                at += 1;
                if *byte == b'{' { Kind::Open } else { Kind::Close }
            }
            _ => {
                loop {
                    let goes_on = |byte: &&u8| {
                        **byte != b'"' && (in_string || !(is_blank(byte) || b"!#{}".contains(byte)))
                    };
                    at += line[at..].iter().take_while(goes_on).count();
                    if !(dialect == Dialect::Later && in_string && line[at..].starts_with(b"\"\"")) {
                        break;
                    }
                    at += 2;
                }
                Kind::Word
            }
        };
        pieces.push(Piece { span: start + begin..start + at, kind });
    }
}
