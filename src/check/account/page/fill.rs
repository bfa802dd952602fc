//! What a page says, with the options and the credential of a project filled in.

use std::collections::BTreeMap;

use super::Page;

impl Page {
    /// Fills `{api_key}` and `{options.NAME}`; `encode` is applied to what is filled in.
    pub(crate) fn fill(
        &self,
        template: &str,
        api_key: &str,
        options: &BTreeMap<String, String>,
        encode: impl Fn(&str) -> String,
    ) -> String {
        let mut out = String::with_capacity(template.len());
        let mut rest = template;
        while let Some(at) = rest.find('{') {
            out.push_str(&rest[..at]);
            rest = &rest[at..];
            let value = rest.find('}').and_then(|end| {
                let value = match &rest[1..end] {
                    "api_key" => Some(api_key),
                    name => name.strip_prefix("options.").and_then(|name| options.get(name)).map(String::as_str),
                };
                value.map(|value| (end, value))
            });
            match value {
                Some((end, value)) => {
                    out.push_str(&encode(value));
                    rest = &rest[end + 1..];
                }
                None => {
                    out.push('{');
                    rest = &rest[1..];
                }
            }
        }
        out.push_str(rest);
        out
    }

    /// The options of a project with the page's defaults under them.
    pub(crate) fn options_with_defaults(&self, set: &BTreeMap<String, String>) -> BTreeMap<String, String> {
        let mut options: BTreeMap<_, _> =
            self.options.iter().filter_map(|(name, spec)| Some((name.clone(), spec.default.clone()?))).collect();
        options.extend(set.iter().map(|(k, v)| (k.clone(), v.clone())));
        options
    }

    /// The balance expression for one set of options: `file` lets the project bring it.
    pub(crate) fn balance_for(&self, options: &BTreeMap<String, String>) -> String {
        // `{api_key}` is jq here, an object with one field.
        self.balance
            .split("{api_key}")
            .map(|part| self.fill(part, "", options, str::to_owned))
            .collect::<Vec<_>>()
            .join("{api_key}")
    }
}
