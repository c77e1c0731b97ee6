//! Servers of which one address does not answer: the real binary with real names, in a world of its own.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "files of a test are not the host's")]

mod support;

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

use support::contains;
use support::rpms::Desk;
use support::server::{Answer, Server};
use support::world::World;

const FILE: &str = "mt-agent-test-f-1.0-1.noarch.rpm";

/// A machine on which `server.test` has two addresses.
fn machine(profile: &str) -> World {
    let world = World::new();
    world.file("/etc/hosts", "127.0.0.1 localhost\n127.0.0.1 server.test\n127.0.0.2 server.test\n");
    world.file("/etc/host.conf", "multi on\n");
    world.file("/etc/mt-agent/profile.yaml", &format!("extends: centos-6.6\n{profile}"));
    world.file("/etc/redhat-release", "CentOS release 6.6 (Final)\n");
    world.file("/etc/rpm/macros", "%_dbpath /var/lib/rpm\n");
    world
}

/// A port that is free at both addresses.
fn port() -> u16 {
    loop {
        let first = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = first.local_addr().unwrap().port();
        if TcpListener::bind(("127.0.0.2", port)).is_ok() {
            return port;
        }
    }
}

#[test]
fn a_file_comes_from_the_address_that_answers_also_through_a_proxy() {
    let desk = Desk::apart();
    let package = fs::read(desk.package("f", "")).unwrap();
    let mut passed_over = 0;
    for (bad, good) in [("127.0.0.1", "127.0.0.2"), ("127.0.0.2", "127.0.0.1")] {
        for through_proxy in [false, true] {
            let port = port();
            let broken = Server::on(&format!("{bad}:{port}"), b"");
            broken.answers(&vec![Answer::Nothing; 9]);
            let answering = Server::on(&format!("{good}:{port}"), &package);
            let host =
                if through_proxy { "elsewhere.invalid".to_owned() } else { format!("server.test:{port}") };
            let world = machine(&format!(
                "sources: {{reiserfs: true}}\nfiles:\n  directory: /var/lib/kept\n  unverified: \
                 install-without-verification\n  reiserfs:\n    - {{package: mt-agent-test-f, file: {FILE}, urls: \
                 ['http://{host}/{FILE}']}}\n"
            ));
            let proxy = format!("http://server.test:{port}");
            let variables = [("http_proxy", proxy.as_str())];
            let apply = "rpm --initdb; $AGENT apply --yes --only packages.reiserfs";
            let output = world.run(apply, if through_proxy { &variables } else { &[] });
            assert_eq!(output.status.code(), Some(0), "{output:?}");
            contains(&String::from_utf8(output.stdout).unwrap(), "done: installed mt-agent-test-f 1.0-1");
            assert_eq!(answering.asked().len(), 1);
            passed_over += broken.asked().len();
        }
    }
    // The system's resolver says which comes first: one of the two ways round, it is the broken one.
    assert!(passed_over >= 2, "{passed_over}");
}

#[test]
fn a_site_s_server_answers_though_one_of_its_addresses_is_silent() {
    for (silent, good) in [("127.0.0.1", "127.0.0.2"), ("127.0.0.2", "127.0.0.1")] {
        let port = port();
        let answering = TcpListener::bind((good, port)).unwrap();
        let full = TcpListener::bind((silent, port)).unwrap();
        // Where the queue is full, Linux drops what asks, and says nothing.
        let (mut queued, mut dropped) = (Vec::new(), 0);
        while dropped < 3 {
            match TcpStream::connect_timeout(&full.local_addr().unwrap(), Duration::from_millis(300)) {
                Ok(stream) => queued.push(stream),
                Err(_) => dropped += 1,
            }
        }
        let world =
            machine(&format!("site: {{configuration-server: {{address: server.test, port: {port}}}}}\n"));
        let output = world.run("$AGENT check --only site.configuration-server", &[]);
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        drop((answering, full, queued));
    }
}
