//! Which proxy an address is fetched through, as curl and wget read the environment.

/// The proxy for `url` and the variable that names it; `None`: directly.
///
/// `HTTP_PROXY` in capitals is not asked, as curl does not: a CGI program's caller can set it. `no_proxy` is
/// a list of hosts, each of which stands for its subdomains too, or `*`.
pub fn choose(url: &str, environment: &dyn Fn(&str) -> Option<String>) -> Option<(String, &'static str)> {
    let (scheme, host) = split(url)?;
    let set = |name: &&str| environment(name).filter(|value| !value.trim().is_empty());
    if ["no_proxy", "NO_PROXY"].iter().find_map(set).is_some_and(|list| excluded(&host, &list)) {
        return None;
    }
    let names: &[&'static str] = if scheme == "https" {
        &["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"]
    } else {
        &["http_proxy", "all_proxy", "ALL_PROXY"]
    };
    names.iter().find_map(|name| set(name).map(|value| (value.trim().to_owned(), *name)))
}

/// Scheme and host, both in lower case, the host without user, port and brackets.
pub fn split(url: &str) -> Option<(String, String)> {
    let (scheme, rest) = url.split_once("://")?;
    let authority = rest.split(['/', '?', '#']).next()?;
    let host = authority.rsplit('@').next()?;
    let host = match host.strip_prefix('[') {
        Some(v6) => v6.split(']').next()?,
        None => host.split(':').next()?,
    };
    Some((scheme.to_ascii_lowercase(), host.to_ascii_lowercase()))
}

fn excluded(host: &str, list: &str) -> bool {
    list.split([',', ' ']).map(|entry| entry.trim().to_ascii_lowercase()).any(|entry| {
        let entry =
            entry.trim_start_matches('*').trim_start_matches('.').split(':').next().unwrap_or_default();
        match entry {
            "" => list.trim() == "*",
            entry => host == entry || host.strip_suffix(entry).is_some_and(|front| front.ends_with('.')),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(pairs: &'static [(&'static str, &'static str)], url: &str) -> Option<String> {
        let environment =
            |name: &str| pairs.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
        choose(url, &environment).map(|(proxy, _)| proxy)
    }

    #[test]
    fn the_scheme_decides_and_the_special_goes_before_the_general() {
        const ALL: &[(&str, &str)] =
            &[("http_proxy", "http://a:1"), ("HTTPS_PROXY", "http://b:2"), ("ALL_PROXY", "http://c:3")];
        assert_eq!(with(ALL, "http://x/y").as_deref(), Some("http://a:1"));
        assert_eq!(with(ALL, "https://x/y").as_deref(), Some("http://b:2"));
        assert_eq!(with(&[("all_proxy", "socks5://c")], "http://x").as_deref(), Some("socks5://c"));
        assert_eq!(with(&[("HTTP_PROXY", "http://evil")], "http://x"), None);
        assert_eq!(with(&[("http_proxy", " ")], "http://x"), None);
    }

    #[test]
    fn no_proxy_names_hosts_and_what_lies_below_them() {
        const SOME: &[(&str, &str)] =
            &[("http_proxy", "http://p"), ("no_proxy", "localhost, .corp.example,10.0.0.7")];
        for direct in
            ["http://LOCALHOST:80/", "http://a.corp.example/x", "http://u@corp.example", "http://10.0.0.7/"]
        {
            assert_eq!(with(SOME, direct), None, "{direct}");
        }
        for proxied in ["http://notcorp.example/", "http://corp.example.org/", "http://10.0.0.70/"] {
            assert!(with(SOME, proxied).is_some(), "{proxied}");
        }
        assert_eq!(with(&[("http_proxy", "http://p"), ("NO_PROXY", "*")], "http://x/"), None);
        assert_eq!(split("https://u:p@[::1]:8443/x").unwrap(), ("https".into(), "::1".into()));
    }
}
