//! What markup says of a number: that nobody sees it, or that it is the value of an attribute.

use std::ops::Range;

use super::{Known, Why};

/// So many bytes before a number are looked at for the element that hides it.
const FAR: usize = 2048;
/// Elements that hold what is not shown, or what is crossed out.
const UNSEEN: [&str; 6] = ["template", "noscript", "del", "s", "strike", "dialog"];

/// Looks for an element around a number in which it is not shown, or is crossed out, of which the page's author has written nothing.
///
/// # Errors
/// There is one.
pub(super) fn look(text: &str, number: &Range<usize>, known: &[Known]) -> Result<(), Why> {
    let before = &text[text.ceil_char_boundary(number.start.saturating_sub(FAR))..number.start];
    if !before.contains('<') {
        return Ok(());
    }
    let before = before.to_ascii_lowercase();
    // What was opened, and by which tag it is hidden.
    let mut open: Vec<(&str, bool)> = Vec::new();
    for tag in before.split('<').skip(1) {
        let name = |tag: &str| tag.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(tag.len());
        if let Some(end) = tag.strip_prefix('/') {
            let end = &end[..name(end)];
            if let Some(at) = open.iter().rposition(|(name, _)| *name == end) {
                open.truncate(at);
            }
        } else if let Some((inside, _)) = tag.split_once('>')
            && !inside.ends_with('/')
        {
            let own = &inside[..name(inside)];
            let has = |word: &str| inside[own.len()..].contains(word);
            let is_hidden = has(" hidden") && !has("hidden=\"false") || has("display:none") || has("display: none");
            let is_void = ["input", "br", "img", "hr", "meta", "link"].contains(&own);
            if !is_void && !own.is_empty() {
                open.push((own, is_hidden || UNSEEN.contains(&own)));
            }
        }
    }
    let is_written = |name: &str| known.iter().any(|known| known.written.contains(&format!("<{name}")));
    match open.iter().any(|(name, is_unseen)| *is_unseen && !is_written(name)) {
        true => Err(Why::Unknown),
        false => Ok(()),
    }
}

/// Whether a number is all of the value of an attribute: `value="12.50"`.
pub(super) fn is_attribute(text: &str, number: &Range<usize>) -> bool {
    let (before, behind) = (&text[..number.start], &text[number.end..]);
    let has_tag = || before.rfind('<') > before.rfind('>') && behind.contains('>');
    ['"', '\''].iter().any(|quote| {
        let is_value = before.strip_suffix(*quote).is_some_and(|before| before.ends_with('='));
        is_value && behind.starts_with(*quote) && has_tag()
    })
}
