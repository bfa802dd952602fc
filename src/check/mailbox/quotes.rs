//! What a mail quotes of other mails: an answer repeats the words of the mail that it answers, and these are not its sender's.
//!
//! A forwarded mail is no quotation. People forward bills to a mailbox that is watched, so what they forward is read.

use std::borrow::Cow;

/// What a line of quoted text begins with. HTML is turned into the same.
pub(super) const MARK: char = '>';

/// How the subject of a forwarded mail begins, in lower case.
const FORWARDED_SUBJECTS: [&str; 16] = [
    "fwd:",
    "fw:",
    "wg:",
    "tr:",
    "rv:",
    "enc:",
    "i:",
    "vs:",
    "转发:",
    "转发：",
    "轉寄:",
    "轉寄：",
    "轉發:",
    "轉發：",
    "転送:",
    "пересылка:",
];
/// Lines above a mail that is forwarded, in lower case and without dashes.
const FORWARDED: [&str; 16] = [
    "forwarded message",
    "begin forwarded message",
    "weitergeleitete nachricht",
    "anfang der weitergeleiteten nachricht",
    "message transféré",
    "début du message transféré",
    "mensaje reenviado",
    "inicio del mensaje reenviado",
    "messaggio inoltrato",
    "mensagem encaminhada",
    "пересылаемое сообщение",
    "转发的邮件",
    "转发邮件信息",
    "轉寄的郵件",
    "轉寄郵件",
    "転送されたメッセージ",
];
/// Lines above a mail that is answered, in lower case and without dashes.
const ORIGINAL: [&str; 16] = [
    "original message",
    "original appointment",
    "ursprüngliche nachricht",
    "original-nachricht",
    "originalnachricht",
    "message d'origine",
    "message original",
    "mensaje original",
    "messaggio originale",
    "mensagem original",
    "исходное сообщение",
    "原始邮件",
    "原邮件",
    "原始郵件",
    "原郵件",
    "元のメッセージ",
];
/// How a line ends that says who wrote what follows, in lower case and without its colon.
const WROTE: [&str; 13] = [
    "wrote",
    "a écrit",
    "escribió",
    "ha scritto",
    "escreveu",
    "schreef",
    "написал",
    "написала",
    "написал(а)",
    "写道",
    "寫道",
    "のメッセージ",
    "schrieb",
];
/// The first header of a mail that is repeated above its words, in lower case.
const FROM: [&str; 10] = ["from", "von", "de", "da", "van", "от", "发件人", "發件人", "寄件者", "差出人"];
/// Headers that follow it. A period of accounting, which goes from one day to another, has none of them.
const SENT_OR_SUBJECT: [&str; 24] = [
    "sent",
    "subject",
    "gesendet",
    "betreff",
    "envoyé",
    "objet",
    "enviado",
    "asunto",
    "assunto",
    "inviato",
    "oggetto",
    "verzonden",
    "onderwerp",
    "отправлено",
    "тема",
    "发送时间",
    "发送日期",
    "主题",
    "傳送時間",
    "寄件日期",
    "主旨",
    "送信日時",
    "日時",
    "件名",
];
/// Within so many lines below the first header stands one of the others.
const MOST_HEADERS: usize = 4;
/// Longest line that says that a quotation begins, in bytes.
const LONGEST: usize = 300;
/// An upper bound of the length of a title, and of the name of a header, in bytes.
const LONGEST_TITLE: usize = 60;
/// What a line ends with that says who wrote what follows.
const COLONS: [char; 2] = [':', '：'];

/// How a few words of an answer say that what it quotes is what matters, in lower case.
const POINTERS: [&str; 34] = [
    "see below",
    "scroll down",
    "pls read",
    "please read",
    "read this",
    "have a look",
    "take a look",
    "can you look",
    "can you see",
    "look at this",
    "see what they",
    "what do they want",
    "look into this",
    "please handle",
    "pls handle",
    "is this ours",
    "siehe unten",
    "bitte lesen",
    "bitte prüfen",
    "schau mal",
    "ci-dessous",
    "tu peux voir",
    "tu peux regarder",
    "peux-tu voir",
    "peux-tu regarder",
    "mira esto",
    "más abajo",
    "见下",
    "見下",
    "看一下",
    "看下",
    "处理一下",
    "處理一下",
    "下記をご",
];
/// Longest words that only point to what is quoted, in bytes.
const LONGEST_POINTER: usize = 200;

/// Whether somebody's own words only point to what the mail quotes: they are few, and say so. Who passes a bill on by answering it
/// forwards it as well.
pub(super) fn only_point_at_it(own: &str) -> bool {
    let own = own.trim().to_lowercase();
    own.len() <= LONGEST_POINTER && POINTERS.iter().any(|words| own.contains(words))
}

/// Whether the subject says that somebody forwards the mail.
pub(super) fn is_forwarded(subject: &str) -> bool {
    let subject = subject.trim_start().to_lowercase();
    FORWARDED_SUBJECTS.iter().any(|begin| subject.starts_with(begin))
}

/// A text without the marks of quotation at the beginnings of its lines.
pub(super) fn without_marks(text: &str) -> String {
    text.split_inclusive('\n').map(unmarked).collect()
}

/// A text without what it quotes, unless that is forwarded.
pub(super) fn without_quotes(text: &str) -> Cow<'_, str> {
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let mut own = String::with_capacity(text.len());
    // Whether somebody else is said to have written what is quoted, which makes it no forwarded mail.
    let mut is_attributed = false;
    let mut at = 0;
    while at < lines.len() {
        let (line, bare) = (lines[at], unmarked(lines[at]));
        let is_marked = bare.len() < line.len() && line.trim_start().starts_with(MARK);
        if !is_attributed && is_title(bare, &FORWARDED) {
            own.extend(lines[at..].iter().map(|line| unmarked(line)));
            break;
        }
        let taken = attribution(&lines[at..]);
        if is_marked {
            at += 1;
        } else if taken > 0 {
            is_attributed = true;
            at += taken;
            let next = lines[at..].iter().find(|line| !line.trim().is_empty());
            // Marks say how far the quotation goes; without them it goes to the end.
            if !next.is_some_and(|line| line.trim_start().starts_with(MARK)) {
                break;
            }
        } else if is_title(bare, &ORIGINAL) || begins_headers(&lines[at..]) {
            break;
        } else {
            own.push_str(line);
            at += 1;
        }
    }
    if own.len() == text.len() { Cow::Borrowed(text) } else { Cow::Owned(own) }
}

/// A line without the marks before its first word.
fn unmarked(line: &str) -> &str {
    match line.trim_start().starts_with(MARK) {
        true => line.trim_start_matches([MARK, ' ', '\t', '\u{A0}']),
        false => line,
    }
}

/// Whether a line is one of these titles, with dashes around it or not.
fn is_title(line: &str, titles: &[&str]) -> bool {
    let is_frame = |c: char| matches!(c, '-' | '—' | '–' | '_' | '=' | '*' | ':' | '：') || c.is_whitespace();
    let title = line.trim_matches(is_frame);
    // Hardly any line begins as a title does, and the others need not be brought into small letters.
    let first = title.chars().next().and_then(|c| c.to_lowercase().next());
    title.len() <= LONGEST_TITLE
        && first.is_some_and(|first| titles.iter().any(|known| known.starts_with(first)))
        && titles.contains(&title.to_lowercase().as_str())
}

/// How many lines say who wrote what follows: `On Monday, Bob wrote:`, which mail programs break into two.
fn attribution(lines: &[&str]) -> usize {
    let first = lines[0].trim();
    if first.is_empty() || first.len() > LONGEST {
        return 0;
    }
    if is_attribution(first) {
        return 1;
    }
    let second = lines.get(1).map(|line| line.trim()).filter(|line| !line.is_empty() && line.len() <= LONGEST);
    // The first of the two lines says when, and does not end a sentence.
    let is_begun = || !first.ends_with(['.', '!', '?', '。', ':', '：']) && first.contains(|c: char| c.is_numeric());
    match second {
        Some(second) if second.ends_with(COLONS) && is_begun() && is_attribution(&format!("{first} {second}")) => 2,
        _ => 0,
    }
}

/// Whether a line says when, or in which address, somebody wrote: `We wrote:` is a sentence of the sender's.
fn is_attribution(line: &str) -> bool {
    let Some(said) = line.strip_suffix(COLONS) else {
        return false;
    };
    let said = said.trim_end().to_lowercase();
    let begins =
        ["on ", "am ", "le ", "el ", "il ", "em ", "op ", "在", "于"].iter().any(|word| said.starts_with(word));
    let is_named = begins || said.contains(|c: char| c == '@' || c == '<' || c.is_numeric());
    let is_said = WROTE.iter().any(|word| said.ends_with(word)) || said.contains(" schrieb ");
    is_named && is_said
}

/// Whether the headers of another mail begin here.
fn begins_headers(lines: &[&str]) -> bool {
    let is_header = |line: &str, names: &[&str]| {
        let line = line.trim_start_matches(|c: char| c.is_whitespace() || c == '*');
        let head = &line[..line.floor_char_boundary(40)];
        let Some(end) = head.find(COLONS) else {
            return false;
        };
        let name = &head[..end];
        names.contains(&name.trim_end_matches(|c: char| c.is_whitespace() || c == '*').to_lowercase().as_str())
    };
    is_header(lines[0], &FROM)
        && lines[1..]
            .iter()
            .filter(|line| !line.trim().is_empty())
            .take(MOST_HEADERS)
            .any(|line| is_header(line, &SENT_OR_SUBJECT))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_of_others_are_cut() {
        for (text, want) in [
            ("a\n> b\nc", "a\nc"),
            ("a\n > > b\nc", "a\nc"),
            ("a\nOn Monday, Bob wrote:\n> b\n\nc", "a\n\nc"),
            ("a\nOn Monday, Bob wrote:\nb\nc", "a\n"),
            ("a\n-- Original Message --\nb", "a\n"),
            ("a\nFrom: Bob\nSent: Monday\nb", "a\n"),
            ("From: Monday\nTo: Friday\nb", "From: Monday\nTo: Friday\nb"),
            ("We wrote:\nb", "We wrote:\nb"),
            ("a\n--- Forwarded message ---\n> b", "a\n--- Forwarded message ---\nb"),
            ("a\nOn Monday, Bob wrote:\n> Begin forwarded message:\n> b", "a\n"),
            ("5 > 3\na -> b", "5 > 3\na -> b"),
            ("", ""),
        ] {
            assert_eq!(without_quotes(text), want, "{text}");
        }
        assert_eq!(without_marks("> a\n>> b\nc > d"), "a\nb\nc > d");
    }
}
