//! The pages that come with the program: every file of `catalog/`, listed by `build.rs`.

use super::page::Page;

/// The texts of the pages, in the order of their files' names.
const PAGES: &[&str] = include!(concat!(env!("OUT_DIR"), "/providers.rs"));

/// The pages that come with the program, by id, without their examples: only tests need those, and parsing them would
/// take as long as all the rest of a start. A test proves that each page parses.
pub(crate) fn catalog() -> Vec<Page> {
    PAGES.iter().filter_map(|text| parse(without_examples(text)).ok()).collect()
}

/// The examples stand last in a page.
fn without_examples(text: &str) -> &str {
    text.split_once("\nexamples:").map_or(text, |(rest, _)| rest)
}

fn parse(text: &str) -> Result<Page, serde_yaml::Error> {
    serde_yaml::from_str(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::failure::{Reason, Retry};
    use crate::page::expression::Variables;
    use std::collections::BTreeMap;

    #[test]
    fn every_page_parses_and_its_examples_hold() {
        let mut examples = 0;
        for text in PAGES {
            let page = parse(text).unwrap();
            assert!(page.examples.len() >= 2, "{} needs examples of a reading and of a failure", page.id);
            for example in &page.examples {
                if let Err(why) = page.try_example(example) {
                    panic!("{}: {why}", page.id);
                }
                examples += 1;
            }
            // What every page must make of answers that hold no balance.
            if page.id != "file" {
                let reader = page.reader(&page.options_with_defaults(&BTreeMap::new())).unwrap();
                let variables = Variables::new(None, &page.options_with_defaults(&BTreeMap::new()));
                for body in ["", "{}", "[]", "null", "<html>login</html>", "\"x\"", "0", "{\"data\":null}", "\u{FFFD}"]
                {
                    let result = page.interpret(&reader, 200, body.as_bytes(), &variables);
                    assert!(result.is_err(), "{} reads {body:?} as {result:?}", page.id);
                }
                for (status, reason) in
                    [(401, Reason::Auth), (403, Reason::Auth), (429, Reason::RateLimited), (503, Reason::HttpStatus)]
                {
                    let failure = page.interpret(&reader, status, b"<html>", &variables).unwrap_err();
                    assert_eq!(failure.reason, reason, "{} {status}", page.id);
                    assert_eq!(failure.retry == Retry::Soon, status == 429 || status == 503);
                }
            }
        }
        assert!(examples > 30, "{examples}");
        let whole: Vec<Page> = PAGES.iter().map(|text| Page { examples: Vec::new(), ..parse(text).unwrap() }).collect();
        assert_eq!(format!("{:?}", catalog()), format!("{whole:?}"), "only the examples may be missing");
    }
}
