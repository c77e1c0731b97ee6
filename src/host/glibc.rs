//! Two functions that the C library of CentOS 6 (glibc 2.12) lacks and that Rust's standard library names: `statx`
//! came with glibc 2.28, `getauxval` with 2.16. Compiled only by scripts/build-release, for the release binary: without
//! them it does not link against glibc 2.12.
//!
//! Both answer as a kernel does that knows nothing of the matter, and the standard library then goes the older way by
//! itself: stat, lstat and fstat; the signal stack's default size. As of Rust 1.95 it asks for nothing else that is
//! newer without looking first whether it is there.
#![allow(unsafe_code)]

use nix::errno::Errno;
use nix::libc::{c_char, c_int, c_uint, c_ulong, statx as Statx};

// SAFETY: the name and the signature are the C library's own, the pointers are not looked at, and the library that it
// is linked against has no other function of this name.
/// statx(2) on a kernel that does not have it: -1, and errno says ENOSYS.
#[unsafe(no_mangle)]
extern "C" fn statx(
    _directory: c_int,
    _path: *const c_char,
    _flags: c_int,
    _mask: c_uint,
    _answer: *mut Statx,
) -> c_int {
    Errno::ENOSYS.set();
    -1
}

// SAFETY: as above; there is no pointer at all.
/// getauxval(3) of a kernel that told nothing of the kind: 0.
#[unsafe(no_mangle)]
extern "C" fn getauxval(_kind: c_ulong) -> c_ulong {
    0
}
