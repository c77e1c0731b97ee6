//! What there is to take out of a template, and what was taken out.

use serde::Serialize;

use super::ended::Ended;
use super::json::{self, Titled};
use super::style::{Page, Paint, Style, cut};

const SCHEMA: &str = "mt-agent/seal/v1";

/// One step with what there is to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Found {
    pub id: &'static str,
    pub title: &'static str,
    /// Whether `--only` or `--skip` leave it.
    pub skipped: bool,
    /// What there is to do, or was.
    pub items: Vec<String>,
}

/// What sealing came to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Sealing {
    pub host: String,
    /// The tree that was sealed; `None` for the running template.
    #[serde(skip)]
    pub tree: Option<String>,
    pub profile: String,
    #[serde(serialize_with = "word")]
    pub ended: Ended,
    pub refusals: Vec<String>,
    pub steps: Vec<Found>,
    pub notes: Vec<String>,
    /// What is there and stays, with the reason.
    pub kept: Vec<String>,
    /// What is there and is left to a person.
    pub left: Vec<String>,
}

/// A sealing that is finished is called so in the document.
fn word<S: serde::Serializer>(ended: &Ended, serializer: S) -> Result<S::Ok, S::Error> {
    match ended {
        Ended::Finished => serializer.serialize_str("sealed"),
        ended => ended.serialize(serializer),
    }
}

impl Sealing {
    /// Whether there is something to do.
    pub fn is_idle(&self) -> bool {
        self.steps.iter().all(|step| step.items.is_empty())
    }

    /// Whether steps were left out: what they look for may still be there.
    pub fn is_in_part(&self) -> bool {
        self.steps.iter().any(|step| step.skipped)
    }
}

#[derive(Serialize)]
struct Document<'a> {
    schema: &'static str,
    /// Whatever `ended` says, it is of the steps that were looked at.
    in_part: bool,
    #[serde(flatten)]
    sealing: &'a Sealing,
}

pub fn document(sealing: &Sealing) -> anyhow::Result<String> {
    json::document(&Document { schema: SCHEMA, in_part: sealing.is_in_part(), sealing })
}

const ID: usize = 18;

/// As text: the steps with something to do, what keeps it from being sealed, and what came of it.
pub fn render(sealing: &Sealing, style: Style) -> String {
    let mut page = Page::new(style);
    page.put(Paint::Bold, &format!("Sealing of {}", cut(&sealing.host, 63))).end();
    page.line(&format!("profile {}", sealing.profile));
    for note in &sealing.notes {
        page.wrapped("", Paint::Warn, "note: ", note);
    }
    let busy: Vec<&Found> = sealing.steps.iter().filter(|step| !step.items.is_empty()).collect();
    if !busy.is_empty() {
        page.gap();
    }
    for step in busy {
        for (number, item) in step.items.iter().enumerate() {
            let label = if number == 0 { step.id } else { "" };
            page.wrapped("  ", Paint::Plain, &format!("{label:ID$}"), item);
        }
    }
    if !sealing.kept.is_empty() || !sealing.left.is_empty() {
        page.gap();
    }
    for kept in &sealing.kept {
        page.wrapped("", Paint::Plain, "kept: ", kept);
    }
    for left in &sealing.left {
        page.wrapped("", Paint::Warn, "left to you: ", left);
    }
    let skipped: Vec<_> = sealing.steps.iter().filter(|step| step.skipped).map(|step| step.id).collect();
    if !skipped.is_empty() {
        page.gap().wrapped("", Paint::Warn, "not looked at: ", &skipped.join(", "));
    }
    page.gap();
    put_outcome(&mut page, sealing);
    page.finish()
}

pub fn render_outcome(sealing: &Sealing, style: Style) -> String {
    let mut page = Page::new(style);
    put_outcome(&mut page, sealing);
    page.finish()
}

fn put_outcome(page: &mut Page, sealing: &Sealing) {
    for why in &sealing.refusals {
        page.wrapped("", Paint::Bad, "refused: ", why);
    }
    let (paint, word, text) = outcome(sealing);
    page.put(paint, word).put(Paint::Plain, ": ").hang(word.len() + 2, &text);
}

fn outcome(sealing: &Sealing) -> (Paint, &'static str, String) {
    let things: usize = sealing.steps.iter().map(|step| step.items.len()).sum();
    let steps = sealing.steps.iter().filter(|step| !step.items.is_empty()).count();
    let counted = |count: usize, what: &str| format!("{count} {what}{}", if count == 1 { "" } else { "s" });
    let done = format!("{} in {}", counted(things, "thing"), counted(steps, "step"));
    match sealing.ended {
        _ if !sealing.refusals.is_empty() => {
            let what = if sealing.tree.is_some() { "image" } else { "machine" };
            (Paint::Bad, "not sealed", format!("cloning this {what} would be unsafe; nothing was changed"))
        }
        Ended::Finished if sealing.is_in_part() => {
            (Paint::Warn, "sealed in part", format!("{done}; what was not looked at stays"))
        }
        Ended::Finished => {
            let next = match &sealing.tree {
                Some(tree) => format!("The image can be copied once {tree} is unmounted"),
                None => "Power this machine off (sync; poweroff -f: an orderly end writes some of it again) and clone it"
                    .to_owned(),
            };
            let text = format!(
                "{done}. {next}; started again, it stays a template and waits: seal it again before it is cloned"
            );
            (Paint::Good, "sealed", text)
        }
        Ended::Nothing | Ended::DryRun if sealing.is_idle() && sealing.is_in_part() => (
            Paint::Warn,
            "nothing to do",
            "what was looked at has nothing to take out; what was not looked at stays".to_owned(),
        ),
        Ended::Nothing | Ended::DryRun if sealing.is_idle() => {
            (Paint::Good, "sealed already", "there is nothing to take out".to_owned())
        }
        Ended::Nothing | Ended::DryRun => {
            (Paint::Warn, "not sealed", format!("{done} would be done; nothing was changed"))
        }
        Ended::Declined => (Paint::Warn, "declined", "nothing was changed".to_owned()),
        // No sealing ends in the others.
        Ended::Refused
        | Ended::Restarting
        | Ended::NothingWaits
        | Ended::RestartOwed
        | Ended::Asks
        | Ended::Forgotten => (Paint::Bad, "not sealed", "nothing was changed".to_owned()),
        Ended::Interrupted => {
            let next = if sealing.tree.is_some() { "" } else { ", or restart, which resumes it" };
            (Paint::Bad, "interrupted", format!("what was done is done; run mt-agent seal again{next}"))
        }
    }
}

/// A step as `seal --list` has it.
#[derive(Clone, Debug, Serialize)]
pub struct Listed {
    pub id: &'static str,
    pub title: &'static str,
    /// Where it looks, and what it does there.
    pub does: Vec<String>,
}

#[derive(Clone, Debug, Serialize)]
pub struct List {
    pub steps: Vec<Listed>,
    /// What is kept, with the reason.
    pub kept: Vec<String>,
    pub left: Vec<String>,
}

pub fn render_list(list: &List, style: Style) -> String {
    let mut page = Page::new(style);
    for Listed { id, title, does } in &list.steps {
        page.wrapped("", Paint::Plain, &format!("{id:ID$}"), title);
        for line in does {
            page.wrapped("", Paint::Plain, &format!("{:ID$}- ", ""), line);
        }
    }
    for (what, lines) in [("kept", &list.kept), ("left to you", &list.left)] {
        page.gap().line(what);
        for line in lines {
            page.wrapped("", Paint::Plain, "  - ", line);
        }
    }
    page.finish()
}

pub fn list_document(list: &List) -> anyhow::Result<String> {
    json::document(&Titled { schema: "mt-agent/seal-steps/v1", value: list })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(ended: Ended) -> Sealing {
        let step = |id, items: &[&str]| Found {
            id,
            title: "",
            skipped: false,
            items: items.iter().map(|item| (*item).to_owned()).collect(),
        };
        Sealing {
            host: "mt01".into(),
            tree: None,
            profile: "centos-6.6".into(),
            ended,
            refusals: Vec::new(),
            steps: vec![
                step("ssh-host-keys", &["remove /etc/ssh/ssh_host_rsa_key", "remove /etc/ssh/\u{1b}[2J"]),
                step("yum-uuid", &[]),
            ],
            notes: Vec::new(),
            kept: vec!["/root/.ssh/authorized_keys (who may log in)".into()],
            left: vec!["/etc/pki/tls/private/x.key (a private key)".into()],
        }
    }

    #[test]
    fn what_is_done_is_listed_and_what_is_refused_is_never_called_sealed() {
        let text = render(&sample(Ended::Finished), Style::default());
        assert!(text.contains("  ssh-host-keys     remove /etc/ssh/ssh_host_rsa_key\n"), "{text}");
        assert!(text.contains("sealed: 2 things in 1 step.") && !text.contains("yum-uuid"), "{text}");
        assert!(text.is_ascii() && !text.contains('\u{1b}'), "{text}");
        assert!(text.contains("kept: /root/.ssh/authorized_keys (who may log in)\n"), "{text}");
        assert!(text.contains("left to you: /etc/pki/tls/private/x.key (a private key)\n"), "{text}");
        let tree = Sealing { tree: Some("/mnt/image".into()), ..sample(Ended::Finished) };
        let text = render(&tree, Style::default());
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(text.contains("once /mnt/image is unmounted") && !text.contains("Power"), "{text}");
        let mut refused = sample(Ended::DryRun);
        refused.refusals.push("a retention volume is mounted".into());
        let text = render(&refused, Style::default());
        assert!(text.contains("refused: a retention volume") && text.contains("not sealed: "), "{text}");
        let document: serde_json::Value = serde_json::from_str(&document(&refused).unwrap()).unwrap();
        assert_eq!((&document["schema"], &document["ended"]), (&SCHEMA.into(), &"dry-run".into()));
    }

    #[test]
    fn what_was_looked_at_in_part_is_never_called_sealed() {
        for ended in [Ended::Nothing, Ended::DryRun] {
            let mut sealing = sample(ended);
            sealing.steps.iter_mut().for_each(|step| step.items.clear());
            let in_part = |sealing: &Sealing| {
                let document: serde_json::Value = serde_json::from_str(&document(sealing).unwrap()).unwrap();
                document["in_part"].as_bool()
            };
            let text = render_outcome(&sealing, Style::default());
            assert!(text.starts_with("sealed already: ") && in_part(&sealing) == Some(false), "{text}");
            sealing.steps[1].skipped = true;
            let text = render_outcome(&sealing, Style::default());
            assert!(text.starts_with("nothing to do: what was looked at has nothing to take out"), "{text}");
            assert!(text.contains("stays") && !text.contains("sealed"), "{text}");
            assert_eq!(in_part(&sealing), Some(true));
        }
    }
}
