//! Tokens that are spread over several runs: letters one by one, groups, lists of bytes, and the numbers of cards, accounts and
//! telephones.

use std::ops::Range;

use super::machine_made::{humps, is_odd, is_word, stretches};

/// Between two runs of one list stand at most so many bytes.
const GAP: usize = 12;
/// A list has at least so many members.
const LEAST: usize = 6;
/// Groups of several characters are at least so many, and of so many characters together.
const LEAST_GROUPS: usize = 4;
const LEAST_CHARACTERS: usize = 12;

/// A run of letters and digits.
type Atom = Range<usize>;

/// Tells the places of all lists.
pub(super) fn find(text: &[u8], mut tell: impl FnMut(Range<usize>)) {
    let atoms: Vec<Atom> = stretches(text, |byte| byte.is_ascii_alphanumeric()).collect();
    let is_far = |a: &Atom, b: &Atom| b.start - a.end > GAP;
    for list in atoms.chunk_by(|a, b| !is_far(a, b)) {
        for list in [list.to_vec(), without_fillers(text, list)] {
            letters(text, &list, &mut tell);
            groups(text, &list, &mut tell);
            odd_ones(text, &list, &mut tell);
            bytes(text, &list, &mut tell);
            bits(text, &list, &mut tell);
        }
    }
    numbers(text, &atoms, &mut tell);
    accounts(text, &atoms, &mut tell);
}

/// Without what stands between all members: `CHAR(90) || CHAR(113)`, `{"c":90},{"c":113}`.
fn without_fillers(text: &[u8], list: &[Atom]) -> Vec<Atom> {
    let is_same = |a: usize, b: usize| {
        let (Some(a), Some(b)) = (list.get(a), list.get(b)) else { return false };
        text[a.clone()].eq_ignore_ascii_case(&text[b.clone()])
    };
    let is_filler = |at: usize| is_same(at, at + 2) || at.checked_sub(2).is_some_and(|before| is_same(at, before));
    (0..list.len()).filter(|at| !is_filler(*at)).map(|at| list[at].clone()).collect()
}

/// Tells each row of at least so many members, if the whole row is as it should be.
fn rows(
    list: &[Atom],
    least: usize,
    is_member: impl Fn(&Atom) -> bool,
    is_right: impl Fn(&[Atom]) -> bool,
    tell: &mut impl FnMut(Range<usize>),
) {
    let rows = list.chunk_by(|a, b| is_member(a) && is_member(b));
    let rows = rows.filter(|row| row.len() >= least && is_member(&row[0]) && is_right(row));
    rows.for_each(|row| tell(row[0].start..row[row.len() - 1].end));
}

/// `Z q 7 R t 9`, with or without their numbers.
fn letters(text: &[u8], list: &[Atom], tell: &mut impl FnMut(Range<usize>)) {
    let is_single =
        |atom: &Atom| atom.len() == 1 || (atom.len() == 2 && text[atom.clone()].iter().all(u8::is_ascii_digit));
    let are_letters = |row: &[Atom]| row.iter().filter(|atom| text[atom.start].is_ascii_alphabetic()).count() >= 4;
    rows(list, LEAST, is_single, are_letters, tell);
}

/// Groups of equal length, as `c2st cHJv ai1a cTdS`; the last may be shorter.
fn groups(text: &[u8], list: &[Atom], tell: &mut impl FnMut(Range<usize>)) {
    let run = |atom: &Atom| &text[atom.clone()];
    for row in list.chunk_by(|a, b| a.len() == b.len()) {
        // Words of the sentence may be as long as the groups.
        let is_small_word = |atom: &Atom| run(atom).iter().all(u8::is_ascii_lowercase) && is_word(run(atom));
        let start = row.iter().take_while(|atom| is_small_word(atom)).count();
        let end = row.len() - row[start..].iter().rev().take_while(|atom| is_small_word(atom)).count();
        let [first, .., last] = &row[start..end] else { continue };
        if are_groups(text, &row[start..end]) {
            let next = list.iter().find(|atom| atom.start > last.start && atom.len() < first.len() && end == row.len());
            let rest = next.filter(|next| next.start - last.end <= 2 && !is_word(run(next)));
            tell(first.start..rest.unwrap_or(last).end);
        }
    }
    rows(list, LEAST_GROUPS, |atom| text.get(atom.end) == Some(&b'='), |_| true, tell);
}

/// Whether a row of groups is one token: some of them look odd, or all are hexadecimal digits.
fn are_groups(text: &[u8], row: &[Atom]) -> bool {
    let run = |atom: &Atom| &text[atom.clone()];
    let length = row[0].len();
    let odd = row.iter().filter(|atom| is_odd_group(run(atom))).count();
    let mixed = row.iter().filter(|atom| run(atom).iter().any(u8::is_ascii_alphabetic));
    let is_hex = row.iter().all(|atom| run(atom).iter().all(u8::is_ascii_hexdigit)) && mixed.count() * 3 >= row.len();
    let is_long = row.len() >= if length <= 3 { LEAST } else { LEAST_GROUPS } && row.len() * length >= LEAST_CHARACTERS;
    (2..=16).contains(&length) && is_long && ((odd >= 2 && odd * 3 >= row.len()) || is_hex)
}

/// Of two or three characters, letters beside digits are odd already.
fn is_odd_group(atom: &[u8]) -> bool {
    let digits = atom.iter().filter(|byte| byte.is_ascii_digit()).count();
    match atom.len() {
        0..=3 => (digits > 0 && digits < atom.len()) || humps(atom) > 0,
        _ => is_odd(atom),
    }
}

/// `Zq7Rt9 XvLm2K c4PwYb 8Ns6Hd`: nothing but odd runs, one after the other.
fn odd_ones(text: &[u8], list: &[Atom], tell: &mut impl FnMut(Range<usize>)) {
    let is_member = |atom: &Atom| {
        let run = &text[atom.clone()];
        let is_long_number = run.len() > 3 && run.iter().all(u8::is_ascii_digit);
        !is_word(run) && !is_long_number
    };
    let is_odd_row = |row: &[Atom]| {
        let odd = || row.iter().filter(|atom| is_odd(&text[(*atom).clone()]));
        odd().count() >= LEAST_GROUPS && odd().map(|atom| atom.len()).sum::<usize>() >= LEAST_CHARACTERS
    };
    rows(list, LEAST_GROUPS, is_member, is_odd_row, tell);
}

/// Numbers that are the codes of letters and digits, in decimal, octal or hexadecimal digits.
fn bytes(text: &[u8], list: &[Atom], tell: &mut impl FnMut(Range<usize>)) {
    for radix in [10, 8, 16] {
        let value = |atom: &Atom| number(&text[atom.clone()], radix);
        let is_code = |atom: &&Atom| value(atom).is_some_and(|code| (32..127).contains(&code));
        let are_codes = |row: &[Atom]| {
            let codes = row.iter().filter(is_code).count();
            // Pairs of digits alone are decimal as well, so of hexadecimal ones some say what they are.
            let is_hex = || row.iter().any(|atom| text[atom.clone()].iter().any(u8::is_ascii_alphabetic));
            codes >= LEAST && codes * 9 >= row.len() * 4 && (radix != 16 || is_hex())
        };
        rows(list, LEAST, |atom| value(atom).is_some_and(|code| code < 256), are_codes, tell);
    }
}

/// Groups of binary digits, as `01011010 01110001`, `0b1011010` or `0101 1010`.
fn bits(text: &[u8], list: &[Atom], tell: &mut impl FnMut(Range<usize>)) {
    const SHORTEST: usize = 4;
    const LEAST_BITS: usize = 40;
    let digits = |atom: &Atom| {
        let run = &text[atom.clone()];
        run.strip_prefix(b"0b").or(run.strip_prefix(b"0B")).unwrap_or(run)
    };
    let is_binary =
        |atom: &Atom| digits(atom).len() >= SHORTEST && digits(atom).iter().all(|digit| matches!(digit, b'0' | b'1'));
    let is_long = |row: &[Atom]| row.iter().map(|atom| digits(atom).len()).sum::<usize>() >= LEAST_BITS;
    rows(list, LEAST_GROUPS, is_binary, is_long, tell);
}

/// The number that a run is, with the marks of its radix: `0x5a`, `5Ah`, `0o132`.
fn number(run: &[u8], radix: u32) -> Option<u32> {
    let run = std::str::from_utf8(run).ok()?.to_ascii_lowercase();
    let digits = match radix {
        16 => run.trim_start_matches("0x").trim_start_matches('x').trim_start_matches('u').trim_end_matches('h'),
        8 => run.trim_start_matches("0o"),
        _ => run.as_str(),
    };
    let is_right = match radix {
        16 => digits.len() == 2 || (run.starts_with("0x") && digits.len() == 1) || digits.len() == 4,
        _ => (1..=4).contains(&digits.len()),
    };
    u32::from_str_radix(digits, radix).ok().filter(|_| is_right)
}

/// Numbers of cards, bank accounts and telephones, in groups.
fn numbers(text: &[u8], atoms: &[Atom], tell: &mut impl FnMut(Range<usize>)) {
    let is_near = |a: &Atom, b: &Atom| {
        let between = &text[a.end..b.start];
        between.len() <= 2 && between.iter().all(|byte| b" -()._/".contains(byte))
    };
    for row in atoms.chunk_by(is_near) {
        let is_number = |atom: &Atom| text[atom.clone()].iter().all(u8::is_ascii_digit);
        // Of an IBAN the first group begins with the letters of a country.
        let is_country = |atom: &Atom| {
            let run = &text[atom.clone()];
            run.len() == 4 && run[..2].iter().all(u8::is_ascii_uppercase) && run[2..].iter().all(u8::is_ascii_digit)
        };
        for row in row.chunk_by(|a, b| (is_number(a) || is_country(a)) && is_number(b)) {
            let row = without_dates(text, row);
            let is_blank = |a: &Atom, b: &Atom| text[a.end..b.start].iter().all(|byte| b" -()".contains(byte));
            // `4111 1111 1111 1111 12/29`: where the whole is nothing, a part of it may be a number.
            let parts = std::iter::once(row).chain(row.chunk_by(is_blank));
            for row in parts.filter(|row| !row.is_empty()) {
                if let Some(range) = number_of_somebody(text, row, is_country(&row[0])) {
                    tell(range);
                }
            }
        }
    }
}

/// Numbers of bank accounts in fours that have letters as well: `FR14 2004 1010 0505 0001 3M02 606`.
fn accounts(text: &[u8], atoms: &[Atom], tell: &mut impl FnMut(Range<usize>)) {
    let run = |atom: &Atom| &text[atom.clone()];
    let digits = |atom: &Atom| run(atom).iter().filter(|byte| byte.is_ascii_digit()).count();
    let is_country =
        |atom: &Atom| atom.len() == 4 && digits(atom) == 2 && run(atom)[..2].iter().all(u8::is_ascii_uppercase);
    let is_code = |atom: &Atom| run(atom).iter().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
    for row in atoms.chunk_by(|a, b| matches!(&text[a.end..b.start], b" " | b"-" | b".")) {
        for (at, first) in row.iter().enumerate().filter(|(_, atom)| is_country(atom)) {
            // The name of the bank may be letters alone; behind it each group has a digit.
            let belongs =
                |(place, atom): &(usize, &Atom)| is_code(atom) && atom.len() <= 4 && (*place == 0 || digits(atom) > 0);
            let rest = row[at + 1..].iter().enumerate().take_while(belongs).map(|(_, atom)| atom);
            let whole = rest.clone().take_while(|atom| atom.len() == 4).count();
            let rest: Vec<&Atom> = rest.take(whole + 1).collect();
            let count: usize = rest.iter().map(|atom| digits(atom)).sum();
            if whole >= 3 && count >= 8 {
                tell(first.start..rest[rest.len() - 1].end);
            }
        }
    }
}

/// The place of a row of groups that is somebody's number, with the sign that it begins with.
fn number_of_somebody(text: &[u8], row: &[Atom], has_country: bool) -> Option<Range<usize>> {
    let [first, .., last] = row else {
        let only = row.first()?;
        return (only.start > 0 && text[only.start - 1] == b'+' && is_number_of_somebody(text, row, true, false))
            .then(|| only.start - 1..only.end);
    };
    let before = first.start.checked_sub(1).map(|at| text[at]);
    let has_plus = before == Some(b'+');
    let opens = before == Some(b'(') && text[first.end..last.start].contains(&b')');
    is_number_of_somebody(text, row, has_plus, has_country)
        .then(|| first.start - usize::from(has_plus || opens)..last.end)
}

fn is_number_of_somebody(text: &[u8], row: &[Atom], has_plus: bool, has_country: bool) -> bool {
    let digits: usize = row.iter().map(|atom| atom.len()).sum();
    let is_amount = row.len() > 1 && row[0].len() <= 3 && row[1..].iter().all(|atom| atom.len() == 3);
    let are_groups = row.len() >= 3 && row.iter().all(|atom| (2..=5).contains(&atom.len()));
    let division = Division::of(text, row);
    match () {
        () if has_country => row.len() >= 4 && digits >= 15,
        () if has_plus => (8..=15).contains(&digits) && row[0].len() <= 15,
        () if is_amount || division == Division::Mixed => false,
        () if is_card(text, row, digits) || is_trunk_call(text, row, digits) => true,
        () if row.iter().all(|atom| atom.len() == 1) => (10..=19).contains(&digits) && division != Division::Slashes,
        () if division == Division::Dots => are_groups && (10..=15).contains(&digits) && !is_host(text, row),
        () if division == Division::Slashes => false,
        () => are_groups && (10..=19).contains(&digits),
    }
}

/// What stands between the groups of a number.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Division {
    /// Blanks, hyphens and brackets, mixed as people write telephone numbers.
    Blanks,
    /// Full stops alone.
    Dots,
    /// Slashes or underscores alone.
    Slashes,
    /// Several of these, as between amounts.
    Mixed,
}

impl Division {
    fn of(text: &[u8], row: &[Atom]) -> Division {
        let between = || row.windows(2).flat_map(|pair| &text[pair[0].end..pair[1].start]);
        match between().find(|byte| b"._/".contains(byte)) {
            None => Division::Blanks,
            Some(first) if between().any(|byte| byte != first) => Division::Mixed,
            Some(b'.') => Division::Dots,
            Some(_) => Division::Slashes,
        }
    }
}

/// Whether groups are the number of a card: its last digit is a checksum.
fn is_card(text: &[u8], row: &[Atom], digits: usize) -> bool {
    let has_groups = row.len() >= 2 && row[0].len() >= 4 && row.iter().all(|atom| atom.len() <= 16);
    let all = row.iter().rev().flat_map(|atom| text[atom.clone()].iter().rev()).map(|digit| u32::from(digit - b'0'));
    let doubled = |(at, digit): (usize, u32)| match at % 2 {
        1 if digit > 4 => digit * 2 - 9,
        1 => digit * 2,
        _ => digit,
    };
    (13..=19).contains(&digits) && has_groups && all.enumerate().map(doubled).sum::<u32>() % 10 == 0
}

/// Whether two groups are a telephone number with the code of its area: `010-62345678`, `0171/2345678`.
fn is_trunk_call(text: &[u8], row: &[Atom], digits: usize) -> bool {
    let [area, number] = row else { return false };
    let is_divided = matches!(&text[area.end..number.start], b" " | b"-" | b"/" | b" / " | b") " | b")");
    let has_shape = (3..=5).contains(&area.len()) && (6..=8).contains(&number.len());
    text[area.start] == b'0' && is_divided && has_shape && (10..=12).contains(&digits)
}

/// Whether groups are the address of a host: `203.113.15.250`.
fn is_host(text: &[u8], row: &[Atom]) -> bool {
    let is_byte = |atom: &Atom| number(&text[atom.clone()], 10).is_some_and(|value| value < 256);
    row.len() == 4 && row.iter().all(is_byte)
}

/// Without the dates that a row begins with: `2026-11-30 17`, `30.11.2026 17`.
fn without_dates<'r>(text: &[u8], mut row: &'r [Atom]) -> &'r [Atom] {
    let is_year = |atom: &Atom| atom.len() == 4 && [&b"19"[..], b"20"].contains(&&text[atom.start..atom.start + 2]);
    let is_day = |atom: &Atom| atom.len() <= 2;
    while let [a, b, c, rest @ ..] = row {
        let is_date = (is_year(a) && is_day(b) && is_day(c)) || (is_day(a) && is_day(b) && is_year(c));
        if !is_date {
            break;
        }
        row = rest;
    }
    row
}
