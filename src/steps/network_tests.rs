use super::super::testing::{Judged, edit, nic};
use super::super::{Severity, Status};
use crate::facts::network::{HostsEntry, NicConfiguration};
use crate::facts::{Fact, Facts};

fn configuration(facts: &mut Facts) -> &mut NicConfiguration {
    edit(&mut edit(&mut facts.network.nics)[0].configuration).as_mut().unwrap()
}

fn entry(address: &str, name: &str) -> HostsEntry {
    HostsEntry { line: 1, address: address.parse().unwrap(), names: vec!["localhost".into(), name.into()] }
}

#[test]
fn an_interface_that_stays_down_is_required_to_come_up() {
    let mut host = Judged::ready("network.static");
    host.is("met: eth0");

    configuration(&mut host).on_boot = false;
    let down = host.finding();
    assert_eq!(down.severity, Severity::Required);
    host.starts(
        "unmet: eth0 does not start on boot (/etc/sysconfig/network-scripts/ifcfg-eth0) | every interface",
    )
    .has("ONBOOT=yes, BOOTPROTO=none, IPADDR=192.0.2.10");

    configuration(&mut host).problem = Some("HWADDR is that of another machine".into());
    host.has("ifcfg-eth0: HWADDR is that of another machine");

    edit(&mut host.network.nics)[0].configuration = Fact::Known(None);
    host.starts("unmet: no configuration file names eth0");
    assert_eq!(host.finding().severity, Severity::Required);
}

#[test]
fn an_interface_that_is_down_now_is_not_met_though_it_starts_on_boot() {
    let host = Judged::ready("network.static");
    let outcome = |state: Option<&str>, carrier, change: &dyn Fn(&mut Facts)| {
        let mut host = host.clone();
        let nic = &mut edit(&mut host.network.nics)[0];
        (nic.state, nic.carrier) = (state.map(str::to_owned), carrier);
        change(&mut host);
        if let Status::Unmet { .. } = host.finding().status {
            assert_eq!(host.finding().severity, Severity::Required);
        }
        host.outcome()
    };
    for (state, carrier, expected) in [
        // Many drivers of 2.6.32 know no state.
        (Some("unknown"), Some(true), "met: eth0"),
        (Some("up"), None, "met: eth0"),
        (None, Some(true), "met: eth0"),
        (Some("down"), None, "unmet: eth0 is down now (operstate down) | "),
        (Some("dormant"), Some(true), "unmet: eth0 is down now (operstate dormant) | "),
        (Some("down"), Some(false), "unmet: eth0 has no link | "),
        (Some("unknown"), Some(false), "unmet: eth0 has no link | "),
        (None, None, "unknown: whether eth0 is up: /sys/class/net/eth0/operstate does not say"),
    ] {
        let outcome = outcome(state, carrier, &|_| {});
        assert!(outcome.starts_with(expected), "{state:?} {carrier:?}: {outcome}");
        assert!(!outcome.contains("(operstate down)") || outcome.ends_with(" | ifup eth0"), "{outcome}");
        assert!(
            !outcome.contains("no link") || outcome.contains("in vSphere, Connected and Connect At Power On"),
            "{outcome}"
        );
    }
    // `ifdown` takes the address; DHCP has none to lose in its file.
    let without = |host: &mut Facts| edit(&mut host.network.nics)[0].addresses.clear();
    outcome(Some("down"), None, &without).starts("unmet: eth0 is down now");
    let dhcp = |host: &mut Facts| {
        without(host);
        (configuration(host).protocol, configuration(host).address) = ("dhcp".into(), None);
    };
    outcome(Some("down"), None, &dhcp).starts("unmet: eth0 is down now");
    // A member of a bond: released, it has no address of its own to come.
    let member = |host: &mut Facts| edit(&mut host.network.nics)[0].member = true;
    outcome(Some("down"), Some(false), &member).is("met: eth0");
    let released = |host: &mut Facts| {
        without(host);
        (configuration(host).protocol, configuration(host).address) = ("none".into(), None);
    };
    outcome(Some("down"), None, &released).is("met: eth0");
    let two = |host: &mut Facts| configuration(host).trouble = Some("its gateway is elsewhere".into());
    outcome(Some("down"), None, &two).starts("unmet: eth0: its gateway is elsewhere").ends("; ifup eth0");
    let image = |host: &mut Facts| host.boot_id = Fact::NotApplicable("an image's tree".into());
    outcome(None, None, &image).is("met: eth0");
}

#[test]
fn a_static_address_is_one_and_in_effect() {
    let host = Judged::ready("network.static");
    let file = "(/etc/sysconfig/network-scripts/ifcfg-eth0)";
    for (address, problem) in [
        (None, "eth0 is static, but no address is configured"),
        (Some("10.0.0.300/24"), "the address configured for eth0, 10.0.0.300/24, is none"),
        (Some("192.0.2.77/24"), "eth0 has 192.0.2.10 now, 192.0.2.77 after the next restart"),
    ] {
        let mut host = host.clone();
        configuration(&mut host).address = address.map(str::to_owned);
        host.starts(format!("unmet: {problem} {file} | every interface"));
        assert_eq!(host.finding().severity, Severity::Required);
    }

    let mut host = host.clone();
    for address in ["192.0.2.10", " 192.0.2.10/24", "fd00::20/64", "fe80::20/64"] {
        configuration(&mut host).address = Some(address.into());
        host.is("met: eth0");
    }
    // Of several addresses any is in effect; an interface that has none yet will get it.
    edit(&mut host.network.nics)[0].addresses.insert(0, "192.0.2.11".parse().unwrap());
    configuration(&mut host).address = Some("192.0.2.10".into());
    host.is("met: eth0");
    edit(&mut host.network.nics)[0].addresses.clear();
    host.is("met: eth0");
    configuration(&mut host).address = None;
    host.starts("unmet: eth0 is static, but no address");
}

#[test]
fn an_interface_without_an_address_in_its_file_loses_the_one_it_has() {
    let mut host = Judged::ready("network.static");
    (configuration(&mut host).protocol, configuration(&mut host).address) = ("none".into(), None);
    let outcome = host.outcome();
    let file = "/etc/sysconfig/network-scripts/ifcfg-eth0";
    let expected =
        format!("unmet: eth0 has 192.0.2.10 now, and no address after the next restart ({file}) |");
    assert!(outcome.starts_with(&expected), "{outcome}");
    assert_eq!(host.finding().severity, Severity::Required);

    let mut host = Judged::ready("network.static");
    configuration(&mut host).trouble = Some("its gateway is elsewhere".into());
    host.starts(format!("unmet: eth0: its gateway is elsewhere ({file}) |"));
    assert_eq!(host.finding().severity, Severity::Required);
}

#[test]
fn a_changing_address_is_only_advised_against() {
    let mut host = Judged::ready("network.static");
    configuration(&mut host).protocol = "dhcp".into();
    let finding = host.finding();
    assert_eq!(finding.severity, Severity::Recommended);
    host.starts("unmet: eth0 takes its address by dhcp |");

    // The required part of another interface outweighs it.
    let mut second = nic("eth1", "10.0.1.20");
    edit(&mut second.configuration).as_mut().unwrap().on_boot = false;
    edit(&mut host.network.nics).push(second);
    assert_eq!(host.finding().severity, Severity::Required);

    edit(&mut host.network.nics).pop();
    host.profile.network.static_address = false;
    host.is("met: eth0");
}

#[test]
fn interfaces_that_take_no_part_are_left_out() {
    let mut host = Judged::ready("network.static");
    let mut docker = nic("docker0", "172.17.0.1");
    docker.physical = false;
    docker.configuration = Fact::Known(None);
    let mut idle = nic("eth1", "10.0.1.20");
    idle.addresses.clear();
    idle.state = Some("down".into());
    idle.configuration = Fact::Known(None);
    edit(&mut host.network.nics).extend([docker, idle]);
    host.is("met: eth0");
    host.of("network.hosts-file").is("met: mt01.example.com: 192.0.2.10");

    edit(&mut host.network.nics).remove(0);
    host.starts("unmet: no interface is configured (docker0, eth1) |");
    edit(&mut host.network.nics).clear();
    host.starts("unmet: there is no network interface |");
}

#[test]
fn a_bond_has_the_address_of_its_members() {
    let mut host = Judged::ready("network.static");
    let nics = edit(&mut host.network.nics);
    let mut bond = nic("bond0", "192.0.2.10");
    bond.physical = false;
    nics[0].addresses.clear();
    nics.push(bond);
    configuration(&mut host).address = None;
    for protocol in ["none", "static"] {
        configuration(&mut host).protocol = protocol.into();
        host.is("met: eth0, bond0");
    }
}

#[test]
fn an_unknown_configuration_is_not_met_and_required() {
    let mut host = Judged::ready("network.static");
    edit(&mut host.network.nics)[0].configuration = Fact::Unknown("not permitted".into());
    host.is("unknown: the configuration of eth0: not permitted");
    assert_eq!(host.finding().severity, Severity::Required);
    host.network.nics = Fact::Unknown("no /sys".into());
    host.is("unknown: the interfaces: no /sys");
    host.of("network.hosts-file").is("unknown: the interfaces: no /sys");
}

#[test]
fn a_resolver_is_named() {
    let mut host = Judged::ready("network.dns");
    host.is("met: 192.0.2.53");
    host.network.resolvers = Fact::Known(Vec::new());
    host.starts("unmet: /etc/resolv.conf names no server | at least one");
    host.network.resolvers = Fact::Known(vec!["dns.example.com".into()]);
    host.starts("unmet: /etc/resolv.conf names no address, only dns.example.com");
    host.network.resolvers = Fact::Known(vec!["dns.example.com".into(), "fe80::1%eth0".into()]);
    host.is("met: fe80::1%eth0");
    host.network.resolvers = Fact::Unknown("not permitted".into());
    host.is("unknown: /etc/resolv.conf: not permitted");
}

#[test]
fn the_hostname_is_mapped_to_every_interface() {
    let mut host = Judged::ready("network.hosts-file");
    host.is("met: mt01.example.com: 192.0.2.10");

    edit(&mut host.network.nics).push(nic("eth1", "10.0.1.20"));
    host.is("unmet: /etc/hosts does not map mt01.example.com to 10.0.1.20 (eth1) | mt01.example.com on the address of \
         every interface | add to /etc/hosts: \"10.0.1.20 mt01.example.com mt01\"");
}

#[test]
fn a_loopback_mapping_is_none() {
    let mut host = Judged::ready("network.hosts-file");
    host.network.hosts = Fact::Known(vec![entry("127.0.0.1", "MT01.example.com")]);
    host.is("unmet: /etc/hosts does not map mt01.example.com to 192.0.2.10 (eth0); /etc/hosts maps mt01.example.com to \
         127.0.0.1, where only this machine finds it | mt01.example.com on the address of every interface | add to \
         /etc/hosts: \"192.0.2.10 mt01.example.com mt01\", and take mt01.example.com out of the line of 127.0.0.1 in \
         /etc/hosts");
}

#[test]
fn a_loopback_mapping_beside_the_right_one_is_a_problem() {
    let host = Judged::ready("network.hosts-file");
    // Debian's own line, and what glibc makes 127.0.0.1 of where IPv4 is asked for.
    for loopback in ["127.0.0.1", "127.0.1.1", "::1"] {
        for place in [0, 3] {
            let mut host = host.clone();
            edit(&mut host.network.hosts).insert(place, entry(loopback, "mt01.example.com"));
            host.is(format!(
                    "unmet: /etc/hosts maps mt01.example.com to {loopback}, where only this machine finds it | \
                     mt01.example.com on the address of every interface | take mt01.example.com out of the line \
                     of {loopback} in /etc/hosts"
                ));
        }
    }
}

#[test]
fn a_mapping_to_an_address_of_no_interface_is_a_problem() {
    let mut host = Judged::ready("network.hosts-file");
    edit(&mut host.network.hosts).insert(0, entry("192.0.2.99", "mt01.example.com"));
    let stale = "unmet: /etc/hosts maps mt01.example.com to 192.0.2.99, which no interface has | mt01.example.com on \
                 the address of every interface | take mt01.example.com out of the line of 192.0.2.99 in /etc/hosts";
    let right = "met: mt01.example.com: 192.0.2.10";
    host.is(stale);

    // An interface that is down will have it, or may.
    let mut down = nic("eth1", "192.0.2.99");
    down.addresses.clear();
    edit(&mut host.network.nics).push(down);
    host.is(right);
    let second = edit(&mut edit(&mut host.network.nics)[1].configuration).as_mut().unwrap();
    second.address = None;
    host.is(stale);
    let second = edit(&mut edit(&mut host.network.nics)[1].configuration).as_mut().unwrap();
    second.protocol = "dhcp".into();
    host.is(right);
    edit(&mut host.network.nics)[1].configuration = Fact::Unknown("not permitted".into());
    host.is("unknown: the configuration of eth1: not permitted");
    edit(&mut host.network.nics).pop();

    // An image is yet to get its addresses, and those of IPv6 come and go.
    host.boot_id = Fact::NotApplicable("an image's tree".into());
    host.is(right);
    let mut host = Judged::ready("network.hosts-file");
    edit(&mut host.network.hosts).insert(0, entry("fd00::99", "mt01.example.com"));
    host.is(right);
}

#[test]
fn a_part_of_the_name_is_not_the_name() {
    let mut host = Judged::ready("network.hosts-file");
    edit(&mut host.network.hosts)[2].names = vec!["mt01.example.com.old".into(), "mt01".into()];
    host.starts("unmet: /etc/hosts does not map mt01.example.com to 192.0.2.10 (eth0) |");
}

#[test]
fn of_ipv6_alone_one_address_is_enough() {
    let mut host = Judged::ready("network.hosts-file");
    let nics = edit(&mut host.network.nics);
    nics[0].addresses = vec!["fd00::20".parse().unwrap(), "fd00::aaaa".parse().unwrap()];
    host.has("add to /etc/hosts: \"fd00::20 mt01.example.com mt01\"");
    edit(&mut host.network.hosts)[2].address = "fd00::aaaa".parse().unwrap();
    host.is("met: mt01.example.com: fd00::aaaa");
}

#[test]
fn without_any_address_nothing_can_be_mapped() {
    let mut host = Judged::ready("network.hosts-file");
    edit(&mut host.network.nics)[0].addresses.clear();
    host.starts("unmet: no interface has an address |");
    host.boot_id = Fact::NotApplicable("an image's tree".into());
    host.is("not-applicable: the image configures no address");
}

#[test]
fn a_machine_called_localhost_is_blocked() {
    let mut host = Judged::ready("network.hosts-file");
    host.os.hostname = Fact::Known("localhost.localdomain".into());
    host.is("blocked: os.hostname");
}
