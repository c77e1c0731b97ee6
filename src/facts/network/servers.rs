//! Whether the servers that the profile names answer.

use std::io::ErrorKind;
use std::net::{SocketAddr, TcpStream, ToSocketAddrs};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::facts::{Fact, decode};
use crate::host::{Host, Kind, text};

/// A server that the profile names, asked once over TCP.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Server {
    /// `configuration-server` or `process-server`.
    pub role: String,
    pub address: String,
    pub port: u16,
    /// `Known(true)`: it answered; `Known(false)` is not used: a failure is `Unknown` only when we could not ask.
    pub answers: Fact<Answer>,
}

/// How a server answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Answer {
    /// A TCP connection was made, in this many milliseconds.
    Connected(u64),
    /// It was not, and why (refused, no route, timed out, name not resolved).
    Failed(String),
}

/// How long a server has, name resolution included.
const DEADLINE: Duration = Duration::from_secs(3);

/// How many addresses of one server are asked.
const ADDRESSES: usize = 16;

/// Asks all servers (role, address, port) at the same time for a TCP connection, which is closed at once.
pub fn ask(host: &Host, servers: &[(String, String, u16)]) -> Vec<Server> {
    let until = Instant::now() + DEADLINE;
    let asked: Vec<_> = servers
        .iter()
        .map(|(role, address, port)| (role, address, *port, start(host, address, *port)))
        .collect();
    asked
        .into_iter()
        .map(|(role, address, port, answer)| Server {
            role: role.clone(),
            address: address.clone(),
            port,
            answers: match answer {
                Asked::Answered(fact) => fact,
                Asked::Waiting(receiver) => {
                    // A little more than the connection has: it says better why.
                    let left = until.saturating_duration_since(Instant::now()) + Duration::from_millis(200);
                    Fact::Known(receiver.recv_timeout(left).unwrap_or_else(|_| Answer::Failed(late())))
                }
            },
        })
        .collect()
}

enum Asked {
    Answered(Fact<Answer>),
    Waiting(mpsc::Receiver<Answer>),
}

fn start(host: &Host, address: &str, port: u16) -> Asked {
    match host.kind() {
        Kind::Image => return Asked::Answered(Fact::NotApplicable("an image is on no network".into())),
        Kind::Recorded => return Asked::Answered(recorded(host, address, port)),
        Kind::Live => {}
    }
    let (sender, receiver) = mpsc::channel();
    let address = address.trim_start_matches('[').trim_end_matches(']').to_owned();
    let spawned = thread::Builder::new().name("connect".into()).spawn(move || {
        let _ = sender.send(connect(&address, port));
    });
    match spawned {
        Ok(_) => Asked::Waiting(receiver),
        Err(error) => Asked::Answered(Fact::Unknown(format!("could not ask: {error}"))),
    }
}

fn connect(address: &str, port: u16) -> Answer {
    let started = Instant::now();
    let found = (address, port).to_socket_addrs().map(Iterator::collect::<Vec<_>>).unwrap_or_default();
    connect_to_any(&found, started)
}

/// Asks all of a server's addresses at the same time, as one that is silent would take the time of those that are not;
/// answers with the first that connects. Why each does not is reported where they do not agree.
fn connect_to_any(addresses: &[SocketAddr], started: Instant) -> Answer {
    let (sender, receiver) = mpsc::channel();
    let asked = &addresses[..addresses.len().min(ADDRESSES)];
    let mut failures = Vec::new();
    for (at, address) in asked.iter().copied().enumerate() {
        let sender = sender.clone();
        let spawned = thread::Builder::new().name("connect".into()).spawn(move || {
            let left = DEADLINE.saturating_sub(started.elapsed()).max(Duration::from_millis(1));
            let _ = sender.send((at, TcpStream::connect_timeout(&address, left)));
        });
        if let Err(error) = spawned {
            failures.push((at, format!("could not ask: {error}")));
        }
    }
    drop(sender);
    for (at, connected) in receiver {
        match connected {
            Ok(_) => {
                let millis = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
                return Answer::Connected(millis);
            }
            Err(error) => failures.push((at, failed(&error))),
        }
    }
    failures.sort();
    let Some((_, first)) = failures.first() else { return Answer::Failed("name not resolved".into()) };
    if failures.iter().all(|(_, why)| why == first) {
        return Answer::Failed(first.clone());
    }
    let each: Vec<_> = failures.iter().map(|(at, why)| format!("{}: {why}", asked[*at].ip())).collect();
    Answer::Failed(each.join(", "))
}

fn late() -> String {
    format!("no answer within {} s", DEADLINE.as_secs())
}

fn failed(error: &std::io::Error) -> String {
    match error.kind() {
        ErrorKind::ConnectionRefused => "connection refused".into(),
        ErrorKind::TimedOut | ErrorKind::WouldBlock => late(),
        ErrorKind::HostUnreachable => "no route to the host".into(),
        ErrorKind::NetworkUnreachable => "network unreachable".into(),
        _ => text::safe(&error.to_string()),
    }
}

/// A recording's answers: lines `ADDRESS PORT connected MILLISECONDS` or `ADDRESS PORT WHY NOT`.
fn recorded(host: &Host, address: &str, port: u16) -> Fact<Answer> {
    let text = host.read("/commands/servers").unwrap_or_default();
    let start = format!("{address} {port} ");
    let Some(recorded) = text.lines().find_map(|line| line.strip_prefix(&start)) else {
        return Fact::Unknown("a recording cannot ask, and it has no answer".into());
    };
    let answer = decode::octal(recorded.trim());
    let millis = answer.strip_prefix("connected ").and_then(|millis| millis.parse().ok());
    Fact::Known(millis.map_or(Answer::Failed(answer), Answer::Connected))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::testing;
    use std::net::TcpListener;

    fn answer(host: &Host, address: &str, port: u16) -> Fact<Answer> {
        ask(host, &[("process-server".into(), address.into(), port)]).remove(0).answers
    }

    #[test]
    fn answers_of_real_sockets() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let host = Host::live();
        assert!(matches!(answer(&host, "127.0.0.1", port), Fact::Known(Answer::Connected(_))));
        drop(listener);
        assert_eq!(
            answer(&host, "127.0.0.1", port),
            Fact::Known(Answer::Failed("connection refused".into()))
        );
        assert_eq!(answer(&host, "bad name", 1), Fact::Known(Answer::Failed("name not resolved".into())));
    }

    #[test]
    fn all_are_asked_at_the_same_time_and_none_for_long() {
        // Addresses that are for documentation: nobody has them.
        let servers: Vec<_> = (1..=100).map(|n| ("x".into(), format!("192.0.2.{n}"), 443)).collect();
        let started = Instant::now();
        let asked = ask(&Host::live(), &servers);
        // One after the other they would take five minutes.
        assert!(started.elapsed() < 50 * DEADLINE, "{:?}", started.elapsed());
        assert!(
            asked.iter().all(|server| matches!(server.answers, Fact::Known(Answer::Failed(_)))),
            "{asked:?}"
        );
    }

    /// A port that takes no further connection and does not say so: its queue is full (Linux then drops what asks).
    fn silent() -> (TcpListener, Vec<TcpStream>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (mut queued, mut refused) = (Vec::new(), 0);
        while refused < 3 {
            match TcpStream::connect_timeout(&address, Duration::from_millis(300)) {
                Ok(stream) => queued.push(stream),
                Err(_) => refused += 1,
            }
        }
        (listener, queued)
    }

    #[test]
    fn one_address_that_is_silent_does_not_hide_another() {
        let (silent, _queued) = silent();
        let silent = silent.local_addr().unwrap();
        let answering = TcpListener::bind("[::1]:0").or_else(|_| TcpListener::bind("127.0.0.2:0")).unwrap();
        let answering = answering.local_addr().unwrap();
        let ask = |addresses: &[SocketAddr]| connect_to_any(addresses, Instant::now());
        let asked = ask(&[silent, answering]);
        assert!(matches!(asked, Answer::Connected(_)), "{asked:?}");
        let late = "no answer within 3 s";
        assert_eq!(ask(&[silent]), Answer::Failed(late.into()));
        // Nobody listens on port 1.
        let nobody: SocketAddr = "127.0.0.3:1".parse().unwrap();
        assert_eq!(ask(&[nobody, nobody]), Answer::Failed("connection refused".into()));
        let both = format!("127.0.0.1: {late}, 127.0.0.3: connection refused");
        assert_eq!(ask(&[silent, nobody]), Answer::Failed(both));
        assert_eq!(ask(&[]), Answer::Failed("name not resolved".into()));
    }

    #[test]
    fn trees_tell_what_was_recorded_or_nothing() {
        let dir = testing::tree(&[(
            "commands/servers",
            "cs.example 443 connected 12\nps 9443 connection refused\n",
        )]);
        let host = Host::recorded(dir.path());
        assert_eq!(answer(&host, "cs.example", 443), Fact::Known(Answer::Connected(12)));
        assert_eq!(answer(&host, "ps", 9443), Fact::Known(Answer::Failed("connection refused".into())));
        assert!(matches!(answer(&host, "ps", 443), Fact::Unknown(_)));
        assert!(matches!(answer(&Host::image(dir.path()), "ps", 443), Fact::NotApplicable(_)));
    }
}
