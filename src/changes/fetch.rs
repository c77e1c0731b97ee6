//! Fetches a file over HTTP(S) into a part file beside its later name, and resumes where an interrupted
//! fetch stopped, when the server says that the file is still the same.

mod addresses;
mod answer;
mod forward;
mod part;
pub(crate) mod proxy;
mod trusted;
mod turn;

use std::fs::{self, File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, anyhow, bail, ensure};
use nix::libc;
use ureq::http::{HeaderMap, Response, StatusCode, header};
use ureq::unversioned::transport::DefaultConnector;
use ureq::{Agent, Body, Proxy, ProxyProtocol};

use self::addresses::InTurn;
pub(crate) use self::answer::resolve;
use self::answer::{certificates, continues, field, may_pass, validator};
use self::part::{From, noted};
pub use self::part::{discard, is_full, left_off, unwritten};
use self::turn::Pace;
pub use self::turn::{GivenUp, Turn};
use super::Observer;
use crate::host::{files, text};

/// How long a connection, and then an answer, may take to come.
const ANSWER: Duration = Duration::from_secs(30);

/// How long a server may send nothing in the middle of a file.
pub const STALL: Duration = Duration::from_secs(60);

/// How often one address is tried: each time, another one of the server's own addresses is asked first.
const TRIES: usize = 4;

const REDIRECTS: usize = 5;

/// A file to fetch.
pub struct Fetch<'a> {
    /// Its address, `http://` or `https://`.
    pub url: &'a str,
    /// What it is called to whoever watches.
    pub what: &'a str,
    /// Where its bytes go; what an interrupted fetch left there is used when it can be.
    pub part: &'a Path,
    /// The most bytes it may have.
    pub limit: u64,
    /// Certificates (PEM) to trust instead of the built-in ones.
    pub ca_file: Option<&'a Path>,
    /// When it must be done.
    pub until: Instant,
    /// How long it is this address's turn, where others wait.
    pub turn: Option<Turn>,
    /// Where the proxy variables are read: [`environment`], but for tests.
    pub environment: &'a dyn Fn(&str) -> Option<String>,
}

/// The environment of this process.
pub fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

enum Tried {
    Done,
    Broken(anyhow::Error),
    Slow(String),
}

impl Fetch<'_> {
    /// Fetches the file; `part` then holds all of it, synced.
    /// Errors: Why not; after a broken connection, `part` stays for the next time. [`GivenUp`]: it was too slow
    /// for its turn.
    pub fn run(&self, observer: &mut dyn Observer) -> Result<()> {
        let mut broken = None;
        let mut slow = None;
        for number in 0..TRIES {
            match self.attempt(number, observer)? {
                Tried::Done => return Ok(()),
                Tried::Broken(error) => {
                    observer.log(&format!("fetching {}: {error:#}", text::without_secrets(self.url)));
                    broken = Some(error);
                }
                Tried::Slow(why) => slow = Some(why),
            }
            if let (None, Some(error)) = (&slow, &broken)
                && self.turn.is_some_and(|turn| Instant::now() >= turn.ends)
            {
                slow = Some(format!("{error:#}, and its share of the time was over"));
            }
            let left = self.until.saturating_duration_since(Instant::now());
            if slow.is_some() || left < Duration::from_secs(1) {
                break;
            }
            sleep(Duration::from_secs(1).min(left));
        }
        if let Some(why) = slow {
            self.give_up()?;
            return Err(GivenUp(why).into());
        }
        self.keep_what_can_be_resumed();
        Err(broken.unwrap_or_else(|| anyhow!("there was no time left")))
    }

    /// What is left may be a part of another edition of the file; only what can be distinguished may stay.
    fn keep_what_can_be_resumed(&self) {
        match noted(self.part) {
            None => discard(self.part),
            Some(from) if from.validator.is_empty() => drop(fs::remove_file(self.part)),
            Some(_) => {}
        }
    }

    /// Notes that the next run had better begin with another address.
    fn give_up(&self) -> Result<()> {
        let url = text::without_secrets(self.url);
        let mut from = match noted(self.part) {
            Some(from) if from.url == url => from,
            _ => {
                discard(self.part);
                From { url, ..From::default() }
            }
        };
        from.given_up = true;
        from.note(self.part)?;
        self.keep_what_can_be_resumed();
        Ok(())
    }

    fn attempt(&self, number: usize, observer: &mut dyn Observer) -> Result<Tried> {
        let have = match (noted(self.part), fs::symlink_metadata(self.part)) {
            (Some(from), Ok(meta))
                if from.url == text::without_secrets(self.url)
                    && !from.validator.is_empty()
                    && meta.is_file()
                    && meta.len() > 0 =>
            {
                Some((meta.len(), from.validator))
            }
            _ => None,
        };
        let response = match self.request(number, have.as_ref())? {
            Ok(response) => response,
            Err(error) => return Ok(Tried::Broken(error)),
        };
        let from = match (response.status(), &have) {
            (StatusCode::PARTIAL_CONTENT, Some((length, validator)))
                if continues(&response, *length, validator) =>
            {
                *length
            }
            (StatusCode::OK, _) => 0,
            (StatusCode::PARTIAL_CONTENT | StatusCode::RANGE_NOT_SATISFIABLE, Some(_)) => {
                discard(self.part);
                return Ok(Tried::Broken(anyhow!(
                    "the server has another edition of the file: beginning anew"
                )));
            }
            (status, _) => bail!("the server answered {status}"),
        };
        self.receive(response, from, observer)
    }

    /// Asks for the file, or for what is missing of it, following redirects.
    /// Errors: The outer one stays so; after the inner one another try may resume.
    fn request(&self, number: usize, have: Option<&(u64, String)>) -> Result<Result<Response<Body>>> {
        let mut url = self.url.to_owned();
        for _ in 0..=REDIRECTS {
            let shown = text::without_secrets(&text::safe(&url));
            let (agent, authorization) = self.agent(&url, number)?;
            let mut request = agent.get(&url);
            if let Some(authorization) = authorization {
                request = request.header(header::PROXY_AUTHORIZATION, authorization);
            }
            if let Some((length, validator)) = have {
                request = request
                    .header(header::RANGE, format!("bytes={length}-"))
                    .header(header::IF_RANGE, validator.as_str());
            }
            let response = match request.call() {
                Ok(response) if response.status().is_redirection() => response,
                Ok(response) => return Ok(Ok(response)),
                Err(error) => {
                    let message =
                        anyhow!("{shown}: {}", text::without_secrets(&text::safe(&error.to_string())));
                    return if may_pass(&error) { Ok(Err(message)) } else { Err(message) };
                }
            };
            let target = field(response.headers(), header::LOCATION)
                .and_then(|location| resolve(&url, location))
                .with_context(|| format!("{shown} answered {} to nowhere", response.status()))?;
            if url.starts_with("https:") && !target.starts_with("https:") {
                let target = text::without_secrets(&text::safe(&target));
                bail!("{shown} leads from https to {target}");
            }
            url = target;
        }
        bail!("more than {REDIRECTS} redirects")
    }

    /// What asks for `url` the `number`th time, and what it must tell a proxy of us.
    fn agent(&self, url: &str, number: usize) -> Result<(Agent, Option<String>)> {
        let left = self.until.saturating_duration_since(Instant::now());
        ensure!(!left.is_zero(), "there was no time left");
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .proxy(None)
            .user_agent(concat!("mt-agent/", env!("CARGO_PKG_VERSION")))
            .timeout_global(Some(left))
            .timeout_resolve(Some(ANSWER))
            .timeout_connect(Some(ANSWER))
            .timeout_recv_response(Some(ANSWER))
            .timeout_per_read(Some(self.turn.map_or(STALL, |turn| turn.within)));
        let agent = |config: ureq::config::Config| -> Result<Agent> {
            let resolver = InTurn::new(number);
            let Some(path) = self.ca_file else {
                return Ok(Agent::with_parts(config, DefaultConnector::default(), resolver));
            };
            let connector = trusted::connector(certificates(path)?);
            let connector =
                connector.with_context(|| format!("using the certificates in {}", path.display()))?;
            Ok(Agent::with_parts(config, connector, resolver))
        };
        let Some((address, name)) = proxy::choose(url, self.environment) else {
            return Ok((agent(config.build())?, None));
        };
        // All before the last `@`, whatever it is: that variable holds nothing but one address.
        let shown = || {
            let place =
                address.rfind('@').map_or_else(|| address.clone(), |at| format!("***{}", &address[at..]));
            format!("{name}={}", text::safe(&text::without_secrets(&place)))
        };
        let proxy = Proxy::new(&address).map_err(|_| anyhow!("{} is no address of a proxy", shown()))?;
        ensure!(
            matches!(proxy.protocol(), ProxyProtocol::Http | ProxyProtocol::Https),
            "{} is a kind of proxy that the agent cannot use: http and https are possible",
            shown()
        );
        if url.starts_with("http:") && proxy.protocol() == ProxyProtocol::Http {
            let agent = forward::agent(config.build(), &proxy, url, InTurn::new(number));
            let agent = agent.ok_or_else(|| anyhow!("it is no address that {} can be asked for", shown()))?;
            return Ok((agent, forward::authorization(&proxy)));
        }
        Ok((agent(config.proxy(Some(proxy)).build())?, None))
    }

    /// Writes what the server sends to the part file, from byte `from` on.
    fn receive(&self, response: Response<Body>, from: u64, observer: &mut dyn Observer) -> Result<Tried> {
        let total = field(response.headers(), header::CONTENT_LENGTH)
            .and_then(|length| length.parse::<u64>().ok())
            .map(|length| length.saturating_add(from));
        let too_long = || anyhow!("it has more than {}, the most that is fetched", text::bytes(self.limit));
        if total.is_some_and(|total| total > self.limit) {
            discard(self.part);
            return Err(too_long());
        }
        let mut file = self.open(from, response.headers())?;
        let mut body = response.into_body().into_reader();
        let mut done = from;
        let mut pace = Pace::new(from);
        let mut buffer = vec![0; 64 << 10];
        observer.transfer(self.what, done, total);
        let mut slow = None;
        let ended = loop {
            let read = body.read(&mut buffer);
            if let Ok(read @ 1..) = read {
                done += read as u64;
                if done > self.limit {
                    drop(file);
                    discard(self.part);
                    return Err(too_long());
                }
                if let Err(error) = file.write_all(&buffer[..read]) {
                    return Err(unwritten(error, file, self.part, total));
                }
                observer.transfer(self.what, done, total);
            }
            match read {
                Ok(0) => break None,
                read => {
                    slow = self.turn.and_then(|turn| pace.too_slow(&turn, self.until, done, total));
                    match read {
                        Err(error) => break Some(error),
                        Ok(_) if slow.is_some() => break None,
                        Ok(_) => {}
                    }
                }
            }
        };
        if let Err(error) = file.sync_all() {
            return Err(unwritten(error, file, self.part, total));
        }
        let of = total.map_or_else(String::new, |total| format!(" of {total}"));
        if let Some(why) = slow {
            return Ok(Tried::Slow(format!("{why} after {done}{of} bytes")));
        }
        Ok(match ended {
            Some(error) => {
                let why = text::without_secrets(&text::safe(&error.to_string()));
                Tried::Broken(anyhow!("the connection broke after {done}{of} bytes ({why})"))
            }
            None if total.is_some_and(|total| done != total) => {
                Tried::Broken(anyhow!("the server ended after {done}{of} bytes"))
            }
            None => Tried::Done,
        })
    }

    /// The part file at byte `from`; a new one notes first of what it is a part.
    fn open(&self, from: u64, headers: &HeaderMap) -> Result<File> {
        let writing = || format!("writing {}", self.part.display());
        if from > 0 {
            let options = &mut OpenOptions::new();
            let mut file =
                files::open_with(self.part, options.write(true), libc::O_NOFOLLOW).with_context(writing)?;
            file.seek(SeekFrom::Start(from)).with_context(writing)?;
            return Ok(file);
        }
        let url = text::without_secrets(self.url);
        let given_up = noted(self.part).is_some_and(|from| from.given_up && from.url == url);
        discard(self.part);
        if let Some(validator) = validator(headers) {
            let from = From { url, validator, given_up };
            from.note(self.part)?;
        }
        files::create(self.part).with_context(writing)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn redirects_are_resolved_and_lose_credentials() {
        let base = "http://u:p@host:8080/a/b/c.rpm?x=1";
        for (location, target) in [
            ("https://other/x", Some("https://other/x")),
            ("//other/x", Some("http://other/x")),
            ("/x", Some("http://host:8080/x")),
            ("d.rpm", Some("http://host:8080/a/b/d.rpm")),
            ("HTTPS://Other/x", Some("https://Other/x")),
            ("ftp://other/x", None),
            ("file:///etc/passwd", None),
        ] {
            assert_eq!(resolve(base, location).as_deref(), target, "{location}");
        }
    }
}
