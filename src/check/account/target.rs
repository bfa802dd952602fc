//! Where a balance is read: the page's address moved to the account's `base_url`, or a file.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use percent_encoding::utf8_percent_encode;
use url::Url;

use super::balance_mails::Letters;
use super::page::Page;
use super::page::fill;
use crate::model::text;
use crate::process::command::Program;
use crate::wire::http;

/// Where a balance is read.
#[derive(Clone)]
pub(crate) enum Target {
    /// Over HTTP.
    Http {
        /// The address of the first request, before its placeholders are filled.
        origin: Url,
        /// What takes the place of scheme, host and path prefix in the addresses of the page.
        base: Option<Url>,
    },
    /// From a file.
    File(PathBuf),
    /// From the mails of a mailbox.
    Mails(Letters),
    /// From what a program prints: the program and its arguments.
    Command(Arc<Program>),
}

impl Target {
    /// The target of a page for one project.
    ///
    /// # Errors
    /// Why the address cannot be used.
    pub(crate) fn of(
        page: &Page,
        options: &BTreeMap<String, String>,
        base: Option<&Url>,
        folder: &Path,
    ) -> Result<Target, String> {
        let option = |name: &str| Some(options.get(name.strip_prefix("options.")?)?.into());
        if let Some(file) = page.file() {
            return Ok(Target::File(folder.join(fill::with(file, option, str::to_owned))));
        }
        let template = page.requests().find_map(|request| request.url.as_deref()).unwrap_or_default();
        let text = fill::with(template, option, |value| utf8_percent_encode(value, text::UNRESERVED).to_string());
        let url = Url::parse(&text).map_err(|error| format!("the provider's address is wrong: {error}"))?;
        Ok(Target::Http { origin: base.map_or_else(|| url.clone(), |base| rebase(&url, base)), base: base.cloned() })
    }

    /// What takes the place of scheme, host and path prefix in the addresses of the page.
    pub(super) fn base(&self) -> Option<&Url> {
        match self {
            Target::Http { base, .. } => base.as_ref(),
            Target::File(_) | Target::Mails(_) | Target::Command(_) => None,
        }
    }

    /// The host and port that is asked, the key of its circuit; none for what is not asked over HTTP.
    pub(crate) fn host(&self) -> Option<String> {
        match self {
            Target::Http { origin, .. } => Some(http::host(origin)),
            Target::File(_) | Target::Mails(_) | Target::Command(_) => None,
        }
    }

    /// What names the account where neither an address nor the options do.
    pub(crate) fn source(&self) -> Option<String> {
        match self {
            Target::Http { .. } | Target::File(_) => None,
            Target::Mails(letters) => Some(format!("mailbox={}", letters.mailbox)),
            Target::Command(command) => Some(format!("command={}", command.words.join("\0"))),
        }
    }

    /// The place as people see it. Of an address this is only the origin, because the path and the login may hold a token.
    pub(crate) fn show(&self) -> String {
        match self {
            Target::Http { origin, .. } => origin.origin().ascii_serialization(),
            Target::File(path) => path.display().to_string(),
            // Arguments may hold anything.
            Target::Command(command) => {
                format!("the command `{}`", text::one_line(command.words.first().map_or("", String::as_str), 60))
            }
            Target::Mails(letters) => format!("the mails in `{}`", text::one_line(&letters.mailbox, 60)),
        }
    }
}

/// Moves an address to another base. A part that ends the path of the base and begins that of the address is kept once:
/// `http://h/gw/api/v1` and `/api/v1/credits` give `http://h/gw/api/v1/credits`.
pub(super) fn rebase(url: &Url, base: &Url) -> Url {
    let segments = |url: &Url| -> Vec<String> {
        url.path_segments().into_iter().flatten().filter(|s| !s.is_empty()).map(str::to_owned).collect()
    };
    let (mut prefix, path) = (segments(base), segments(url));
    let shared =
        (1..=prefix.len().min(path.len())).rev().find(|n| prefix[prefix.len() - n..] == path[..*n]).unwrap_or(0);
    prefix.extend_from_slice(&path[shared..]);
    let mut moved = base.clone();
    moved.set_path(&format!("/{}", prefix.join("/")));
    moved.set_query(url.query());
    moved
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_base_replaces_scheme_host_and_prefix() {
        for (url, base, want) in [
            ("https://a.io/api/v1/credits", "http://127.0.0.1:9", "http://127.0.0.1:9/api/v1/credits"),
            ("https://a.io/api/v1/credits", "http://h/gw", "http://h/gw/api/v1/credits"),
            ("https://a.io/api/v1/credits", "http://h/gw/", "http://h/gw/api/v1/credits"),
            ("https://a.io/api/v1/credits", "http://h/gw/api/v1", "http://h/gw/api/v1/credits"),
            ("https://a.io/api/v1/credits", "http://h/api", "http://h/api/v1/credits"),
            ("https://a.io/", "http://h:8/p", "http://h:8/p"),
            ("https://a.io/", "http://h:8", "http://h:8/"),
        ] {
            assert_eq!(rebase(&Url::parse(url).unwrap(), &Url::parse(base).unwrap()).as_str(), want);
        }
    }
}
