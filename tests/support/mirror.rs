//! A repository of packages on a port of its own, over plain HTTP, that counts what it is asked.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use super::tool;

#[derive(Default)]
struct State {
    asked: usize,
    /// What is not answered until it is taken back.
    stall: Option<String>,
    stalled: bool,
}

/// The repository; it lives as long as the process.
#[derive(Clone)]
pub struct Mirror {
    state: Arc<Mutex<State>>,
    directory: PathBuf,
    port: u16,
}

impl Mirror {
    pub fn new(directory: &Path) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let mirror = Self { state: Arc::default(), directory: directory.to_owned(), port };
        let here = mirror.clone();
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let here = here.clone();
                // A client that has seen enough hangs up: that is no failure of the mirror's.
                thread::spawn(move || drop(here.answer(stream)));
            }
        });
        mirror
    }

    /// Makes its metadata of the packages that are there now.
    pub fn index(&self) {
        tool("createrepo_c", &["--quiet", self.directory.to_str().unwrap()]);
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// How many requests there were.
    pub fn asked(&self) -> usize {
        self.state.lock().unwrap().asked
    }

    pub fn forget(&self) {
        self.state.lock().unwrap().asked = 0;
    }

    /// Answers no request whose address ends in `name`.
    pub fn stall(&self, name: &str) {
        self.state.lock().unwrap().stall = Some(name.to_owned());
    }

    pub fn stalled(&self) -> bool {
        self.state.lock().unwrap().stalled
    }

    pub fn go_on(&self) {
        self.state.lock().unwrap().stall = None;
    }

    fn answer(&self, mut stream: TcpStream) -> std::io::Result<()> {
        let mut lines = BufReader::new(stream.try_clone()?).lines().map_while(Result::ok);
        let Some(line) = lines.next() else { return Ok(()) };
        // Unread, the rest of the request would end the connection before the answer is read.
        lines.take_while(|line| !line.is_empty()).for_each(drop);
        let path = line.split(' ').nth(1).unwrap_or("/").trim_start_matches('/').to_owned();
        self.state.lock().unwrap().asked += 1;
        while self.state.lock().unwrap().stall.as_ref().is_some_and(|name| path.ends_with(name)) {
            self.state.lock().unwrap().stalled = true;
            thread::sleep(Duration::from_millis(100));
        }
        let file = self.directory.join(path);
        match fs::read(&file) {
            Ok(bytes) => {
                let length = bytes.len();
                write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n")?;
                stream.write_all(&bytes)
            }
            Err(_) => {
                write!(stream, "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            }
        }
    }
}
