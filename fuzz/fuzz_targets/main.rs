//! Every target in one binary, so that AddressSanitizer's build is linked once. `MT_FUZZ_TARGET` names the one that runs.

#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;

/// The modules, and the table of them by name.
macro_rules! targets {
    ($($name:ident)*) => {
        $(mod $name;)*
        const TARGETS: &[(&str, fn(&[u8]))] = &[$((stringify!($name), $name::run)),*];
    };
}

targets! {
    archive boot_loader facts fstab journal mountinfo multipath network os packages proc profile records scsi seal
    signatures text vendor web
}

static RUN: LazyLock<fn(&[u8])> = LazyLock::new(|| {
    let name = std::env::var("MT_FUZZ_TARGET").unwrap_or_default();
    let found = TARGETS.iter().find(|(known, _)| *known == name);
    found.unwrap_or_else(|| panic!("MT_FUZZ_TARGET: found {name:?}, expected the name of a target")).1
});

fuzz_target!(|data: &[u8]| RUN(data));
