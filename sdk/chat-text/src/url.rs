//! URLs that an operator types.

use sandbell_sdk::ConfigError;

/// A URL without the blanks around it; refuses what is no HTTP and what a path cannot be added to.
pub fn web_url<'a>(option: &str, text: &'a str) -> Result<&'a str, ConfigError> {
    let url = text.trim();
    let has_host = ["https://", "http://"]
        .into_iter()
        .filter_map(|scheme| url.strip_prefix(scheme))
        .any(|rest| !rest.is_empty() && !rest.starts_with('/'));
    if !has_host {
        return Err(ConfigError::option(option, "must start with `https://` or `http://` and name a host"));
    }
    if url.contains(['?', '#']) || url.chars().any(|char| char.is_whitespace() || char.is_control()) {
        return Err(ConfigError::option(option, "must have no `?`, no `#` and no blanks"));
    }
    Ok(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_http_is_a_web_url() {
        let check = |text: &str, want: &str| {
            let read = web_url("url", text).map_or_else(|error| error.to_string(), str::to_owned);
            assert_eq!(read, want, "{text}");
        };
        let scheme = "`url` must start with `https://` or `http://` and name a host";
        let plain = "`url` must have no `?`, no `#` and no blanks";
        check(" https://x.example/a/ ", "https://x.example/a/");
        check("http://x.example", "http://x.example");
        check("x.example", scheme);
        check("https://", scheme);
        check("https:///a", scheme);
        check("ftp://x.example", scheme);
        check("https://x.example/?a", plain);
        check("https://x.example/#a", plain);
        check("https://x.example/a b", plain);
    }
}
