//! The accounts of the config by what their vendors' mails have in common, so that a mail is shown with the account that it is about.
//!
//! This is never a guess: what several accounts have in common names none of them, a domain that many share names nobody, and a
//! service that is a small part of a large company is not taken for all of it.

use super::finding::{Role, ShownAmount};
use super::mail::Mail;
use crate::check::Amount;
use crate::check::account::Account;

/// Domains below which everybody can have a name of their own, so that one of them says nothing of another, and those of companies that
/// send bills for others.
const SHARED: [&str; 41] = [
    "aliyuncs.com",
    "amazonaws.com",
    "appspot.com",
    "azure-api.net",
    "azurewebsites.net",
    "azurefd.net",
    "cloudfront.net",
    "deno.dev",
    "fly.dev",
    "firebaseapp.com",
    "github.io",
    "gitbook.io",
    "gitlab.io",
    "googleapis.com",
    "herokuapp.com",
    "hf.space",
    "mintlify.app",
    "myqcloud.com",
    "netlify.app",
    "ngrok.app",
    "ngrok.io",
    "notion.site",
    "onrender.com",
    "pages.dev",
    "postman.co",
    "railway.app",
    "readme.io",
    "readthedocs.io",
    "render.com",
    "run.app",
    "stoplight.io",
    "supabase.co",
    "vercel.app",
    "web.app",
    "windows.net",
    "chargebee.com",
    "fastspring.com",
    "paddle.com",
    "paypal.com",
    "stripe.com",
    "workers.dev",
];
/// The second labels below which countries let names be registered.
const SECOND: [&str; 12] = ["ac", "co", "com", "edu", "gob", "gov", "go", "ne", "net", "nom", "or", "org"];

/// The accounts of a config, as their vendors' mails tell them apart.
#[derive(Clone, Default)]
pub(crate) struct Vendors(Vec<Vendor>);

/// One of them.
#[derive(Clone)]
struct Vendor {
    /// The account's name.
    name: String,
    /// How the mails are chosen that it is read from, if it is.
    account: Option<Account>,
    /// What the config says of the senders: addresses and domains, in lower case.
    senders: Vec<String>,
    /// The domains of the vendor: names of its machines or pages, without what everybody could share.
    sites: Vec<String>,
}

impl Vendors {
    /// Adds an account, with what its config says of the senders of its mails and the hosts of its vendor.
    pub(crate) fn add<'a>(
        &mut self,
        name: &str,
        account: Option<&Account>,
        senders: &[String],
        hosts: impl IntoIterator<Item = &'a str>,
    ) {
        let mut sites: Vec<String> = hosts.into_iter().filter_map(site_of_host).collect();
        sites.sort_unstable();
        sites.dedup();
        let account = account.filter(|account| account.letters().is_some()).cloned();
        self.0.push(Vendor { name: name.to_owned(), account, senders: senders.to_vec(), sites });
    }

    /// The account that a mail is about, if it can only be one: first by what the config says, else by the vendor's domain.
    pub(crate) fn account_of(&self, mail: &Mail) -> Option<&str> {
        let address = mail.address.as_deref()?;
        let said: Vec<&Vendor> = self.0.iter().filter(|vendor| vendor.is_said(mail, address)).collect();
        if let [first, more @ ..] = said.as_slice() {
            return more.is_empty().then_some(first.name.as_str());
        }
        let site = registered(domain(address))?;
        let mut ours = self.0.iter().filter(|vendor| vendor.sites.iter().any(|own| own == site));
        ours.next().filter(|_| ours.next().is_none()).map(|vendor| vendor.name.as_str())
    }

    /// The accounts that are read from mails and whose balance is what this mail tells, and nothing else of them: those that are
    /// read from it, and the one that it is about. `shown` is the amount that its alert would show.
    pub(crate) fn of_balance(&self, mail: &Mail, mailbox: &str, shown: Option<&ShownAmount>) -> Vec<String> {
        let is_left = shown.is_some_and(|shown| shown.role == Role::Left);
        let about = self.account_of(mail).filter(|_| is_left);
        let is_of = |vendor: &&Vendor| vendor.is_read(mail, mailbox, shown) || about == Some(vendor.name.as_str());
        let by_mail = self.0.iter().filter(|vendor| vendor.account.is_some());
        by_mail.filter(is_of).map(|vendor| vendor.name.clone()).collect()
    }
}

impl Vendor {
    /// Whether the config says that the mail is about it.
    fn is_said(&self, mail: &Mail, address: &str) -> bool {
        let is_sender = |sender: &String| match sender.trim_start_matches('@') {
            whole if whole.contains('@') => whole == address,
            domain_said => is_within(domain(address), domain_said),
        };
        self.senders.iter().any(is_sender)
            || self.account.as_ref().and_then(Account::letters).is_some_and(|letters| letters.has(mail))
    }

    /// Whether its balance is read from a mail of this mailbox. A mail whose alert would show another amount, such as that of a charge
    /// that failed, says more than the balance.
    fn is_read(&self, mail: &Mail, mailbox: &str, shown: Option<&ShownAmount>) -> bool {
        let Some(account) = &self.account else { return false };
        let is_one = account.letters().is_some_and(|letters| letters.mailbox == mailbox && letters.has(mail));
        let is_same = |balance: &Amount| {
            shown.is_none_or(|shown| shown.role == Role::Left || *balance == Amount::Of(shown.amount.value))
        };
        is_one && account.read_mail(mail).is_ok_and(|reading| is_same(&reading.amount))
    }
}

/// The part of an address behind its last `@`.
fn domain(address: &str) -> &str {
    address.rsplit('@').next().unwrap_or_default()
}

/// Whether a domain is another one or lies below it.
fn is_within(domain: &str, other: &str) -> bool {
    domain.strip_suffix(other).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

/// The domain that somebody has registered and that a domain lies in; none if everybody can have a name there.
fn registered(domain: &str) -> Option<&str> {
    let domain = domain.trim_end_matches('.');
    let is_label =
        |label: &str| !label.is_empty() && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    let mut labels = domain.rsplit('.');
    let (top, second) = (labels.next()?, labels.next()?);
    let is_name = domain.split('.').all(is_label) && top.bytes().any(|byte| byte.is_ascii_alphabetic());
    let length = match top.len() == 2 && SECOND.contains(&second) {
        true => top.len() + second.len() + labels.next()?.len() + 2,
        false => top.len() + second.len() + 1,
    };
    let own = &domain[domain.len() - length..];
    (is_name && !SHARED.contains(&own)).then_some(own)
}

/// The registered domain of a host that stands directly in it or one level below: what lies deeper is a part of something larger.
fn site_of_host(host: &str) -> Option<String> {
    let host = host.to_ascii_lowercase();
    let own = registered(&host)?;
    let below = host.trim_end_matches('.').strip_suffix(own)?.trim_end_matches('.');
    (!below.contains('.')).then(|| own.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::account::{Listed, catalog};
    use crate::check::mailbox::mail;

    #[test]
    fn a_host_has_the_domain_that_its_owner_has_registered() {
        for (host, want) in [
            ("api.deepseek.com", Some("deepseek.com")),
            ("deepseek.com", Some("deepseek.com")),
            ("Platform.OpenAI.com", Some("openai.com")),
            ("api.vendor.co.uk", Some("vendor.co.uk")),
            ("co.uk", None),
            ("open.vendor.com.cn", Some("vendor.com.cn")),
            // A part of something larger.
            ("console.aws.amazon.com", None),
            ("console.cloud.google.com", None),
            // Everybody can have a name there.
            ("me.github.io", None),
            ("billing.googleapis.com", None),
            ("vendor.vercel.app", None),
            ("127.0.0.1", None),
            ("localhost", None),
            ("", None),
            ("a..b", None),
        ] {
            assert_eq!(site_of_host(host).as_deref(), want, "{host}");
        }
    }

    fn letter(from: &str) -> Mail {
        mail::read(format!("From: {from}\r\nSubject: Low balance\r\n\r\nx\r\n").as_bytes())
    }

    #[test]
    fn a_mail_belongs_to_the_one_account_that_it_can_be_about() {
        let mut vendors = Vendors::default();
        vendors.add("DeepSeek", None, &[], ["api.deepseek.com", "platform.deepseek.com"]);
        vendors.add("First", None, &[], ["api.twice.com"]);
        vendors.add("Second", None, &[], ["api.twice.com"]);
        vendors.add(
            "Volc",
            None,
            &["notice.volcengine.com".into(), "pay@bytedance.example".into()],
            ["open.volcengineapi.com"],
        );
        vendors.add("Third", None, &["second@twice.com".into()], ["api.third.com"]);
        for (from, want) in [
            ("billing@deepseek.com", Some("DeepSeek")),
            ("\"DeepSeek\" <no-reply@mail.deepseek.com>", Some("DeepSeek")),
            ("<Billing@DeepSeek.COM>", Some("DeepSeek")),
            // The name is anybody's to choose.
            ("\"billing@deepseek.com\" <x@evil.example>", None),
            ("x@deepseek.com.evil.example", None),
            ("x@notdeepseek.com", None),
            // Two accounts: it may be about either.
            ("billing@twice.com", None),
            // What the config says goes before what a domain says.
            ("second@twice.com", Some("Third")),
            ("x@notice.volcengine.com", Some("Volc")),
            ("x@a.notice.volcengine.com", Some("Volc")),
            ("x@volcengine.com", None),
            ("pay@bytedance.example", Some("Volc")),
            ("other@bytedance.example", None),
            ("nobody", None),
            ("", None),
        ] {
            assert_eq!(vendors.account_of(&letter(from)), want, "{from}");
        }
    }

    /// No page of the catalogue leads to a domain where people of all sorts have their mail, or that is shared with strangers.
    #[test]
    fn no_vendor_of_the_catalogue_has_the_domain_of_others() {
        const OTHERS: [&str; 14] = [
            "163.com",
            "126.com",
            "amazon.com",
            "baidu.com",
            "feishu.cn",
            "gmail.com",
            "google.com",
            "hotmail.com",
            "microsoft.com",
            "notion.so",
            "outlook.com",
            "qq.com",
            "stripe.com",
            "yahoo.com",
        ];
        let mut wrong = Vec::new();
        for listed in catalog() {
            let Listed::Page(page) = listed else { continue };
            let hosts = page.vendor_hosts();
            wrong.extend(
                hosts
                    .iter()
                    .filter_map(|host| site_of_host(host))
                    .filter(|site| OTHERS.contains(&site.as_str()))
                    .map(|site| (page.id.clone(), site)),
            );
        }
        assert!(wrong.is_empty(), "{wrong:?}");
    }
}
