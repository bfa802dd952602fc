//! Makes the request of a message as its page says: body, address, headers, signature, and what the service counts of it.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::value::RawValue;
use url::Url;
use url::form_urlencoded::Serializer;

use super::document::{Audience, Document, condition, own_condition};
use super::page::{Format, Per, RequestSpec, Unit};
use super::prepared::{Measure, Prepared};
use super::sign::Unsigned;
use super::values::Values;
use crate::model::alert::{Alert, Event};
use crate::model::failure::{Failure, Reason};
use crate::notify::message::{Message, clipped};
use crate::page;
use crate::page::expression::{Expression, Shape, Variables, parse_json};
use crate::process::redact;
use crate::wire::auth::{self, Pair};
use crate::wire::http;

/// How long the texts of one alert may be that is too large otherwise, in characters, from try to try.
const CLIPPED: [usize; 4] = [80, 40, 20, 8];

/// One message, encoded.
#[derive(Debug)]
pub(crate) struct Post {
    /// How it is sent.
    pub method: http::Method,
    /// Where to; none is standard error or a command.
    pub url: Option<Url>,
    /// Headers beside those that every message has.
    pub headers: Vec<Pair>,
    /// What the body is.
    pub content_type: &'static str,
    /// What.
    pub body: String,
    /// The same for whoever looks on, if the body holds secrets of the channel, such as the name of a topic.
    masked: Option<String>,
    /// What the service counts of it, and the most that it takes of that.
    pub sizes: Vec<(usize, usize)>,
}

/// What a channel makes messages of.
pub(crate) struct Sender<'a> {
    /// The page.
    pub prepared: &'a Prepared,
    /// What the channel sets of its fields.
    pub values: &'a Values,
    /// The sender that messages name.
    pub source: &'a str,
    /// Who is mentioned if something is critical.
    pub mentions: &'a [String],
    /// A body of the channel's own.
    pub body: Option<&'a Expression>,
    /// Headers of the channel's own.
    pub headers: &'a [Pair],
}

impl Sender<'_> {
    /// Encodes alerts of a message, signed for this moment. One alert that is too large for a message of the service is told with
    /// shorter texts.
    ///
    /// # Errors
    /// The page cannot be used: one of its expressions is wrong or fails, or the address is none.
    pub(crate) fn post(&self, message: &Message, alerts: &[Alert], now: Timestamp) -> Result<Post, Failure> {
        let mut post = self.encoded(message, alerts, now)?;
        for most in CLIPPED {
            if alerts.len() != 1 && !self.are_one(alerts) || post.is_within() {
                break;
            }
            let clipped: Vec<Alert> = alerts.iter().map(|alert| clipped(alert, most)).collect();
            post = self.encoded(message, &clipped, now)?;
        }
        Ok(post)
    }

    fn encoded(&self, message: &Message, alerts: &[Alert], now: Timestamp) -> Result<Post, Failure> {
        let page = &self.prepared.page;
        let made = self.made(message, alerts, now)?;
        let key = message.dedup_key(alerts);
        let of = if page.per == Per::Alert { condition } else { own_condition };
        let condition = alerts.first().map(of).unwrap_or_default();
        let uuid = self.values.uuid(&key);
        let own = [("key", key.as_str()), ("condition", condition.as_str()), ("uuid", uuid.as_str())];
        let is_over = alerts.iter().all(|alert| alert.event == Event::Resolved);
        let spec = page.resolve.as_ref().filter(|_| is_over).unwrap_or(&page.request);
        let mut url = self.address(spec, &own)?;
        let mut body = self.written(spec, &made, |text| self.values.fill(text, &own))?;
        let masked = self.written(spec, &made, |text| self.values.fill_masked(text, &own, redact::MASK))?;
        let mut masked = Some(masked).filter(|masked| *masked != body);
        if let (Some(scheme), Some(secret)) = (page.sign, self.values.get("secret")) {
            if let Some(body) = &mut masked {
                scheme.sign(&mut Unsigned { url: &mut url.clone(), body }, secret, now);
            }
            scheme.sign(&mut Unsigned { url: &mut url, body: &mut body }, secret, now);
        }
        let measures = self.prepared.limits().map_err(unusable)?;
        let sizes = measures.iter().map(|measure| Ok((counted(measure, &made, &body)?, measure.limit.most)));
        Ok(Post {
            method: match spec.method {
                super::page::Method::Post => http::Method::POST,
                super::page::Method::Put => http::Method::PUT,
            },
            url: Some(url),
            headers: self.headers(spec, &own),
            content_type: match spec.format {
                Format::Json => "application/json; charset=utf-8",
                Format::Form => "application/x-www-form-urlencoded",
                Format::Text => "text/plain; charset=utf-8",
            },
            sizes: sizes.collect::<Result<_, Failure>>()?,
            body,
            masked,
        })
    }

    /// Whether these alerts may stand in one message, and fit it.
    pub(crate) fn fits(&self, message: &Message, alerts: &[Alert]) -> bool {
        let page = &self.prepared.page;
        let most = match page.per {
            Per::Alert if !self.are_one(alerts) => 1,
            Per::Alert => usize::MAX,
            Per::Message => page.alerts.unwrap_or(usize::MAX),
        };
        let section = |alert: &Alert| self.section(alert);
        alerts.len() <= most
            && alerts.windows(2).all(|pair| section(&pair[0]) == section(&pair[1]))
            && self.post(message, alerts, Timestamp::UNIX_EPOCH).is_ok_and(|post| post.is_within())
    }

    /// Whether alerts are one event for a service that counts them: they begin or end one condition.
    fn are_one(&self, alerts: &[Alert]) -> bool {
        let is_alike = |pair: &[Alert]| pair[0].event == pair[1].event && condition(&pair[0]) == condition(&pair[1]);
        self.prepared.page.per == Per::Alert && alerts.windows(2).all(is_alike)
    }

    /// The section of an alert: alerts of two sections never stand in one message. A body of the channel's own holds any.
    pub(crate) fn section(&self, alert: &Alert) -> usize {
        let apart = self.prepared.page.apart.iter().position(|topic| *topic == alert.topic());
        apart.filter(|_| self.body.is_none()).map_or(0, |at| at + 1)
    }

    /// What the body expression gives, as JSON.
    fn made(&self, message: &Message, alerts: &[Alert], now: Timestamp) -> Result<String, Failure> {
        let page = &self.prepared.page;
        let audience = Audience {
            is_event_service: page.per == Per::Alert,
            markup: page.markup,
            source: self.source,
            fields: self.values.public(),
            mentions: self.mentions,
            sent_at: now.as_second(),
        };
        let document = Document::new(message, alerts, &audience);
        // Texts, numbers and lists only: this cannot fail.
        let document = serde_json::to_string(&document).unwrap_or_default();
        let expression = match self.body {
            Some(body) => body,
            None => self.prepared.body().map_err(unusable)?,
        };
        let make = || {
            let document = parse_json(document.as_bytes())?;
            let made = expression.made(&document, &Variables::new(None, &BTreeMap::new()));
            made.map_err(|why| why.to_string())?.ok_or_else(|| "the expression gives nothing".to_owned())
        };
        let made = page::evaluate(document.as_bytes(), make).map_err(|stop| stop.to_string()).flatten();
        made.map_err(|why| unusable(format!("its `body` fails: {why}")))
    }

    /// Where the message goes.
    fn address(&self, spec: &RequestSpec, own: &[(&str, &str)]) -> Result<Url, Failure> {
        let address = self.values.address(&spec.url, own);
        let address = address.and_then(|address| Url::parse(&address).ok());
        let mut url = address.ok_or_else(|| unusable("the address cannot be made of its fields".to_owned()))?;
        let pairs = spec.query.iter().filter_map(|(name, text)| Some((name, self.values.fill(text, own)?)));
        let pairs: Vec<(&String, String)> = pairs.collect();
        if !pairs.is_empty() {
            url.query_pairs_mut().extend_pairs(pairs);
        }
        Ok(url)
    }

    fn headers(&self, spec: &RequestSpec, own: &[(&str, &str)]) -> Vec<Pair> {
        let named = |(name, text): (&String, &String)| Some((name.clone(), self.values.fill(text, own)?.into()));
        let basic = spec.basic.as_ref().and_then(|basic| {
            let login = auth::basic(&self.values.fill(&basic.user, own)?, &self.values.fill(&basic.password, own)?);
            Some(("Authorization".to_owned(), format!("Basic {login}").into()))
        });
        spec.headers.iter().filter_map(named).chain(basic).chain(self.headers.iter().cloned()).collect()
    }

    /// The body as it is sent.
    fn written(
        &self,
        spec: &RequestSpec,
        made: &str,
        fill: impl Fn(&str) -> Option<String>,
    ) -> Result<String, Failure> {
        let added = spec.add.iter().filter_map(|(name, text)| Some((name.as_str(), fill(text)?)));
        let json = |text: &str| serde_json::to_string(text).unwrap_or_default();
        match spec.format {
            Format::Json => {
                let added: Vec<String> = added.map(|(name, text)| format!("{}:{}", json(name), json(&text))).collect();
                if added.is_empty() {
                    return Ok(made.to_owned());
                }
                let open = made.strip_prefix('{').and_then(|made| made.strip_suffix('}'));
                let open = open.ok_or_else(|| unusable("its `body` is no object, so nothing is added".to_owned()))?;
                let comma = if open.is_empty() { "" } else { "," };
                Ok(format!("{{{open}{comma}{}}}", added.join(",")))
            }
            Format::Form => {
                let fields: BTreeMap<String, Box<RawValue>> = serde_json::from_str(made)
                    .map_err(|_| unusable("its `body` is no object, as a form needs it".to_owned()))?;
                let plain = |value: &RawValue| match serde_json::from_str::<String>(value.get()) {
                    Ok(text) => Some(text),
                    Err(_) => Some(value.get().to_owned()).filter(|text| text != "null"),
                };
                let fields = fields.iter().filter_map(|(name, value)| Some((name.as_str(), plain(value)?)));
                Ok(Serializer::new(String::new()).extend_pairs(fields.chain(added)).finish())
            }
            Format::Text => serde_json::from_str(made).map_err(|_| unusable("its `body` is no text".to_owned())),
        }
    }
}

impl Post {
    /// What is written on standard error, or given to a command.
    pub(super) fn without_address(body: String) -> Post {
        Post {
            method: http::Method::POST,
            url: None,
            headers: Vec::new(),
            content_type: "",
            body,
            masked: None,
            sizes: Vec::new(),
        }
    }

    /// The body for whoever looks on.
    pub(crate) fn shown(&self) -> &str {
        self.masked.as_deref().unwrap_or(&self.body)
    }

    /// Whether the service takes as much.
    pub(crate) fn is_within(&self) -> bool {
        self.sizes.iter().all(|(size, most)| size <= most)
    }
}

/// How much of what a limit counts a body has.
fn counted(measure: &Measure, made: &str, body: &str) -> Result<usize, Failure> {
    let unit: Unit = measure.limit.unit;
    let Some(of) = &measure.of else {
        return Ok(unit.count(body));
    };
    let count = || {
        let made = parse_json(made.as_bytes())?;
        match of.run(&made, &Variables::new(None, &BTreeMap::new())).map_err(|why| why.to_string())? {
            Some(Shape::Text(text)) => Ok(unit.count(&text)),
            Some(Shape::Number(number)) => number.parse().map_err(|_| "`of` gives no whole number".to_owned()),
            None | Some(Shape::Null | Shape::Missing(_)) => Ok(0),
            Some(_) => Err("`of` gives neither a text nor a number".to_owned()),
        }
    };
    let count = page::evaluate(made.as_bytes(), count).map_err(|stop| stop.to_string()).flatten();
    count.map_err(|why| unusable(format!("one of its `limits` fails: {why}")))
}

/// That the page of a channel cannot be used.
fn unusable(why: String) -> Failure {
    Failure::new(Reason::Config, format!("the page of the channel cannot be used: {why}"))
}
