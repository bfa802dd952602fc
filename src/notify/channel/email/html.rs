//! The table of a letter, for light and dark screens. Programs for mail know old HTML alone: a table, and styles at each cell.

use crate::model::alert::Alert;
use crate::model::words::Language;
use crate::notify::message::{Markup, Message, Row};

/// What programs read that know style sheets: dark screens.
const STYLE: &str = "\
:root { color-scheme: light dark; supported-color-schemes: light dark; }
@media (prefers-color-scheme: dark) {
  body, .page { background: #17191c !important; color: #e6e8ea !important; }
  .cell { border-bottom-color: #34383d !important; }
  .faint { color: #9aa1a9 !important; }
}";

/// The fonts that systems have, those for Chinese among them.
const FONT: &str =
    "font-family:-apple-system,'Segoe UI',Roboto,'PingFang SC','Microsoft YaHei','Noto Sans CJK SC',Arial,sans-serif";

/// The page of some alerts, the worst of which come first. `footer` is harmless already.
pub(super) fn page(message: &Message, alerts: &[Alert], footer: &str) -> String {
    let neutral = Markup::Html.neutral();
    let language = match message.language() {
        Language::En => "en",
        Language::Zh => "zh-CN",
    };
    let title = neutral(&message.title(alerts));
    let rows: String = message.rows(alerts, neutral).iter().map(row).collect();
    format!(
        "<!DOCTYPE html>\n<html lang=\"{language}\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n<meta name=\"color-scheme\" content=\"light dark\">\n\
         <meta name=\"supported-color-schemes\" content=\"light dark\">\n<title>{title}</title>\n\
         <style>\n{STYLE}\n</style>\n</head>\n\
         <body class=\"page\" style=\"margin:0;padding:16px;{FONT};font-size:15px;line-height:1.45;background:#ffffff;color:#1f2328\">\n\
         <div style=\"max-width:680px;margin:0 auto\">\n\
         <h1 style=\"margin:0 0 12px;font-size:19px;line-height:1.3\">{title}</h1>\n\
         <table role=\"presentation\" cellpadding=\"0\" cellspacing=\"0\" border=\"0\" width=\"100%\" \
         style=\"border-collapse:collapse\">\n{rows}</table>\n\
         <p class=\"faint\" style=\"margin:14px 0 0;font-size:12px;color:#656d76\">{footer}</p>\n\
         </div>\n</body>\n</html>\n"
    )
}

/// One row: what is wrong with whom. The texts of a row are harmless already.
fn row(row: &Row) -> String {
    let cell = "border-bottom:1px solid #d8dee4;padding:8px 10px;vertical-align:top";
    let bar = format!("border-left:4px solid {};{cell}", colour(row.mark));
    let text = format!("<span style=\"word-break:break-word\">{}</span>", row.text.trim_start().replace('\n', "<br>"));
    let cells = match &row.name {
        Some(name) => {
            let owner = row.owner.as_ref().map(|owner| {
                format!("<br><span class=\"faint\" style=\"font-size:13px;color:#656d76\">{owner}</span>")
            });
            let owner = owner.unwrap_or_default();
            format!(
                "<td class=\"cell\" width=\"34%\" style=\"{bar};word-break:break-word\">{} <strong>{name}</strong>{owner}</td>\
                 <td class=\"cell\" style=\"{cell}\">{text}</td>",
                row.mark
            )
        }
        None => format!("<td class=\"cell\" colspan=\"2\" style=\"{bar}\">{} {text}</td>", row.mark),
    };
    format!("<tr>{cells}</tr>\n")
}

/// The colour of a mark, for programs that show none of the marks in colour.
fn colour(mark: &str) -> &'static str {
    match mark {
        "🔴" => "#cf222e",
        "🟡" => "#d4a72c",
        "🟢" => "#2da44e",
        _ => "#8c959f",
    }
}
