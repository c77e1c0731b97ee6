//! What rpm says that packages need.

use crate::host::text;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Need {
    /// What is needed, without a version.
    pub name: String,
    /// What is needed, as rpm says it.
    what: String,
    by: String,
    /// Whether that is an installed package, which the transaction would break.
    pub installed: bool,
}

impl Need {
    pub fn line(&self) -> String {
        text::safe(&format!("{} is needed by {}", self.what, self.by))
    }

    /// Whether a package called `name` needs it: `glibc-common`, by `glibc-common-2.12-1.el6.x86_64`.
    pub fn is_by(&self, name: &str) -> bool {
        let rest = self.by.strip_prefix(name).and_then(|rest| rest.strip_prefix('-'));
        rest.is_some_and(|rest| rest.matches('-').count() == 1)
    }
}

/// `\tperl-libs = 4:5.10.1-136.el6 is needed by perl-4:5.10.1-136.el6.x86_64`, from rpm 4.8 to 4.18; with
/// `(installed) ` before a package that is there already.
pub fn parse(stderr: &str) -> Vec<Need> {
    stderr
        .lines()
        .filter_map(|line| line.trim().split_once(" is needed by "))
        .filter_map(|(what, by)| {
            let (by, installed) = match by.strip_prefix("(installed) ") {
                Some(by) => (by, true),
                None => (by, false),
            };
            let name = what.split_whitespace().next()?.to_owned();
            Some(Need { name, what: what.to_owned(), by: by.to_owned(), installed })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_rpm_needs_is_read() {
        let needs = parse(
            "error: Failed dependencies:\n\tperl-libs = 4:5.10.1-136.el6 is needed by perl-4:5.10.1-136.el6.x86_64\n\
             \tlibc.so.6(GLIBC_2.14)(64bit) is needed by x-1-1.x86_64\n\
             \tglibc = 2.12-1 is needed by (installed) glibc-common-2.12-1.x86_64\n\ta conflicts with b\n",
        );
        let short: Vec<_> = needs.iter().map(|need| (need.name.as_str(), need.installed)).collect();
        assert_eq!(short, [("perl-libs", false), ("libc.so.6(GLIBC_2.14)(64bit)", false), ("glibc", true)]);
        assert_eq!(needs[0].line(), "perl-libs = 4:5.10.1-136.el6 is needed by perl-4:5.10.1-136.el6.x86_64");
        assert!(needs[2].is_by("glibc-common") && !needs[2].is_by("glibc"));
    }
}
