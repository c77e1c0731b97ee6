//! Files fetched over real connections: redirects, resumption, proxies, certificates, and servers that lie.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "files of a test are not the host's")]

mod support;

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{ServerConfig, ServerConnection};

use mt_agent::changes::fetch::{Fetch, Turn, left_off};

use support::server::{Answer, Server};
use support::{PATIENCE, Seen, contains, tool, until};

struct Desk {
    dir: tempfile::TempDir,
    variables: Vec<(&'static str, String)>,
    limit: u64,
    time: Duration,
    /// The fewest bytes, and the time in which they have to come.
    least: Option<(u64, Duration)>,
    ca_file: Option<PathBuf>,
    seen: Seen,
}

impl Desk {
    fn new() -> Self {
        Self {
            dir: tempfile::tempdir().unwrap(),
            variables: Vec::new(),
            limit: 1 << 20,
            time: PATIENCE,
            least: None,
            ca_file: None,
            seen: Seen::default(),
        }
    }

    fn part(&self) -> PathBuf {
        self.dir.path().join("x.rpm.part")
    }

    fn fetch(&mut self, url: &str) -> Result<Vec<u8>, String> {
        let variables = self.variables.clone();
        let environment =
            move |name: &str| variables.iter().find(|(key, _)| *key == name).map(|(_, value)| value.clone());
        let part = self.part();
        let fetch = Fetch {
            url,
            what: "x.rpm",
            part: &part,
            limit: self.limit,
            ca_file: self.ca_file.as_deref(),
            until: Instant::now() + self.time,
            turn: self.least.map(|(least, within)| Turn { ends: Instant::now() + self.time, least, within }),
            environment: &environment,
        };
        let result = fetch.run(&mut self.seen);
        result.map(|()| fs::read(self.part()).unwrap()).map_err(|error| format!("{error:#}"))
    }

    fn left(&self) -> usize {
        fs::read_dir(self.dir.path()).unwrap().count()
    }
}

fn content(seed: u8) -> Vec<u8> {
    (0..200_000_u32).map(|at| (at.wrapping_mul(31) >> 3).to_le_bytes()[0] ^ seed).collect()
}

#[test]
fn a_file_comes_whole_with_progress() {
    let (server, mut desk) = (Server::new(&content(1)), Desk::new());
    assert_eq!(desk.fetch(&server.url("/x.rpm")).unwrap(), content(1));
    assert_eq!(desk.seen.transfers.first(), Some(&(0, Some(200_000))));
    assert_eq!(desk.seen.transfers.last(), Some(&(200_000, Some(200_000))));
    server.answers(&[Answer::Plain]);
    assert_eq!(desk.fetch(&server.url("/other")).unwrap(), content(1));
    assert_eq!(desk.seen.transfers.last(), Some(&(200_000, None)));
}

#[test]
fn a_broken_connection_is_taken_up_where_it_broke() {
    let (server, mut desk) = (Server::new(&content(1)), Desk::new());
    server.answers(&[Answer::Cut(120_000), Answer::Cut(30_000)]);
    assert_eq!(desk.fetch(&server.url("/x")).unwrap(), content(1));
    let ranges: Vec<_> =
        server.asked().iter().map(|asked| asked.header("range").map(str::to_owned)).collect();
    assert_eq!(ranges, [None, Some("bytes=120000-".into()), Some("bytes=150000-".into())]);
}

#[test]
fn a_later_run_goes_on_too_but_not_with_another_edition() {
    let (server, mut desk) = (Server::new(&content(1)), Desk::new());
    server.answers(&[Answer::Cut(100_000), Answer::Status("500 Broken")]);
    desk.fetch(&server.url("/x")).unwrap_err();
    contains(&desk.seen.log.join("\n"), "after 100000 of 200000 bytes");
    assert_eq!(desk.fetch(&server.url("/x")).unwrap(), content(1));
    assert_eq!(server.asked()[2].header("if-range"), Some("\"one\""));

    for answers in [&[][..], &[Answer::Careless]] {
        let (server, mut desk) = (Server::new(&content(1)), Desk::new());
        server.answers(&[Answer::Cut(100_000), Answer::Status("500 Broken")]);
        desk.fetch(&server.url("/x")).unwrap_err();
        server.replace(&content(2), "\"two\"");
        server.answers(answers);
        assert_eq!(desk.fetch(&server.url("/x")).unwrap(), content(2), "{answers:?}");
    }
    // Another address's part is not a part of this one.
    let other = Server::new(&content(3));
    fs::write(desk.part(), &content(1)[..50]).unwrap();
    assert_eq!(desk.fetch(&other.url("/x")).unwrap(), content(3));
}

#[test]
fn a_server_that_lies_about_the_length_is_not_believed() {
    let (server, mut desk) = (Server::new(&content(1)), Desk::new());
    server.answers(&[Answer::Claims(300_000), Answer::Status("500 Broken")]);
    let error = desk.fetch(&server.url("/x")).unwrap_err();
    contains(&error, "the server answered 500");
    assert!(desk.seen.log.iter().any(|line| line.contains("200000 of 300000 bytes")), "{:?}", desk.seen.log);
}

#[test]
fn what_is_too_long_is_not_fetched() {
    let (server, mut desk) = (Server::new(&content(1)), Desk::new());
    desk.limit = 150_000;
    contains(&desk.fetch(&server.url("/x")).unwrap_err(), "it has more than 146.4 KiB");
    assert!(desk.seen.transfers.is_empty());
    server.answers(&[Answer::Plain]);
    contains(&desk.fetch(&server.url("/x")).unwrap_err(), "it has more than 146.4 KiB");
    assert_eq!(desk.left(), 0);
}

#[test]
fn a_stalled_server_ends_at_the_deadline() {
    let (server, mut desk) = (Server::new(&content(1)), Desk::new());
    desk.time = Duration::from_secs(8);
    server.answers(&[Answer::Stall]);
    let started = Instant::now();
    contains(
        &desk.fetch(&server.url("/x")).unwrap_err(),
        "the connection broke after 3 of 200000 bytes (timeout",
    );
    // A minute is what a server that sends nothing has while there is time.
    assert!(started.elapsed() < Duration::from_secs(55));
}

#[test]
fn one_that_trickles_is_given_up_while_others_wait_and_gone_on_with_in_the_end() {
    let (server, mut desk) = (Server::new(&content(1)), Desk::new());
    server.answers(&[Answer::Trickle, Answer::Stall]);
    let urls = [server.url("/x"), "http://127.0.0.1:9/x".to_owned()];
    for _ in 0..2 {
        desk.least = Some((5000, Duration::from_secs(2)));
        let error = desk.fetch(&urls[0]).unwrap_err();
        contains(&error, " bytes came in ");
        contains(&error, " of 200000 bytes");
        // The next run begins with the next address.
        assert_eq!(left_off(&desk.part(), &urls), 1);
    }
    desk.least = None;
    assert_eq!(desk.fetch(&urls[0]).unwrap(), content(1));
    assert!(server.asked()[2].header("range").is_some(), "{:?}", server.asked());
    // Of a server that tells no edition nothing is kept but that it is slow.
    let (server, mut desk) = (Server::new(&content(1)), Desk::new());
    server.answers(&[Answer::Drip]);
    desk.least = Some((5000, Duration::from_secs(2)));
    contains(&desk.fetch(&server.url("/x")).unwrap_err(), " bytes came in ");
    assert_eq!(left_off(&desk.part(), &[server.url("/x"), "http://127.0.0.1:9/".into()]), 1);
    assert_eq!(desk.left(), 1);
}

#[test]
fn redirects_are_followed_so_far_and_no_further() {
    let (server, mut desk) = (Server::new(&content(1)), Desk::new());
    let other = Server::new(&content(2));
    server.answers(&[Answer::Redirect("/y".into()), Answer::Redirect(other.url("/z"))]);
    let url = server.url("/x").replace("http://", "http://user:secret@");
    assert_eq!(desk.fetch(&url).unwrap(), content(2));
    assert!(server.asked()[0].header("authorization").is_some());
    assert_eq!(server.asked()[1].header("authorization"), None);
    assert_eq!(other.asked()[0].header("authorization"), None);

    server.answers(&vec![Answer::Redirect("/again".into()); 9]);
    contains(&desk.fetch(&server.url("/loop")).unwrap_err(), "more than 5 redirects");
    let server = Server::new(b"");
    server.answers(&[Answer::Redirect("file:///etc/passwd".into())]);
    let error = desk.fetch(&server.url("/x").replace("http://", "http://user:secret@")).unwrap_err();
    contains(&error, "answered 302 Found to nowhere");
    assert!(!error.contains("secret"), "{error}");
}

#[test]
fn errors_say_what_the_server_said_and_nothing_is_left() {
    let (server, mut desk) = (Server::new(b"x"), Desk::new());
    server.answers(&[Answer::Status("404 Not Found")]);
    contains(&desk.fetch(&server.url("/x")).unwrap_err(), "the server answered 404 Not Found");
    // A port where nobody listens.
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let error = desk.fetch(&format!("http://u:secret@127.0.0.1:{port}/x")).unwrap_err();
    contains(&error, &format!("http://***@127.0.0.1:{port}/x: io: Connection refused"));
    assert_eq!(desk.left(), 0);
}

#[test]
fn proxies_come_from_the_environment_and_no_proxy_is_heeded() {
    let (proxy, mut desk) = (Server::new(&content(7)), Desk::new());
    desk.variables.push(("http_proxy", format!("http://user:secret@127.0.0.1:{}", proxy.port())));
    // The name does not exist: only the proxy can have answered. Proxies commonly refuse a tunnel to port 80.
    assert_eq!(desk.fetch("http://u:pw@mirror.invalid/a/x.rpm?y=1").unwrap(), content(7));
    let asked = &proxy.asked()[0];
    assert_eq!(asked.line, "GET http://mirror.invalid/a/x.rpm?y=1 HTTP/1.1");
    assert_eq!(asked.header("host"), Some("mirror.invalid"));
    assert_eq!(asked.header("proxy-authorization"), Some("Basic dXNlcjpzZWNyZXQ="));
    proxy.answers(&[Answer::Cut(70_000)]);
    assert_eq!(desk.fetch("http://mirror.invalid:8080/z").unwrap(), content(7));
    assert_eq!(proxy.asked()[2].line, "GET http://mirror.invalid:8080/z HTTP/1.1");
    assert_eq!(proxy.asked()[2].header("range"), Some("bytes=70000-"));
    // HTTPS goes through a tunnel, which this proxy does not have.
    desk.variables.push(("https_proxy", format!("http://127.0.0.1:{}", proxy.port())));
    proxy.answers(&[Answer::Status("403 Forbidden")]);
    let error = desk.fetch("https://mirror.invalid/x").unwrap_err();
    contains(&error, "https://mirror.invalid/x: ");
    assert_eq!(proxy.asked()[3].line, "CONNECT mirror.invalid:443 HTTP/1.1");

    let server = Server::new(&content(1));
    desk.variables.push(("no_proxy", "localhost,127.0.0.1".into()));
    let before = proxy.asked().len();
    assert_eq!(desk.fetch(&server.url("/x")).unwrap(), content(1));
    assert_eq!(proxy.asked().len(), before);

    desk.variables = vec![("all_proxy", "socks5://127.0.0.1:1".into())];
    contains(&desk.fetch(&server.url("/x")).unwrap_err(), "is a kind of proxy that the agent cannot use");
    desk.variables = vec![("http_proxy", "htp:/user:secret@x y".into())];
    let error = desk.fetch(&server.url("/x")).unwrap_err();
    contains(&error, "http_proxy=");
    contains(&error, "is no address of a proxy");
}

/// openssl's own server of the files in a directory, with a certificate for 127.0.0.1.
struct Https {
    child: duct::Handle,
    port: u16,
}

impl Https {
    /// `-WWW` serves files, `-HTTP` files that are whole answers.
    fn new(dir: &Path, mode: &str) -> Self {
        let path = |name: &str| dir.join(name).to_str().unwrap().to_owned();
        fs::write(path("ext"), "subjectAltName=IP:127.0.0.1\nbasicConstraints=CA:FALSE\n").unwrap();
        let subject = "/CN=mt-agent test";
        #[rustfmt::skip]
        tool("openssl", &["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", subject,
            "-keyout", &path("ca.key"), "-out", &path("ca.pem")]);
        #[rustfmt::skip]
        tool("openssl", &["req", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=127.0.0.1",
            "-keyout", &path("key"), "-out", &path("csr")]);
        #[rustfmt::skip]
        tool("openssl", &["x509", "-req", "-in", &path("csr"), "-CA", &path("ca.pem"), "-CAkey", &path("ca.key"),
            "-CAcreateserial", "-days", "2", "-extfile", &path("ext"), "-out", &path("cert")]);
        Self::with(dir, mode)
    }

    /// With the files `cert` and `key` of the directory.
    fn with(dir: &Path, mode: &str) -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let accept = format!("127.0.0.1:{port}");
        let child = duct::cmd!(
            "openssl", "s_server", "-quiet", mode, "-accept", accept, "-cert", "cert", "-key", "key"
        )
        .dir(dir)
        .stdin_null()
        .stdout_null()
        .stderr_null()
        .unchecked()
        .start()
        .unwrap();
        until("openssl s_server listens", || TcpStream::connect(("127.0.0.1", port)).is_ok());
        Self { child, port }
    }
}

impl Drop for Https {
    fn drop(&mut self) {
        let _ = self.child.kill();
    }
}

#[test]
fn https_needs_a_certificate_that_is_trusted() {
    let mut desk = Desk::new();
    let place = tempfile::tempdir().unwrap();
    fs::write(place.path().join("x.rpm"), content(1)).unwrap();
    let server = Https::new(place.path(), "-WWW");
    let url = format!("https://127.0.0.1:{}/x.rpm", server.port);
    contains(&desk.fetch(&url).unwrap_err(), "UnknownIssuer");
    assert_eq!(desk.left(), 0);
    desk.ca_file = Some(place.path().join("ca.pem"));
    assert_eq!(desk.fetch(&url).unwrap(), content(1));
    desk.ca_file = Some(place.path().join("x.rpm"));
    contains(&desk.fetch(&url).unwrap_err(), "x.rpm holds no certificate (PEM)");
    desk.ca_file = Some(place.path().join("none"));
    contains(&desk.fetch(&url).unwrap_err(), "reading the certificates in ");
}

/// A self-signed certificate as `openssl req -x509` makes it, with its key in `NAME.key`.
fn self_signed(dir: &Path, name: &str, more: &[&str]) {
    let path = |suffix: &str| dir.join(format!("{name}{suffix}")).to_str().unwrap().to_owned();
    let (key, cert) = (path(".key"), path(".pem"));
    let common = [
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-subj",
        "/CN=mirror",
        "-keyout",
        &key,
        "-out",
        &cert,
    ];
    tool("openssl", &[common.as_slice(), more].concat());
}

/// A server's certificate for 127.0.0.1, issued by that of `issuer`.
fn issued(dir: &Path, name: &str, issuer: &str) {
    let path = |name: &str| dir.join(name).to_str().unwrap().to_owned();
    let extensions = b"subjectAltName=IP:127.0.0.1\nbasicConstraints=critical,CA:FALSE\n";
    fs::write(dir.join("extensions"), extensions).unwrap();
    let (key, request) = (path(&format!("{name}.key")), path("request"));
    let subject = format!("/CN={name}");
    let words =
        ["req", "-newkey", "rsa:2048", "-nodes", "-subj", &subject, "-keyout", &key, "-out", &request];
    tool("openssl", &words);
    let (by, signs, out) =
        (path(&format!("{issuer}.pem")), path(&format!("{issuer}.key")), path(&format!("{name}.pem")));
    let words =
        ["x509", "-req", "-in", &request, "-CA", &by, "-CAkey", &signs, "-CAcreateserial", "-extfile"];
    tool("openssl", &[words.as_slice(), &[&path("extensions"), "-out", &out]].concat());
}

/// Sets the year of both dates: openssl 3.0 makes none of another time. Its signature of itself, which nobody looks at, is
/// no longer right.
fn of_year(dir: &Path, name: &str, year: &[u8; 2]) {
    let path = |suffix: &str| dir.join(format!("{name}{suffix}")).to_str().unwrap().to_owned();
    let (pem, der) = (path(".pem"), path(".der"));
    tool("openssl", &["x509", "-in", &pem, "-outform", "DER", "-out", &der]);
    let mut bytes = fs::read(&der).unwrap();
    // UTCTime of 13 bytes: YYMMDDhhmmssZ.
    let dates: Vec<_> = (0..bytes.len() - 1).filter(|at| bytes[*at..].starts_with(&[0x17, 13])).collect();
    assert_eq!(dates.len(), 2);
    dates.into_iter().for_each(|at| bytes[at + 2..at + 4].copy_from_slice(year));
    fs::write(&der, bytes).unwrap();
    tool("openssl", &["x509", "-inform", "DER", "-in", &der, "-out", &pem]);
}

/// A server that shows a certificate of which it has no key, and signs with another: its port.
fn impostor(certificate: &Path, key: &Path) -> u16 {
    let key = PrivateKeyDer::from_pem_file(key).unwrap();
    let signs = ring::sign::any_supported_type(&key).unwrap();
    let shown = CertifiedKey::new(vec![CertificateDer::from_pem_file(certificate).unwrap()], signs);
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(SingleCertAndKey::from(shown)));
    let (config, listener) = (Arc::new(config), TcpListener::bind("127.0.0.1:0").unwrap());
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            let mut connection = ServerConnection::new(config.clone()).unwrap();
            let _ = connection.complete_io(&mut stream);
        }
    });
    port
}

#[test]
fn a_server_s_own_certificate_is_trusted_for_its_name_and_time_and_no_other_one_is() {
    let place = tempfile::tempdir().unwrap();
    let at = |name: &str| place.path().join(name);
    fs::write(at("x.rpm"), content(1)).unwrap();
    let named = ["-addext", "subjectAltName=IP:127.0.0.1"];
    let end = ["-addext", "basicConstraints=critical,CA:FALSE"];
    let elsewhere = ["-addext", "subjectAltName=IP:127.0.0.2,DNS:mirror.example"];
    for (name, more) in [
        ("own", named.as_slice()),
        ("end", &[named, end].concat()),
        ("other", &named),
        ("elsewhere", &elsewhere),
        ("unnamed", &[]),
        ("expired", &named),
        ("early", &named),
    ] {
        self_signed(place.path(), name, more);
    }
    of_year(place.path(), "expired", b"20");
    of_year(place.path(), "early", b"45");
    issued(place.path(), "of-own", "own");
    issued(place.path(), "of-end", "end");
    // Who may issue others, and is not in the file, is nobody: also where the file has another one of the same name.
    for (shown, trusted, told) in [
        ("own", "own", Ok(())),
        ("end", "end", Ok(())),
        ("own", "other", Err("")),
        ("other", "own", Err("")),
        ("own", "end", Err("")),
        // One that may not issue others is trusted as itself, whoever issued it, and with nothing that it signs.
        ("of-own", "own", Ok(())),
        ("of-own", "of-own", Ok(())),
        ("of-own", "of-end", Err("UnknownIssuer")),
        ("of-end", "end", Err("UnknownIssuer")),
        ("elsewhere", "elsewhere", Err("not valid for name")),
        ("unnamed", "unnamed", Err("not valid for name")),
        ("expired", "expired", Err("expired")),
        ("early", "early", Err("not valid yet")),
    ] {
        fs::copy(at(&format!("{shown}.pem")), at("cert")).unwrap();
        fs::copy(at(&format!("{shown}.key")), at("key")).unwrap();
        let server = Https::with(place.path(), "-WWW");
        let mut desk = Desk::new();
        desk.ca_file = Some(at(&format!("{trusted}.pem")));
        let fetched = desk.fetch(&format!("https://127.0.0.1:{}/x.rpm", server.port));
        match told {
            Ok(()) => assert_eq!(fetched.as_deref(), Ok(content(1).as_slice()), "{shown} by {trusted}"),
            Err(why) => {
                let said = fetched.unwrap_err();
                contains(&said, "invalid peer certificate: ");
                contains(&said, why);
                assert_eq!(desk.left(), 0, "{shown} by {trusted}");
            }
        }
    }
    // One of several in the file.
    let both = [fs::read(at("other.pem")).unwrap(), fs::read(at("own.pem")).unwrap()].concat();
    fs::write(at("both.pem"), both).unwrap();
    fs::copy(at("own.pem"), at("cert")).unwrap();
    fs::copy(at("own.key"), at("key")).unwrap();
    let server = Https::with(place.path(), "-WWW");
    let mut desk = Desk::new();
    let port = impostor(&at("own.pem"), &at("other.key"));
    desk.ca_file = Some(at("own.pem"));
    contains(&desk.fetch(&format!("https://127.0.0.1:{port}/x.rpm")).unwrap_err(), "BadSignature");
    desk.ca_file = Some(at("both.pem"));
    assert_eq!(desk.fetch(&format!("https://127.0.0.1:{}/x.rpm", server.port)).unwrap(), content(1));
}

#[test]
fn nobody_is_led_from_https_to_http() {
    let mut desk = Desk::new();
    let place = tempfile::tempdir().unwrap();
    let plain = Server::new(&content(1));
    let answer = format!("HTTP/1.1 302 Found\r\nLocation: {}\r\nContent-Length: 0\r\n\r\n", plain.url("/x"));
    fs::write(place.path().join("x"), answer).unwrap();
    let server = Https::new(place.path(), "-HTTP");
    desk.ca_file = Some(place.path().join("ca.pem"));
    let error = desk.fetch(&format!("https://127.0.0.1:{}/x", server.port)).unwrap_err();
    contains(&error, &format!("/x leads from https to {}", plain.url("/x")));
    assert!(plain.asked().is_empty());
}
