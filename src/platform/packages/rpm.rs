//! What rpm says: of its database, and of a package file. Read for rpm 4.8 (CentOS 6) to 4.18.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use regex::Regex;

use super::act::Act;
use super::lock;
use super::name::plain;
use super::signature::Signature;
use super::version::Evr;
use crate::host::command::Command;
use crate::host::{Host, text};

/// How long a question to rpm may take: it waits for its database's lock for ever.
pub const QUESTION: Duration = Duration::from_secs(60);

/// How long rpm may think about a transaction, or about what some hundred files provide.
pub const LONG_QUESTION: Duration = Duration::from_secs(300);

/// A command of rpm on the package files `files` in `directory`. It runs there and is given their names alone: rpm
/// expands `*`, `?`, `[` and `{` in its arguments, 4.8 splits them at blanks and quotes too (rpmGlob), and the name of a
/// directory may have any of these.
/// Errors: A name is not plain: rpm would take it for something else.
pub fn on_files(directory: &Path, options: &[&str], files: &[&str], deadline: Duration) -> Result<Command> {
    for file in files {
        plain(file, "a package file")?;
    }
    Ok(Command::new("rpm", options.iter().chain(files).copied(), deadline).dir(directory))
}

pub fn options(act: Act<'_>) -> Vec<&str> {
    match act {
        Act::Install => vec!["-iv"],
        Act::Upgrade => vec!["-Uv"],
        Act::TryUpgrade => vec!["-U", "--test"],
        // A database of its own instead of a root of its own: what counts is what the packages say of each other.
        Act::TryAlone(database) => {
            vec!["-i", "--test", "--nosignature", "--ignoresize", "--ignorearch", "--dbpath", database]
        }
    }
}

/// Who holds rpm's transaction lock, in words, when somebody does. rpm would wait for it without a word.
pub fn lock_holder(host: &Host) -> Option<String> {
    let path = Command::new("rpm", ["-E", "%{_dbpath}"], Duration::from_secs(30)).read(host).ok()?;
    lock::holder(host, &format!("{}/.rpm.lock", path.trim()))
}

/// Which of `names` the rpm database holds, each with its version and release.
/// Errors: rpm gave no answer for each of them: then nobody knows.
pub fn installed(host: &Host, names: &[&str]) -> Result<BTreeMap<String, String>> {
    let mut args = vec!["-q", "--qf", r"%{NAME}\t%{VERSION}-%{RELEASE}\n"];
    args.extend(names);
    let command = Command::new("rpm", args, QUESTION);
    let asking = || format!("asking the rpm database for {}", names.join(", "));
    // The status is the number of packages that are not there.
    let output = command.run(host).with_context(asking)?;
    // With a database that cannot be opened, 4.8 prints an error and then that nothing is installed.
    if let Some(error) = errors(&output.stderr).first() {
        bail!("{}: `{}` said: {error}", asking(), command.line());
    }
    parse_installed(&String::from_utf8_lossy(&output.stdout), names).with_context(asking)
}

pub(crate) fn parse_installed(stdout: &str, names: &[&str]) -> Result<BTreeMap<String, String>> {
    let found: BTreeMap<String, String> = stdout
        .lines()
        .filter_map(|line| line.split_once('\t'))
        .map(|(name, version)| (name.to_owned(), version.to_owned()))
        .collect();
    for name in names {
        let absent = format!("package {name} is not installed");
        ensure!(
            found.contains_key(*name) || stdout.lines().any(|line| line == absent),
            "rpm said nothing about {name}"
        );
    }
    Ok(found)
}

fn errors(stderr: &[u8]) -> Vec<String> {
    text::without_secrets(&String::from_utf8_lossy(stderr))
        .lines()
        .filter(|line| line.starts_with("error:"))
        .map(text::safe)
        .collect()
}

/// How long a question about so many files may take.
pub fn long(files: usize) -> Duration {
    QUESTION * u32::try_from(files).unwrap_or(u32::MAX).clamp(1, 60)
}

/// Every installed package's name and version; of several versions of one, each.
/// Errors: rpm gave no answer, or not all of it.
pub fn all_installed(host: &Host) -> Result<Vec<(String, Evr)>> {
    let command =
        Command::new("rpm", ["-qa", "--qf", r"%{NAME}\t%{EPOCH}\t%{VERSION}-%{RELEASE}\n"], QUESTION);
    let package = |line: &str| {
        let [name, epoch, version] = line.split('\t').collect::<Vec<_>>()[..] else {
            bail!("`{}` said: {}", command.line(), text::safe(line));
        };
        let epoch = if epoch == "(none)" { "0" } else { epoch };
        Ok((name.to_owned(), Evr::parse(&format!("{epoch}:{version}"))))
    };
    whole(host, &command)?.lines().map(package).collect()
}

fn whole(host: &Host, command: &Command) -> Result<String> {
    let output = command.run(host)?;
    if let Some(error) = errors(&output.stderr).first() {
        bail!("`{}` said: {error}", command.line());
    }
    ensure!(
        output.status == 0 && !output.truncated,
        "`{}` gave no whole answer: {}",
        command.line(),
        output.message()
    );
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Checks the signatures of the package files `files` in `directory` against the keys in the rpm database.
/// Errors: rpm could not check them.
pub fn signatures(host: &Host, directory: &Path, files: &[&str]) -> Result<Vec<Signature>> {
    if files.is_empty() {
        return Ok(Vec::new());
    }
    let command = on_files(directory, &["-Kv"], files, long(files.len()))?.without_network();
    let output = command.run(host)?;
    let unclear = || {
        format!("`{}` gave no clear answer (status {}): {}", command.line(), output.status, output.message())
    };
    let stdout = String::from_utf8_lossy(&output.stdout);
    let verdicts = parse_signatures(&stdout, files)?;
    let verdicts: Vec<Signature> = verdicts.into_iter().collect::<Option<_>>().with_context(unclear)?;
    let all_good = verdicts.iter().all(|one| matches!(one, Signature::Good(_) | Signature::None));
    ensure!(output.status == 0 || !all_good, unclear());
    Ok(verdicts)
}

/// What `rpm -Kv` prints of several files, a verdict for each of `files`, in that order.
pub(crate) fn parse_signatures(stdout: &str, files: &[&str]) -> Result<Vec<Option<Signature>>> {
    let mut blocks: Vec<(&str, String)> = Vec::new();
    for line in stdout.lines() {
        let name = line.strip_suffix(':').filter(|_| !line.starts_with(char::is_whitespace));
        if let Some(name) = name {
            blocks.push((name, String::new()));
        } else if let Some((_, block)) = blocks.last_mut() {
            block.push_str(line);
            block.push('\n');
        }
    }
    let same = blocks.len() == files.len() && blocks.iter().zip(files).all(|((name, _), file)| name == file);
    ensure!(same, "rpm -Kv did not answer for {} alone, in that order", files.join(", "));
    blocks.iter().map(|(_, block)| parse_signature(block)).collect()
}

/// `rpm -Kv` prints a line for each digest and signature below the file's name. `rpm -K` alone says OK of a
/// package that carries digests and no signature at all. `None`: no digest, so it was not checked.
pub(crate) fn parse_signature(stdout: &str) -> Result<Option<Signature>> {
    // `Header V3 RSA/SHA1 Signature, key ID c105b9de: OK` (4.8 to 4.18), `V3 DSA signature: OK, key ID db42a60e` (before).
    let line = Regex::new(r"^\s+.*\b([Ss]ignature|digest)\b.*?:\s*([A-Z]+)")?;
    let key = Regex::new(r"key ID ([0-9a-fA-F]+)")?;
    let (mut digests, mut keys, mut missing) = (0, Vec::new(), None);
    for text in stdout.lines() {
        let Some(found) = line.captures(text) else { continue };
        let id = key.captures(text).map_or_else(|| "unknown".to_owned(), |id| id[1].to_lowercase());
        match (found[1].eq_ignore_ascii_case("signature"), &found[2]) {
            (true, "OK") => keys.push(id),
            (true, "NOKEY") => missing = Some(id),
            (false, "OK") => digests += 1,
            _ => return Ok(Some(Signature::Bad(text::safe(text.trim())))),
        }
    }
    Ok(match (digests, missing, keys.first()) {
        (_, Some(id), _) => Some(Signature::NoKey(id)),
        (0, None, _) => None,
        (_, None, Some(id)) => Some(Signature::Good(id.clone())),
        (_, None, None) => Some(Signature::None),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As rpm 4.8 prints it on CentOS 6.
    const GOOD: &str = "/usr/local/x.rpm:
    Header V3 RSA/SHA1 Signature, key ID c105b9de: OK
    Header SHA1 digest: OK (2fae7a44e4ed9a1d8a5c1b9c9b1e6a0d9d0f2b11)
    V3 RSA/SHA1 Signature, key ID c105b9de: OK
    MD5 digest: OK (9c2a2e4a6e6f0b0a5f1a6c5b8a7d6e5f)
";

    fn verdict(text: &str) -> Option<Signature> {
        parse_signature(text).unwrap()
    }

    #[test]
    fn only_a_signature_is_one() {
        assert_eq!(verdict(GOOD), Some(Signature::Good("c105b9de".into())));
        let old = "x.rpm:\n    Header V3 DSA signature: OK, key ID DB42A60E\n    MD5 digest: OK (cbb2)\n";
        assert_eq!(verdict(old), Some(Signature::Good("db42a60e".into())));
        let digests: String =
            GOOD.lines().filter(|line| !line.contains("Signature")).map(|line| format!("{line}\n")).collect();
        assert_eq!(verdict(&digests), Some(Signature::None));
        assert_eq!(verdict("x.rpm:\n"), None);
        assert_eq!(verdict("a signature: OK.rpm:\n"), None);
    }

    #[test]
    fn one_bad_line_spoils_all_and_one_missing_key_too() {
        let bad = GOOD.replace("MD5 digest: OK", "MD5 digest: BAD");
        assert!(matches!(verdict(&bad), Some(Signature::Bad(line)) if line.starts_with("MD5 digest: BAD")));
        let bad = GOOD.replacen("c105b9de: OK", "c105b9de: BAD", 1);
        assert!(matches!(verdict(&bad), Some(Signature::Bad(_))));
        let other = GOOD.replacen("c105b9de: OK", "c105b9de: NOTTRUSTED", 1);
        assert!(matches!(verdict(&other), Some(Signature::Bad(_))));
        let missing = GOOD.replacen("c105b9de: OK", "baadf00d: NOKEY", 1);
        assert_eq!(verdict(&missing), Some(Signature::NoKey("baadf00d".into())));
        assert!(matches!(
            verdict(&missing.replace("MD5 digest: OK", "MD5 digest: BAD")),
            Some(Signature::Bad(_))
        ));
    }

    #[test]
    fn each_file_has_its_own_verdict_and_none_is_left_out() {
        let unsigned = "b.rpm:\n    Header SHA1 digest: OK (2fae)\n    MD5 digest: OK (9c2a)\n";
        let both = format!("{}{unsigned}", GOOD.replace("/usr/local/x.rpm", "a.rpm"));
        let verdicts = |files: &[&str]| parse_signatures(&both, files);
        let expected = vec![Some(Signature::Good("c105b9de".into())), Some(Signature::None)];
        assert_eq!(verdicts(&["a.rpm", "b.rpm"]).unwrap(), expected);
        for files in [&["a.rpm"][..], &["b.rpm", "a.rpm"], &["a.rpm", "b.rpm", "c.rpm"]] {
            let error = verdicts(files).unwrap_err().to_string();
            assert!(error.starts_with("rpm -Kv did not answer for "), "{error}");
        }
    }

    #[test]
    fn every_name_must_be_answered_for() {
        let stdout = "perl\t5.10.1-136.el6\npackage wget is not installed\n";
        let found = parse_installed(stdout, &["perl", "wget"]).unwrap();
        assert_eq!(found.into_iter().collect::<Vec<_>>(), [("perl".into(), "5.10.1-136.el6".into())]);
        let error = parse_installed(stdout, &["perl", "wg"]).unwrap_err().to_string();
        assert_eq!(error, "rpm said nothing about wg");
    }
}
