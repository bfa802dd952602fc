//! Tables of sequences: what several channels are told, what may have arrived, what flaps, and what an old store knew.

use super::*;

/// A step of a life with several channels: who is configured (empty for no change), second, balance, moods, what is said.
type Scene = (&'static str, i64, &'static str, &'static str, &'static str);

fn play(name: &str, scenes: &[Scene]) {
    let mut life = Life::with(scenes[0].0);
    for (index, (channels, second, balance, moods, want)) in scenes.iter().enumerate() {
        if !channels.is_empty() {
            life.listen(channels);
        }
        assert_eq!(life.moods(*second, balance, moods), *want, "{name}, scene {index}: {balance} at {second} s");
    }
}

#[test]
fn a_channel_that_forgets_is_told_in_every_run() {
    play(
        "one of two forgets",
        &[
            ("A B!", 0, "5", "A B", "+critical@AB"),
            ("", 300, "5", "A B", "+critical@B ~A"),
            ("", 600, "5", "A b", "!+critical@B ~A"),
            ("", 900, "5", "A B", "+critical@B ~A"),
            ("", 1200, "500", "A B", "-low@AB"),
            ("", 1500, "500", "A B", ""),
        ],
    );
    // It is not over as long as nobody can say so.
    play(
        "it cannot be read for a while",
        &[
            ("A B!", 0, "5", "A B", "+critical@AB"),
            ("", 300, "x", "A B", "+critical(since)(blind)@B"),
            ("", 600, "x", "A b", "!+critical(since)(blind)@B"),
            ("", 900, "5", "A B", "+critical@B ~A"),
            ("", 1200, "x", "A B?", "?+critical(since)(blind)@B"),
            ("", 1500, "x", "A B", "+critical(since)(blind)@B"),
            ("", 1800, "500", "A B", "-low@AB"),
            ("", 2100, "x", "A B", ""),
        ],
    );
    play(
        "it flaps, and is not over until it has been well for a while",
        &[
            ("A B!", 0, "5", "A B", "+critical@AB"),
            ("", 300, "500", "A B", "-low@AB"),
            ("", 600, "5", "A B", "+critical@AB"),
            ("", 900, "500", "A B", "+critical(since)(blind)@B"),
            ("", 1200, "x", "A B", "+critical(since)(blind)@B"),
            ("", 9900, "500", "A B", "-low@AB"),
        ],
    );
}

#[test]
fn every_channel_is_told_what_it_has_not_heard() {
    play(
        "one of two is down",
        &[
            ("A B", 0, "5", "A b", "+critical@A !+critical@B"),
            ("", 300, "5", "A b", "!+critical(since)@B ~A"),
            ("", 600, "5", "A B", "+critical(since)@B ~A"),
            ("", 900, "5", "A B", "~AB"),
            ("", 1200, "500", "A B", "-low@AB"),
            ("", 1500, "500", "A B", ""),
        ],
    );
    play(
        "it is over before the second one heard of it",
        &[
            ("A B", 0, "5", "A b", "+critical@A !+critical@B"),
            ("", 300, "500", "A B", "-low@A"),
            ("", 600, "500", "A B", ""),
        ],
    );
    play(
        "it is over before anybody heard of it",
        &[
            ("A (B)", 0, "5", "a b", "!+critical@AB"),
            ("", 300, "500", "A b", "-low(late)@A !-low(late)@B"),
            ("", 600, "500", "A B", "-low(late)@B"),
            ("", 900, "500", "A B", ""),
        ],
    );
    play(
        "the recovery reaches one of them, and it comes back",
        &[
            ("A B", 0, "5", "A B", "+critical@AB"),
            ("", 300, "500", "A b", "-low@A !-low@B"),
            ("", 600, "500", "A b", "!-low@B"),
            ("", 900, "5", "A B", "+critical@A ~B"), // B knows no better
            ("", 1200, "5", "A B", "~AB"),
        ],
    );
    play(
        "who wants no recoveries is owed none",
        &[("A (B)", 0, "5", "A B", "+critical@AB"), ("", 300, "500", "A b", "-low@A"), ("", 600, "500", "A B", "")],
    );
    play(
        "each one has reminders of its own",
        &[
            ("A B", 0, "5", "A b", "+critical@A !+critical@B"),
            ("", 8 * 3600, "5", "A B", "+critical(since)@B ~A"),
            ("", DAY, "5", "A B", "+critical@A ~B"),
            ("", DAY + 300, "5", "A B", "~AB"),
            ("", DAY + 8 * 3600, "5", "A B", "+critical@B ~A"),
        ],
    );
    play(
        "it gets worse for both, and the one that is down hears of it once",
        &[
            ("A B", 0, "80", "A b", "+critical@A !+critical@B"),
            ("", 300, "20", "A b", "+critical@A !+critical(since)@B"),
            ("", 600, "20", "A B", "+critical(since)@B ~A"),
        ],
    );
    play(
        "a worse level that another one heard is not told late",
        &[
            ("A B", 0, "80", "A B", "+critical@AB"),
            ("", 300, "20", "A b", "+critical@A !+critical@B"),
            ("", 600, "80", "A B", "~AB"), // to B it is as it was
            ("", 900, "500", "A B", "-low@AB"),
        ],
    );
    play(
        "a worse level that nobody heard is told late",
        &[
            ("A B", 0, "80", "A B", "+critical@AB"),
            ("", 300, "20", "a b", "!+critical@AB"),
            ("", 600, "80", "A b", "+critical(late)@A !+critical(late)@B"),
            ("", 900, "80", "A B", "~AB"),
        ],
    );
    play(
        "the run dies when the first one has it",
        &[("A B", 0, "5", "A B*", "+critical@A *+critical@B"), ("", 300, "5", "A B", "+critical(since)@B ~A")],
    );
}

#[test]
fn channels_come_and_go() {
    play(
        "one that is added hears of what is open",
        &[
            ("A", 0, "5", "A", "+critical"),
            ("A B", 300, "5", "A b", "!+critical(since)@B ~A"),
            ("", 600, "5", "A B", "+critical(since)@B ~A"),
            ("A B D", 900, "x", "A B D", ""), // of what cannot be read nothing is known
            ("", 1200, "500", "A B D", "-low@AB"),
        ],
    );
    play(
        "one that is removed is owed nothing",
        &[("A B", 0, "5", "A b", "+critical@A !+critical@B"), ("A", 300, "5", "A", "~"), ("", 600, "500", "A", "-low")],
    );
    play(
        "one that comes back has its memory",
        &[("A B", 0, "5", "A B", "+critical@AB"), ("A", 300, "5", "A", "~"), ("A B", 600, "5", "A B", "~AB")],
    );
    play(
        "what nobody heard is inherited",
        &[
            ("A", 0, "5", "a", "!+critical"),
            ("B", 300, "500", "b", "!-low(late)"),
            ("D", 600, "500", "D", "-low(late)"),
            ("D", 900, "500", "D", ""),
        ],
    );
    play(
        "another name is another channel",
        &[("A", 0, "5", "A", "+critical"), ("B", 300, "5", "B", "+critical"), ("B", 600, "5", "B", "~")],
    );
    play(
        "the only one left does not hear the end of what it never heard",
        &[("A B", 0, "5", "A b", "+critical@A !+critical@B"), ("B", 300, "500", "B", "")],
    );
}

#[test]
fn what_may_have_arrived_is_sent_once_more_and_then_ever_more_seldom() {
    play(
        "it answers late, run after run",
        &[
            ("A", 0, "5", "A?", "?+critical"),
            ("", 300, "5", "A?", "?+critical"), // one repeat
            ("", 600, "5", "A?", ">"),
            ("", 700, "5", "A?", ">"),
            ("", 900, "5", "A?", "?+critical"), // ten minutes
            ("", 1200, "5", "A?", ">"),
            ("", 4500, "5", "A?", "?+critical"), // an hour
            ("", 4800, "5", "A?", ">"),
            ("", 4800 + 20_000, "5", "A?", "?+critical"), // six hours, and the run that is nearest to their end
            ("", 25_100, "5", "A?", ">"),
            ("", 25_100 + DAY, "5", "A?", "?+critical"), // a day
            ("", 25_400 + DAY, "2", "A?", "?+critical"), // it got worse: another message
            ("", 25_700 + DAY, "2", "A", "+critical"),
            ("", 26_000 + DAY, "2", "A", "~"),
            ("", 26_300 + DAY, "500", "A", "-low"),
        ],
    );
    play(
        "the key stays, and what was refused is sent in every run",
        &[
            ("A", 0, "5", "a", "!+critical"),
            ("", 300, "5", "a", "!+critical"),
            ("", 600, "5", "a", "!+critical"),
            ("", 900, "5", "A?", "?+critical"),
            ("", 1200, "5", "a", "!+critical"),
            ("", 1500, "5", "a", "!+critical"),
            ("", 1800, "5", "A", "+critical"),
        ],
    );
    play(
        "it is over, and who may have heard of it hears the whole of it",
        &[
            ("A (B)", 0, "5", "A? B?", "?+critical@AB"),
            ("", 300, "500", "A B", "-low(late)@AB"),
            ("", 600, "500", "A B", ""),
        ],
    );
    play(
        "somebody has heard it for certain",
        &[
            ("A B (D)", 0, "5", "A B? D?", "+critical@A ?+critical@BD"),
            ("", 300, "500", "A B D", "-low(late)@B -low@A"),
            ("", 600, "500", "A B D", ""),
        ],
    );
    play(
        "that it is over is not said for ever",
        &[
            ("A", 0, "5", "A", "+critical"),
            ("", 300, "500", "A?", "?-low"),
            ("", 600, "500", "A?", "?-low"),
            ("", 1200, "500", "A?", "?-low"),
            ("", 1500, "500", "A?", ">"),
            ("", 8400, "500", "A?", "?-low"),
            ("", 8700, "500", "A?", ">"),
            ("", 40_000, "500", "A?", "?-low"),
            ("", 40_300, "500", "A?", ""),
            ("", 40_600, "5", "A", "+critical"),
        ],
    );
    play(
        "it cannot be read while that rests",
        &[("A", 0, "5", "A?", "?+critical"), ("", 300, "x", "A?", "?+critical(blind)"), ("", 600, "x", "A?", ">")],
    );
}

/// Balances run after run, five minutes apart, and what is said: `+` and `-`, a `w` for a warning, a dot for nothing.
#[test]
fn what_flaps_is_told_and_not_told_again_and_again() {
    let standard = || {
        let mut life = Life::new("100", Some("150"));
        life.rules.alerting = Alerting::default();
        life
    };
    let say = |said: &str| -> String {
        let words = said.split(' ').map(|word| match word {
            "" | "~" => "",
            "+critical" => "+",
            "+warning" => "w",
            "+failing" => "f",
            "-low" | "-failing" => "-",
            other => panic!("{other}"),
        });
        let said: String = words.collect();
        if said.is_empty() { ".".into() } else { said }
    };
    for (what, balances, want) in [
        ("within the margin", "149 151 149 151 149 151 149 151", "w......."),
        ("over the margin", "140 160 140 160 140 160 140 160", "w-w....."),
        ("far", "50 500 50 500 50 500 50 500", "+-+....."),
        ("between the levels", "90 110 90 110 90 110 90 110", "+......."),
        ("from warning to critical and back", "140 90 140 90 140 90 140 90", "w+......"),
        ("through both levels", "140 90 160 140 90 160 140 90", "w+-w+..."),
        ("it falls on", "90 160 90 160 45 160 45 160", "+-+.+..."),
        ("failing and working", "x x x 500 x x x 500 x x x 500", "..f-..f....."),
        ("failing once in between", "x x x 500 x x x 500 500 x 500 500", "..f-..f....."),
        ("it stays well", "90 160 90 160 160 160 160 160", "+-+....."),
    ] {
        let mut life = standard();
        let said: String = balances
            .split(' ')
            .enumerate()
            .map(|(n, balance)| say(&life.run(300 * n as i64, outcome_of(balance), true)))
            .collect();
        assert_eq!(said, want, "{what}: {balances}");
    }
    // Then it is told, once it has lasted an hour; after another return two hours, and so on.
    let mut life = standard();
    let mut said = Vec::new();
    for n in 0_i64..600 {
        let balance = if n % 30 < 3 && n < 400 { "90" } else { "160" };
        let word = say(&life.run(300 * n, outcome_of(balance), true));
        if word != "." {
            said.push((n, word));
        }
    }
    let said: Vec<(i64, &str)> = said.iter().map(|(n, word)| (*n, word.as_str())).collect();
    // Low for 15 minutes, then well for 135: the recovery of the first time at once, of the second one after an hour, of the
    // third one after two; four hours are longer than it is ever well, until it stays so. A day after the last word there is
    // a reminder.
    assert_eq!(
        said,
        [(0, "+"), (3, "-"), (30, "+"), (45, "-"), (60, "+"), (87, "-"), (90, "+"), (390, "+"), (441, "-")],
    );
}

#[test]
fn a_return_after_a_cool_down_is_new() {
    let mut life = Life::new("100", None);
    live(
        &mut life,
        &[
            (0, "5", true, "+critical"),
            (300, "500", true, "-low"),
            (600, "5", true, "+critical"),
            (900, "500", true, ""),
            (4500, "500", true, "-low"),
            (4800 + DAY, "5", true, "+critical"),
            (5100 + DAY, "500", true, "-low"), // at once: it has not flapped
            (5400 + 3 * DAY, "500", true, ""),
        ],
    );
    assert!(life.memory.conditions.is_empty(), "and then it is forgotten: {:?}", life.memory.conditions);
    life.rules.alerting.cooldown = Duration::ZERO;
    for n in 0..8 {
        let (balance, want) = if n % 2 == 0 { ("5", "+critical") } else { ("500", "-low") };
        live(&mut life, &[(4 * DAY + n, balance, true, want)]);
    }
}

#[test]
fn an_old_memory_is_that_of_all_channels() {
    let mut life = Life::with("A B");
    let key = (life.subject.identity, Topic::Low);
    let alert = first_run(vec![(life.subject.clone(), of("5"))]).1.remove(0);
    let course = Course::begun(at(0));
    let told = Heard { told: Some(Told::of(&alert, at(0))), owed: None };
    let old = |channels: &[(&str, &Heard)]| Condition {
        course,
        channels: channels.iter().map(|(id, heard)| ((*id).to_owned(), (*heard).clone())).collect(),
    };
    // Told: nobody hears it again.
    life.memory.conditions.insert(key, old(&[(ANY_CHANNEL, &told)]));
    assert_eq!(life.moods(300, "5", "A B"), "~AB");
    life.listen("A B D");
    assert_eq!(life.moods(600, "5", "A B D"), "+critical(since)@D ~AB", "one that is added later does");
    assert_eq!(life.moods(900, "500", "A B D"), "-low@ABD");
    // All but the one that failed.
    let mut life = Life::with("A B");
    life.memory.conditions.insert(key, old(&[(ANY_CHANNEL, &told), ("B", &Heard::default())]));
    assert_eq!(life.moods(300, "5", "A B"), "+critical(since)@B ~A");
    // Told once, and gone when it is over.
    let mut life = Life::with("A (B)");
    life.memory.conditions.insert(key, old(&[(ANY_CHANNEL, &told)]));
    assert_eq!(life.moods(300, "500", "A B"), "-low@A");
    assert_eq!(life.moods(600, "500", "A B"), "");
    // Pending: everybody is owed it, under its old key.
    let owed = Owed {
        alert: Alert { dedup_key: "low-old".into(), ..alert.clone() },
        is_heard: false,
        is_claimed: false,
        may_have_arrived: false,
        doubts: 0,
        refusals: 0,
        attempts: 0,
        is_tried: false,
        tried_at: at(0),
    };
    let pending = Heard { told: None, owed: Some(owed) };
    for (balance, moods, want) in [
        ("5", "A b", "+critical(since)@A !+critical(since)@B"),
        ("x", "A b", "+critical(blind)@A !+critical(blind)@B"),
        ("500", "A b", "-low(late)@A !-low(late)@B"),
    ] {
        let mut life = Life::with("A B");
        life.memory.conditions.insert(key, old(&[(ANY_CHANNEL, &pending)]));
        let decision = decide(
            &accounts(&judge(vec![(life.subject.clone(), outcome_of(balance))])),
            &life.memory,
            &life.rules,
            at(300),
            "r",
        );
        let is_old = decision.alerts[0].alert.dedup_key == "low-old";
        assert_eq!(is_old, balance != "500", "that it is over is another message");
        assert_eq!(life.moods(300, balance, moods), want, "{balance}");
        let left = &life.memory.conditions[&key].channels;
        assert!(left.contains_key("B") && !left.contains_key(ANY_CHANNEL), "{left:?}");
    }
}

#[test]
fn a_mail_is_owed_to_each_channel_that_was_there_and_to_nobody_else() {
    use crate::check::mailbox::imap_session::Cursor;
    use crate::check::mailbox::scan::Scan;
    let finding = Finding {
        identity: Identity(7),
        subject: "due".into(),
        sender: "x".into(),
        date: None,
        account: None,
        balance_of: Vec::new(),
        service: None,
        amount: None,
        currency: None,
        strength: None,
        signs_for: Vec::new(),
        signs_against: Vec::new(),
    };
    let found = |is_seen: bool| {
        let findings = if is_seen { vec![finding.clone()] } else { Vec::new() };
        let scan = Scan { findings, scanned: 1, cursor: Cursor { validity: 1, last: 1 }, ..Scan::default() };
        let verdict = MailboxVerdict {
            identity: Identity(1),
            name: "box".into(),
            host: "imap.example".into(),
            addressing: Addressing::default(),
            scanned: Scanned { result: Ok(scan), duration: Duration::ZERO },
        };
        Found { mailboxes: vec![verdict], ..Found::default() }
    };
    let mut life = Life::with("A B");
    let go = |life: &mut Life, second, is_seen, up: &str, want: &str| {
        let fate = |id: &str| Some(if up.contains(id) { Fate::Taken } else { Fate::Refused });
        assert_eq!(life.live(second, &found(is_seen), &fate), want, "at {second} s");
    };
    go(&mut life, 0, true, "A", "+mail@A !+mail@B");
    go(&mut life, 300, true, "A", "!+mail@B ~~A");
    go(&mut life, 600, false, "A", "!+mail@B");
    life.listen("A B D");
    go(&mut life, 900, false, "ABD", "+mail@B");
    go(&mut life, 1200, true, "ABD", "~~ABD");
    go(&mut life, 1500, false, "ABD", "");
    // Nobody heard it, and the one that was to hear it is gone.
    let mut life = Life::with("A");
    go(&mut life, 0, true, "", "!+mail");
    life.listen("B D");
    go(&mut life, 300, false, "D", "!+mail@B +mail@D");
    go(&mut life, 600, false, "BD", "+mail@B");
    go(&mut life, 900, false, "BD", "");
}
