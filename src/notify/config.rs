//! What a config says of channels.

use std::sync::Arc;

use secrecy::SecretString;
use url::Url;

use crate::model::words::words;
use crate::page::expression::Expression;
use crate::wire::auth::Login;
use crate::wire::limit::Limit;

words! {
    /// The services that alerts can be sent to.
    #[derive(Default)]
    pub enum ChannelKind {
        /// Feishu / Lark custom robot
        Feishu = "feishu",
        /// DingTalk custom robot
        Dingtalk = "dingtalk",
        /// WeCom group robot
        Wecom = "wecom",
        /// JSON to an address of your own
        #[default]
        Custom = "custom",
        /// Text on standard error
        Console = "console",
    }
}

/// A channel that alerts go to.
#[derive(Clone)]
pub struct Channel {
    /// Names it across runs: its own name, or else its type, with a hash of its address where there are several of these.
    pub id: String,
    /// The name in reports.
    pub name: String,
    /// The service.
    pub kind: ChannelKind,
    /// The address; none for the console, or if the channel is broken.
    pub url: Option<Url>,
    /// The signing secret.
    pub secret: Option<SecretString>,
    /// Who sends.
    pub login: Option<Login>,
    /// How many messages it takes.
    pub limit: Option<Limit>,
    /// The sender named in messages.
    pub source: String,
    /// For a custom channel: what in an answer says that the message was taken.
    pub accept: Option<Arc<Expression>>,
    /// Whether it hears that an alert is over.
    pub send_resolved: bool,
    /// Whether what proves who sends may travel in the clear.
    pub allow_insecure: bool,
    /// Why nothing can be sent through it.
    pub broken: Option<String>,
}

impl Channel {
    /// What a body is signed with; the robots of chat services have signatures of their own.
    pub fn body_secret(&self) -> Option<&SecretString> {
        self.secret.as_ref().filter(|_| self.kind == ChannelKind::Custom)
    }
}
