//! Files of a template, without what names its machine: what is taken out is out, a second time changes nothing, and lines
//! that have nothing to do with it stay byte for byte.

use mt_agent::fuzzing::seal;
use mt_agent_fuzz::text;

const ID: &str = "36000c2982b5df41a25811b07e74971e8";

/// Every line of `after` is one of `before`, in its order.
fn only_less(before: &[u8], after: &[u8]) {
    let mut left = before.split(|byte| *byte == b'\n');
    for line in after.split(|byte| *byte == b'\n') {
        assert!(line.is_empty() || left.any(|old| old == line), "{:?}", String::from_utf8_lossy(line));
    }
}

/// Every byte of `after` is one of `before`, in its order.
fn only_shorter(before: &[u8], after: &[u8]) {
    let mut left = before.iter();
    assert!(after.iter().all(|byte| left.any(|old| old == byte)), "{:?}", String::from_utf8_lossy(after));
}

pub fn run(data: &[u8]) {
    let keys = ["HWADDR", "UUID", "HOSTNAME"];
    let after = seal::without_keys(data, &keys);
    assert_eq!(seal::without_keys(&after, &keys), after);
    only_shorter(data, &after);
    let options = ["host-name", "dhcp-client-identifier"];
    let shorter = seal::without_options(data, &options);
    assert_eq!(seal::without_options(&shorter, &options), shorter);
    only_shorter(data, &shorter);
    for line in text(&after).lines() {
        let line = line.trim_start();
        let line = line.strip_prefix("export ").unwrap_or(line);
        assert!(!keys.iter().any(|key| line.starts_with(&format!("{key}="))), "{line:?}");
    }

    let after = seal::with_value(data, "HOSTNAME", "localhost.localdomain");
    assert_eq!(seal::with_value(&after, "HOSTNAME", "localhost.localdomain"), after);

    let names = ["mt01.example".to_owned(), "mt01".to_owned()];
    let after = seal::without_names(data, &names);
    assert_eq!(seal::without_names(&after, &names), after);
    for line in text(&after).lines() {
        let words = line.split('#').next().unwrap_or_default().split_ascii_whitespace().skip(1);
        assert!(
            words.into_iter().all(|word| !names.iter().any(|name| name.eq_ignore_ascii_case(word))),
            "{line:?}"
        );
    }

    let after = seal::without_mount(data, "/mnt/retention", "# mt-agent keeps");
    assert_eq!(seal::without_mount(&after, "/mnt/retention", "# mt-agent keeps"), after);
    only_less(data, &after);

    let after = seal::with_id_replaced(data, ID, "30");
    assert_eq!(seal::with_id_replaced(&after, ID, "30"), after);
}
