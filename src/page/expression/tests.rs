mod bounds;
mod cuts;
mod filters;
mod nulls;
mod numbers;
mod order;

use super::*;

fn run(code: &str, body: &str) -> Result<Option<Shape>, Trouble> {
    let options = BTreeMap::from([("site".to_owned(), "ai".to_owned())]);
    let variables = Variables::new(Some("USD"), &options);
    let body = parse_json(body.as_bytes()).map_err(Trouble::new)?;
    Expression::compile(code).map_err(Trouble::new)?.run(&body, &variables)
}

fn message(code: &str, body: &str) -> String {
    run(code, body).map_or_else(|trouble| trouble.message, |shape| format!("it gives {shape:?}"))
}

/// The number or text that comes out, else all of it.
fn literal(code: &str, body: &str) -> String {
    match run(code, body) {
        Ok(Some(Shape::Number(literal))) => literal,
        Ok(Some(Shape::Text(text))) => format!("{text:?}"),
        other => format!("{other:?}"),
    }
}
