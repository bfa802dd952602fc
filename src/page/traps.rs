//! Expressions that say something else than their author means, found in how they are written.

use jaq_core::load::lex::StrPart;
use jaq_core::load::parse::{BinaryOp, Term};
use jaq_core::ops::Math;

use super::syntax::{self, Tree};

/// Something to think about, and what to write instead.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Trap {
    pub message: &'static str,
    pub hint: &'static str,
}

/// A missing balance becomes zero.
const ZERO: Trap = Trap {
    message: "what is missing becomes 0, and 0 is an alarm",
    hint: "leave out the 0: what is missing is then a failure that says what is missing",
};
/// An error becomes a balance without a limit.
const UNLIMITED: Trap = Trap {
    message: "what is missing becomes `unlimited`, and without an `error` expression an error answer does too",
    hint: "write an `error` expression, or test a field that only a good answer has",
};
/// Texts are joined.
const ADD: Trap = Trap {
    message: "`add` joins texts, and many services write numbers as texts",
    hint: "write `map(tonumber) | add`, or an example that shows that they are numbers",
};

/// A fraction loses its leading zeros.
const POINT: Trap = Trap {
    message: "a point joins two numbers, and a number such as 50000000 nanos has lost the zeros that stand before it",
    hint: "calculate instead, for example `(.units | tonumber) + .nanos / 1e9`",
};

/// An error without words is none.
const WORDLESS: Trap = Trap {
    message: "an error whose message is missing or empty is taken for none",
    hint: "write `{message: ...}` around the message, or `true`: the service's words are looked for",
};

/// The traps in an error expression.
pub(crate) fn of_error(code: &str) -> Vec<Trap> {
    let is_null = |term: &Tree| matches!(term, Term::Call("null" | "false" | "empty", _));
    let wordless = |term: &Tree| match term {
        Term::IfThenElse(branches, otherwise) => {
            let results = || branches.iter().map(|(_, then)| then).chain(otherwise.as_deref());
            results().any(is_null) && results().any(|result| matches!(result, Term::Path(..)))
        }
        _ => false,
    };
    syntax::with_tree(code, |tree| any(tree, &wordless))
        .is_ok_and(|found| found)
        .then_some(WORDLESS)
        .into_iter()
        .collect()
}

/// The traps in a balance expression. `has_error` and `has_example` say whether the page has an `error` test and an example of
/// a balance.
pub(crate) fn of_balance(code: &str, has_error: bool, has_example: bool) -> Vec<Trap> {
    // What is not jq at all is told by who compiles it.
    syntax::with_tree(code, |tree| of_tree(tree, has_error, has_example)).unwrap_or_default()
}

fn of_tree(tree: &Tree, has_error: bool, has_example: bool) -> Vec<Trap> {
    let mut traps = Vec::new();
    if any(tree, &|term| falls_back_to(term, &is_zero)) {
        traps.push(ZERO);
    }
    if !has_error && any(tree, &|term| falls_back_to(term, &is_unlimited)) {
        traps.push(UNLIMITED);
    }
    if any(tree, &joins_by_point) {
        traps.push(POINT);
    }
    let calls = |name: &str| any(tree, &|term| matches!(term, Term::Call(called, _) if *called == name));
    if !has_example && calls("add") && !calls("tonumber") {
        traps.push(ADD);
    }
    traps
}

/// Whether a test holds for a term in the tree.
fn any(tree: &Tree, test: &dyn Fn(&Tree) -> bool) -> bool {
    test(tree) || syntax::children(tree).into_iter().any(|inside| any(inside, test))
}

/// `... // 0`, `if ... == null then 0 else ... end`, `if .a then .a else 0 end`.
fn falls_back_to(term: &Tree, is_fallback: &dyn Fn(&Tree) -> bool) -> bool {
    match term {
        Term::BinOp(_, BinaryOp::Alt | BinaryOp::UpdateAlt, fallback) => is_fallback(fallback),
        Term::IfThenElse(branches, otherwise) => {
            let tests_null = branches.iter().any(|(condition, _)| {
                let compares = any(condition, &|term| matches!(term, Term::BinOp(_, BinaryOp::Cmp(_), _)));
                // A bare path is a test for null too; any other filter tests something of its own.
                let is_null = any(condition, &|term| matches!(term, Term::Call("null", _)));
                let is_kind = any(condition, &|term| matches!(term, Term::Call("type", _)));
                is_null
                    || is_kind
                    || (!compares && !any(condition, &|term| matches!(term, Term::Call(name, _) if *name != "not")))
            });
            let results = branches.iter().map(|(_, then)| then).chain(otherwise.as_deref());
            tests_null && results.into_iter().any(is_fallback)
        }
        Term::TryCatch(_, Some(fallback)) => is_fallback(fallback),
        _ => false,
    }
}

/// `.units + "." + .nanos`, `"\(.units).\(.nanos)"`, `[.units, .nanos] | join(".")`.
fn joins_by_point(term: &Tree) -> bool {
    let is_point = |term: &Tree| match term {
        Term::Str(None, parts) => matches!(&parts[..], [StrPart::Str(".")]),
        _ => false,
    };
    match term {
        Term::BinOp(left, BinaryOp::Math(Math::Add), right) => {
            let ends_with_point =
                is_point(left) || matches!(&**left, Term::BinOp(_, BinaryOp::Math(Math::Add), last) if is_point(last));
            let begins_with_point =
                matches!(&**right, Term::BinOp(first, BinaryOp::Math(Math::Add), _) if is_point(first));
            ends_with_point || begins_with_point
        }
        Term::Str(None, parts) => {
            parts.windows(3).any(|parts| matches!(parts, [StrPart::Term(_), StrPart::Str("."), StrPart::Term(_)]))
        }
        Term::Call("join", arguments) => arguments.iter().any(is_point),
        _ => false,
    }
}

fn is_zero(term: &Tree) -> bool {
    let zero = |text: &str| text.trim().parse() == Ok(0.0);
    match term {
        Term::Num(literal) => zero(literal),
        Term::Str(None, parts) => matches!(&parts[..], [StrPart::Str(text)] if zero(text)),
        _ => false,
    }
}

fn is_unlimited(term: &Tree) -> bool {
    match term {
        Term::Str(None, parts) => {
            matches!(&parts[..], [StrPart::Str(text)] if crate::model::amount::is_unlimited(text))
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn traps_are_seen_and_what_is_sound_is_not() {
        for (code, want) in [
            (".balance // 0", vec![ZERO]),
            ("{amount: (.a // 0), currency: \"USD\"}", vec![ZERO]),
            ("{amount: .a, minus: (.b // \"0.00\")}", vec![ZERO]),
            (".a? // .b? // 0.0", vec![ZERO]),
            ("if .a == null then 0 else .a end", vec![ZERO]),
            ("if .a != null then .a else 0 end", vec![ZERO]),
            ("if .a then .a else 0 end", vec![ZERO]),
            ("if .a | not then 0 else .a end", vec![ZERO]),
            ("try .a catch 0", vec![ZERO]),
            ("[.w[].a] | add // 0", vec![ZERO, ADD]),
            (".limit // \"unlimited\"", vec![UNLIMITED]),
            ("if .limit == null then \"unlimited\" else .limit end", vec![UNLIMITED]),
            ("if .limit then .limit else \"Unlimited\" end", vec![UNLIMITED]),
            ("[.w[].total] | add", vec![ADD]),
            ("add(.w[].total)", vec![ADD]),
            ("[.w[].total | tonumber] | add", vec![]),
            (".w | map(tonumber) | add", vec![]),
            (".units + \".\" + .nanos", vec![POINT]),
            (".units + (\".\" + .nanos)", vec![POINT]),
            ("\"\\(.units).\\(.nanos)\" | tonumber", vec![POINT]),
            ("[.units, .nanos] | map(tostring) | join(\".\")", vec![POINT]),
            ("(.units | tonumber) + .nanos / 1e9", vec![]),
            (".a // .b", vec![]),
            (".a - 0", vec![]),
            (".a // 5", vec![]),
            ("if .plan == \"free\" then 0 else .a end", vec![]),
            ("if (.w | length) > 0 then .w[0] else 0 end", vec![]),
            ("if .plan == \"enterprise\" then \"unlimited\" else .a end", vec![]),
            ("\"unlimited\"", vec![]),
            ("not jq", vec![]),
        ] {
            assert_eq!(of_balance(code, false, false), want, "{code}");
        }
        assert_eq!(of_balance(".limit // \"unlimited\"", true, false), []);
        assert_eq!(of_error("if .code == 0 then null else .message end"), [WORDLESS]);
        assert_eq!(of_error("if .ok == false then .error.message else empty end"), [WORDLESS]);
        for sound in
            [".error", "if .code == 0 then null else {message: .message} end", "if .ok then null else true end"]
        {
            assert_eq!(of_error(sound), [], "{sound}");
        }
        assert_eq!(of_balance("[.w[].total] | add", true, true), []);
    }
}
