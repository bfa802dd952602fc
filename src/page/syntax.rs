//! Expressions as they are written: their bounds, their syntax, and what they call.
//!
//! The library's lexer, parser and compiler recurse, so length and depth are bounded before they see an expression.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use jaq_core::load::Parser;
use jaq_core::load::lex::{Lexer, StrPart, Tok, Token};
use jaq_core::load::parse::{BinaryOp, Def, Pattern, Term};
use jaq_core::path::Part;

use crate::model::text;
use crate::process::limits;

/// Bytes of an expression.
const LONGEST: usize = 16 * 1024;
/// Brackets and interpolations within each other.
const DEEPEST: usize = 64;
/// Words, signs and texts of an expression. A chain of operators nests once for each in the library, so this bounds every
/// other way to nest as well.
const MOST_TOKENS: usize = 2000;
/// Steps of one path, each of which nests once when it is followed.
const LONGEST_PATH: usize = 64;
/// As many tokens nest in any stack.
const FEW_TOKENS: usize = 150;
/// Stack for each of more tokens, of which the tests' build takes half.
const STACK_OF_TOKEN: usize = 16 * 1024;
const STACK: usize = MOST_TOKENS * STACK_OF_TOKEN;

/// The syntax tree of an expression.
pub(crate) type Tree<'a> = Term<&'a str>;

/// Parses an expression and works on its tree, unless it is too long or nests too deeply, or a definition in it calls
/// itself.
///
/// # Errors
/// What is wrong, in one line: the first mistake, as the others mostly follow from it.
pub(crate) fn with_tree<T: Send>(code: &str, work: impl FnOnce(&Tree) -> T + Send) -> Result<T, String> {
    let tokens = bounded(code)?;
    let work = Mutex::new(Some(work));
    let parse_and_work = || {
        let tree = parse(code)?;
        let work = work.lock().unwrap_or_else(PoisonError::into_inner).take();
        work.map(|work| work(&tree)).ok_or_else(|| "it was worked on already".to_owned())
    };
    if tokens <= FEW_TOKENS {
        return parse_and_work();
    }
    let result = std::thread::scope(|scope| {
        let worker = std::thread::Builder::new().stack_size(STACK).spawn_scoped(scope, parse_and_work);
        worker.map(|worker| worker.join())
    });
    match result {
        Ok(Ok(result)) => result,
        Ok(Err(_)) => Err("it cannot be compiled, by a defect of this program".to_owned()),
        // Where the system gives no thread, the one that asks for the others has a stack that is known.
        Err(_) if limits::has_main_stack(tokens * STACK_OF_TOKEN) => parse_and_work(),
        Err(_) => Err("there is no thread to compile it in".to_owned()),
    }
}

/// How many tokens an expression has, if it is within its bounds.
fn bounded(code: &str) -> Result<usize, String> {
    if code.len() > LONGEST {
        return Err(format!("it is longer than {LONGEST} bytes"));
    }
    let scan = scan(code);
    if scan.deepest > DEEPEST {
        return Err(format!("its brackets nest deeper than {DEEPEST} levels"));
    }
    // What cannot be read has its message from who parses it.
    let tokens = Lexer::new(code).lex().map_or(0, |tokens| count(&tokens));
    if tokens > MOST_TOKENS {
        return Err(format!("it has more than {MOST_TOKENS} words and signs"));
    }
    Ok(tokens)
}

fn parse(code: &str) -> Result<Tree<'_>, String> {
    let note = |message: String| match comment(code) {
        Some(_) => format!("{message} (a `#` takes away all that follows it on its line)"),
        None => message,
    };
    let tokens = Lexer::new(code).lex().map_err(|errors| {
        let rest = errors.first().map_or("", |(_, rest)| rest);
        note(format!("unexpected character {}", at(rest)))
    })?;
    if let Some(Token(word @ ("include" | "import" | "module"), Tok::Word)) = tokens.first() {
        return Err(format!("`{word}` is not supported"));
    }
    let tree = Parser::new(&tokens).parse(|parser| parser.term()).map_err(|errors| {
        let found = errors.first().and_then(|(_, found)| *found);
        note(format!("syntax error {}", at(Token::opt_as_str(found, code))))
    })?;
    if has_long_path(&tree) {
        return Err(format!("a path in it has more than {LONGEST_PATH} steps"));
    }
    let mut recursive = None;
    each_call(&tree, &mut Vec::new(), &mut |(name, _), binding| {
        if binding == Some(Binding::Open) && recursive.is_none() {
            recursive = Some(name);
        }
    });
    match recursive {
        Some(name) => Err(format!("`{name}` calls itself, which is not supported")),
        None => Ok(tree),
    }
}

fn has_long_path(tree: &Tree) -> bool {
    let is_long = matches!(tree, Term::Path(_, path) if path.0.len() > LONGEST_PATH);
    is_long || children(tree).into_iter().any(has_long_path)
}

fn at(rest: &str) -> String {
    let rest = text::one_line(rest, 30);
    if rest.is_empty() { "at its end".to_owned() } else { format!("at `{rest}`") }
}

/// What is seen of an expression before it is parsed.
struct Scan {
    /// The deepest nesting of brackets and interpolations.
    deepest: usize,
    /// Where the first comment begins.
    comment: Option<usize>,
}

/// Where a comment begins in an expression, if there is one.
pub(crate) fn comment(code: &str) -> Option<usize> {
    scan(code).comment
}

/// Goes through an expression as the lexer does, which gives up at the first bracket that does not fit.
fn scan(code: &str) -> Scan {
    #[derive(PartialEq)]
    enum Open {
        Bracket,
        Text,
    }
    let (mut open, mut deepest, mut comment) = (Vec::new(), 0, None);
    let mut bytes = code.bytes().enumerate().peekable();
    while let Some((at, byte)) = bytes.next() {
        if open.last() == Some(&Open::Text) {
            match byte {
                b'"' => drop(open.pop()),
                // What is escaped ends nothing; an interpolation is code again.
                b'\\' => open.extend(bytes.next().filter(|(_, escaped)| *escaped == b'(').map(|_| Open::Bracket)),
                _ => {}
            }
        } else {
            match byte {
                b'"' => open.push(Open::Text),
                b'(' | b'[' | b'{' => open.push(Open::Bracket),
                b')' | b']' | b'}' => drop(open.pop()),
                b'#' => {
                    comment.get_or_insert(at);
                    // A backslash before the end of the line goes on with the comment.
                    let mut backslashes = 0;
                    for (_, byte) in bytes.by_ref() {
                        match byte {
                            b'\n' if backslashes % 2 == 0 => break,
                            b'\\' => backslashes += 1,
                            b'\r' => {}
                            _ => backslashes = 0,
                        }
                    }
                }
                _ => {}
            }
        }
        deepest = deepest.max(open.len());
    }
    Scan { deepest, comment }
}

fn count(tokens: &[Token<&str>]) -> usize {
    let inside = |Token(_, token): &Token<&str>| match token {
        Tok::Block(tokens) => count(tokens),
        Tok::Str(parts) => {
            let part = |part: &StrPart<&str, Token<&str>>| match part {
                StrPart::Term(token) => 1 + count(std::slice::from_ref(token)),
                StrPart::Str(_) | StrPart::Char(_) => 1,
            };
            parts.iter().map(part).sum()
        }
        _ => 0,
    };
    tokens.iter().map(|token| 1 + inside(token)).sum()
}

/// The terms right inside a term.
pub(crate) fn children<'t, 'a>(term: &'t Tree<'a>) -> Vec<&'t Tree<'a>> {
    let mut inside = Vec::new();
    match term {
        Term::Id | Term::Recurse | Term::Num(_) | Term::Var(_) | Term::Break(_) => {}
        Term::Str(_, parts) => inside.extend(parts.iter().filter_map(|part| match part {
            StrPart::Term(term) => Some(term),
            StrPart::Str(_) | StrPart::Char(_) => None,
        })),
        Term::Arr(item) => inside.extend(item.as_deref()),
        Term::Obj(entries) => {
            inside.extend(entries.iter().flat_map(|(key, value)| [Some(key), value.as_ref()]).flatten())
        }
        Term::Neg(term) | Term::Label(_, term) => inside.push(term),
        Term::BinOp(left, op, right) => {
            inside.push(left);
            if let BinaryOp::Pipe(Some(pattern)) = op {
                keys(pattern, &mut inside);
            }
            inside.push(right);
        }
        Term::Fold(_, items, pattern, arguments) => {
            inside.push(items);
            keys(pattern, &mut inside);
            inside.extend(arguments);
        }
        Term::TryCatch(term, catch) => {
            inside.push(term);
            inside.extend(catch.as_deref());
        }
        Term::IfThenElse(branches, otherwise) => {
            inside.extend(branches.iter().flat_map(|(condition, then)| [condition, then]));
            inside.extend(otherwise.as_deref());
        }
        Term::Def(definitions, term) => {
            inside.extend(definitions.iter().map(|definition| &definition.body));
            inside.push(term);
        }
        Term::Call(_, arguments) => inside.extend(arguments),
        Term::Path(term, path) => {
            inside.push(term);
            for (part, _) in &path.0 {
                match part {
                    Part::Index(index) => inside.push(index),
                    Part::Range(from, to) => inside.extend(from.iter().chain(to)),
                }
            }
        }
    }
    inside
}

fn keys<'t, 'a>(pattern: &'t Pattern<&'a str>, inside: &mut Vec<&'t Tree<'a>>) {
    match pattern {
        Pattern::Var(_) => {}
        Pattern::Arr(items) => items.iter().for_each(|item| keys(item, inside)),
        Pattern::Obj(entries) => {
            for (key, value) in entries {
                inside.push(key);
                keys(value, inside);
            }
        }
    }
}

/// A filter's name and how many arguments it takes.
pub(crate) type Name<'a> = (&'a str, usize);

/// What a name stands for where it is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Binding {
    /// A definition around the call.
    Open,
    /// A definition before it, or an argument.
    Closed,
}

/// Calls `visit` with each call in a term and what it is bound to in the term.
fn each_call<'a>(
    term: &Tree<'a>,
    scope: &mut Vec<(Name<'a>, Binding)>,
    visit: &mut impl FnMut(Name<'a>, Option<Binding>),
) {
    let outside = scope.len();
    match term {
        Term::Call(name, arguments) => {
            let name = (*name, arguments.len());
            visit(name, scope.iter().rev().find(|(known, _)| *known == name).map(|(_, binding)| *binding));
        }
        Term::Str(Some(format), _) => visit((format, 0), None),
        Term::Def(definitions, _) => {
            for definition in definitions {
                each_call_of(definition, scope, visit);
                scope.push(((definition.name, definition.args.len()), Binding::Closed));
            }
        }
        _ => {}
    }
    match term {
        Term::Def(_, term) => each_call(term, scope, visit),
        term => children(term).into_iter().for_each(|inside| each_call(inside, scope, visit)),
    }
    scope.truncate(outside);
}

fn each_call_of<'a>(
    definition: &Def<&'a str>,
    scope: &mut Vec<(Name<'a>, Binding)>,
    visit: &mut impl FnMut(Name<'a>, Option<Binding>),
) {
    let outside = scope.len();
    // In the order of the compiler: the definition's own name hides an argument of that name.
    let arguments = definition.args.iter().filter(|argument| !argument.starts_with('$'));
    scope.extend(arguments.map(|argument| ((*argument, 0), Binding::Closed)));
    scope.push(((definition.name, definition.args.len()), Binding::Open));
    each_call(&definition.body, scope, visit);
    scope.truncate(outside);
}

/// What a definition calls outside itself.
pub(super) fn calls<'a>(definition: &Def<&'a str>) -> impl Iterator<Item = Name<'a>> + use<'a> {
    let mut calls = BTreeSet::new();
    each_call_of(definition, &mut Vec::new(), &mut |name, binding| {
        if binding.is_none() {
            calls.insert(name);
        }
    });
    calls.into_iter()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_definition_that_calls_itself_is_refused() {
        for code in [
            "def f: 1+f; f",
            "def f: f; f",
            "def f(g): f(g); f(.)",
            "def f($x): if $x > 0 then f($x - 1) else . end; f(5)",
            "def f: def g: f; g; f",
            "def f(g): g; def h: f(h); h",
            "def f: [.[] | f]; f",
            "def f: \"\\(f)\"; f",
            "def f: {a: f}; f",
            "def f: .[f]; f",
            "def f: reduce f as $x (0; .); f",
            "def f: . as {(f): $x} | .; f",
            "def f: try f catch .; f",
            "def f: -f; f",
            "def f: label $x | f; f",
            ". | def f: if . then f else . end; f",
        ] {
            let why = with_tree(code, |_| ()).expect_err(code);
            assert!(why.ends_with("calls itself, which is not supported"), "{code}: {why}");
        }
        for code in [
            "def f(g): g; f(f(.))",
            "def g: 1; def f(g): g; f(g)",
            "def f: 1; def g: f; g",
            "def f(x): 1; def g: f(f(.)); g",
            "def f: def g(f): f; g(1); f",
            "repeat(.; 1)",
        ] {
            assert_eq!(with_tree(code, |_| ()).err(), None, "{code}");
        }
    }

    #[test]
    fn length_and_depth_are_bounded_before_anything_recurses() {
        let many = |piece: &str, end: &str| format!("{}{end}", piece.repeat(20_000));
        for code in [
            many("(", ""),
            many("[", ""),
            many("{", ""),
            many("{a:", ""),
            many("\"\\(", ""),
            format!("{}1{}", "(".repeat(5000), ")".repeat(5000)),
            format!("{}1{}", "\"\\(".repeat(2000), ")\"".repeat(2000)),
            many("- ", "1"),
            many("try ", "1"),
            many("if ", ""),
            many("if 1 then ", ""),
            many("if 1 then 1 el", ""),
            many("reduce ", ""),
            many("def f: ", "1"),
            many("def f: 1; ", "1"),
            many("label $x | ", "1"),
            many(". as $x | ", "1"),
            many(". as [", ""),
            many(".|", "."),
            many(".,", "."),
            many("1+", "1"),
            many("1//", "1"),
            many(".=", "1"),
            many(".|=", "1"),
            many("1 and ", "1"),
            many(".a", ""),
            many("[]", ""),
            many(".[]", ""),
            many(".?", ""),
            many("f(", ""),
            many("..", ""),
            many("1 ", ""),
        ] {
            assert!(with_tree(&code, |_| ()).is_err(), "{}", &code[..20]);
        }
    }

    #[test]
    fn what_may_still_nest_fits_its_stack() {
        // Each of these has as many tokens as there may be, of one kind of nesting.
        let fill =
            |piece: &str, tokens: usize, end: &str| format!("{}{end}", piece.repeat((MOST_TOKENS - 20) / tokens));
        let nest = |open: &str, close: &str, n: usize| format!("{}1{}", open.repeat(n), close.repeat(n));
        let codes = [
            fill("-", 1, "1"),
            fill("try ", 1, "1"),
            fill("1|", 2, "1"),
            fill("1,", 2, "1"),
            fill("1+", 2, "1"),
            fill("1//", 2, "1"),
            fill(".=", 2, "1"),
            fill(".//=", 2, "1"),
            fill("1 and ", 2, "1"),
            fill("1 or ", 2, "1"),
            fill("1==", 2, "1"),
            ".a".repeat(64),
            ".a?".repeat(64),
            format!("{}.a", ".[]".repeat(60)),
            format!(". | .[1:{}2]", "2][1:".repeat(50)),
            format!("({}) = 1", ".a".repeat(64)),
            format!("path({})", ".a".repeat(64)),
            format!(". as [{}] | 1", "$x,".repeat(MOST_TOKENS / 3).trim_end_matches(',')),
            format!(
                "def f({}): 1; f({})",
                "$x;".repeat(MOST_TOKENS / 5).trim_end_matches(';'),
                "1;".repeat(MOST_TOKENS / 5).trim_end_matches(';')
            ),
            format!(
                "def f({}): 1; f({})",
                "x;".repeat(MOST_TOKENS / 5).trim_end_matches(';'),
                "1;".repeat(MOST_TOKENS / 5).trim_end_matches(';')
            ),
            fill(". as $x|", 4, "1"),
            fill("label $x|", 3, "1"),
            fill("if 1 then 1 el", 4, "se 1 end"),
            nest("if 1 then ", " end", MOST_TOKENS / 5),
            nest("if ", " then 1 end", MOST_TOKENS / 5),
            fill("def f:1;", 5, "1"),
            nest("def f: ", "; 1", MOST_TOKENS / 6),
            format!("{{{}a:1}}", "a:1,".repeat(MOST_TOKENS / 5)),
            format!("[{}1]", "1,".repeat(MOST_TOKENS / 2 - 20)),
            format!("\"{}\"", "\\(1)a".repeat(MOST_TOKENS / 6)),
            nest("(", ")", 60),
            nest("[", "]", 60),
            nest("{a:", "}", 60),
            nest("\"\\(", ")\"", 30),
            format!("{}1{}", "reduce ".repeat(MOST_TOKENS / 6), " as $x (0;1)".repeat(MOST_TOKENS / 12)),
            nest("reduce 1 as $x (0; ", ")", 60),
            nest("first(", ")", 60),
            format!(". as {}$x{} | 1", "[".repeat(60), "]".repeat(60)),
        ];
        let body = crate::page::expression::parse_json(b"{}").unwrap();
        let variables = crate::page::expression::Variables::new(None, &Default::default());
        for code in codes {
            for code in [code.clone(), code.chars().take(FEW_TOKENS).collect()] {
                let short = text::one_line(&code, 30);
                if let Err(why) = with_tree(&code, |_| ()) {
                    assert!(!why.contains("more than"), "{short}: {why}");
                }
                // To be evaluated it may nest too deeply, which stops it.
                if let Ok(expression) = crate::page::expression::Expression::compile(&code) {
                    drop(expression.run(&body, &variables));
                }
            }
        }
    }

    #[test]
    fn the_first_mistake_is_told() {
        for (code, want) in [
            ("\"abc", "unexpected character at its end"),
            (".a |", "syntax error at its end"),
            (".a | | .b | | .c", "syntax error at `|`"),
            (".a & .b", "unexpected character at `& .b`"),
            (
                ".a | # the balance tonumber",
                "syntax error at its end (a `#` takes away all that follows it on its line)",
            ),
            ("include \"x\"; .a", "`include` is not supported"),
            ("import \"x\" as x; .a", "`import` is not supported"),
        ] {
            assert_eq!(with_tree(code, |_| ()).err().as_deref(), Some(want), "{code}");
        }
        assert_eq!(comment(".a # b"), Some(3));
        assert_eq!(comment("\"#\" | test(\"#\\(\"#\")\")"), None);
    }
}
