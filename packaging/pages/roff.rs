//! Text as roff(7) wants it.

/// How long a line of text may be: mandoc warns beyond that.
const WIDTH: usize = 80;

/// Text with hyphens that stay what they are.
pub fn roff(text: &str) -> String {
    text.replace('-', "\\-")
}

/// Text as it stands in a description: what is between backticks is bold.
pub fn words(text: &str) -> String {
    let mut out = String::new();
    for (number, part) in text.split('`').enumerate() {
        out += if number == 0 { "" } else { ["\\fR", "\\fB"][number % 2] };
        out += &roff(&part.replace('\\', "\\e").replace('\n', " "));
    }
    if out.starts_with(['.', '\'']) { format!("\\&{out}") } else { out }
}

/// The tests of a promise: a file, and the functions in it where it is a file of Rust.
pub fn listed(tests: &str) -> String {
    let (file, names) = tests.split_once(' ').unwrap_or((tests, ""));
    let names = names.split_whitespace().collect::<Vec<_>>().join(",\n");
    let (colon, end) = if names.is_empty() { ("", "") } else { (":\n", "") };
    format!(".IP \\(bu 2\n\\fI{}\\fR{colon}{}{end}\n", roff(file), roff(&names))
}

/// The same page with no line of text longer than mandoc wants.
pub fn wrapped(page: &str) -> String {
    let (mut out, mut filled, mut tag) = (String::new(), true, false);
    for line in page.lines() {
        let control = line.starts_with(['.', '\'']);
        filled = match line {
            ".nf" => false,
            ".fi" => true,
            _ => filled,
        };
        if control || tag || !filled {
            out += line;
        } else {
            let mut width = 0;
            for word in line.split(' ') {
                if width > 0 && width + 1 + word.len() > WIDTH && !word.is_empty() {
                    // A control character at the start of a line would make it a request.
                    out += if word.starts_with(['.', '\'']) { "\n\\&" } else { "\n" };
                    width = 0;
                } else if width > 0 {
                    out.push(' ');
                    width += 1;
                }
                out += word;
                width += word.len();
            }
        }
        out.push('\n');
        tag = line.starts_with(".TP");
    }
    out
}
