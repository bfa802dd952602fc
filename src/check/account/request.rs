//! The request of one step of a page, with an account's credential in it.

use std::collections::BTreeMap;

use percent_encoding::utf8_percent_encode;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use url::Url;

use super::Account;
use super::page::ask::{Method, RequestSpec};
use super::page::fill::{Filling, placeholders};
use super::sign;
use super::target::rebase;
use crate::model::failure::{Failure, Reason};
use crate::model::text;
use crate::page::variables::Bound;
use crate::wire::auth;
use crate::wire::http::{self, Request};

impl Account {
    /// A request of the page, signed for this attempt. `url` takes the place of its own address, and `page` is the parameter that asks
    /// for another page of the answer.
    ///
    /// # Errors
    /// What cannot be sent.
    pub(super) fn request(
        &self,
        spec: &RequestSpec,
        url: Option<&str>,
        page: Option<(&str, &str)>,
        filling: &Filling,
    ) -> Result<Request, Failure> {
        let template = url.or(spec.url.as_deref()).unwrap_or_default();
        known(spec.texts().map(String::as_str).chain(spec.body.as_deref()).chain([template]), filling.bound)?;
        let mut url = self.address(template, filling)?;
        let plain = |template: &str| filling.text(template, str::to_owned);
        // The query of the address itself comes first, then the entries of `query`.
        let mut query: Vec<(String, String)> = url.query_pairs().into_owned().collect();
        query.extend(spec.query.iter().map(|(name, value)| (name.clone(), plain(value))));
        if let Some((name, value)) = page {
            query.retain(|(other, _)| other != name);
            query.push((name.to_owned(), value.to_owned()));
        }
        if !query.is_empty() && (!spec.query.is_empty() || page.is_some() || self.page.sign.is_some()) {
            url.set_query(Some(&sign::canonical_query(&query)));
        }
        let body = body(spec, filling);
        let mut headers: BTreeMap<String, String> =
            spec.headers.iter().map(|(name, value)| (name.to_lowercase(), plain(value))).collect();
        if let Some(basic) = &spec.basic {
            let login = plain(basic);
            let (user, password) = login.split_once(':').unwrap_or((&login, ""));
            headers.insert("authorization".to_owned(), format!("Basic {}", auth::basic(user, password)));
        }
        if body.is_some() {
            let kind = if spec.form.is_empty() { "application/json" } else { "application/x-www-form-urlencoded" };
            headers.entry("content-type".to_owned()).or_insert_with(|| kind.to_owned());
        }
        if let Some(scheme) = self.page.sign {
            let part = |name| self.secrets.part(name).unwrap_or_default();
            let signed = scheme.sign(&sign::Unsigned {
                method: if spec.method == Method::Post { "POST" } else { "GET" },
                host: http::host(&url),
                url: url.as_str(),
                path: url.path(),
                query: &query,
                body: body.as_deref().unwrap_or_default(),
                headers: &headers,
                options: &self.options,
                pair: sign::Pair { id: part("id"), secret: part("secret") },
                nonce: format!("{:032x}", fastrand::u128(..)),
                now: filling.now,
            });
            headers.extend(signed.headers);
            if !signed.query.is_empty() {
                query.extend(signed.query);
                url.set_query(Some(&sign::canonical_query(&query)));
            }
        }
        Ok(Request {
            method: if spec.method == Method::Post { reqwest::Method::POST } else { reqwest::Method::GET },
            url,
            headers: header_map(&headers)?,
            body,
        })
    }

    /// An address of the page, moved to the account's `base_url`.
    fn address(&self, template: &str, filling: &Filling) -> Result<Url, Failure> {
        let text = filling.text(template, |value| utf8_percent_encode(value, text::UNRESERVED).to_string());
        // The text is not quoted: it may hold the credential.
        let url =
            Url::parse(&text).map_err(|_| Failure::new(Reason::Config, "the provider's address cannot be used"))?;
        Ok(self.target.base().map_or_else(|| url.clone(), |base| rebase(&url, base)))
    }
}

/// That whatever a request takes from earlier answers was bound, and can stand where it is put.
fn known<'a>(templates: impl Iterator<Item = &'a str>, bound: &BTreeMap<String, Bound>) -> Result<(), Failure> {
    for name in templates.flat_map(placeholders).filter_map(|name| name.strip_prefix("bind.")) {
        match bound.get(name).map(Bound::as_str) {
            None => {
                let message = format!("`{name}` is needed for a request, but no step has bound it");
                return Err(Failure::new(Reason::Decode, message));
            }
            // In an address these would lead elsewhere.
            Some("." | "..") => {
                let message = format!("`{name}` of the answer cannot stand in an address");
                return Err(Failure::new(Reason::Decode, message));
            }
            Some(_) => {}
        }
    }
    Ok(())
}

fn body(spec: &RequestSpec, filling: &Filling) -> Option<String> {
    if !spec.form.is_empty() {
        let mut form = url::form_urlencoded::Serializer::new(String::new());
        for (name, value) in &spec.form {
            form.append_pair(name, &filling.text(value, str::to_owned));
        }
        return Some(form.finish());
    }
    spec.body.as_ref().map(|body| {
        // Placeholders stand inside JSON strings, so values are escaped.
        filling.text(body, |value| {
            let quoted = serde_json::Value::from(value).to_string();
            quoted[1..quoted.len() - 1].to_owned()
        })
    })
}

fn header_map(headers: &BTreeMap<String, String>) -> Result<HeaderMap, Failure> {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        // The text is not quoted: it may be a secret in the wrong place.
        let Ok(parsed) = HeaderName::try_from(name.as_str()) else {
            return Err(Failure::new(
                Reason::Config,
                "a header cannot be sent: its name has characters that no name may hold",
            ));
        };
        let Ok(mut value) = HeaderValue::try_from(value.as_str()) else {
            let message =
                format!("the header `{parsed}` cannot be sent: its value has characters that no header may hold");
            return Err(Failure::new(Reason::Config, message));
        };
        value.set_sensitive(true);
        map.insert(parsed, value);
    }
    Ok(map)
}
