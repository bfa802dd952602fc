//! What counts as another answer, and what does not.

use serde_json::{Value, json};

use super::*;
use crate::check::account::page::ask::Form;

const SECRET: &str = "the key of the store";

fn outline(answers: &[Value]) -> Outline {
    let mut outline = Outline::default();
    answers.iter().for_each(|answer| outline.add(0, Form::Json, answer.to_string().as_bytes()));
    outline
}

/// Whether each of several runs finds a change. What is kept between two of them is text, as in a store.
fn runs(runs: &[Vec<Value>]) -> Vec<bool> {
    let mut kept = Known::default().to_text();
    let one = |answers: &Vec<Value>| {
        let mut known = Known::of_text(&kept).unwrap();
        let has_changed = known.learn(Known::of(&outline(answers), SECRET), SECRET);
        kept = known.to_text();
        has_changed
    };
    runs.iter().map(one).collect()
}

/// Whether a change is found in a service that has answered one way in several runs, and another way then; and that it is found
/// once.
fn changes(before: &Value, after: &Value) -> bool {
    let (before, after) = (vec![before.clone()], vec![after.clone()]);
    let found = runs(&[before.clone(), before.clone(), before.clone(), after.clone(), after.clone(), before, after]);
    assert!(!found[..3].contains(&true) && !found[4..].contains(&true), "{found:?}");
    found[3]
}

#[test]
fn another_type_and_another_name_are_changes() {
    let base =
        json!({"ok": true, "data": {"left": 12.5, "list": [{"a": 1, "b": "x"}], "plan": {"name": "p", "end": "y"}}});
    for (place, value) in [
        ("/data/left", json!("12.5")),
        ("/data/left", json!({"value": 12.5})),
        ("/data/left", json!([12.5])),
        ("/data/left", json!(true)),
        ("/data/list/0/a", json!("1")),
        ("/data/list", json!({"a": 1})),
        ("/data/plan", json!("p")),
        ("/data/plan/name", json!(7)),
        ("/ok", json!("yes")),
        ("/data", json!([{"left": 12.5}])),
    ] {
        let mut after = base.clone();
        *after.pointer_mut(place).unwrap() = value.clone();
        assert!(changes(&base, &after), "{place} is {value}");
    }
    for (object, from, to) in [
        ("", "data", "result"),
        ("/data", "left", "remaining"),
        ("/data", "list", "entries"),
        ("/data/list/0", "b", "c"),
        ("/data/plan", "end", "expires"),
    ] {
        let mut after = base.clone();
        let fields = after.pointer_mut(object).unwrap().as_object_mut().unwrap();
        let value = fields.remove(from).unwrap();
        fields.insert(to.to_owned(), if to == "entries" { json!([1]) } else { value });
        assert!(changes(&base, &after), "`{from}` of `{object}` is `{to}` now");
    }
}

#[test]
fn honest_answers_that_differ_are_no_change() {
    let base = json!({"ok": true, "left": 12.5, "note": "x", "list": [{"a": 1, "b": 2}], "by_id": {"8812345": {"n": 1}},
        "days": {"2026-11-30": 5}, "wallets": {"USD": 5}, "mails": {"a@corp.example": 1},
        "models": {"gpt-4.1": {"n": 1}, "haiku": {"n": 2}}, "plan": {"name": "p"}});
    let mut others: Vec<(&str, Value)> = vec![
        ("/left", json!(0)),
        ("/left", json!(-1)),
        ("/list", json!([])),
        ("/list", json!([{"a": 1}, {"a": 2, "b": 3}, {"a": 4, "c": 5}])),
        ("/by_id", json!({"9912345": {"n": 1}, "7712345": {"n": 2}, "x@y.example": {"n": 3}})),
        ("/by_id", json!([])),
        ("/days", json!({"2026-12-01": 7, "2026-12-02": 7})),
        ("/wallets", json!({"EUR": 5})),
        ("/mails", json!({"b@corp.example": 1})),
        ("/models", json!({"sonnet": {"n": 1}, "opus": {"n": 1}, "flash": {"n": 3}})),
        ("/models", json!({"sonnet": {"n": 1}})),
        ("/plan", json!([])),
        ("/plan", json!("")),
        ("/plan", json!({"name": "p", "more": [1, "x"]})),
        ("/ok", json!(false)),
        ("", json!({"ok": true, "left": 12.5})),
    ];
    for place in ["/left", "/note", "/list", "/by_id", "/plan", "/plan/name", "/list/0/a"] {
        others.extend([Value::Null, json!(false), json!("")].map(|nothing| (place, nothing)));
    }
    for (place, value) in others {
        let mut after = base.clone();
        *after.pointer_mut(place).unwrap() = value.clone();
        assert!(!changes(&base, &after), "{place} is {value}");
        assert!(!changes(&after, &base), "{place} was {value}");
    }
    let mut more = base.clone();
    more["new"] = json!({"field": 1});
    assert!(!changes(&base, &more) && !changes(&more, &base), "a field more or less");
}

#[test]
fn fields_that_come_and_go_are_never_a_change() {
    let mut random = fastrand::Rng::with_seed(16);
    for _ in 0..200 {
        let names = ["alpha", "beta", "gamma", "delta", "epsilon"];
        let mut answer = || {
            let mut answer = json!({"left": 1, "inner": {"left": 2}, "list": [{"left": 3}]});
            for name in names {
                if random.bool() {
                    continue;
                }
                answer[name] = json!(1);
                answer["inner"][name] = if random.bool() { json!("x") } else { Value::Null };
                answer["list"][0][name] = json!([1]);
            }
            answer
        };
        // A field counts as steady once it was there in a few runs; the accounts of a run differ as well.
        let all: Vec<Vec<Value>> = (0..12).map(|_| vec![answer(), answer(), answer(), answer()]).collect();
        let found = runs(&all);
        assert!(!found.contains(&true), "{found:?}: {all:?}");
    }
}

#[test]
fn what_was_there_in_two_runs_alone_is_not_missed() {
    let (trial, paid) = (json!({"left": 1, "trial_end": "x"}), json!({"left": 1, "credit": 5}));
    let (trial, paid) = (vec![trial], vec![paid]);
    assert_eq!(runs(&[trial.clone(), trial.clone(), paid.clone(), trial.clone(), paid.clone()]), [false; 5]);
    // Another account still has it.
    let both = vec![trial[0].clone(), paid[0].clone()];
    assert_eq!(runs(&[trial.clone(), trial.clone(), trial.clone(), both.clone(), paid]), [false; 5]);
}

#[test]
fn in_xml_one_element_or_several_are_the_same() {
    let text = |body: &str| {
        let mut outline = Outline::default();
        outline.add(0, Form::Xml, body.as_bytes());
        Known::of(&outline, SECRET)
    };
    let one = "<a><b x='1'>5</b><c>1</c></a>";
    for (other, is_change) in [
        ("<a><b x='1'>5</b><b x='2'>6</b><c>1</c></a>", false),
        ("<a><b>5</b><c/></a>", false),
        ("<a><b x='1'>5</b><d>1</d></a>", true),
    ] {
        let mut known = Known::default();
        (0..3).for_each(|_| assert!(!known.learn(text(one), SECRET)));
        assert_eq!(known.learn(text(other), SECRET), is_change, "{other}");
    }
}

#[test]
fn a_step_that_is_left_out_is_no_change_and_steps_do_not_mix() {
    let answers = |steps: &[(usize, Value)]| {
        let mut outline = Outline::default();
        steps.iter().for_each(|(step, body)| outline.add(*step, Form::Json, body.to_string().as_bytes()));
        Known::of(&outline, SECRET)
    };
    let (token, left) = ((0, json!({"token": "x"})), (1, json!({"token": 5})));
    let mut known = Known::default();
    for _ in 0..4 {
        assert!(!known.learn(answers(&[token.clone(), left.clone()]), SECRET));
        assert!(!known.learn(answers(std::slice::from_ref(&token)), SECRET));
    }
    assert!(known.learn(answers(&[token, (1, json!({"token": "5"}))]), SECRET));
}

#[test]
fn what_is_kept_holds_no_value_and_no_key_and_is_bounded() {
    let body = json!({"qzjxkey": "qzjxvalue", "qzjx@corp.example": 4711, "list": vec![json!({"qzjxinner": 1}); 3]});
    let text = Known::of(&outline(&[body]), SECRET).to_text();
    assert!(!text.contains("qzjx") && !text.contains("4711"), "{text}");
    assert_eq!(Known::of_text(&text).unwrap().to_text(), text);
    // The same answer has other hashes in another store.
    let other = Known::of(&outline(&[json!({"left": 1})]), "another key").to_text();
    assert_ne!(Known::of(&outline(&[json!({"left": 1})]), SECRET).to_text(), other);
    let key =
        |at: usize| format!("field_{}{}", (b'a' + (at / 26 % 26) as u8) as char, (b'a' + (at % 26) as u8) as char);
    let wide: serde_json::Map<String, Value> = (0..676).map(|at| (key(at), json!(at))).collect();
    let text = Known::of(&outline(&[Value::Object(wide)]), SECRET).to_text();
    assert!(text.len() < 5000 && text.starts_with('c'), "{} bytes", text.len());
    for damaged in ["", "x", "w12", "wzz", &format!("{text}0"), "wßßßßßßßßßßßßßß", "waßßßßßßßßßßßßßa"]
    {
        assert_eq!(Known::of_text(damaged), None, "{damaged}");
    }
}

#[test]
fn what_is_no_json_adds_nothing() {
    for (form, body) in [
        (Form::Json, &b"<html>"[..]),
        (Form::Json, b"{\"a\": 1"),
        (Form::Json, b"{} {}"),
        (Form::Xml, b"<a"),
        (Form::Text, b"12"),
        (Form::None, b"{\"a\":1}"),
    ] {
        let mut outline = Outline::default();
        outline.add(0, form, body);
        let is_two = body == b"{} {}";
        assert!(outline.is_empty() || is_two, "{form:?} {}", String::from_utf8_lossy(body));
    }
}
