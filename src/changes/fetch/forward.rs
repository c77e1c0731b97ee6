//! Plain HTTP through an HTTP proxy: the proxy is asked for the whole address.
//!
//! The library would ask for a tunnel (`CONNECT host:80`) here as it does for HTTPS, which proxies commonly
//! refuse for any port but 443. So the connection goes to the proxy, and the request's first line is
//! written as a proxy wants it.

use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{
    Buffers, ConnectionDetails, Connector, NextTimeout, TcpConnector, Transport,
};
use ureq::{Agent, Error, Proxy};

use super::addresses::InTurn;

/// An agent whose every connection goes to `proxy`, at the addresses that `resolver` finds; `url` is what it will ask for.
pub fn agent(config: Config, proxy: &Proxy, url: &str, resolver: InTurn) -> Option<Agent> {
    let uri: Uri = url.parse().ok()?;
    let authority = uri.authority()?.as_str();
    let authority = authority.rsplit('@').next()?;
    let origin = format!("http://{authority}");
    let to = Uri::builder()
        .scheme("http")
        .authority(format!("{}:{}", proxy.host(), proxy.port()))
        .path_and_query("/")
        .build()
        .ok()?;
    let connector = TcpConnector::default().chain(AbsoluteForm { origin });
    Some(Agent::with_parts(config, connector, To { proxy: to, resolver }))
}

/// The value of `Proxy-Authorization`, when the proxy's address has credentials.
pub fn authorization(proxy: &Proxy) -> Option<String> {
    let (user, password) = (proxy.username()?, proxy.password().unwrap_or_default());
    Some(format!("Basic {}", base64(format!("{user}:{password}").as_bytes())))
}

fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for chunk in bytes.chunks(3) {
        let all =
            chunk.iter().fold(0_u32, |all, byte| all << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for place in 0..4 {
            let letter = LETTERS[(all >> (18 - 6 * place) & 63) as usize];
            out.push(if place <= chunk.len() { char::from(letter) } else { '=' });
        }
    }
    out
}

/// Every name leads to the proxy.
#[derive(Debug)]
struct To {
    proxy: Uri,
    resolver: InTurn,
}

impl Resolver for To {
    fn resolve(&self, _: &Uri, config: &Config, timeout: NextTimeout) -> Result<ResolvedSocketAddrs, Error> {
        self.resolver.resolve(&self.proxy, config, timeout)
    }
}

/// Wraps connections so that requests carry `origin` before their path.
#[derive(Debug)]
struct AbsoluteForm {
    origin: String,
}

impl<In: Transport> Connector<In> for AbsoluteForm {
    type Out = Rewriting<In>;

    fn connect(&self, _: &ConnectionDetails<'_>, chained: Option<In>) -> Result<Option<Self::Out>, Error> {
        Ok(chained.map(|inner| Rewriting { inner, origin: Some(self.origin.clone()) }))
    }
}

#[derive(Debug)]
struct Rewriting<T> {
    inner: T,
    /// Until the one request was sent.
    origin: Option<String>,
}

impl<T: Transport> Transport for Rewriting<T> {
    fn buffers(&mut self) -> &mut dyn Buffers {
        self.inner.buffers()
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        let Some(origin) = self.origin.take() else { return self.inner.transmit_output(amount, timeout) };
        let output = self.inner.buffers().output();
        let whole = amount + origin.len();
        let (Some(path), true) =
            (output[..amount].windows(2).position(|pair| pair == b" /"), whole <= output.len())
        else {
            return Err(Error::BadUri("a request that no proxy can take".into()));
        };
        output.copy_within(path + 1..amount, path + 1 + origin.len());
        output[path + 1..path + 1 + origin.len()].copy_from_slice(origin.as_bytes());
        self.inner.transmit_output(whole, timeout)
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        self.inner.await_input(timeout)
    }

    fn is_open(&mut self) -> bool {
        // One request a connection: a second would not be rewritten.
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_encoded() {
        for (plain, encoded) in
            [("", ""), ("a", "YQ=="), ("ab", "YWI="), ("abc", "YWJj"), ("u:p\u{ff}", "dTpww78=")]
        {
            assert_eq!(base64(plain.as_bytes()), encoded);
        }
        let proxy = Proxy::new("http://us%20er:pa@h:3128").unwrap();
        assert_eq!(authorization(&proxy).unwrap(), "Basic dXMgZXI6cGE=");
        assert_eq!(authorization(&Proxy::new("http://h:3128").unwrap()), None);
    }
}
