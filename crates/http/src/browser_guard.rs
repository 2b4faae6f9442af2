//! Protection against requests that a web page of another site makes a browser send.
//!
//! There are three rules. A browser names the page that sends a change in `Origin` and
//! `Sec-Fetch-Site` (Fetch standard, section 3.2; Fetch Metadata). A page whose own name was
//! pointed at this server (DNS rebinding) sends that name in `Host`, so set-up and sign-in accept
//! only allowed host names. And a page can send a body without a preflight request only as one of
//! three content types, so set-up accepts only JSON.

use std::net::IpAddr;

use axum::http::request::Parts;
use axum::http::{HeaderMap, header};

use crate::failure::{Code, Failure};
use crate::settings::Settings;

/// Refuses a change that a browser sends for a page of another origin.
///
/// A client that sends neither `Origin` nor `Sec-Fetch-Site` is not a browser.
pub(crate) fn refuse_foreign_origin(headers: &HeaderMap) -> Result<(), Failure> {
    let is_own_site = match only(headers, "sec-fetch-site") {
        Some(site) => site == "same-origin" || site == "none",
        None => !headers.contains_key("sec-fetch-site"),
    };
    let is_own_origin = match only(headers, "origin") {
        Some(origin) => {
            let authority =
                ["http://", "https://"].iter().find_map(|scheme| origin.strip_prefix(scheme));
            authority.is_some() && authority == only(headers, "host")
        }
        None => !headers.contains_key("origin"),
    };
    if is_own_site && is_own_origin {
        return Ok(());
    }
    Err(Failure::new(
        Code::Forbidden,
        "requests from web pages of another origin are refused; send the request from the server's \
         own page or from a program",
    ))
}

/// Returns the value of a header that is given exactly once, in ASCII.
pub(crate) fn only<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?;
    match values.next() {
        Some(_) => None,
        None => value.to_str().ok(),
    }
}

/// Refuses a request that a web page may have sent. Used for set-up and sign-in, which are possible
/// without a session.
pub(crate) fn refuse_web_page(settings: &Settings, parts: &Parts) -> Result<(), Failure> {
    refuse_foreign_origin(&parts.headers)?;
    let host = host(parts);
    let name = host.map(name_of);
    if name.is_some_and(|name| is_known(settings, name)) {
        return Ok(());
    }
    Err(Failure::new(
        Code::Forbidden,
        "this host name is not allowed for set-up and sign-in; use an IP address or `localhost`, \
         or have the operator add the name to the allowed hosts of the server",
    ))
}

/// Refuses the content types that a web page can send without a preflight request (Fetch standard,
/// section 2.2.2: CORS-safelisted request headers).
pub(crate) fn refuse_form(headers: &HeaderMap) -> Result<(), Failure> {
    let mut types = headers.get_all(header::CONTENT_TYPE).iter();
    let is_json = |value: &axum::http::HeaderValue| {
        let text = value.to_str().unwrap_or_default();
        let essence = text.split(';').next().unwrap_or_default().trim();
        essence.eq_ignore_ascii_case("application/json")
    };
    if types.all(is_json) {
        return Ok(());
    }
    Err(Failure::invalid("the body must be JSON: send the header `Content-Type: application/json`"))
}

/// Returns the host that a request names; none if it names several.
fn host(parts: &Parts) -> Option<&str> {
    let mut hosts = parts.headers.get_all(header::HOST).iter();
    match (hosts.next(), hosts.next()) {
        (Some(host), None) => host.to_str().ok(),
        (Some(_), Some(_)) => None,
        (None, _) => parts.uri.authority().map(|authority| authority.as_str()),
    }
}

/// Returns a host without its port.
fn name_of(host: &str) -> &str {
    let port = host.rsplit_once(':').filter(|(_, port)| {
        // The last group of an IPv6 address is followed by a bracket.
        port.bytes().all(|byte| byte.is_ascii_digit())
    });
    port.map_or(host, |(name, _)| name)
}

fn is_known(settings: &Settings, name: &str) -> bool {
    let bare = name.strip_suffix('.').unwrap_or(name);
    let address = name.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    // A page whose host is an IP address was served by that address: DNS rebinding needs a name.
    let is_address = address.unwrap_or(name).parse::<IpAddr>().is_ok();
    let is_allowed = |allowed: &String| allowed.eq_ignore_ascii_case(bare);
    is_address
        || bare.eq_ignore_ascii_case("localhost")
        || settings.allowed_hosts.iter().any(is_allowed)
}

#[cfg(test)]
mod tests {
    use axum::http::Request;

    use super::*;

    fn parts(pairs: &[(&str, &str)]) -> Parts {
        let mut request = Request::builder();
        for (name, value) in pairs {
            request = request.header(*name, *value);
        }
        request.body(()).unwrap().into_parts().0
    }

    #[test]
    fn changes_are_accepted_from_the_own_page_and_from_programs() {
        let host = ("host", "tokens.example:8086");
        for good in [
            vec![host],
            vec![host, ("origin", "http://tokens.example:8086")],
            vec![host, ("sec-fetch-site", "same-origin")],
            vec![host, ("sec-fetch-site", "none")],
        ] {
            assert_eq!(refuse_foreign_origin(&parts(&good).headers), Ok(()), "{good:?}");
        }
        for bad in [
            vec![host, ("origin", "http://evil.example")],
            vec![host, ("origin", "null")],
            vec![host, ("origin", "")],
            vec![host, ("origin", "\u{e9}")],
            vec![host, ("origin", "http://tokens.example")],
            vec![("origin", "http://tokens.example:8086")],
            vec![host, ("sec-fetch-site", "cross-site")],
            vec![host, ("sec-fetch-site", "same-site")],
            vec![host, ("sec-fetch-site", "same-origin"), ("sec-fetch-site", "cross-site")],
            vec![host, ("origin", "http://tokens.example:8086"), ("origin", "http://evil.example")],
            vec![host, ("origin", "chrome-extension://tokens.example:8086")],
            vec![host, ("sec-fetch-site", "\u{e9}")],
        ] {
            assert!(refuse_foreign_origin(&parts(&bad).headers).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn only_addresses_localhost_and_allowed_names_are_accepted_as_host() {
        let settings =
            Settings { allowed_hosts: vec!["Tokens.example".into()], ..Settings::default() };
        for good in [
            "localhost",
            "LOCALHOST:8086",
            "localhost.",
            "127.0.0.1:8086",
            "10.1.2.3",
            "[::1]:8086",
            "[::1]",
            "tokens.example",
            "tokens.EXAMPLE:443",
        ] {
            assert_eq!(refuse_web_page(&settings, &parts(&[("host", good)])), Ok(()), "{good}");
        }
        for bad in [
            "",
            "evil.example",
            "localhost.evil.example",
            "evil.tokens.example",
            "127.0.0.1.evil.example",
            "127.0.0.1:8086.evil.example",
            "localhost@evil.example",
            "evil.example#localhost",
        ] {
            assert!(refuse_web_page(&settings, &parts(&[("host", bad)])).is_err(), "{bad}");
        }
        let two = parts(&[("host", "localhost"), ("host", "evil.example")]);
        assert!(refuse_web_page(&settings, &two).is_err());
        assert!(refuse_web_page(&settings, &parts(&[])).is_err());
    }

    #[test]
    fn form_content_types_are_refused_and_json_is_accepted() {
        for good in ["application/json", "Application/JSON; charset=utf-8"] {
            assert_eq!(refuse_form(&parts(&[("content-type", good)]).headers), Ok(()));
        }
        assert_eq!(refuse_form(&parts(&[]).headers), Ok(()));
        for bad in [
            "text/plain",
            "application/x-www-form-urlencoded",
            "multipart/form-data",
            "text/plain; application/json",
            "",
        ] {
            let parts = parts(&[("content-type", bad)]);
            assert!(refuse_form(&parts.headers).is_err(), "{bad}");
        }
    }
}
