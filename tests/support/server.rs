//! A web server of one file, on a port of its own, that behaves as it is told.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// How one request is answered.
#[derive(Clone, Debug)]
pub enum Answer {
    /// Whole, or the range asked for when `If-Range` fits.
    File,
    /// As `File`, but the connection ends after so many bytes of the body.
    Cut(usize),
    /// Whole whatever was asked for, without length and validators.
    Plain,
    /// With that length in its header, whatever the file has.
    Claims(u64),
    /// The file, but its range whether or not `If-Range` fits.
    Careless,
    /// A status line and no body.
    Status(&'static str),
    /// Elsewhere.
    Redirect(String),
    /// A few bytes, and then nothing more.
    Stall,
    /// As `File`, ten bytes a second.
    Trickle,
    /// As `Trickle`, and as `Plain`.
    Drip,
    /// The connection ends without a word.
    Nothing,
}

/// What a server was asked.
#[derive(Clone, Debug)]
pub struct Asked {
    /// `GET /path HTTP/1.1`.
    pub line: String,
    /// `name: value`, names in lower case.
    pub headers: Vec<String>,
}

impl Asked {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find_map(|header| header.strip_prefix(name)?.strip_prefix(": "))
    }
}

struct State {
    file: Vec<u8>,
    tag: String,
    /// Answers for the next requests; then `File`.
    answers: VecDeque<Answer>,
    asked: Vec<Asked>,
}

/// The server; it lives as long as the process.
#[derive(Clone)]
pub struct Server {
    state: Arc<Mutex<State>>,
    port: u16,
}

impl Server {
    pub fn new(file: &[u8]) -> Self {
        Self::on("127.0.0.1:0", file)
    }

    /// On an address and port of one's choice.
    pub fn on(address: &str, file: &[u8]) -> Self {
        let listener = TcpListener::bind(address).unwrap();
        let port = listener.local_addr().unwrap().port();
        let state =
            State { file: file.to_vec(), tag: "\"one\"".into(), answers: VecDeque::new(), asked: Vec::new() };
        let server = Self { state: Arc::new(Mutex::new(state)), port };
        let here = server.clone();
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let here = here.clone();
                thread::spawn(move || here.answer(stream));
            }
        });
        server
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    pub fn answers(&self, answers: &[Answer]) {
        self.state.lock().unwrap().answers.extend(answers.iter().cloned());
    }

    pub fn replace(&self, file: &[u8], tag: &str) {
        let mut state = self.state.lock().unwrap();
        (state.file, state.tag) = (file.to_vec(), tag.to_owned());
    }

    pub fn asked(&self) -> Vec<Asked> {
        self.state.lock().unwrap().asked.clone()
    }

    fn answer(&self, mut stream: TcpStream) {
        let mut lines = BufReader::new(stream.try_clone().unwrap()).lines().map_while(Result::ok);
        let Some(line) = lines.next() else { return };
        let headers: Vec<String> = lines
            .take_while(|line| !line.is_empty())
            .filter_map(|line| {
                line.split_once(": ").map(|(name, value)| format!("{}: {value}", name.to_lowercase()))
            })
            .collect();
        let asked = Asked { line, headers };
        let (answer, file, tag) = {
            let mut state = self.state.lock().unwrap();
            state.asked.push(asked.clone());
            (state.answers.pop_front().unwrap_or(Answer::File), state.file.clone(), state.tag.clone())
        };
        // A client that has seen enough hangs up: that is no failure of the server's.
        let _ = reply(&mut stream, &asked, &answer, &file, &tag);
    }
}

fn reply(
    stream: &mut TcpStream,
    asked: &Asked,
    answer: &Answer,
    file: &[u8],
    tag: &str,
) -> std::io::Result<()> {
    let fits = matches!(answer, Answer::Careless) || asked.header("if-range") == Some(tag);
    let from = asked
        .header("range")
        .and_then(|range| range.strip_prefix("bytes=")?.strip_suffix('-')?.parse::<usize>().ok())
        .filter(|_| fits)
        .unwrap_or(0);
    let mut head = match from {
        0 => "HTTP/1.1 200 OK\r\n".to_owned(),
        from if from >= file.len() => "HTTP/1.1 416 Range Not Satisfiable\r\n".to_owned(),
        from => format!(
            "HTTP/1.1 206 Partial Content\r\nContent-Range: bytes {from}-{}/{}\r\n",
            file.len() - 1,
            file.len()
        ),
    };
    let mut body = &file[from.min(file.len())..];
    let mut length = body.len() as u64;
    match answer {
        Answer::Cut(at) => body = &body[..*at],
        Answer::Claims(claimed) => length = *claimed,
        Answer::Stall => body = &body[..3],
        Answer::Plain | Answer::Drip => {
            write!(stream, "HTTP/1.0 200 OK\r\nConnection: close\r\n\r\n")?;
            return if matches!(answer, Answer::Drip) {
                trickle(stream, file)
            } else {
                stream.write_all(file)
            };
        }
        Answer::Status(status) => {
            return write!(stream, "HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        }
        Answer::Redirect(to) => {
            return write!(
                stream,
                "HTTP/1.1 302 Found\r\nLocation: {to}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
            );
        }
        Answer::Nothing => return Ok(()),
        Answer::File | Answer::Careless | Answer::Trickle => {}
    }
    head.push_str(&format!("ETag: {tag}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"));
    stream.write_all(head.as_bytes())?;
    if matches!(answer, Answer::Trickle) {
        return trickle(stream, body);
    }
    stream.write_all(body)?;
    if matches!(answer, Answer::Stall) {
        stream.flush()?;
        // Until the client hangs up.
        let _ = stream.read(&mut [0])?;
    }
    Ok(())
}

fn trickle(stream: &mut TcpStream, bytes: &[u8]) -> std::io::Result<()> {
    for byte in bytes {
        stream.write_all(&[*byte])?;
        thread::sleep(Duration::from_millis(100));
    }
    Ok(())
}
