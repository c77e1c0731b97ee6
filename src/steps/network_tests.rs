use super::super::testing::{edit, judged, nic, ready, told};
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
    let (profile, mut facts) = ready();
    assert_eq!(told(&profile, &facts, "network.static"), "met: eth0");

    configuration(&mut facts).on_boot = false;
    let down = judged(&profile, &facts, "network.static");
    assert_eq!(down.severity, Severity::Required);
    let says = told(&profile, &facts, "network.static");
    assert!(
        says.starts_with(
            "unmet: eth0 does not start on boot (/etc/sysconfig/network-scripts/ifcfg-eth0) | every interface"
        ),
        "{says}"
    );
    assert!(says.contains("ONBOOT=yes, BOOTPROTO=none, IPADDR=192.0.2.10"), "{says}");

    configuration(&mut facts).problem = Some("HWADDR is that of another machine".into());
    let says = told(&profile, &facts, "network.static");
    assert!(says.contains("ifcfg-eth0: HWADDR is that of another machine"), "{says}");

    edit(&mut facts.network.nics)[0].configuration = Fact::Known(None);
    let says = told(&profile, &facts, "network.static");
    assert!(says.starts_with("unmet: no configuration file names eth0"), "{says}");
    assert_eq!(judged(&profile, &facts, "network.static").severity, Severity::Required);
}

#[test]
fn an_interface_that_is_down_now_is_not_met_though_it_starts_on_boot() {
    let (profile, ready) = ready();
    let said = |state: Option<&str>, carrier, change: &dyn Fn(&mut Facts)| {
        let mut facts = ready.clone();
        let nic = &mut edit(&mut facts.network.nics)[0];
        (nic.state, nic.carrier) = (state.map(str::to_owned), carrier);
        change(&mut facts);
        if let Status::Unmet { .. } = judged(&profile, &facts, "network.static").status {
            assert_eq!(judged(&profile, &facts, "network.static").severity, Severity::Required);
        }
        told(&profile, &facts, "network.static")
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
        let said = said(state, carrier, &|_| {});
        assert!(said.starts_with(expected), "{state:?} {carrier:?}: {said}");
        assert!(!said.contains("(operstate down)") || said.ends_with(" | ifup eth0"), "{said}");
        assert!(
            !said.contains("no link") || said.contains("in vSphere, Connected and Connect At Power On"),
            "{said}"
        );
    }
    // `ifdown` takes the address; DHCP has none to lose in its file.
    let without = |facts: &mut Facts| edit(&mut facts.network.nics)[0].addresses.clear();
    assert!(said(Some("down"), None, &without).starts_with("unmet: eth0 is down now"));
    let dhcp = |facts: &mut Facts| {
        without(facts);
        (configuration(facts).protocol, configuration(facts).address) = ("dhcp".into(), None);
    };
    assert!(said(Some("down"), None, &dhcp).starts_with("unmet: eth0 is down now"));
    // A member of a bond: released, it has no address of its own to come.
    let member = |facts: &mut Facts| edit(&mut facts.network.nics)[0].member = true;
    assert_eq!(said(Some("down"), Some(false), &member), "met: eth0");
    let released = |facts: &mut Facts| {
        without(facts);
        (configuration(facts).protocol, configuration(facts).address) = ("none".into(), None);
    };
    assert_eq!(said(Some("down"), None, &released), "met: eth0");
    let two = |facts: &mut Facts| configuration(facts).trouble = Some("its gateway is elsewhere".into());
    let both = said(Some("down"), None, &two);
    assert!(
        both.starts_with("unmet: eth0: its gateway is elsewhere") && both.ends_with("; ifup eth0"),
        "{both}"
    );
    let image = |facts: &mut Facts| facts.boot_id = Fact::NotApplicable("an image's tree".into());
    assert_eq!(said(None, None, &image), "met: eth0");
}

#[test]
fn a_static_address_is_one_and_in_effect() {
    let (profile, facts) = ready();
    let file = "(/etc/sysconfig/network-scripts/ifcfg-eth0)";
    for (address, problem) in [
        (None, "eth0 is static, but no address is configured"),
        (Some("10.0.0.300/24"), "the address configured for eth0, 10.0.0.300/24, is none"),
        (Some("192.0.2.77/24"), "eth0 has 192.0.2.10 now, 192.0.2.77 after the next restart"),
    ] {
        let mut facts = facts.clone();
        configuration(&mut facts).address = address.map(str::to_owned);
        let says = told(&profile, &facts, "network.static");
        assert!(says.starts_with(&format!("unmet: {problem} {file} | every interface")), "{says}");
        assert_eq!(judged(&profile, &facts, "network.static").severity, Severity::Required);
    }

    let mut facts = facts.clone();
    for address in ["192.0.2.10", " 192.0.2.10/24", "fd00::20/64", "fe80::20/64"] {
        configuration(&mut facts).address = Some(address.into());
        assert_eq!(told(&profile, &facts, "network.static"), "met: eth0", "{address}");
    }
    // Of several addresses any is in effect; an interface that has none yet will get it.
    edit(&mut facts.network.nics)[0].addresses.insert(0, "192.0.2.11".parse().unwrap());
    configuration(&mut facts).address = Some("192.0.2.10".into());
    assert_eq!(told(&profile, &facts, "network.static"), "met: eth0");
    edit(&mut facts.network.nics)[0].addresses.clear();
    assert_eq!(told(&profile, &facts, "network.static"), "met: eth0");
    configuration(&mut facts).address = None;
    assert!(told(&profile, &facts, "network.static").starts_with("unmet: eth0 is static, but no address"));
}

#[test]
fn an_interface_without_an_address_in_its_file_loses_the_one_it_has() {
    let (profile, mut facts) = ready();
    (configuration(&mut facts).protocol, configuration(&mut facts).address) = ("none".into(), None);
    let says = told(&profile, &facts, "network.static");
    let file = "/etc/sysconfig/network-scripts/ifcfg-eth0";
    let expected =
        format!("unmet: eth0 has 192.0.2.10 now, and no address after the next restart ({file}) |");
    assert!(says.starts_with(&expected), "{says}");
    assert_eq!(judged(&profile, &facts, "network.static").severity, Severity::Required);

    let (profile, mut facts) = ready();
    configuration(&mut facts).trouble = Some("its gateway is elsewhere".into());
    let says = told(&profile, &facts, "network.static");
    assert!(says.starts_with(&format!("unmet: eth0: its gateway is elsewhere ({file}) |")), "{says}");
    assert_eq!(judged(&profile, &facts, "network.static").severity, Severity::Required);
}

#[test]
fn a_changing_address_is_only_advised_against() {
    let (mut profile, mut facts) = ready();
    configuration(&mut facts).protocol = "dhcp".into();
    let finding = judged(&profile, &facts, "network.static");
    assert_eq!(finding.severity, Severity::Recommended);
    let says = told(&profile, &facts, "network.static");
    assert!(says.starts_with("unmet: eth0 takes its address by dhcp |"), "{says}");

    // The required part of another interface outweighs it.
    let mut second = nic("eth1", "10.0.1.20");
    edit(&mut second.configuration).as_mut().unwrap().on_boot = false;
    edit(&mut facts.network.nics).push(second);
    assert_eq!(judged(&profile, &facts, "network.static").severity, Severity::Required);

    edit(&mut facts.network.nics).pop();
    profile.network.static_address = false;
    assert_eq!(told(&profile, &facts, "network.static"), "met: eth0");
}

#[test]
fn interfaces_that_take_no_part_are_left_out() {
    let (profile, mut facts) = ready();
    let mut docker = nic("docker0", "172.17.0.1");
    docker.physical = false;
    docker.configuration = Fact::Known(None);
    let mut idle = nic("eth1", "10.0.1.20");
    idle.addresses.clear();
    idle.state = Some("down".into());
    idle.configuration = Fact::Known(None);
    edit(&mut facts.network.nics).extend([docker, idle]);
    assert_eq!(told(&profile, &facts, "network.static"), "met: eth0");
    assert_eq!(told(&profile, &facts, "network.hosts-file"), "met: mt01.example.com: 192.0.2.10");

    edit(&mut facts.network.nics).remove(0);
    let says = told(&profile, &facts, "network.static");
    assert!(says.starts_with("unmet: no interface is configured (docker0, eth1) |"), "{says}");
    edit(&mut facts.network.nics).clear();
    let says = told(&profile, &facts, "network.static");
    assert!(says.starts_with("unmet: there is no network interface |"), "{says}");
}

#[test]
fn a_bond_has_the_address_of_its_members() {
    let (profile, mut facts) = ready();
    let nics = edit(&mut facts.network.nics);
    let mut bond = nic("bond0", "192.0.2.10");
    bond.physical = false;
    nics[0].addresses.clear();
    nics.push(bond);
    configuration(&mut facts).address = None;
    for protocol in ["none", "static"] {
        configuration(&mut facts).protocol = protocol.into();
        assert_eq!(told(&profile, &facts, "network.static"), "met: eth0, bond0");
    }
}

#[test]
fn an_unknown_configuration_is_not_met_and_required() {
    let (profile, mut facts) = ready();
    edit(&mut facts.network.nics)[0].configuration = Fact::Unknown("not permitted".into());
    assert_eq!(told(&profile, &facts, "network.static"), "unknown: the configuration of eth0: not permitted");
    assert_eq!(judged(&profile, &facts, "network.static").severity, Severity::Required);
    facts.network.nics = Fact::Unknown("no /sys".into());
    assert_eq!(told(&profile, &facts, "network.static"), "unknown: the interfaces: no /sys");
    assert_eq!(told(&profile, &facts, "network.hosts-file"), "unknown: the interfaces: no /sys");
}

#[test]
fn a_resolver_is_named() {
    let (profile, mut facts) = ready();
    assert_eq!(told(&profile, &facts, "network.dns"), "met: 192.0.2.53");
    facts.network.resolvers = Fact::Known(Vec::new());
    let says = told(&profile, &facts, "network.dns");
    assert!(says.starts_with("unmet: /etc/resolv.conf names no server | at least one"), "{says}");
    facts.network.resolvers = Fact::Known(vec!["dns.example.com".into()]);
    let says = told(&profile, &facts, "network.dns");
    assert!(says.starts_with("unmet: /etc/resolv.conf names no address, only dns.example.com"), "{says}");
    facts.network.resolvers = Fact::Known(vec!["dns.example.com".into(), "fe80::1%eth0".into()]);
    assert_eq!(told(&profile, &facts, "network.dns"), "met: fe80::1%eth0");
    facts.network.resolvers = Fact::Unknown("not permitted".into());
    assert_eq!(told(&profile, &facts, "network.dns"), "unknown: /etc/resolv.conf: not permitted");
}

#[test]
fn the_hostname_is_mapped_to_every_interface() {
    let (profile, mut facts) = ready();
    assert_eq!(told(&profile, &facts, "network.hosts-file"), "met: mt01.example.com: 192.0.2.10");

    edit(&mut facts.network.nics).push(nic("eth1", "10.0.1.20"));
    assert_eq!(
        told(&profile, &facts, "network.hosts-file"),
        "unmet: /etc/hosts does not map mt01.example.com to 10.0.1.20 (eth1) | mt01.example.com on the address of \
         every interface | add to /etc/hosts: \"10.0.1.20 mt01.example.com mt01\""
    );
}

#[test]
fn a_loopback_mapping_is_none() {
    let (profile, mut facts) = ready();
    facts.network.hosts = Fact::Known(vec![entry("127.0.0.1", "MT01.example.com")]);
    assert_eq!(
        told(&profile, &facts, "network.hosts-file"),
        "unmet: /etc/hosts does not map mt01.example.com to 192.0.2.10 (eth0); /etc/hosts maps mt01.example.com to \
         127.0.0.1, where only this machine finds it | mt01.example.com on the address of every interface | add to \
         /etc/hosts: \"192.0.2.10 mt01.example.com mt01\", and take mt01.example.com out of the line of 127.0.0.1 in \
         /etc/hosts"
    );
}

#[test]
fn a_loopback_mapping_beside_the_right_one_is_a_problem() {
    let (profile, facts) = ready();
    // Debian's own line, and what glibc makes 127.0.0.1 of where IPv4 is asked for.
    for loopback in ["127.0.0.1", "127.0.1.1", "::1"] {
        for place in [0, 3] {
            let mut facts = facts.clone();
            edit(&mut facts.network.hosts).insert(place, entry(loopback, "mt01.example.com"));
            assert_eq!(
                told(&profile, &facts, "network.hosts-file"),
                format!(
                    "unmet: /etc/hosts maps mt01.example.com to {loopback}, where only this machine finds it | \
                     mt01.example.com on the address of every interface | take mt01.example.com out of the line \
                     of {loopback} in /etc/hosts"
                )
            );
        }
    }
}

#[test]
fn a_mapping_to_an_address_of_no_interface_is_a_problem() {
    let (profile, mut facts) = ready();
    edit(&mut facts.network.hosts).insert(0, entry("192.0.2.99", "mt01.example.com"));
    let stale = "unmet: /etc/hosts maps mt01.example.com to 192.0.2.99, which no interface has | mt01.example.com on \
                 the address of every interface | take mt01.example.com out of the line of 192.0.2.99 in /etc/hosts";
    let right = "met: mt01.example.com: 192.0.2.10";
    assert_eq!(told(&profile, &facts, "network.hosts-file"), stale);

    // An interface that is down will have it, or may.
    let mut down = nic("eth1", "192.0.2.99");
    down.addresses.clear();
    edit(&mut facts.network.nics).push(down);
    assert_eq!(told(&profile, &facts, "network.hosts-file"), right);
    let second = edit(&mut edit(&mut facts.network.nics)[1].configuration).as_mut().unwrap();
    second.address = None;
    assert_eq!(told(&profile, &facts, "network.hosts-file"), stale);
    let second = edit(&mut edit(&mut facts.network.nics)[1].configuration).as_mut().unwrap();
    second.protocol = "dhcp".into();
    assert_eq!(told(&profile, &facts, "network.hosts-file"), right);
    edit(&mut facts.network.nics)[1].configuration = Fact::Unknown("not permitted".into());
    let says = told(&profile, &facts, "network.hosts-file");
    assert_eq!(says, "unknown: the configuration of eth1: not permitted");
    edit(&mut facts.network.nics).pop();

    // An image is yet to get its addresses, and those of IPv6 come and go.
    facts.boot_id = Fact::NotApplicable("an image's tree".into());
    assert_eq!(told(&profile, &facts, "network.hosts-file"), right);
    let (_, mut facts) = ready();
    edit(&mut facts.network.hosts).insert(0, entry("fd00::99", "mt01.example.com"));
    assert_eq!(told(&profile, &facts, "network.hosts-file"), right);
}

#[test]
fn a_part_of_the_name_is_not_the_name() {
    let (profile, mut facts) = ready();
    edit(&mut facts.network.hosts)[2].names = vec!["mt01.example.com.old".into(), "mt01".into()];
    let says = told(&profile, &facts, "network.hosts-file");
    assert!(
        says.starts_with("unmet: /etc/hosts does not map mt01.example.com to 192.0.2.10 (eth0) |"),
        "{says}"
    );
}

#[test]
fn of_ipv6_alone_one_address_is_enough() {
    let (profile, mut facts) = ready();
    let nics = edit(&mut facts.network.nics);
    nics[0].addresses = vec!["fd00::20".parse().unwrap(), "fd00::aaaa".parse().unwrap()];
    let says = told(&profile, &facts, "network.hosts-file");
    assert!(says.contains("add to /etc/hosts: \"fd00::20 mt01.example.com mt01\""), "{says}");
    edit(&mut facts.network.hosts)[2].address = "fd00::aaaa".parse().unwrap();
    assert_eq!(told(&profile, &facts, "network.hosts-file"), "met: mt01.example.com: fd00::aaaa");
}

#[test]
fn without_any_address_nothing_can_be_mapped() {
    let (profile, mut facts) = ready();
    edit(&mut facts.network.nics)[0].addresses.clear();
    let says = told(&profile, &facts, "network.hosts-file");
    assert!(says.starts_with("unmet: no interface has an address |"), "{says}");
    facts.boot_id = Fact::NotApplicable("an image's tree".into());
    assert_eq!(
        told(&profile, &facts, "network.hosts-file"),
        "not-applicable: the image configures no address"
    );
}

#[test]
fn a_machine_called_localhost_is_blocked() {
    let (profile, mut facts) = ready();
    facts.os.hostname = Fact::Known("localhost.localdomain".into());
    assert_eq!(told(&profile, &facts, "network.hosts-file"), "blocked: os.hostname");
}
