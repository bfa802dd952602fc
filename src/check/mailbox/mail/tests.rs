use base64::Engine;

use super::headers::{MOST_HEADER, MOST_PARAMETERS};
use super::*;

fn mail(headers: &str, body: &str) -> Mail {
    read(format!("From: Billing <b@x.example>\r\nMessage-ID: <1@x>\r\n{headers}\r\n\r\n{body}").as_bytes())
}

fn words(mail: &Mail) -> String {
    mail.text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn bodies_are_read_whatever_their_form() {
    let utf8 = "5oKo55qE6LSm5oi35L2Z6aKd5LiN6Laz77yM6K+35Y+K5pe25YWF5YC844CC5L2Z6aKd77yaMTIuNTDlhYM=";
    let gbk = "xPq1xNXLu6fT4LbusrvX46Osx+u8sMqxs+TWtaGj0+C27qO6ODguODjUqg==";
    for (headers, body, want) in [
        (
            "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64",
            utf8,
            "您的账户余额不足，请及时充值。余额：12.50元",
        ),
        (
            "Content-Type: text/plain; charset=gb2312\r\nContent-Transfer-Encoding: base64",
            gbk,
            "您的账户余额不足，请及时充值。余额：88.88元",
        ),
        (
            "Content-Type: text/plain\r\nContent-Transfer-Encoding: base64",
            gbk,
            "您的账户余额不足，请及时充值。余额：88.88元",
        ),
        (
            "Content-Type: text/plain; charset=us-ascii\r\nContent-Transfer-Encoding: base64",
            gbk,
            "您的账户余额不足，请及时充值。余额：88.88元",
        ),
        (
            "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable",
            "=E4=BD=99=E9=A2=9D=EF=BC=9A12.50=E5=85=83",
            "余额：12.50元",
        ),
        (
            "Content-Type: text/html; charset=utf-8",
            "<p>余额<b>不足</b></p><td>100</td><td>200</td>",
            "余额不足 100 200",
        ),
        (
            "Content-Type: multipart/alternative; boundary=b",
            "--b\r\nContent-Type: text/plain\r\n\r\nplain\r\n--b\r\nContent-Type: text/html\r\n\r\n<i>ht</i>ml\r\n--b--\r\n",
            "plain html",
        ),
        // Attachments are not read, forwarded mails are.
        (
            "Content-Type: multipart/mixed; boundary=b",
            "--b\r\n\r\nx\r\n--b\r\nContent-Type: text/plain\r\nContent-Disposition: attachment; filename=a.txt\r\n\r\n欠费\r\n--b--\r\n",
            "x",
        ),
        (
            "Content-Type: multipart/mixed; boundary=b",
            "--b\r\n\r\nfyi\r\n--b\r\nContent-Type: message/rfc822\r\n\r\nSubject: inner\r\n\r\n欠费\r\n--b--\r\n",
            "fyi inner 欠费",
        ),
        // Cut off by a partial fetch.
        (
            "Content-Type: multipart/mixed; boundary=\"b\"",
            "--b\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n5L2Z6aKd5LiN6Laz",
            "余额不足",
        ),
        ("", "", ""),
        ("Content-Type: multipart/mixed", "no boundary 欠费", "no boundary 欠费"),
    ] {
        assert_eq!(words(&mail(headers, body)), want, "{headers}");
    }
}

/// Attachments are recognised at the top of a mail and inside its parts.
#[test]
fn files_are_not_read_wherever_they_stand() {
    let written = [
        "Content-Type: text/plain",
        "Content-Type: TEXT/HTML; charset=utf-8",
        "Content-Type: text/markdown",
        "Content-Type: text/plain charset=utf-8",
        "Content-Type: text/plain (a comment)",
        "Content-Type: text/plain\r\nContent-Disposition: inline; filename=body.txt",
        "Content-Type: text/plain; name=body.txt",
        "Content-Type: text/plain\r\nContent-Disposition:",
        // No types at all.
        "Content-Type: text",
        "Content-Type: html",
        "Content-Type:",
        "X-Other: 1",
    ];
    let files = [
        "Content-Type: text/xml",
        "Content-Type: text/csv; charset=utf-8",
        "Content-Type: text/calendar; method=REQUEST",
        "Content-Type: Text/RFC822-Headers",
        "Content-Type: text/x-vcard",
        "Content-Type: text/css",
        "Content-Type: text/tab-separated-values",
        "Content-Type: application/json",
        "Content-Type: application/xml",
        "Content-Type: application/pdf",
        "Content-Type: application/octet-stream",
        "Content-Type: image/svg+xml",
        "Content-Type: message/delivery-status",
        "Content-Type: message/feedback-report",
        "Content-Type: x-unknown/x-unknown",
        "Content-Type: text/plain\r\nContent-Disposition: attachment",
        "Content-Type: text/plain\r\nContent-Disposition: ATTACHMENT; filename=a.txt",
        "Content-Type: text/html\r\nContent-Disposition: attachment (a comment)",
        "Content-Disposition: attachment",
        "Content-Type: text/plain\r\nContent-Disposition: x-unknown",
        "Content-Type: multipart/mixed\r\nContent-Disposition: attachment",
    ];
    let cases = written.iter().map(|headers| (headers, true)).chain(files.iter().map(|headers| (headers, false)));
    for (headers, is_read) in cases {
        let alone = words(&mail(headers, "欠费"));
        assert_eq!(alone.contains("欠费"), is_read, "{headers}: {alone}");
        let part = format!("--b\r\n\r\nx\r\n--b\r\n{headers}\r\n\r\n欠费\r\n--b--\r\n");
        let in_list = words(&mail("Content-Type: multipart/mixed; boundary=b", &part));
        assert_eq!(in_list.contains("欠费"), is_read, "{headers}: {in_list}");
        let in_mail = words(&mail("Content-Type: message/rfc822", &format!("{headers}\r\n\r\n欠费")));
        assert_eq!(in_mail.contains("欠费"), is_read, "{headers}: {in_mail}");
        let whole = format!("Content-Type: multipart/mixed; boundary=b\r\n\r\n{part}");
        let encoded = base64::engine::general_purpose::STANDARD.encode(whole);
        let in_base64 = words(&mail("Content-Type: message/rfc822\r\nContent-Transfer-Encoding: base64", &encoded));
        assert_eq!(in_base64.contains("欠费"), is_read, "{headers}: {in_base64}");
    }
    for (headers, body, want) in [
        // An abuse report: only its first part speaks, not the mail that it is about.
        (
            "Content-Type: multipart/report; report-type=feedback-report; boundary=b",
            "--b\r\n\r\nabuse\r\n--b\r\nContent-Type: message/feedback-report\r\n\r\nFeedback-Type: abuse\r\n--b\r\n\
             Content-Type: text/rfc822-headers\r\n\r\nSubject: overdue\r\n--b--\r\n",
            "abuse",
        ),
        (
            "Content-Type: multipart/report; report-type=delivery-status; boundary=b",
            "--b\r\n\r\nnot delivered\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\nStatus: 5.1.1\r\n--b\r\n\
             Content-Type: message/rfc822\r\n\r\nSubject: overdue\r\n\r\n欠费\r\n--b--\r\n",
            "not delivered",
        ),
        // A forwarded mail is read, whatever the mail program calls it.
        (
            "Content-Type: multipart/mixed; boundary=b",
            "--b\r\n\r\nfyi\r\n--b\r\nContent-Type: message/rfc822\r\nContent-Disposition: attachment\r\n\r\n\
             Subject: inner\r\n\r\n欠费\r\n--b--\r\n",
            "fyi inner 欠费",
        ),
        ("Content-Type: multipart/digest; boundary=b", "--b\r\n\r\nSubject: one\r\n\r\n欠费\r\n--b--", "one 欠费"),
        // Two pieces of base64 in one, and quoted-printable that is none.
        ("Content-Transfer-Encoding: base64", "5L2Z6aKd\r\n5LiN6LazIQ==\r\nIQ==", "余额不足!!"),
        ("Content-Transfer-Encoding: quoted-printable", "a=3Db= \r\nc =zz =", "a=bc =zz ="),
        ("Content-Transfer-Encoding: Base64 (x)", "5qyg6LS5", "欠费"),
        // A list that no line begins, one that ends early, and what stands around it.
        ("Content-Type: multipart/mixed; boundary=b", "欠费", "欠费"),
        (
            "Content-Type: multipart/mixed; boundary=b",
            "before\n--b \n\none\n--bb\n--b--\nafter\n--b\n\ntwo",
            "one --bb",
        ),
    ] {
        assert_eq!(words(&mail(headers, body)), want, "{headers}");
    }
}

#[test]
fn what_is_read_of_a_mail_is_bounded() {
    let part = |n: usize| format!("--b\r\n\r\nword{n}\r\n");
    let parts = mail("Content-Type: multipart/mixed; boundary=b", &(1..=2 * MOST_PARTS).map(part).collect::<String>());
    // The mail itself is the first.
    assert_eq!(words(&parts).split(' ').count(), MOST_PARTS - 1);
    let lists = |depth: usize| {
        let lists = (0..depth).map(|n| format!("Content-Type: multipart/mixed; boundary=b{n}\r\n\r\n--b{n}\r\n"));
        format!("{}\r\n欠费", lists.collect::<String>())
    };
    let forwarded = |depth: usize| format!("{}\r\n欠费", "Content-Type: message/rfc822\r\n\r\n".repeat(depth));
    let encoded = |depth: usize| {
        (0..depth).fold("\r\n欠费".to_owned(), |inner, _| {
            let inner = base64::engine::general_purpose::STANDARD.encode(inner);
            format!("Content-Type: message/rfc822\r\nContent-Transfer-Encoding: base64\r\n\r\n{inner}")
        })
    };
    let shapes: [&dyn Fn(usize) -> String; 3] = [&lists, &forwarded, &encoded];
    for nested in shapes {
        assert!(read(nested(DEEPEST).as_bytes()).text.contains("欠费"));
        assert!(!read(nested(DEEPEST + 1).as_bytes()).text.contains("欠费"));
    }
    let header = |length: usize| {
        let subject = format!("Subject: {}欠费", "a".repeat(length - 7));
        read(format!("Content-Type: message/rfc822\r\n\r\n{subject}\r\n\r\nx").as_bytes()).text
    };
    assert!(header(MOST_HEADER).contains("欠费") && !header(MOST_HEADER + 7).contains("欠费"));
    let kind = |length: usize| format!("Content-Type: text/plain; x=\"{}\"; charset=gbk", "a".repeat(length));
    let gbk = |headers: &str| read(&[headers.as_bytes(), b"\r\n\r\n\xc3\xa9"].concat()).text;
    assert_eq!(gbk(&kind(10)), "茅\n");
    // Without the charset it is valid UTF-8.
    assert_eq!(gbk(&kind(MOST_PARAMETERS)), "é\n");
    let long = "字".repeat(MOST_TEXT);
    assert!((MOST_TEXT - 10..=MOST_TEXT).contains(&mail("Subject: x", &long).text.len()));
    let both = format!("--b\r\n\r\n{long}\r\n").repeat(3);
    assert!(mail("Content-Type: multipart/mixed; boundary=b", &both).text.len() <= MOST_TEXT);
}

#[test]
fn only_the_words_of_the_sender_are_read() {
    let html = "Content-Type: text/html; charset=utf-8";
    for (headers, body, text, shown) in [
        ("Subject: Re: x", "a\r\n> b\r\n", "a", "a"),
        ("Subject: Re: x", "a\r\n-----Original Message-----\r\nb", "a", "a"),
        // What somebody forwards is read, as the mail's subject says it or a line in it.
        ("Subject: Fwd: x", "a\r\n> b", "a b", "a b"),
        ("Subject: WG: x", "a\r\nVon: c\r\nGesendet: d\r\n\r\nb", "a Von: c Gesendet: d b", "a Von: c Gesendet: d b"),
        // A mail that is nothing but a quotation may be forwarded, or not: it is noticed, and no amount is told.
        ("Subject: x", "> b\r\n> c", "b c", ""),
        ("Subject: x", "-----Original Message-----\r\nb", "-----Original Message----- b", ""),
        (html, "a<blockquote>b</blockquote>", "a", "a"),
        (html, "<blockquote>b</blockquote>", "b", ""),
        (html, "a<p hidden>b</p><p style='display:none'>c</p>", "a b c", "a"),
        ("Content-Type: message/rfc822", "Subject: Re: x\r\n\r\na\r\n> b", "Re: x a", "Re: x a"),
    ] {
        let mail = mail(headers, body);
        let bare = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!((bare(&mail.text).as_str(), bare(&mail.shown()).as_str()), (text, shown), "{headers}: {body}");
    }
}

/// Who answers a bill with a few words that point to it forwards it, and says nothing of what it says.
#[test]
fn what_somebody_only_points_to_is_read() {
    let quoted =
        "On Mon, 2 Nov 2026, Vendor <billing@vendor.example> wrote:\r\n> Your invoice of $20.00 is overdue.\r\n";
    for (own, is_read) in [
        ("Dana, scroll down, there is money in it after all.", true),
        ("Can you see what they want? O.", true),
        ("Bitte prüfen, danke", true),
        ("财务，看一下", true),
        ("Paid this morning, thanks!", false),
        ("Hi Anna:\r\nit has arrived.", false),
        ("", true),
    ] {
        let mail =
            mail("Subject: Re: invoice\r\nContent-Type: text/plain; charset=utf-8", &format!("{own}\r\n\r\n{quoted}"));
        assert_eq!(mail.text.contains("overdue"), is_read, "{own}: {}", mail.text);
        assert!(!mail.shown().contains("20.00"), "{own}: {}", mail.shown());
    }
    // Whoever writes more than that speaks himself.
    let long = format!("Please have a look. {}", "We have settled all of this with them. ".repeat(5));
    let mail = mail("Subject: Re: invoice", &format!("{long}\r\n\r\n{quoted}"));
    assert!(!mail.text.contains("overdue"), "{}", mail.text);
}

#[test]
fn a_mail_is_known_by_its_id_or_by_what_it_says() {
    assert_eq!(mail("Subject: x", "y").id, mail("Subject: x", "another text").id);
    // One Message-ID does not make two mails one.
    for (other, what) in [
        ("From: Billing <b@x.example>\r\nMessage-ID: <1@x>\r\nSubject: z", "subject"),
        ("From: Other <o@x.example>\r\nMessage-ID: <1@x>\r\nSubject: x", "sender"),
        (
            "From: Billing <b@x.example>\r\nMessage-ID: <1@x>\r\nSubject: x\r\nDate: Mon, 1 Sep 2026 10:00:00 +0800",
            "date",
        ),
        ("From: Billing <b@x.example>\r\nMessage-ID: <2@x>\r\nSubject: x", "id"),
    ] {
        assert_ne!(mail("Subject: x", "y").id, read(format!("{other}\r\n\r\ny").as_bytes()).id, "{what}");
    }
    let without = |date: &str| read(format!("Date: {date}\r\nSubject: x\r\n\r\ny").as_bytes()).id;
    assert_eq!(without("Mon, 01 Sep 2026 10:00:00 +0800"), without("Mon, 01 Sep 2026 10:00:00 +0800"));
    assert_ne!(without("Mon, 01 Sep 2026 10:00:00 +0800"), without("Tue, 02 Sep 2026 10:00:00 +0800"));
    let dated = read(b"Date: Tue, 01 Sep 2026 10:00:00 +0800\r\n\r\n");
    assert_eq!(dated.date, Some("2026-09-01T02:00:00Z".parse().unwrap()));
}

#[test]
fn nothing_a_mail_holds_can_harm() {
    let nested = (0..2000).map(|n| format!("--b{n}\r\nContent-Type: multipart/mixed; boundary=b{}\r\n\r\n", n + 1));
    let nested = format!("Content-Type: multipart/mixed; boundary=b0\r\n\r\n{}", nested.collect::<String>());
    let forwarded = "Content-Type: message/rfc822\r\n\r\n".repeat(2000);
    for raw in [
        Vec::new(),
        b"\r\n".to_vec(),
        vec![0; 100_000],
        vec![0xff; 100_000],
        nested.into_bytes(),
        forwarded.into_bytes(),
        format!("Subject: {}\r\n\r\nx", "=?utf-8?B?".repeat(20_000)).into_bytes(),
        format!("Subject: {}\r\n\r\nx", "a".repeat(1_000_000)).into_bytes(),
        b"Subject: x\x1b[31m\x00\r\n y\r\n\r\n".to_vec(),
    ] {
        let mail = read(&raw);
        assert!(mail.text.len() <= MOST_TEXT);
        assert!(mail.subject.chars().count() <= SUBJECT_CHARS);
        assert!(!mail.subject.contains(['\n', '\u{1b}', '\0']));
    }
    // Cut anywhere, and turned anywhere.
    let whole = "Subject: =?gbk?B?0+C2?= =?gbk?B?7rK71+PM4dDR?=\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\
                 Content-Type: text/html; charset=gbk\r\nContent-Transfer-Encoding: base64\r\n\r\nxPq1xNXLu6fT4Lbu\r\n--b--\r\n";
    let mut random = fastrand::Rng::with_seed(7);
    for end in 0..whole.len() {
        read(&whole.as_bytes()[..end]);
        let mut bytes = whole.as_bytes().to_vec();
        for _ in 0..3 {
            let at = random.usize(..bytes.len());
            bytes[at] = random.u8(..);
        }
        read(&bytes);
    }
}
