//! The two cookies: a viewer's of one room, and the operator's. Both out of reach of scripts.

use std::time::Duration;

use common::id::RoomSlug;
use http::{HeaderMap, HeaderValue, header};

/// Name of the cookie of the operator's session. No room's cookie can have it: those start with `sc_`.
pub(super) const SESSION_COOKIE: &str = "streamcircle_session";

/// Most bytes of cookie headers that are searched.
const MAX_COOKIES_LEN: usize = 16 * 1024;

/// The value of the cookie `name`; the first one counts.
pub(super) fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let mut left = MAX_COOKIES_LEN;
    let texts = headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok());
    texts
        .take_while(|text| {
            let fits = text.len() <= left;
            left = left.saturating_sub(text.len());
            fits
        })
        .flat_map(|text| text.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find_map(|(key, value)| (key == name).then_some(value))
}

/// Name of the cookie that holds a viewer's token of the room.
pub(super) fn room_cookie(room: &RoomSlug) -> String {
    format!("sc_{room}")
}

/// A `Set-Cookie` value; a life of zero deletes the cookie. `Lax` keeps it from other sites' forms and scripts, and sends
/// it when somebody follows a link.
pub(super) fn set_cookie(name: &str, value: &str, life: Duration, secure: bool) -> HeaderValue {
    let secure = if secure { "; Secure" } else { "" };
    let text = format!(
        "{name}={value}; Path=/; Max-Age={}; HttpOnly; SameSite=Lax{secure}",
        life.as_secs()
    );
    HeaderValue::from_str(&text).expect("slugs, tokens and numbers are visible ASCII")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_is_found_among_others() {
        let mut headers = HeaderMap::new();
        headers.append(header::COOKIE, HeaderValue::from_static("a=1; sc_cinema=x.y=z;b"));
        headers.append(header::COOKIE, HeaderValue::from_static("sc_cinema=second; c=3"));
        assert_eq!(cookie(&headers, "sc_cinema"), Some("x.y=z"));
        assert_eq!(cookie(&headers, "c"), Some("3"));
        assert_eq!(cookie(&headers, "b"), None);
    }

    #[test]
    fn a_cookie_is_written_out_of_reach_of_scripts() {
        let written = set_cookie("sc_cinema", "t", Duration::from_secs(60), true);
        assert_eq!(
            written,
            "sc_cinema=t; Path=/; Max-Age=60; HttpOnly; SameSite=Lax; Secure"
        );
    }
}
