//! Text from outside made harmless, one way for each kind of message.

use crate::model::words::words;

words! {
    /// How a service reads texts: what in them would format, link or mention is taken out of all that comes from outside.
    pub(crate) enum Markup {
        /// As data: nothing is changed.
        None = "none",
        /// As it stands, except for mentions and links.
        Plain = "plain",
        /// Markdown.
        Markdown = "markdown",
        /// Markdown as Discord reads it, where an underscore formats as well.
        Discord = "discord",
        /// Slack's `mrkdwn`.
        Slack = "slack",
        /// HTML.
        Html = "html",
        /// The part of HTML that Telegram knows.
        Telegram = "telegram",
    }
}

impl Markup {
    /// What makes a text harmless in it.
    pub(in crate::notify) fn neutral(self) -> Neutral {
        match self {
            Markup::None => as_it_is,
            Markup::Plain => literal,
            Markup::Markdown => markdown,
            Markup::Discord => discord,
            Markup::Slack => slack,
            Markup::Html => html,
            Markup::Telegram => telegram,
        }
    }
}

/// Makes text from outside harmless in one kind of message.
pub(in crate::notify) type Neutral = fn(&str) -> String;

/// Makes text harmless for formats that show it as it stands but know mentions: it holds no `<at ...>`, no `@all` and no live
/// link.
pub(in crate::notify) fn literal(text: &str) -> String {
    replaced(text, &[])
}

/// Makes text harmless for Markdown: nothing in it formats, links or mentions.
pub(in crate::notify) fn markdown(text: &str) -> String {
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

/// For Discord: as Markdown, and no word between underscores.
fn discord(text: &str) -> String {
    without_emphasis(&markdown(text))
}

/// For Slack: `&` begins an entity there, and other marks than in Markdown format.
fn slack(text: &str) -> String {
    const MARKS: [(char, char); 3] = [('*', '＊'), ('`', '｀'), ('~', '～')];
    without_emphasis(&replaced(text, &MARKS)).replace('&', "&amp;")
}

/// For HTML: entities for what has a meaning there, no address and no mention that a client would make live.
fn html(text: &str) -> String {
    let text = text.replace("://", "：//").replace('@', "＠");
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// For Telegram: as HTML, and no hashtag.
fn telegram(text: &str) -> String {
    html(&text.replace('#', "＃"))
}

/// Replaces underscores that could begin or end an emphasis: those that do not stand within a word.
fn without_emphasis(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut before: Option<char> = None;
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        let is_within = |c: Option<&char>| c.is_some_and(|c| c.is_alphanumeric());
        let is_live = c == '_' && !(is_within(before.as_ref()) && is_within(rest.peek()));
        out.push(if is_live { '＿' } else { c });
        before = Some(c);
    }
    out
}

/// Leaves text as it is, for formats that are data.
pub(in crate::notify) fn as_it_is(text: &str) -> String {
    text.to_owned()
}

/// Replaces characters by full-width ones that look alike, because no service documents an escape that all its clients know.
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
