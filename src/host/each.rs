//! Several at once that may never answer: each on a thread of its own, all of them in a copy of this process that can be
//! left behind.

use std::collections::BTreeMap;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::apart::{NoAnswer, apart};
use super::ioctl;

/// How much longer than its threads the copy has, to tell what they said.
const MARGIN: Duration = Duration::from_secs(2);

/// What came within `deadline`, by the name of who was asked.
pub type Answers<T> = BTreeMap<String, Result<T, String>>;

/// Asks each of `names`, all at the same time. Who does not answer within `deadline` is not among the answers.
pub fn at_once<T: Send + 'static>(
    names: &[String],
    deadline: Duration,
    ask: impl Fn(&str) -> Result<T, String> + Clone + Send + 'static,
) -> Answers<T> {
    let until = Instant::now() + deadline;
    let (sender, came) = mpsc::channel();
    let mut answers = Answers::new();
    for name in names {
        let (ask, asked, sender) = (ask.clone(), name.clone(), sender.clone());
        let asking = ioctl::start_thread(move || {
            let answer = ask(&asked);
            let _ = sender.send((asked, answer));
        });
        if let Err(error) = asking {
            answers.insert(name.clone(), Err(format!("starting a thread to ask it: {error}")));
        }
    }
    drop(sender);
    while let Ok((name, answer)) = came.recv_timeout(until.saturating_duration_since(Instant::now())) {
        answers.insert(name, answer);
    }
    answers
}

/// As [`at_once`], in a copy of this process: a thread that hangs in the kernel holds up nobody. `what` names the work in
/// messages.
pub fn apart_at_once<T: Serialize + DeserializeOwned + Send + 'static>(
    what: &str,
    names: &[String],
    deadline: Duration,
    ask: impl Fn(&str) -> Result<T, String> + Clone + Send + 'static,
) -> Result<Answers<T>, NoAnswer> {
    apart(what, deadline + MARGIN, &[], || at_once(names, deadline, ask))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::thread;

    #[test]
    fn they_begin_in_a_copy_whatever_other_threads_did_when_it_was_made() {
        let over = Arc::new(AtomicBool::new(false));
        let others: Vec<_> = (0..16)
            .map(|_| {
                let over = Arc::clone(&over);
                thread::spawn(move || {
                    while !over.load(Ordering::Relaxed) {
                        let _ = thread::spawn(|| ()).join();
                    }
                })
            })
            .collect();
        let names = ["one", "other"].map(str::to_owned);
        // Where Rust's own threads are taken, one in some 200 copies fails.
        let (started, mut made) = (Instant::now(), 0);
        let mut all = true;
        while all && (made < 300 || started.elapsed() < Duration::from_secs(5)) {
            let answers = apart_at_once("asking", &names, Duration::from_secs(60), |name| Ok(name.len()));
            all = answers.unwrap().len() == names.len();
            made += 1;
        }
        over.store(true, Ordering::Relaxed);
        others.into_iter().for_each(|other| other.join().unwrap());
        assert!(all, "in copy {made} a thread did not begin");
        println!("{made} copies");
    }

    #[test]
    fn who_hangs_is_missing_and_the_others_are_told() {
        let ask = |name: &str| {
            if name == "hangs" {
                thread::sleep(Duration::from_secs(300));
            }
            if name == "fails" { Err("why".to_owned()) } else { Ok(name.len()) }
        };
        let names = ["fails", "hangs", "one"].map(str::to_owned);
        let started = Instant::now();
        let answers = apart_at_once("asking", &names, Duration::from_secs(5), ask).unwrap();
        assert!(started.elapsed() < Duration::from_secs(150));
        let expected = [("fails".to_owned(), Err("why".to_owned())), ("one".to_owned(), Ok(3))];
        assert_eq!(answers, BTreeMap::from(expected));
    }
}
