//! The address under which people reach a daemon: scheme and authority, nothing after it.

use std::{fmt, str::FromStr};

use http::{Uri, uri::Scheme};

/// As in `https://watch.example.org` or `http://localhost:8080`; also what a browser sends as `Origin` from its pages.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PublicUrl(String);

/// The text is no [`PublicUrl`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a URL of the form http://HOST[:PORT] or https://HOST[:PORT], without a path")]
pub struct InvalidPublicUrl;

impl PublicUrl {
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Host without port; an IPv6 address stands in brackets.
    pub fn host(&self) -> &str {
        let authority = self.0.split_once("://").map_or("", |(_, authority)| authority);
        match authority.rsplit_once(':') {
            Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
            _ => authority,
        }
    }

    pub fn is_https(&self) -> bool {
        self.0.starts_with("https://")
    }
}

impl FromStr for PublicUrl {
    type Err = InvalidPublicUrl;

    fn from_str(text: &str) -> Result<Self, InvalidPublicUrl> {
        let uri: Uri = text.parse().map_err(|_| InvalidPublicUrl)?;
        let (Some(scheme), Some(authority)) = (uri.scheme(), uri.authority()) else {
            return Err(InvalidPublicUrl);
        };
        let default_port = match scheme {
            scheme if *scheme == Scheme::HTTP => 80,
            scheme if *scheme == Scheme::HTTPS => 443,
            _ => return Err(InvalidPublicUrl),
        };
        let has_path = uri.path() != "/" || uri.query().is_some() || text.contains('#');
        if has_path || authority.as_str().contains('@') || authority.host().is_empty() {
            return Err(InvalidPublicUrl);
        }
        let host = authority.host().to_ascii_lowercase();
        // Read by hand: `http` takes a port that is no number for none.
        let written = &authority.as_str()[authority.host().len()..];
        let port = match written.strip_prefix(':').map(str::parse::<u16>) {
            None => String::new(),
            Some(Ok(port)) if port == default_port => String::new(),
            Some(Ok(port)) => format!(":{port}"),
            Some(Err(_)) => return Err(InvalidPublicUrl),
        };
        Ok(Self(format!("{scheme}://{host}{port}")))
    }
}

impl fmt::Display for PublicUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Option<String> {
        text.parse::<PublicUrl>().ok().map(|url| url.to_string())
    }

    #[test]
    fn a_url_is_written_as_a_browser_writes_an_origin() {
        assert_eq!(
            parsed("https://Watch.Example.org/").as_deref(),
            Some("https://watch.example.org")
        );
        assert_eq!(parsed("https://a.b:443").as_deref(), Some("https://a.b"));
        assert_eq!(
            parsed("http://localhost:8080").as_deref(),
            Some("http://localhost:8080")
        );
        assert_eq!(parsed("http://[::1]:8080").as_deref(), Some("http://[::1]:8080"));
    }

    #[test]
    fn a_host_is_told_from_its_port() {
        for (text, host) in [
            ("http://a.b:1", "a.b"),
            ("https://a.b", "a.b"),
            ("http://[::1]:8080", "[::1]"),
        ] {
            assert_eq!(text.parse::<PublicUrl>().unwrap().host(), host);
        }
        assert_eq!("http://[::1]".parse::<PublicUrl>().unwrap().host(), "[::1]");
    }

    #[test]
    fn what_is_no_plain_address_is_refused() {
        for text in [
            "",
            "localhost",
            "localhost:8080",
            "ftp://a",
            "http://",
            "http://a/b",
            "http://a/?b",
            "http://u@a",
            "/a",
            "http://a:99999",
        ] {
            assert_eq!(parsed(text), None, "{text}");
        }
    }
}
