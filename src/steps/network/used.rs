//! The interfaces that take part in the network.

use std::net::IpAddr;

use crate::facts::network::{Nic, NicConfiguration};
use crate::steps::need;
use crate::steps::tally::Tally;

pub(super) struct Used<'a> {
    pub nic: &'a Nic,
    pub configuration: Option<&'a NicConfiguration>,
}

/// The interfaces that take part: the machine's own, and what is configured on top of them (bonds, bridges).
/// Left out: what software made for itself (docker0), and a network card that nobody configured, connected
/// or gave an address, as long as there is another; a file as the installer writes it for such a card (ONBOOT=no, DHCP) is no
/// more than none.
pub(super) fn used<'a>(nics: &'a [Nic], tally: &mut Tally) -> Vec<Used<'a>> {
    let (mut used, mut spare) = (Vec::new(), Vec::new());
    for nic in nics {
        let what = format!("the configuration of {}", nic.name);
        let Some(configuration) = tally.know(need(&nic.configuration, &what)) else { continue };
        let idle = nic.addresses.is_empty() && nic.state.as_deref() != Some("up");
        match configuration {
            None if !nic.physical || idle => {}
            Some(off) if idle && !off.on_boot && off.problem.is_none() && off.address.is_none() => {
                spare.push(Used { nic, configuration: configuration.as_ref() });
            }
            configuration => used.push(Used { nic, configuration: configuration.as_ref() }),
        }
    }
    if used.is_empty() { spare } else { used }
}

/// The configured address, if it is one. To a shell only these two are blanks.
pub(super) fn configured(configuration: &NicConfiguration) -> Option<IpAddr> {
    configuration.address.as_deref()?.split('/').next()?.trim_matches([' ', '\t']).parse().ok()
}
