//! What a server answers: its headers, where it leads, and why there is none.

use std::io::ErrorKind;
use std::path::Path;

use anyhow::{Context as _, Result, anyhow, ensure};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use ureq::Body;
use ureq::http::{HeaderMap, Response, header};

use super::proxy;
use crate::host::{files, trust};

/// Whether another try may succeed.
pub(super) fn may_pass(error: &ureq::Error) -> bool {
    match error {
        // A certificate that is not trusted, and a port where nobody listens, stay so.
        ureq::Error::Io(io) => !matches!(io.kind(), ErrorKind::InvalidData | ErrorKind::ConnectionRefused),
        ureq::Error::Timeout(_) | ureq::Error::ConnectionFailed => true,
        _ => false,
    }
}

pub(super) fn field(headers: &HeaderMap, name: header::HeaderName) -> Option<&str> {
    headers.get(name)?.to_str().ok()
}

/// What `If-Range` may carry: a strong ETag, else the time of the last modification.
pub(super) fn validator(headers: &HeaderMap) -> Option<String> {
    let strong = field(headers, header::ETAG).filter(|tag| tag.starts_with('"'));
    strong.or_else(|| field(headers, header::LAST_MODIFIED)).map(str::to_owned)
}

/// Whether a 206 resumes our file at byte `from`: the server may have ignored `If-Range`.
pub(super) fn continues(response: &Response<Body>, from: u64, noted: &str) -> bool {
    let headers = response.headers();
    let range = field(headers, header::CONTENT_RANGE).and_then(|range| range.strip_prefix("bytes "));
    let starts = range.and_then(|range| range.split('-').next()).and_then(|start| start.trim().parse().ok());
    let same = validator(headers).is_none_or(|now| now == noted);
    starts == Some(from) && same
}

pub(crate) fn resolve(base: &str, location: &str) -> Option<String> {
    let (scheme, rest) = base.split_once("://")?;
    let resolved = if location.contains("://") {
        location.to_owned()
    } else if location.starts_with("//") {
        format!("{scheme}:{location}")
    } else {
        let path = rest.find('/').map_or(rest.len(), |at| at);
        let (authority, path) = rest.split_at(path);
        // The credentials of an address go no further than that address.
        let authority = authority.rsplit('@').next()?;
        let path = path.split(['?', '#']).next()?;
        let directory = path.rfind('/').map_or("/", |at| &path[..=at]);
        if location.starts_with('/') {
            format!("{scheme}://{authority}{location}")
        } else {
            format!("{scheme}://{authority}{directory}{location}")
        }
    };
    let (scheme, host) = proxy::split(&resolved)?;
    let rest = resolved.split_once("://")?.1;
    (matches!(scheme.as_str(), "http" | "https") && !host.is_empty()).then(|| format!("{scheme}://{rest}"))
}

pub(super) fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>> {
    let reading = || format!("reading the certificates in {}", path.display());
    let file = trust::file(path).with_context(reading)?;
    let pem = files::read_at_most(file, files::LARGEST).with_context(reading)?;
    let all = CertificateDer::pem_slice_iter(&pem).collect::<Result<Vec<_>, _>>();
    let all = all.map_err(|error| anyhow!("{}: {error}", reading()))?;
    ensure!(!all.is_empty(), "{} holds no certificate (PEM)", path.display());
    Ok(all)
}
