//! What an alert says, in words. How a service wants it encoded is the channel's business.

use crate::amount;
use crate::config::{BalanceType, Language};
use crate::decide::{Alert, Level};
use crate::text;

/// Longest name shown, in characters.
const NAME_CHARS: usize = 120;

/// The alerts of one run, ready to be encoded.
pub(super) struct Message {
    /// The alerts, worst first.
    pub(super) alerts: Vec<Alert>,
    language: Language,
    run_id: String,
}

/// Makes text from outside harmless in one kind of message.
pub(super) type Neutral = fn(&str) -> String;

impl Message {
    /// The message of one run. Names are brought to one bounded line here, once.
    pub(super) fn new(alerts: &[Alert], language: Language, run_id: &str) -> Message {
        let alerts = alerts
            .iter()
            .cloned()
            .map(|mut alert| {
                alert.project = text::one_line(&alert.project, NAME_CHARS);
                alert.owner_project = alert.owner_project.map(|owner| text::one_line(&owner, NAME_CHARS));
                alert.currency = alert.currency.map(|currency| text::one_line(&currency, 16));
                alert
            })
            .collect();
        Message { alerts, language, run_id: run_id.to_owned() }
    }

    /// The heading: `Balance alert: 2 low, 1 warning`.
    pub(super) fn title(&self, alerts: &[Alert]) -> String {
        let low = alerts.iter().filter(|alert| alert.level == Level::Critical).count();
        let warning = alerts.len() - low;
        let (head, low_word, warning_word, colon, comma) = match self.language {
            Language::En => ("Balance alert", " low", " warning", ": ", ", "),
            Language::Zh => ("余额告警", " 个不足", " 个预警", "：", "，"),
        };
        let counts: Vec<String> = [(low, low_word), (warning, warning_word)]
            .iter()
            .filter(|(count, _)| *count > 0)
            .map(|(count, word)| format!("{count}{word}"))
            .collect();
        format!("{head}{colon}{}", counts.join(comma))
    }

    /// One line for one alert, its mark first.
    pub(super) fn line(&self, alert: &Alert, neutral: Neutral) -> String {
        let mark = match alert.level {
            Level::Critical => "🔴",
            Level::Warning => "🟡",
        };
        format!("{mark} {}", self.sentence(alert, neutral))
    }

    /// One sentence for one alert.
    pub(super) fn sentence(&self, alert: &Alert, neutral: Neutral) -> String {
        let name = match &alert.owner_project {
            Some(owner) => match self.language {
                Language::En => format!("{} ({})", neutral(&alert.project), neutral(owner)),
                Language::Zh => format!("{}（{}）", neutral(&alert.project), neutral(owner)),
            },
            None => neutral(&alert.project),
        };
        let currency = alert.currency.as_deref().map(neutral);
        let balance = amount::show(alert.balance, currency.as_deref());
        let threshold = amount::show(alert.threshold, currency.as_deref());
        match (self.language, alert.level) {
            (Language::En, Level::Critical) => {
                format!("{name}: {} {balance} is below the threshold {threshold}", alert.kind.as_str())
            }
            (Language::En, Level::Warning) => {
                format!("{name}: {} {balance} is below the warning threshold {threshold}", alert.kind.as_str())
            }
            (Language::Zh, level) => {
                let kind = match alert.kind {
                    BalanceType::Balance => "余额",
                    BalanceType::Credits => "点数",
                };
                let which = if level == Level::Critical { "告警阈值" } else { "预警阈值" };
                format!("{name}：{kind} {balance}，低于{which} {threshold}")
            }
        }
    }

    /// Who sends this, and which run.
    pub(super) fn footer(&self, source: &str, neutral: Neutral) -> String {
        let source = neutral(&text::one_line(source, NAME_CHARS));
        match self.language {
            Language::En => format!("source: {source} · run {}", self.run_id),
            Language::Zh => format!("来源：{source} · 运行 {}", self.run_id),
        }
    }

    /// The language of the text.
    pub(super) fn language(&self) -> Language {
        self.language
    }
}

/// For formats that show text as it stands, but know mentions: no `<at ...>`, no `@all`, no live link.
pub(super) fn literal(text: &str) -> String {
    replaced(text, &[])
}

/// For Markdown: nothing in a name can format, link or mention.
pub(super) fn markdown(text: &str) -> String {
    const MARKS: [(char, char); 10] = [
        ('[', '［'),
        (']', '］'),
        ('(', '（'),
        (')', '）'),
        ('*', '＊'),
        ('`', '｀'),
        ('#', '＃'),
        ('~', '～'),
        ('|', '｜'),
        ('\\', '＼'),
    ];
    replaced(text, &MARKS)
}

/// As it stands, for formats that are data.
pub(super) fn as_it_is(text: &str) -> String {
    text.to_owned()
}

/// Full-width look-alikes: no service documents an escape that all its clients honour.
fn replaced(text: &str, more: &[(char, char)]) -> String {
    let text = text.replace("://", "：//");
    text.chars()
        .map(|c| match c {
            '<' => '＜',
            '>' => '＞',
            '@' => '＠',
            c => more.iter().find(|(from, _)| *from == c).map_or(c, |(_, to)| *to),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn alert(project: &str, level: Level) -> Alert {
        Alert {
            project: project.into(),
            owner_project: Some("AI platform".into()),
            provider: "openrouter".into(),
            kind: BalanceType::Credits,
            level,
            balance: "74.75".parse().unwrap(),
            threshold: "100".parse().unwrap(),
            currency: Some("USD".into()),
        }
    }

    #[test]
    fn both_languages_say_the_same() {
        let alerts = [alert("A", Level::Critical), alert("B", Level::Warning)];
        let en = Message::new(&alerts, Language::En, "r1");
        assert_eq!(en.title(&alerts), "Balance alert: 1 low, 1 warning");
        assert_eq!(
            en.line(&en.alerts[0], as_it_is),
            "🔴 A (AI platform): credits 74.75 USD is below the threshold 100.00 USD"
        );
        let zh = Message::new(&alerts, Language::Zh, "r1");
        assert_eq!(zh.title(&alerts), "余额告警：1 个不足，1 个预警");
        assert_eq!(zh.line(&zh.alerts[1], as_it_is), "🟡 B（AI platform）：点数 74.75 USD，低于预警阈值 100.00 USD");
    }

    #[test]
    fn names_cannot_mention_link_or_break_lines() {
        let evil = "x\n# [点击充值](http://evil) <at user_id=\"all\"></at> @all `c` **b** \u{202E}z";
        let message = Message::new(&[alert(evil, Level::Critical)], Language::En, "r");
        let line = message.line(&message.alerts[0], markdown);
        for bad in ["\n", "](", "<at", "@all", "`", "**", "://", "\u{202E}", "# "] {
            assert!(!line.contains(bad), "{bad:?} in {line}");
        }
        let line = message.line(&message.alerts[0], literal);
        for bad in ["\n", "<at", "@all", "://", "\u{202E}"] {
            assert!(!line.contains(bad), "{bad:?} in {line}");
        }
    }
}
