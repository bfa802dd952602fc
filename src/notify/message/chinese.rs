//! The sentences in Chinese.

use super::class::Class;
use super::digest;
use super::group::{Group, Members};
use super::language::Phrases;
use super::parts::{
    ExpiryParts, FailingParts, LapsingParts, LowParts, MailWords, Parts, RenewalParts, RunwayParts, SilentParts,
    SpikeParts, TopUpParts, Turn,
};
use super::templates::DigestWords;
use crate::model::alert::{Cause, Event, Level, Topic};
use crate::model::cadence::{Cadence, Every, Unit};
use crate::model::words::{BalanceType, CycleType};

pub(super) struct Chinese;

/// The words between the parts of a mail.
const MAIL: MailWords = MailWords {
    mail: "邮件 ",
    from: "，发件人 ",
    comma: "，",
    account: "账户：",
    service: "服务：",
    amount: "金额：",
    keywords: "依据：",
};

/// The templates of digests.
static DIGEST: DigestWords = DigestWords {
    titles: ["余额日报 {first}", "余额周报 {first} 至 {last}", "余额月报 {first} 至 {last}"],
    several: "余额报告",
    lists: [
        "最先用尽",
        "消耗最多",
        "变化最大",
        "未来 30 天的续费",
        "30 天内过期的额度",
        "无法读取",
        "全部账户",
        "没有币种的账户",
    ],
    sums: ["{currency}，1 个账户", "{currency}，{count} 个账户"],
    sum: "期初 {opening}，充值 {topped_up}，消耗 {consumed}，期末 {closing}",
    unread: "；另有 {count} 个账户在此期间未能读取",
    rows: [
        "{name}：余额 {amount}，预计可用至 {date}（{days} 天）",
        "{name}：{amount}",
        "{name}：日均 {amount}，此前为 {before}",
        "{name}：{date}（{days} 天后），{amount}",
        "{name}：{amount}，{date} 过期",
        "{name}：{word}，自 {date} 起",
        "在此期间没有读取到余额",
        "",
    ],
    renewals: ["{name}：自 {date} 起逾期，{amount}", "{name}：今天，{amount}"],
    never_read: "{name}：{word}",
    total: "合计：{amount}",
    more: "另有 {count} 项",
};

impl Phrases for Chinese {
    fn title(&self, counts: &[String]) -> String {
        format!("余额告警：{}", counts.join("，"))
    }

    fn numbered(&self, title: &str, number: usize, count: usize) -> String {
        format!("{title}（{number}/{count}）")
    }

    fn test(&self, text: &str) -> String {
        format!("测试：{text}")
    }

    fn class(&self, class: Class) -> &'static str {
        match class {
            Class::Raised(Topic::Low) => "个不足",
            Class::Warning => "个预警",
            Class::Raised(Topic::Failing) => "个读取失败",
            Class::Raised(Topic::Renewal) => "个即将续费",
            Class::Raised(Topic::Mail) => "封邮件",
            Class::Raised(Topic::Runway) => "个即将用尽",
            Class::Raised(Topic::Spike) => "个消耗突增",
            Class::Raised(Topic::Expiry) => "个额度将过期",
            Class::Raised(Topic::TopUp) => "个已充值",
            Class::Raised(Topic::Silent) => "个停止运行",
            Class::Raised(Topic::Digest) => "项报告",
            Class::Overdue => "个已逾期",
            Class::Ending => "个即将结束",
            Class::Recovered => "个恢复",
        }
    }

    fn owned(&self, name: &str, owner: &str) -> String {
        format!("{name}（{owner}）")
    }

    fn about(&self, name: &str, what: &str) -> String {
        format!("{name}：{what}")
    }

    fn footer(&self, source: &str, run: &str, key: &str) -> String {
        format!("来源：{source} · 运行 {run} · 编号 {key}")
    }

    fn cause(&self, cause: &Cause, parts: &Parts) -> String {
        match cause {
            Cause::Low(low) => self.low(&parts.low(low)),
            Cause::Failing(failing) => self.failing(&parts.failing(failing)),
            Cause::Renewal(renewal) => self.renewal(&parts.renewal(renewal)),
            Cause::Mail(mail) => parts.mail(mail, &MAIL),
            Cause::Runway(runway) => self.runway(&parts.runway(runway)),
            Cause::Spike(spike) => self.spike(&parts.spike(spike)),
            Cause::Expiry(expiry) => self.expiry(&parts.expiry(expiry)),
            Cause::TopUp(topup) => self.topup(&parts.topup(topup)),
            Cause::Silent(silent) => self.silent(&parts.silent(silent)),
            Cause::Digest(digest) => digest::text(self, &digest.part, parts.neutral),
        }
    }

    fn digest(&self) -> &'static DigestWords {
        &DIGEST
    }

    fn since(&self, since: &str) -> String {
        format!("（自 {since} 起）")
    }

    fn unconfirmed(&self, at: &str) -> String {
        format!("（{at} 的数据，目前无法读取）")
    }

    fn undelivered(&self, is_unsure: bool) -> &'static str {
        match is_unsure {
            true => "当时未能确认送达",
            false => "当时未能送达",
        }
    }

    fn was_low(&self, at: &str, balance: &str, threshold: &str, undelivered: &str) -> String {
        format!("；{at} 曾为 {balance}，低于 {threshold}，{undelivered}")
    }

    fn was_failing(&self, at: &str, why: &str, undelivered: &str) -> String {
        format!("；{at} 曾读取失败（{why}），{undelivered}")
    }

    fn group(&self, group: &Group) -> String {
        let count = group.count;
        let what = match group.members {
            Members::Accounts => "个账户",
            Members::Mailboxes => "个邮箱",
            Members::Both => "项检查",
        };
        let of = group.host.as_ref().map(|host| format!("{host} 的 ")).unwrap_or_default();
        let names = group.names.join("、");
        let names = if group.more > 0 { format!("{names} 等") } else { names };
        if group.event == Event::Resolved {
            return format!("{of}{count} {what}已恢复读取（{names}）");
        }
        let times = group.runs.map(|runs| format!("连续 {runs} 次")).unwrap_or_default();
        format!("{of}{count} {what}{times}读取失败：{}（{names}）", group.why)
    }

    fn told_in(&self, currency: Option<&str>) -> String {
        currency.map_or_else(|| "（此前告知时未注明币种）".to_owned(), |currency| format!("（此前以 {currency} 告知）"))
    }

    fn missed(&self, what: &str, at: &str, is_unsure: bool) -> String {
        format!("（{at} 为 {what}，{}）", self.undelivered(is_unsure))
    }
}

impl Chinese {
    fn kind(&self, kind: BalanceType) -> &'static str {
        match kind {
            BalanceType::Balance => "余额",
            BalanceType::Credits => "点数",
        }
    }

    fn silent(&self, parts: &SilentParts) -> String {
        let SilentParts { event, last, usual } = parts;
        match (event, usual) {
            (Event::Resolved, _) => "已恢复运行".to_owned(),
            (Event::Raised, None) => format!("自 {last} 起没有再运行"),
            (Event::Raised, Some(usual)) => format!("自 {last} 起没有再运行，此前间隔不超过 {usual}"),
        }
    }

    fn low(&self, parts: &LowParts) -> String {
        let LowParts { kind, balance, threshold, turn } = parts;
        let kind = self.kind(*kind);
        match turn {
            Turn::Below(level) => {
                let which = if *level == Level::Critical { "告警阈值" } else { "预警阈值" };
                format!("{kind} {balance}，低于{which} {threshold}")
            }
            Turn::Recovered => format!("{kind}已恢复到 {balance}，不低于阈值 {threshold}"),
            Turn::Lowered { before } => {
                format!("{kind} {balance}，不再低于阈值：阈值已从 {before} 下调到 {threshold}")
            }
            Turn::Incomparable { before, is_named } => {
                let why = match (before, is_named) {
                    (None, _) => "此前的告警未注明币种，可能并非同一币种".to_owned(),
                    (Some(before), true) => format!("此前的告警以 {before} 计，金额不作换算"),
                    (Some(before), false) => format!("此前的告警以 {before} 计，现在未注明币种"),
                };
                format!("{kind} {balance}，不低于阈值 {threshold}；但{why}")
            }
            Turn::Unlimited => format!("{kind}已不设上限"),
        }
    }

    fn runway(&self, parts: &RunwayParts) -> String {
        let RunwayParts { event, kind, balance, lasts, burn } = parts;
        let kind = self.kind(*kind);
        let Some(lasts) = lasts else {
            return match event {
                Event::Raised => format!("{kind} {balance}，即将用尽"),
                Event::Resolved => format!("{kind} {balance}，不再即将用尽"),
            };
        };
        let until = &lasts.until;
        let day = ["日", "一", "二", "三", "四", "五", "六"]
            .get(usize::from(until.weekday().to_sunday_zero_offset().unsigned_abs()))
            .map_or_else(String::new, |day| format!("（周{day}）"));
        let day = format!("{}月{}日{day}", until.month(), until.day());
        let range = match lasts.most {
            Some(most) if most == lasts.least => format!("{most} 天"),
            Some(most) => format!("{} 至 {most} 天", lasts.least),
            None => format!("至少 {} 天", lasts.least),
        };
        let burn = if burn.is_empty() { String::new() } else { format!("，日均消耗 {burn}") };
        match event {
            Event::Raised => format!("{kind} {balance}，预计可用至 {day}，还剩 {range}{burn}"),
            Event::Resolved => format!("{kind} {balance}，可用时间已延长，预计至 {day}，还剩 {range}{burn}"),
        }
    }

    fn spike(&self, parts: &SpikeParts) -> String {
        let SpikeParts { event, kind, balance, per_day, usual, times } = parts;
        let left = if balance.is_empty() { String::new() } else { format!("，{} {balance}", self.kind(*kind)) };
        match (event, per_day, times) {
            (Event::Raised, Some(per_day), Some(times)) => {
                format!("最近 24 小时日消耗 {per_day}，为平时（{usual}）的 {times} 倍{left}")
            }
            (Event::Raised, Some(per_day), None) => {
                format!("最近 24 小时日消耗 {per_day}，此前数日没有消耗{left}")
            }
            (Event::Raised, None, _) => format!("消耗远超平时{left}"),
            (Event::Resolved, Some(per_day), _) => format!("消耗已恢复平时水平，日消耗 {per_day}{left}"),
            (Event::Resolved, None, _) => format!("不再判断消耗是否突增{left}"),
        }
    }

    fn topup(&self, parts: &TopUpParts) -> String {
        let TopUpParts { kind, balance, amount, since, at } = parts;
        let by = if amount.is_empty() { String::new() } else { format!(" {amount}") };
        let left = if balance.is_empty() { String::new() } else { format!("，{} {balance}", self.kind(*kind)) };
        format!("已充值{by}（{since} 至 {at} 之间）{left}")
    }

    fn expiry(&self, parts: &ExpiryParts) -> String {
        let ExpiryParts { kind, balance, usual, credits } = parts;
        let credit = |credit: &LapsingParts| {
            let LapsingParts { name, remaining, unused, date, days, falls_below } = credit;
            let when = if *days == 0 { "一天之内".to_owned() } else { format!("{days} 天后") };
            let unused = if unused == remaining { "全部未使用".to_owned() } else { format!("{unused} 未使用") };
            let below = if falls_below.is_empty() {
                String::new()
            } else {
                format!("，账户将因此低于阈值 {falls_below}")
            };
            format!("赠金或额度{name} {remaining} 将于 {date}（{when}）过期，届时{unused}{below}")
        };
        let all: Vec<String> = credits.iter().map(credit).collect();
        let usual = if usual.is_empty() { String::new() } else { format!("；日均消耗 {usual}") };
        match all.as_slice() {
            [] => "有额度将在用完之前过期".to_owned(),
            all => format!("{}{usual}，{} {balance}", all.join("；"), self.kind(*kind)),
        }
    }

    fn failing(&self, parts: &FailingParts) -> String {
        match parts {
            FailingParts::Failing { runs, why } => format!("连续 {runs} 次读取失败：{why}"),
            FailingParts::Readable(Some((kind, balance))) => {
                format!("已恢复读取：{} {balance}", self.kind(*kind))
            }
            FailingParts::Readable(None) => "已恢复读取".to_owned(),
        }
    }

    fn renewal(&self, renewal: &RenewalParts) -> String {
        let RenewalParts { event, next, days, cycle, amount, is_unsure } = renewal;
        let amount = if amount.is_empty() { String::new() } else { format!("，{amount}") };
        let verb = if *cycle == Cadence::Once { "结束" } else { "续费" };
        let cycle = cadence(*cycle);
        match (event, days) {
            (Event::Resolved, _) => {
                format!("已于 {next} 到期{verb}，{}（{cycle}{amount}）", self.undelivered(*is_unsure))
            }
            (Event::Raised, i64::MIN..0) => {
                format!("应于 {next} 续费，已逾期 {} 天（{cycle}{amount}）", days.unsigned_abs())
            }
            (Event::Raised, 0) => format!("今天（{next}）{verb}（{cycle}{amount}）"),
            (Event::Raised, days) => format!("将于 {next} {verb}，还有 {days} 天（{cycle}{amount}）"),
        }
    }
}

/// How often a subscription renews.
pub(super) fn cadence(cadence: Cadence) -> String {
    match cadence {
        Cadence::Usual(CycleType::Weekly) => "每周".to_owned(),
        Cadence::Usual(CycleType::Monthly) => "每月".to_owned(),
        Cadence::Usual(CycleType::Quarterly) => "每季度".to_owned(),
        Cadence::Usual(CycleType::HalfYearly) => "每半年".to_owned(),
        Cadence::Usual(CycleType::Yearly) => "每年".to_owned(),
        Cadence::Once => "一次性".to_owned(),
        Cadence::Every(Every { count, unit }) => {
            let unit = match unit {
                Unit::Day => "天",
                Unit::Week => "周",
                Unit::Month => "个月",
                Unit::Year => "年",
            };
            format!("每 {count} {unit}")
        }
    }
}
