//! Where a server's redirect leads, and which proxy an address goes through.

use mt_agent::fuzzing;
use mt_agent_fuzz::text;

pub fn run(data: &[u8]) {
    let text = text(data);
    let mut lines = text.splitn(3, '\n');
    let (first, second, third) = (
        lines.next().unwrap_or_default(),
        lines.next().unwrap_or_default(),
        lines.next().unwrap_or_default(),
    );
    for base in ["https://user:secret@example.com:8443/a/b?c#d", first] {
        for location in [first, second, third] {
            if let Some(target) = fuzzing::redirect(base, location) {
                assert!(target.starts_with("http://") || target.starts_with("https://"), "{target:?}");
                // A relative redirect does not carry the credentials on.
                assert!(
                    location.contains("secret") || first.contains("secret") || !target.contains("secret")
                );
            }
        }
    }
    let _ = fuzzing::proxy(first, second, third);
}
