//! In which order the addresses of one server are asked.
//!
//! The library goes on to the next one when a connection is refused or does not come about in the first one's share of the
//! time. So the families alternate (RFC 8305, section 4): one that leads nowhere costs one share. A server that takes
//! the connection and then says nothing is passed over by the next try, which begins with the next address.

use std::net::SocketAddr;

use ureq::Error;
use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::NextTimeout;

/// What the system's resolver finds, in the order for one try.
#[derive(Debug, Default)]
pub struct InTurn {
    resolver: DefaultResolver,
    number: usize,
}

impl InTurn {
    pub fn new(number: usize) -> Self {
        Self { number, ..Self::default() }
    }
}

impl Resolver for InTurn {
    fn resolve(
        &self,
        uri: &Uri,
        config: &Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, Error> {
        let found = self.resolver.resolve(uri, config, timeout)?;
        let mut ordered = self.empty();
        for address in in_turn(&found, self.number) {
            ordered.push(address);
        }
        Ok(ordered)
    }
}

/// The families by turns, that of the system's first choice first, begun with the `number`th.
fn in_turn(found: &[SocketAddr], number: usize) -> Vec<SocketAddr> {
    let first = found.first().is_some_and(SocketAddr::is_ipv4);
    let of = |family: bool| found.iter().filter(move |address| address.is_ipv4() == family);
    let (mut these, mut others) = (of(first), of(!first));
    let mut ordered = Vec::new();
    while ordered.len() < found.len() {
        ordered.extend(these.next());
        ordered.extend(others.next());
    }
    let turn = number.checked_rem(ordered.len()).unwrap_or(0);
    ordered.rotate_left(turn);
    ordered
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn families_alternate_and_each_try_begins_with_the_next() {
        let of = |list: &[&str]| -> Vec<SocketAddr> {
            list.iter().map(|address| format!("{address}:80").parse().unwrap()).collect()
        };
        let found = of(&["[::1]", "[::2]", "[::3]", "192.0.2.1", "192.0.2.2"]);
        let ordered = of(&["[::1]", "192.0.2.1", "[::2]", "192.0.2.2", "[::3]"]);
        assert_eq!(in_turn(&found, 0), ordered);
        assert_eq!(in_turn(&found, 7)[..2], ordered[2..4]);
        assert_eq!(in_turn(&of(&["192.0.2.1"]), 3), of(&["192.0.2.1"]));
        assert_eq!(in_turn(&[], 1), []);
    }
}
