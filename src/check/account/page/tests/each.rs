//! Steps that are asked once for each item of a list.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{Page, answers, assert_told, page};
use crate::check::account::config::pages::problems;

/// A page that finds the accounts first, and adds up what is left of each.
fn per_account(changes: Value) -> Value {
    let request = json!({"url": "https://acme.example/v1"});
    let of_one = json!({"url": "https://acme.example/v1/{bind.id}", "headers": {"X-Account": "{bind.id}"}});
    let mut each = json!({"name": "one", "each": {"in": ".ids", "as": "id", "most": 3}, "request": of_one,
        "sum": {"left": ".left"}, "bind": {"currency": ".currency"}});
    each.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
    let steps = json!([{"name": "list", "request": request}, each]);
    let mut page = page(json!({"steps": steps, "balance": "{amount: $bind.left, currency: $bind.currency}"}));
    page.as_object_mut().unwrap().remove("request");
    page
}

#[test]
fn what_each_item_has_left_is_added_and_no_part_of_it_is_lost() {
    let one = |left: Value| json!({"left": left, "currency": "EUR"});
    let two = json!({"ids": ["a", 7]});
    for (changes, bodies, want) in [
        (json!({}), vec![two.clone(), one(json!(12.5)), one(json!("7.25"))], Ok("19.75")),
        (json!({}), vec![json!({"ids": ["a"]}), one(json!(-3))], Ok("-3")),
        (json!({"when": ".ids | length > 1"}), vec![two.clone(), one(json!(1)), one(json!(2))], Ok("3")),
        // Of nothing there is no sum, and zero would be an alarm.
        (json!({}), vec![json!({"ids": []})], Err("there is no item for `id`, so nothing to add")),
        (json!({}), vec![json!({})], Err("`id`")),
        (json!({}), vec![json!({"ids": null})], Err("`id`")),
        (json!({}), vec![json!({"ids": {"a": 1}})], Err("it is an object, not one value")),
        (json!({}), vec![json!({"ids": ["a", ["b"]]})], Err("it is a list, not one value")),
        (json!({}), vec![json!({"ids": ["a", ""]})], Err("it is an empty text")),
        (json!({}), vec![json!({"ids": ["a", "b", "a"]})], Err("stands in the list twice")),
        (json!({}), vec![json!({"ids": [1, 2, 3, 4]})], Err("more than 3 values")),
        (json!({}), vec![two.clone(), one(json!(1)), json!({"currency": "EUR"})], Err("`left`")),
        (json!({}), vec![two.clone(), one(json!(1)), json!({"left": 2, "currency": "USD"})], Err("different values")),
        (
            json!({"error": ".error"}),
            vec![two.clone(), one(json!(1)), json!({"error": "qzjx is locked"})],
            Err("locked"),
        ),
        // Each item has its own pages, and as many of them as `most` of `pages` says.
        (
            json!({"pages": {"next": ".next // null", "query": "page", "most": 2}}),
            vec![
                two.clone(),
                json!({"left": 1, "currency": "EUR", "next": 2}),
                one(json!(2)),
                json!({"left": 3, "currency": "EUR", "next": 2}),
                one(json!(4)),
            ],
            Ok("10"),
        ),
    ] {
        assert_told(&per_account(changes), answers(&bodies, None), want);
    }
}

#[test]
fn what_comes_after_a_step_for_each_item_sees_none_of_its_answers() {
    let bodies =
        [json!({"ids": ["a", "b"]}), json!({"left": 1, "currency": "EUR"}), json!({"left": 2, "currency": "EUR"})];
    for (balance, want) in [
        ("$bind.left", Ok("3")),
        ("{amount: $bind.left, currency: \"EUR\"}", Ok("3")),
        (".left", Err("`.` is null")),
        ("{amount: $bind.left, minus: .left}", Err("cannot be used")),
        ("$bind.id", Err("cannot be used")),
    ] {
        let mut page = per_account(json!({}));
        page["balance"] = json!(balance);
        page["currency"] = json!("EUR");
        assert_told(&page, answers(&bodies, None), want);
    }
    // A step after it may be asked, and stands for itself.
    let mut page = per_account(json!({}));
    let last = json!({"name": "last", "request": {"url": "https://acme.example/v1/{bind.left}"}});
    page["steps"].as_array_mut().unwrap().push(last);
    page["balance"] = json!("$bind.left - .used");
    let bodies = [bodies.as_slice(), &[json!({"used": 1})]].concat();
    assert_told(&page, answers(&bodies, None), Ok("2"));
}

#[test]
fn a_step_for_each_item_is_checked_before_it_is_used() {
    let each = json!({"in": ".ids", "as": "id"});
    for (step, changes, want) in [
        (1, json!({}), None),
        (1, json!({"each": {"in": ".ids", "as": "id", "most": 0}}), Some("must be 1 to 200")),
        (1, json!({"each": {"in": ".ids |", "as": "id"}}), Some("jq expression of `steps.each.in` is wrong")),
        (1, json!({"each": {"in": ".ids", "as": "left"}}), Some("calls an item of `each` like")),
        (1, json!({"each": {"in": ".ids", "as": "other"}}), Some("`{bind.id}` is bound by no earlier step")),
        (1, json!({"sum": {}}), Some("adds nothing up over `each`")),
        (0, json!({"each": each.clone()}), Some("has no answer before it")),
        (0, json!({"bind": {"id": ".id"}}), Some("two steps bind or add a value of the name `id`")),
    ] {
        let mut page = per_account(json!({}));
        page["steps"][step].as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        let page: Page = serde_json::from_value(page).unwrap();
        let found = problems::of(&page, Instant::now() + Duration::from_secs(10));
        match want {
            None => assert!(found.is_empty(), "{found:?}"),
            Some(part) => assert!(found.iter().any(|(_, why)| why.contains(part)), "{part}: {found:?}"),
        }
    }
    // The item is known in its own step alone.
    let mut page = per_account(json!({}));
    let last = json!({"name": "last", "request": {"url": "https://acme.example/v1/{bind.id}"}});
    page["steps"].as_array_mut().unwrap().push(last);
    let page: Page = serde_json::from_value(page).unwrap();
    let found = problems::of(&page, Instant::now() + Duration::from_secs(10));
    assert!(found.iter().any(|(_, why)| why.contains("bound by no earlier step")), "{found:?}");
}
