//! An SMTP server that does what a test wants at each step, and keeps what it has got.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use openssl::ssl::SslAcceptor;

use super::pki;

/// The steps of a dialogue at which a server can do something else. `CONTENT` is the end of the letter.
pub(crate) const STEPS: [&str; 7] = ["GREETING", "EHLO", "AUTH", "MAIL", "RCPT", "DATA", "CONTENT"];

/// What a server does at a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Act {
    /// What a sound server says.
    Sound,
    /// It says this.
    Say(String),
    /// It says this and closes the connection.
    SayAndClose(String),
    /// It closes the connection.
    Close,
    /// It says nothing more, and keeps the connection.
    Silence,
    /// It says one more letter after the other, each soon, and never ends the line.
    Drip,
}

/// How the link is protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Link {
    Plain,
    StartTls,
    Tls,
}

/// What the server has got.
#[derive(Default)]
pub(crate) struct Got {
    /// The lines of all connections, those of the letters not among them.
    pub(crate) commands: Vec<String>,
    /// The letters that it has said to have taken, or has read to their end.
    pub(crate) letters: Vec<String>,
}

/// A server that is running.
pub(crate) struct Smtp {
    pub(crate) port: u16,
    got: Arc<Mutex<Got>>,
}

/// What decides what the server does: by the step and the line.
type Decide = dyn Fn(&str, &str) -> Act + Send + Sync;

impl Smtp {
    /// A server that is sound.
    pub(crate) fn sound(link: Link) -> Smtp {
        Smtp::start(link, |_, _| Act::Sound)
    }

    /// A server that does this at one step.
    pub(crate) fn at(link: Link, step: &'static str, act: Act) -> Smtp {
        Smtp::start(link, move |here, _| if here == step { act.clone() } else { Act::Sound })
    }

    pub(crate) fn start(link: Link, decide: impl Fn(&str, &str) -> Act + Send + Sync + 'static) -> Smtp {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let got = Arc::new(Mutex::new(Got::default()));
        let (keeping, decide): (_, Arc<Decide>) = (Arc::clone(&got), Arc::new(decide));
        let acceptor = Arc::new(pki::good());
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (got, decide, acceptor) = (Arc::clone(&keeping), Arc::clone(&decide), Arc::clone(&acceptor));
                // Whatever the client does to the connection ends this thread alone.
                std::thread::spawn(move || drop(serve(stream, link, &acceptor, &*decide, &got)));
            }
        });
        Smtp { port, got }
    }

    /// The commands so far.
    pub(crate) fn commands(&self) -> Vec<String> {
        self.got.lock().unwrap().commands.clone()
    }

    /// The letters so far.
    pub(crate) fn letters(&self) -> Vec<String> {
        self.got.lock().unwrap().letters.clone()
    }
}

trait Stream: Read + Write {}
impl<T: Read + Write> Stream for T {}

struct Dialogue<'a> {
    stream: BufReader<Box<dyn Stream>>,
    decide: &'a Decide,
    got: &'a Mutex<Got>,
}

/// The connection is over.
struct Over;

impl From<std::io::Error> for Over {
    fn from(_: std::io::Error) -> Over {
        Over
    }
}

impl Dialogue<'_> {
    fn say(&mut self, text: &str) -> Result<(), Over> {
        self.stream.get_mut().write_all(text.as_bytes())?;
        Ok(self.stream.get_mut().flush()?)
    }

    /// Does what is to be done at a step. Says whether the client may go on as after a sound answer.
    fn act(&mut self, step: &str, line: &str, sound: &str) -> Result<bool, Over> {
        match (self.decide)(step, line) {
            Act::Sound => self.say(sound).map(|()| true),
            Act::Say(text) => self.say(&text).map(|()| text.starts_with(['2', '3'])),
            Act::SayAndClose(text) => self.say(&text).and(Err(Over)),
            Act::Close => Err(Over),
            Act::Silence => {
                // The client goes at last, which ends the waiting.
                let _ = self.stream.read_to_end(&mut Vec::new());
                Err(Over)
            }
            Act::Drip => loop {
                self.say("2")?;
                std::thread::sleep(std::time::Duration::from_millis(50));
            },
        }
    }

    fn line(&mut self) -> Result<String, Over> {
        let mut line = Vec::new();
        if self.stream.read_until(b'\n', &mut line)? == 0 {
            return Err(Over);
        }
        Ok(String::from_utf8_lossy(&line).trim_end().to_owned())
    }

    fn command(&mut self) -> Result<String, Over> {
        let line = self.line()?;
        self.got.lock().unwrap().commands.push(line.clone());
        Ok(line)
    }
}

fn serve(stream: TcpStream, link: Link, acceptor: &SslAcceptor, decide: &Decide, got: &Mutex<Got>) -> Result<(), Over> {
    let stream: Box<dyn Stream> = match link {
        Link::Tls => Box::new(acceptor.accept(stream).map_err(|_| Over)?),
        Link::Plain | Link::StartTls => {
            let mut dialogue = Dialogue { stream: BufReader::new(Box::new(stream.try_clone()?)), decide, got };
            if link == Link::Plain {
                return talk(&mut dialogue, true, "250-fault.test\r\n250 8BITMIME\r\n");
            }
            dialogue.act("CLEAR", "", "220 fault.test ready\r\n")?;
            loop {
                let line = dialogue.command()?;
                let (step, sound) = match line.split(' ').next() {
                    Some("EHLO") => ("CLEAR EHLO", "250-fault.test\r\n250 STARTTLS\r\n"),
                    Some("STARTTLS") => ("STARTTLS", "220 go ahead\r\n"),
                    _ => ("CLEAR", "500 not here\r\n"),
                };
                if dialogue.act(step, &line, sound)? && step == "STARTTLS" {
                    break;
                }
            }
            Box::new(acceptor.accept(stream).map_err(|_| Over)?)
        }
    };
    let mut dialogue = Dialogue { stream: BufReader::new(stream), decide, got };
    talk(&mut dialogue, link == Link::Tls, "250-fault.test\r\n250-8BITMIME\r\n250 AUTH PLAIN LOGIN\r\n")
}

fn talk(dialogue: &mut Dialogue, greets: bool, offers: &str) -> Result<(), Over> {
    if greets {
        dialogue.act("GREETING", "", "220 fault.test ready\r\n")?;
    }
    loop {
        let line = dialogue.command()?;
        match line.split(' ').next().unwrap_or_default() {
            "EHLO" => dialogue.act("EHLO", &line, offers)?,
            "AUTH" => dialogue.act("AUTH", &line, "235 welcome\r\n")?,
            "MAIL" => dialogue.act("MAIL", &line, "250 ok\r\n")?,
            "RCPT" => dialogue.act("RCPT", &line, "250 ok\r\n")?,
            "QUIT" => {
                dialogue.say("221 bye\r\n")?;
                return Ok(());
            }
            "DATA" => {
                if dialogue.act("DATA", &line, "354 go ahead\r\n")? {
                    let mut letter = String::new();
                    loop {
                        let line = dialogue.line()?;
                        if line == "." {
                            break;
                        }
                        letter.push_str(line.strip_prefix('.').unwrap_or(&line));
                        letter.push('\n');
                    }
                    dialogue.got.lock().unwrap().letters.push(letter);
                    dialogue.act("CONTENT", "", "250 queued as 1\r\n")?;
                }
                true
            }
            _ => dialogue.say("500 what?\r\n").map(|()| false)?,
        };
    }
}
