//! Text from outside made harmless, one way for each kind of message.

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
