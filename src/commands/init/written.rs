//! The texts that `init` writes, in both languages.

use serde_json::Value;

use crate::check::account::page::Page;
use crate::model::text;
use crate::model::words::Language;

/// An account of the config.
pub(super) struct Account {
    pub page: Page,
    /// The variables that its key is made of, a colon between those of a pair.
    pub variables: String,
    pub threshold: String,
    pub base_url: Option<String>,
}

/// Where alerts go.
pub(super) struct Channel {
    /// The type; none if the address decides it.
    pub kind: Option<String>,
    /// Whether it has an address, in `WEBHOOK_URL`.
    pub has_address: bool,
}

/// The variable that holds the address of the channel.
pub(super) const ADDRESS: &str = "WEBHOOK_URL";

/// The text of one language or of the other.
pub(super) fn in_language(language: Language, english: &'static str, chinese: &'static str) -> &'static str {
    match language {
        Language::En => english,
        Language::Zh => chinese,
    }
}

/// The first lines of a config.
pub(super) fn head(language: Language) -> String {
    let about = in_language(
        language,
        "# The line above lets an editor complete and check this file; this command writes what it names:\n\
         #   balance-alert schema > config.schema.json\n\
         # `balance-alert validate` lists every mistake, and docs/config.md every key. Secrets stand in `.env`, not here.\n",
        "# 上面一行让编辑器补全并检查本文件；其中的 schema 由此命令生成：\n\
         #   balance-alert schema > config.schema.json\n\
         # `balance-alert validate` 列出所有错误，docs/config.md 列出所有键。密钥放在 `.env` 里，不要写在这里。\n",
    );
    format!("# yaml-language-server: $schema=config.schema.json\n{about}\n")
}

/// A config with these accounts and this channel.
pub(super) fn config(language: Language, accounts: &[Account], channel: &Channel) -> String {
    let say = |english, chinese| in_language(language, english, chinese);
    let mut out = head(language);
    let about = say("# of messages: en or zh", "# 消息的语言：en 或 zh");
    out.push_str(&format!("settings:\n  language: {} {about}\n\n", language.as_str()));
    out.push_str(say(
        "# Where alerts go. `balance-alert channels` lists all types; the address decides the type.\n",
        "# 告警发往何处。`balance-alert channels` 列出所有类型；类型由地址决定。\n",
    ));
    out.push_str("webhook:\n");
    if let Some(kind) = &channel.kind {
        out.push_str(&format!("  type: {}\n", Value::from(kind.as_str())));
    }
    if channel.has_address {
        out.push_str(&format!("  url: \"${{{ADDRESS}}}\"\n"));
    }
    let about = say(
        "# a part of every message: the keyword of a robot that wants one",
        "# 每条消息都包含它：机器人要求关键词时写关键词",
    );
    out.push_str(&format!("  source: balance-alert {about}\n\n"));
    out.push_str(say(
        "# What is watched. `balance-alert providers` lists the services.\n",
        "# 监控的账户。`balance-alert providers` 列出所有服务。\n",
    ));
    out.push_str("projects:\n");
    accounts.iter().for_each(|account| out.push_str(&project(language, account)));
    out
}

fn project(language: Language, account: &Account) -> String {
    let Account { page, variables, threshold, base_url } = account;
    let say = |english, chinese| in_language(language, english, chinese);
    let note = page.credential.note.as_ref().map(|note| format!(" # {}", text::one_line(note, 120)));
    let key: Vec<String> = variables.split(':').map(|name| format!("${{{name}}}")).collect();
    let url = base_url.as_ref().map(|url| format!("    base_url: {}\n", Value::from(url.as_str())));
    let unit = page.counted_in().map(|unit| format!(" ({unit})")).unwrap_or_default();
    let below = say("# a balance below it is critical", "# 余额低于此值为严重");
    let warning = say("# a balance below it is a warning", "# 余额低于此值为预警");
    format!(
        "  - name: {}\n    provider: {}\n    api_key: \"{}\"{}\n{}    threshold: {threshold} {below}{unit}\n    \
         # warning_threshold: {threshold} {warning}\n",
        Value::from(page.title.as_str()),
        page.id,
        key.join(":"),
        note.unwrap_or_default(),
        url.unwrap_or_default(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::account::page::credential::CredentialFormat;
    use crate::check::account::{Listed, catalog};
    use crate::commands::init::found::needs_nothing_but_a_key;
    use crate::config;
    use crate::process::clock::Clock;
    use crate::process::environment::Environment;

    /// Whichever service somebody has a key of, what is written for it is in order.
    #[test]
    fn what_is_written_is_a_sound_config_for_every_service_in_both_languages() {
        let pages = catalog().filter_map(|listed| match listed {
            Listed::Page(page) if needs_nothing_but_a_key(&page) => Some(*page),
            _ => None,
        });
        let accounts: Vec<Account> = pages
            .map(|page| Account {
                variables: page.credential.variables(&page.id)[0].clone(),
                page,
                threshold: "10".to_owned(),
                base_url: None,
            })
            .collect();
        assert!(accounts.len() > 100, "{}", accounts.len());
        let lines: String = accounts
            .iter()
            .flat_map(|account| {
                let is_whole = account.page.credential.format == CredentialFormat::Pair && !account.variables.contains(':');
                let id = if is_whole { "AKID7f3a9c1e:" } else { "" };
                account.variables.split(':').map(move |name| format!("{name}={id}q8Wz4Lr1Tn6Yb3Kd7f3a9c1e5b2dXv0P\n"))
            })
            .collect();
        let address = "WEBHOOK_URL=https://hooks.slack.com/services/T0/B0/x7f3a9c1e5b2d\n";
        let without = Environment::of(&[("HOME", "/nonexistent")]).with_lines(&lines);
        let with = without.clone().with_lines(address);
        for language in Language::ALL {
            for (kind, has_address) in [(None, true), (Some("slack"), true), (Some("console"), false)] {
                let channel = Channel { kind: kind.map(str::to_owned), has_address };
                let text = config(language, &accounts, &channel);
                let source = config::Source::File { path: "config.yaml".into(), variable: None };
                let loaded = config::read(&source, &text, if has_address { &with } else { &without }, Clock::default().now());
                let problems: Vec<String> = loaded.problems.iter().map(ToString::to_string).collect();
                assert_eq!(problems, [] as [&str; 0], "{text}");
                let config = loaded.config.unwrap();
                assert_eq!((config.projects.len(), config.channels.len()), (accounts.len(), 1));
                assert_eq!(config.settings.language, language);
            }
        }
    }
}
