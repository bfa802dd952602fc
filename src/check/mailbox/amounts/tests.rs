use super::super::{html, mail, quotes};
use super::*;

/// The amount of a mail whose first line is the subject.
fn amount(text: &str) -> Option<Amount> {
    let (subject, body) = text.split_once('\n').unwrap_or((text, ""));
    shown(subject, body).map(|shown| shown.amount)
}

#[test]
fn amounts_are_read_as_they_are_written() {
    for (text, want, currency) in [
        ("余额：100.50 元", Some("100.5"), Some("CNY")),
        ("余额不足 余额：5元", Some("5"), Some("CNY")),
        ("x\n餘額不足　目前餘額 NT$5", Some("5"), Some("TWD")),
        ("x\n额度不足 可用额度：5元", Some("5"), Some("CNY")),
        ("x\n余额不足 100 元", None, None),
        ("当前金额: 200.00", Some("200"), None),
        ("当前余额 CNY 1000.00", Some("1000"), Some("CNY")),
        ("余额：1,234.56 元", Some("1234.56"), Some("CNY")),
        ("余额：　 66.60 元", Some("66.6"), Some("CNY")),
        ("余额：１２．５０元", Some("12.5"), Some("CNY")),
        ("余额为 -12.00 元", Some("-12"), Some("CNY")),
        ("余额仅剩 3 万元", Some("30000"), Some("CNY")),
        ("余额：,,, 元", None, None),
        ("请及时充值", None, None),
        ("您的可用额度为1.43元，已不足您设置的预警值5.00元", Some("1.43"), Some("CNY")),
        ("Your balance is $4.20", Some("4.2"), Some("USD")),
        ("Amount due: US$ 1,000", Some("1000"), Some("USD")),
        ("HK$20 left", Some("20"), Some("HKD")),
        ("12.50 EUR", Some("12.5"), Some("EUR")),
        ("余额：￥88.88", Some("88.88"), Some("CNY")),
        ("余额：99999999999999999999999999999999999 元", None, None),
        ("call 400-123-456", None, None),
    ] {
        let got = amount(text);
        assert_eq!(got.as_ref().map(|amount| amount.value.to_string()).as_deref(), want, "{text}");
        assert_eq!(got.and_then(|amount| amount.currency), currency, "{text}");
    }
}

/// `tests/amounts/mails.tsv` says how it is to be read.
#[test]
fn mails_name_one_amount_or_none_is_told() {
    let table = include_str!("../../../../tests/amounts/mails.tsv");
    let mut wrong = Vec::new();
    let mut rows = 0;
    for row in table.lines().filter(|line| !line.starts_with('#')) {
        let [value, currency, text] = row.splitn(3, '\t').collect::<Vec<_>>().try_into().unwrap();
        let got = amount(&text.replace("\\n", "\n"));
        let shown = got.as_ref().map(|got| (got.value.to_string(), got.currency.unwrap_or("-")));
        let wanted = (value.trim_end_matches('?').to_owned(), currency);
        let is_right = match &shown {
            None => value == "-" || value.ends_with('?'),
            Some(shown) => *shown == wanted,
        };
        if !is_right {
            wrong.push(format!("{text}: wanted {value} {currency}, got {shown:?}"));
        }
        rows += 1;
    }
    assert!(rows >= 120, "{rows}");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// `tests/amounts/mail_wordings.tsv` says what is told.
#[test]
fn an_amount_is_told_only_where_the_words_around_it_are_known() {
    let table = include_str!("../../../../tests/amounts/mail_wordings.tsv");
    let rows: Vec<&str> = table.lines().filter(|line| !line.starts_with('#')).collect();
    let wrong: Vec<String> = rows
        .iter()
        .filter_map(|row| {
            let [value, currency, text] = row.splitn(3, '\t').collect::<Vec<_>>().try_into().unwrap();
            let text = text.replace("\\n", "\n");
            let body = if text.starts_with('<') { html::shown(&text) } else { text.clone() };
            let body = quotes::without_quotes(&body);
            let got = amount(&format!("Low balance\n{body}"));
            let shown = got.map(|got| (got.value.to_string(), got.currency.unwrap_or("-")));
            let wanted = (value != "-").then(|| (value.to_owned(), currency));
            (shown != wanted).then(|| format!("{text}: wanted {wanted:?}, got {shown:?}"))
        })
        .collect();
    assert!(rows.len() > 200, "{}", rows.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_is_shown_says_what_it_is() {
    for (subject, body, want) in [
        ("Low balance", "Your balance of $3.20 is under $10. Add $50 or more.", Some(("3.2", Some("USD"), Role::Left))),
        (
            "Payment failed",
            "We could not charge $49.00 to your card. A fee of $5.00 may apply.",
            Some(("49", Some("USD"), Role::Charge)),
        ),
        (
            "Account 7",
            "Rack, May\t$980.00\nPower, May\t$241.59\nTotal outstanding\t$1,221.59\nReconnection fee: $80",
            Some(("1221.59", Some("USD"), Role::Owed)),
        ),
        (
            "Invoice 7",
            "May (HK$550) and April (HK$550) are both still unpaid, so HK$1,100 in all.",
            Some(("1100", Some("HKD"), Role::Owed)),
        ),
        // A table has the label and the value in one row, and the columns say what stands in them.
        (
            "對帳單",
            "發票\t金額\t已付\t結欠\nA-1\tNT$400\tNT$100\tNT$300\nA-2\tNT$200\tNT$0\tNT$200\n合計\t\t\tNT$500",
            Some(("500", Some("TWD"), Role::Owed)),
        ),
        (
            "余额提醒",
            "当前余额 12.30 元，低于预警值 100 元。建议充值 500 元以上。",
            Some(("12.3", Some("CNY"), Role::Left)),
        ),
        (
            "扣款结果",
            "金额\t￥199.00\n结果\t未成功\n原因\t账户余额（3.00 元）不足",
            Some(("199", Some("CNY"), Role::Charge)),
        ),
        ("短信包", "您的短信点数只剩 86 点，套餐 5000 点 300 元。", Some(("86", None, Role::Left))),
        ("欠费通知", "账户余额 -5,934.20 元，已欠费停机。", Some(("5934.2", Some("CNY"), Role::Owed))),
        // A price to renew at is no debt, a charge that will fail is none that has, and two debts are not clear.
        ("Your domain expires soon", "example.org\t2026-05-13\t$18.98 a year", None),
        ("域名到期提醒", "续费价：79 元/年，逾期将进入赎回期，赎回费 850 元。", None),
        ("Your card expires", "The card expires in May, so the charge of $96 on 9 June will fail.", None),
        ("Certificate ends", "A renewal order (2 years, USD 318.00) was opened, yet no payment has arrived.", None),
        ("憑證到期提醒", "續約申請已核准，惟尚未收到款項 HK$1,180，故無法簽發。", None),
        ("Cluster stopped", "The startup credits ($2,500.00, granted in 2025) have been used up.", None),
        ("Labels on hold", "Your postage wallet ($1,050.00) is separate and can't be used for adjustments.", None),
        ("Overdue", "$20.00 is overdue for May. $30.00 is overdue for June.", None),
    ] {
        let got = shown(subject, body);
        let got = got.map(|got| (got.amount.value.to_string(), got.amount.currency, got.role));
        let want = want.map(|(value, currency, role)| (value.to_owned(), currency, role));
        assert_eq!(got, want, "{subject}: {body}");
    }
}

/// What the half shows on which the words may be changed; the other half is measured by the bench.
#[test]
fn mails_that_may_be_tuned_on_show_what_they_are_about() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/mails/tune");
    let labels = std::fs::read_to_string(format!("{folder}/labels.tsv")).unwrap();
    let (mut right, mut wrong) = (0, Vec::new());
    for label in labels.lines() {
        let fields: Vec<&str> = label.split('\t').collect();
        let [name, _, "trouble", value, currency, ..] = fields.as_slice() else {
            continue;
        };
        let mail = mail::read(&std::fs::read(format!("{folder}/{name}.eml")).unwrap());
        let Some(got) = shown(&mail.subject, &mail.shown()) else {
            continue;
        };
        let is_value = value.parse().is_ok_and(|value: Decimal| value == got.amount.value);
        if is_value && got.amount.currency.unwrap_or("-") == *currency {
            right += 1;
        } else {
            wrong.push(format!("{name}: wanted {value} {currency}, got {got:?}"));
        }
    }
    assert!(right >= 160, "{right}");
    assert!(wrong.len() * 33 < right, "{}", wrong.join("\n"));
}

#[test]
fn hostile_text_comes_to_an_end() {
    let most = 256 * 1024;
    for piece in
        ["9", "9 ", "9,", "1 234 ", "$", "(", "-", "元", "US", "余额", "余额 1元 ", "9万", "HK$ 1 ", ".", "\u{a0}1"]
    {
        amount(&piece.repeat(most / piece.len()));
    }
}

#[test]
fn nothing_in_a_mail_can_break_the_reader() {
    let pieces = [
        "1",
        "23",
        "456",
        "1,234.56",
        ",",
        ".",
        "'",
        "’",
        " ",
        "\u{a0}",
        "\u{202f}",
        "\n",
        "$",
        "US$",
        "€",
        "元",
        "万",
        "千",
        "分",
        "kr",
        "USD",
        "k",
        "M",
        "CR",
        "-",
        "−",
        "(",
        ")",
        "JPY",
        "余额",
        "：",
        "，",
        "不足",
        "balance",
        "below",
        "of",
        "%",
        "/",
        "９",
        "．",
        "İ",
        "ß",
        "é",
        "\u{200b}",
        "💰",
        "和",
        "remaining",
        "日",
    ];
    let mut random = fastrand::Rng::with_seed(12);
    for _ in 0..20_000 {
        let text: String = (0..random.usize(1..14)).map(|_| pieces[random.usize(..pieces.len())]).collect();
        amount(&text);
        let _ = crate::model::amount::read(&text);
    }
}
