//! Text from outside made harmless, one way for each kind of message.

/// Makes text from outside harmless in one kind of message.
pub(in crate::notify) type Neutral = fn(&str) -> String;

/// For formats that show text as it stands, but know mentions: no `<at ...>`, no `@all`, no live link.
pub(in crate::notify) fn literal(text: &str) -> String {
    replaced(text, &[])
}

/// For Markdown: nothing in a name can format, link or mention.
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

/// Unchanged, for formats that are data.
pub(in crate::notify) fn as_it_is(text: &str) -> String {
    text.to_owned()
}

/// Replaces by full-width look-alikes: no service documents an escape that all its clients honour.
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
