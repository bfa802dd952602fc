//! What a reader sees of a mail in HTML, and in which time that is found.

use super::*;
use std::time::Duration;

use nix::time::{ClockId, clock_gettime};

#[test]
fn the_ends_of_lines_in_the_source_are_white_space() {
    let row = "<tr>\n  <td>Balance</td>\n  <td>$3.20</td>\n</tr>";
    assert!(shown(row).contains("\tBalance\t   \t$3.20\t"), "{:?}", shown(row));
    assert_eq!(shown("<p>could not\r\ntake</p>").trim(), "could not  take");
    assert_eq!(shown("<pre>one\n\ttwo</pre>").trim(), "one\n\ttwo");
}

#[test]
fn words_stay_whole_and_cells_stay_apart() {
    for (html, want) in [
        ("余额<b>不足</b>", "余额不足"),
        ("<p>余<span style='x'>额</span>不足</p>", "余额不足"),
        ("<td>100</td><td>200</td>", "100 200"),
        ("<p>a<p>b", "a b"),
        ("a<br>b<BR/>c", "a b c"),
        ("余额：<span>1,234.56</span> 元", "余额：1,234.56 元"),
        ("&#20313;&#39069;&#x4E0D;足", "余额不足"),
        ("a&nbsp;b&amp;c &lt;d&gt; &unknown; & x", "a b&c <d> &unknown; & x"),
        ("<style>.low{balance:1}</style>x<script>low balance</script>y", "xy"),
        ("<HEAD><title>expired</title></HEAD>x", "x"),
        ("<!-- expired -->x<!--[if mso]>expired<![endif]-->y", "xy"),
        ("5 < 6 and 7 > 2", "5 < 6 and 7 > 2"),
        ("<a title=\"a > b\">x</a>", "x"),
        ("<a title=\"never closed>x", "x"),
        ("cut <b", "cut"),
        ("<script>never ends", ""),
        ("<div style=\"display:none\">余额不足</div>您好", "余额不足 您好"),
        ("$12<sup>50</sup>", "$12\u{FFFC}50"),
        ("$1&amp;nbsp;234.50", "$1\u{FFFC}nbsp;234.50"),
        ("5<sub>0</sub>, <b>6</b>. 7", "5\u{FFFC}0, \u{FFFC}6. \u{FFFC}7"),
        ("$<b>12.50</b>. <i>Please</i> pay", "$12.50. Please pay"),
        ("<s>$5</s> $6 <span style='text-decoration: line-through'>$7</span>", "$\u{FFFC}5 $6 $\u{FFFC}7"),
        ("", ""),
    ] {
        let got = text(html).split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!(got, want, "{html}");
    }
}

#[test]
fn what_a_style_or_a_sheet_hides_is_not_shown_and_what_is_turned_is_marked() {
    for (html, want) in [
        ("<style>.h{display:none}</style>a<p class=h>b</p>c", "a \u{1} c"),
        ("<head><style>.h{display:none}</style></head>a<p class=\"x h\">b</p>c", "a \u{1} c"),
        ("<html><head><STYLE type='text/css'>#p{display:none}</STYLE></head>a<p id=p>b</p>c", "a \u{1} c"),
        ("a<p class=h>b</p>c<style>@media screen{p.h{visibility:hidden}}</style>", "a \u{1} c"),
        ("a<p style='position:absolute;left:-9999px'>b</p>c", "a \u{1} c"),
        ("a<p style='disp&#108;ay:none'>b</p>c", "a \u{1} c"),
        ("a<p style='color:transparent'>5</p>c", "a \u{FFFC}c"),
        ("<style>.h{color:red}</style>a<p class=h>b</p>c", "a b c"),
        ("<!--[if mso]><style>.h{display:none}</style><![endif]-->a<p class=h>b</p>c", "a b c"),
        ("a <bdo dir=rtl>05.21$</bdo>", "a \u{202E}05.21$"),
        ("a <b style='unicode-bidi:bidi-override;direction:rtl'>05</b>", "a \u{202E}05"),
        ("<style>.x{unicode-bidi:bidi-override}</style>a", "\u{202E}a"),
    ] {
        let got = shown(html).split_whitespace().collect::<Vec<_>>().join(" ");
        let want = want.replace("\u{1} ", "");
        assert_eq!(got, want, "{html}");
    }
}

#[test]
fn text_in_the_colour_of_its_ground_is_not_shown() {
    for (html, want) in [
        ("a <span style='color:#fff'>b</span> c", "a c"),
        ("a <span style='color: White'>b 5</span> c", "a \u{FFFC} c"),
        ("a <font color=#FEFEFE>b</font> c", "a c"),
        ("a <span style='color:rgb(255, 255, 255) !important'>b</span> c", "a c"),
        ("<body bgcolor=black style='color:#000'>a<p style='color:white'>b</p>", "b"),
        ("<td bgcolor='#336699'><span style='color:#369'>b</span></td>c", "c"),
        ("<div style='background:#eee'><i style='color:#f0f0f0'>b</i></div>c", "c"),
        ("<div style='color:#fff'>a<b style='color:#000'>b</b></div>c", "b c"),
        ("<style>.w{color:#fff}</style>a <b class=w>b</b> c", "a c"),
        ("<style>.w{color:#fff}.d{background-color:#fff}</style><p class=d>a <b class=w>b</b></p>", "a"),
        // What is seen.
        ("<td bgcolor='#336699'><span style='color:#fff'>b</span></td>c", "b c"),
        ("<td style='background:#369 url(x.png) no-repeat'><b style='color:#369'>b</b></td>", "b"),
        ("<td background=x.png><b style='color:#fff'>b</b></td>", "b"),
        ("<div style='background-color:#000'><a style='color:#fff'>b</a></div>", "b"),
        ("<div style='background-color:#000;color:#fff'>a<a>b</a></div>c", "ab c"),
        ("<style>.d{background:#000}</style><p class=d><b style='color:#fff'>b</b></p>", "b"),
        ("<style>.d p{color:#fff}</style><p>b</p>", "b"),
        ("<style>@media (max-width:600px){.w{color:#fff}}</style><p class=w>b</p>", "b"),
        ("<style>@media (prefers-color-scheme:dark){.w{color:#fff}}</style><p class=w>b</p>", "b"),
        ("<table bgcolor=#000><tr><td style='color:#fff'>a<td style='background:#fff;color:#000'>b</table>", "a b"),
        ("<p style='color:#fff'>a<p>b", "b"),
        ("<div style='color:#fff;background-image:linear-gradient(red,blue)'>b</div>", "b"),
        ("<div style='color:#ccc'>b</div>", "b"),
        ("<div style='color:var(--x)'>b</div>", "b"),
    ] {
        let got = shown(html).split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!(got, want, "{html}");
    }
}

/// The shortest processor time of a few attempts: whatever else this machine does only makes it longer.
fn time_for(piece: &str, size: usize) -> Duration {
    let html = piece.repeat(size / piece.len());
    let now = || Duration::from(clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID).unwrap());
    let attempt = || {
        let begin = now();
        text(&html);
        shown(&html);
        now() - begin
    };
    (0..3).map(|_| attempt()).min().unwrap()
}

#[test]
fn anything_ends_in_linear_time() {
    for piece in [
        "<",
        "<a",
        "<a href='",
        "&",
        "&#",
        "<!--",
        "</",
        "<script>",
        "<b>",
        "<p hidden>",
        "<style>.a{display:none}</style><p class=a>",
        "<style>a{",
        "<head>",
        "<style>/*",
        "<a style='a:0;",
        "<blockquote>\n",
        "<div style='color:#fff'>5",
        "<td style=color:#fff>5",
        "余<",
        "\u{0}",
    ] {
        let (short, long) = (time_for(piece, 10_000), time_for(piece, 80_000));
        // Eight times the text: a time that grows with its square would be 64 times as long.
        let most = short.max(Duration::from_millis(5)) * 24;
        assert!(long < most, "{piece:?}: {short:?}, and for eight times as much {long:?}");
    }
}
