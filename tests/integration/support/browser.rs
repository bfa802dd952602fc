//! A browser without a window, which shows a page of this machine to nobody.

use std::io::Write as _;
use std::path::Path;
use std::process::Command;

use super::proxy::Proxy;

/// What a page did in a browser.
pub(crate) struct Seen {
    /// The page when it was loaded and its scripts had run.
    pub(crate) page: String,
    /// What the console of the browser says of it.
    pub(crate) console: Vec<String>,
    /// What the page asked for, by host. The browser asks its makers for things of its own; those are left out.
    pub(crate) asked: Vec<String>,
}

/// The browser of this machine. Without one the test says so, past what holds back the words of tests that succeed.
fn browser(test: &str) -> Option<String> {
    let is_there = |name: &&str| Command::new(name).arg("--version").output().is_ok_and(|done| done.status.success());
    let found = ["chromium", "chromium-browser", "google-chrome"].into_iter().find(is_there).map(String::from);
    if found.is_none() {
        let words = format!("\nNOT TESTED: {test}: there is no Chromium here; tests/run.sh installs it on Debian\n\n");
        std::io::stderr().write_all(words.as_bytes()).unwrap();
    }
    found
}

/// Loads a page that lies in a folder. Nothing that it asks for is let through. None without a browser.
pub(crate) fn load(test: &str, folder: &Path, page: &str) -> Option<Seen> {
    let browser = browser(test)?;
    let proxy = Proxy::refusing(403);
    let profile = tempfile::tempdir().unwrap();
    let address = format!("file://{}", folder.join(page).display());
    let done = Command::new("timeout")
        .args(["-k", "5", "60", &browser, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"])
        .args(["--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"])
        .args([&format!("--user-data-dir={}", profile.path().display()), &format!("--proxy-server={}", proxy.url())])
        .args([
            "--proxy-bypass-list=<-loopback>",
            "--enable-logging=stderr",
            "--virtual-time-budget=2000",
            "--dump-dom",
            &address,
        ])
        .env("HOME", profile.path())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&done.stderr).into_owned();
    let page = String::from_utf8_lossy(&done.stdout).into_owned();
    assert!(done.status.success() && page.contains("</html>"), "{said}");
    let console = said.lines().filter(|line| line.contains("CONSOLE")).map(str::to_owned).collect();
    let own =
        |target: &String| ["google", "gvt1", "gstatic", "chromium.org"].iter().any(|maker| target.contains(maker));
    let asked = proxy.targets().into_iter().filter(|target| !own(target)).collect();
    Some(Seen { page, console, asked })
}
