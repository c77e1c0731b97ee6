use std::time::Duration;

use super::*;
use crate::testing::{chance, samples};

#[path = "../../../../tests/support/forms.rs"]
mod forms;

#[test]
fn no_secret_of_the_grammar_is_seen_in_any_form() {
    let floor = 40 * forms::forms() as u64;
    for number in samples(floor, Duration::from_secs(1)) {
        let form = usize::try_from(number).unwrap() % forms::forms();
        let forms::Planted { text, parts, form } = forms::planted(form, &mut chance(number));
        let masked = without_secrets(&text);
        for part in &parts {
            assert!(!masked.contains(part.as_str()), "{form}\n{text}\n->\n{masked}");
        }
        assert_eq!(without_secrets(&masked), masked, "{form}\n{text}");
        let lines = |text: &str| text.matches('\n').count();
        assert_eq!(lines(&masked), lines(&text), "{form}\n{text}\n->\n{masked}");
        assert_eq!(masked.lines().next(), text.lines().next(), "the line above: {form}\n{text}");
        // As it comes from a command, line by line, and as it stands in a document.
        let mut masker = Masker::default();
        assert_eq!(
            text.lines().map(|line| masker.line(line) + "\n").collect::<String>().replace('\r', ""),
            masked.replace('\r', "")
        );
        let json = json_without_secrets(&serde_json::json!([&text]).to_string());
        let back: Vec<String> = serde_json::from_str(&json).unwrap();
        assert_eq!(back, [masked]);
    }
}

/// What a masker takes for something, in any order.
#[test]
fn masked_text_stays_as_it_is_and_hides_what_follows_it() {
    let words = "password token user u -u -P --key KEY1 Bearer is for sig = : :// / @ ? & ; , % \" ' \\ *** < \
         > h 80 \u{e4} pass phrase set to using chpasswd <<< | -sSu [ ] { } $6$ </password> value \
         name";
    let pieces: Vec<&str> =
        words.split(' ').chain([" : ", " ", "  ", "\n", "\n  ", "echo ", "curl ", "\u{1b}[1m"]).collect();
    for number in samples(4000, Duration::from_secs(1)) {
        let mut below = chance(number);
        let text: String = (0..=below(20)).map(|_| pieces[below(pieces.len())]).collect();
        let masked = without_secrets(&text);
        assert_eq!(without_secrets(&masked), masked, "{text:?}");
        for hidden in ["http://user:Hidden@host/", " https://:Hidden@host", " passphrase=Hidden"] {
            let text = format!("{text} {hidden}");
            assert!(!without_secrets(&text).contains("Hidden"), "{text:?} -> {:?}", without_secrets(&text));
        }
    }
}

#[test]
fn credentials_are_taken_out_of_every_address() {
    for (text, expected) in [
        (
            "get http://u:p@h:8080/x via https://a@b and ftp://plain/x@y",
            "get http://***@h:8080/x via https://***@b and ftp://plain/x@y",
        ),
        ("http://user:pa@ss@host/", "http://***@host/"),
        ("https://:pw@h", "https://***@h"),
        ("http://us%20er:p%40s%2Fs@h:1/", "http://***@h:1/"),
        ("http://u:p/w@h/x", "http://***@h/x"),
        ("http://u:p'w@h/x", "http://***@h/x"),
        ("'http://u:pw@h/' http://u:pw@i", "'http://***@h/' http://***@i"),
        ("cut: http://user:secre", "cut: http://***"),
        ("http_proxy=http://u:p@h:3128", "http_proxy=http://***@h:3128"),
        ("http_proxy=user:secret@proxy:3128 yum", "http_proxy=***@proxy:3128 yum"),
        ("socks5://u:p@h:1080", "socks5://***@h:1080"),
        ("//user:p,w=x@host/share", "//***@host/share"),
        ("a,b (user:pw@host) c", "a,b (***@host) c"),
    ] {
        assert_eq!(without_secrets(text), expected);
        assert_eq!(without_secrets(expected), expected);
    }
}

#[test]
fn values_of_what_is_called_a_secret_are_taken_out() {
    for (text, expected) in [
        ("x?token=abc&y=1", "x?token=***&y=1"),
        ("https://h/x?token=abc: status 403", "https://h/x?token=*** status 403"),
        (
            "https://a.blob.core.windows.net/c/?sv=2024-11-04&sr=b&sig=aB%2Fc%3D&se=2026-12-01",
            "https://a.blob.core.windows.net/c/?sv=2024-11-04&sr=b&sig=***&se=2026-12-01",
        ),
        (
            r#"{"url": "https://s3/x?X-Amz-Credential=A/b&X-Amz-Signature=0f"}"#,
            r#"{"url": "https://s3/x?X-Amz-Credential=***&X-Amz-Signature=***"}"#,
        ),
        ("AccountName=a;AccountKey=Zm9v==;EndpointSuffix=x", "AccountName=a;AccountKey=***"),
        ("rw,username=u,password=p/w,uid=0", "rw,username=u,password=***"),
        (r#"{"passphrase": "two words", "a": 1}"#, r#"{"passphrase": ***, "a": 1}"#),
        ("proxy_password = 'x y' z", "proxy_password = *** z"),
        ("Enter passphrase: three plain words", "Enter passphrase: ***"),
        ("GET / Proxy-Authorization: Basic dTpw\r\nHost: x", "GET / Proxy-Authorization: ***\r\nHost: x"),
        ("authorization: Bearer a.b.c", "authorization: ***"),
        ("curl --proxy-password abc -v", "curl --proxy-password ***"),
        ("curl -u me:pw http://h/", "curl -u ***"),
        (
            "UnifiedAgentConfigurator.sh -i 10.0.0.1 -P a.b/c",
            "UnifiedAgentConfigurator.sh -i 10.0.0.1 -P ***",
        ),
        ("API_KEY=1\napi-key: 2", "API_KEY=***\napi-key: ***"),
        ("open /etc/passwd: token=abc", "open /etc/passwd: token=***"),
        ("the password is abc", "the password is ***"),
        ("password:\n\n  abc\n  def\nstatus: 0", "password:\n\n  ***\n  ***\nstatus: 0"),
        ("password=\"abc\ndef\" x", "password=***\n*** x"),
        ("password=\"a\nb\\\"c\nd\" x\ne", "password=***\n***\n*** x\ne"),
        ("FAILED to register passphrase a b", "FAILED to register passphrase ***"),
        ("password changed to a", "password changed to ***"),
        ("password is: a", "password is: ***"),
        ("PEM pass phrase: a b", "PEM pass phrase: ***"),
        ("\u{1b}[31mpass\u{1b}[1mword\u{1b}[0m: a", "password: ***"),
        (
            "keys:\n- name: DB_PASSWORD\n  value: a\nvalue: b",
            "keys:\n- name: DB_PASSWORD\n  value: ***\nvalue: ***",
        ),
        ("passwords:\n- a\n- b\nend", "passwords:\n***\n***\nend"),
        ("Authorization: Digest a,\n  b\nHost: x", "Authorization: ***\n  ***\nHost: x"),
        ("get https://u:a b@h/x", "get https://***@h/x"),
        ("root:$6$salt$0123456789:1:", "root:***:1:"),
        ("olcRootPW {SSHA}0123456789abc=", "olcRootPW ***"),
        ("PASSWORD[0]=a", "PASSWORD[0]=***"),
        ("echo root:a | chpasswd", "echo *** | chpasswd"),
        ("chpasswd <<< root:a", "chpasswd <<< ***"),
        ("<password><![CDATA[a<b]]></password> x", "<password>***</password> x"),
        ("ipmitool -U u -Pa power", "ipmitool -U u -P***"),
        (
            "-----BEGIN RSA PRIVATE KEY-----\nMII\nx==\n-----END RSA PRIVATE KEY-----\nok",
            "-----BEGIN RSA PRIVATE KEY-----\n***\n***\n-----END RSA PRIVATE KEY-----\nok",
        ),
        ("password: *** (as it was)", "password: *** (as it was)"),
    ] {
        assert_eq!(without_secrets(text), expected);
        assert_eq!(without_secrets(expected), expected);
    }
}

#[test]
fn a_private_key_without_an_end_hides_no_more_than_a_key_has() {
    let text = format!("-----BEGIN PRIVATE KEY-----\n{}", "x\n".repeat(2 * LONGEST_KEY));
    assert_eq!(without_secrets(&text).matches(MASK).count(), LONGEST_KEY);
    // Many of them in one line are no deep recursion.
    let many = "-----BEGIN PRIVATE KEY-----a-----END PRIVATE KEY-----".repeat(100_000);
    assert!(!without_secrets(&many).contains("--a-"));
}

#[test]
fn a_document_stays_one_whatever_its_strings_hold() {
    let values = [r#"http://u:p"w@h"#, r"C:\password=x\", "a\nhttp://u:p@h\\", "plain \" \\", ""];
    let json = serde_json::to_string_pretty(&values).unwrap();
    let back: Vec<String> = serde_json::from_str(&json_without_secrets(&json)).unwrap();
    assert_eq!(back, values.map(without_secrets));
    assert!(!back.concat().contains("p\"w") && back[0] == "http://***@h", "{back:?}");
    assert_eq!(json_without_secrets(r#"{"torn": "a"#), r#"{"torn": "a"#);
}

#[test]
fn what_is_no_secret_stays() {
    for text in [
        "http://127.0.0.1:8080: refused (http://[::1]:80), http://h:1.",
        "reading /etc/passwd: permission denied",
        "git@host:path a@b 12:30 x/y:z@w pci-0000:00:10.0",
        "1000:0030 2:0:0:0 00:50:56:aa:bb:cc",
        "the token of a file",
        "http://mirror/?release=6.6&arch=x86_64&repo=os",
        "the passphrase is required.",
        "/etc/passwd is not a directory; passphrase.txt is a link; 'token.json' was not read",
        "user: root, login: me, -u root, date -u +%Y:%m, getty@tty1.service: x",
        "syntax error near unexpected token `fi'",
        "bypass: 1 compass=n KEYTABLE=us rd.luks.key=/x gpgkey=file:///etc/pki/rpm-gpg/RPM-GPG-KEY-CentOS-6",
    ] {
        assert_eq!(without_secrets(text), text);
    }
}

#[test]
fn a_quote_or_a_tag_that_nothing_closes_hides_no_more_lines_than_a_value_has() {
    for begin in ["password=\"a", "<password>a"] {
        let masked = without_secrets(&format!("{begin}\n{}", "x\n".repeat(2 * LONGEST_VALUE)));
        assert_eq!(masked.matches(MASK).count(), LONGEST_VALUE + 1, "{masked}");
    }
}

#[test]
fn what_is_written_like_a_secret_and_is_none_stays() {
    for text in [
        "passwd: Authentication token manipulation error",
        "passwd: all authentication tokens updated successfully.",
        "passwd: password unchanged",
        "passwd: user 'nobody1' does not exist",
        "passwd: Only root can do that.",
        "chpasswd: line 1: user 'x' does not exist",
        "chpasswd: (user root) pam_chauthtok() failed, error:",
        "chpasswd: cannot open /etc/passwd",
        "Nov 29 01:00:00 host passwd[1234]: pam_unix(passwd:chauthtok): password changed for root",
        "systemd-ask-password-wall.service: Main process exited, code=exited, status=1/FAILURE",
        "systemd[1]: systemd-ask-password-console.path: Failed to run 'start' task",
        "Started Dispatch Password Requests to Console Directory Watch.",
        "type=AVC scontext=system_u:system_r:passwd_t:s0 tcontext=system_u:object_r:shadow_t:s0",
        "system_u:object_r:passwd_exec_t:s0 /usr/bin/passwd",
        "df -P /mnt/retention: 1",
        "cp -P a b && tar -P -xf x.tar && lsblk -P -o NAME",
        "LC_ALL=C /bin/df -P /var/crash",
        "chown root:wheel /x; chown user:wheel /x",
        "https://SERVER:PORT/ http://host:<port>/ http://host:PORT",
        "Updated perl-4:5.10.1-136.el6.x86_64@base",
        "scp file root@host:/path",
        "rsync -avu host:/path /x",
        "a name that would pass for one of ours: run mt-agent state",
        "the password was changed",
        "password reset; using password authentication",
        "Using password file /etc/x with passwd < 0.77",
        "Changing password for user root.",
        "$1$2 ${1}$6$x {sha} {MD5}",
        "# // a comment: x@y",
        "name: disk\nvalue: 3",
        "\u{1b}[32mOK\u{1b}[0m passphrase.txt was read",
        "auth: pam",
    ] {
        assert_eq!(without_secrets(text), text);
    }
}

/// What tools printed on machines of tests/support/said: nothing of it is a secret.
#[test]
fn what_tools_printed_stays_byte_for_byte() {
    let directory = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/said");
    let mut number = 0;
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        let output = std::fs::read_to_string(&path).unwrap();
        assert!(output.lines().count() > 2, "{}", path.display());
        for (shown, line) in without_secrets(&output).lines().zip(output.lines()) {
            assert_eq!(shown, line, "{}", path.display());
        }
        assert_eq!(without_secrets(&output), output, "{}", path.display());
        number += 1;
    }
    assert!(number >= 8, "{number} files");
}

/// What the tools print that are run, as they print it.
#[test]
fn what_tools_print_stays_readable() {
    const SAID: &str = "\
Header V3 RSA/SHA1 Signature, key ID c105b9de: OK
Signature: good; key ID 0608b895
warning: x.rpm: Header V3 DSA/SHA1 Signature, key ID 192a7d7d: NOKEY
error: Failed dependencies:
	passwd = 0.77-4.el6_2.2 is needed by authconfig-6.1.12-13.el6.x86_64
	config(passwd) = 0.77-4.el6_2.2 is needed by passwd-0.77-4.el6_2.2.x86_64
	libsecret-1.so.0()(64bit) is needed by x-1-1.x86_64
	libsecret is needed by x-1-1.x86_64
package passwd is not installed
package passwd-0.77-4.el6_2.2.x86_64 is already installed
passwd is already the newest version (1:4.8.1-1ubuntu5.20.04).
Get:1 http://archive.ubuntu.com/ubuntu focal/main amd64 passwd amd64 1:4.8.1-1ubuntu5 [798 kB]
Preparing to unpack .../passwd_1%3a4.8.1-1ubuntu5_amd64.deb ...
Setting up passwd (1:4.8.1-1ubuntu5) ...
Loaded plugins: fastestmirror, security
Loading mirror speeds from cached hostfile
 * base: vault.centos.org
---> Package passwd.x86_64 0:0.77-4.el6_2.2 will be installed
--> Processing Dependency: libuser >= 0.53-1 for package: passwd-0.77-4.el6_2.2.x86_64
           Requires: passwd = 0.77-4.el6_2.2
 passwd           x86_64        0.77-4.el6_2.2           base            90 k
(1/2): passwd-0.77-4.el6_2.2.x86_64.rpm                  |  90 kB     00:00
passwd-0.77-4.el6_2.2.x86_64.rpm: Checksum (sha256) OK
  Installing : libsecret-0.18.6-1.el7.x86_64                              1/3
  Verifying  : 4:perl-libs-5.10.1-136.el6.x86_64                          2/3
Importing GPG key 0xC105B9DE:
 Userid : CentOS-6 Key (CentOS 6 Official Signing Key) <centos-6-key@centos.org>
 From   : /etc/pki/rpm-gpg/RPM-GPG-KEY-CentOS-6
Retrieving key from file:///etc/pki/rpm-gpg/RPM-GPG-KEY-CentOS-6
http://vault.centos.org/6.6/os/x86_64/repodata/repomd.xml: [Errno 14] PYCURL ERROR 22 - \"The requested URL returned error: 404 Not Found\"
Error: Package: passwd-0.77-4.el6_2.2.x86_64 (base)
Dependency Installed:
  passwd.x86_64 0:0.77-4.el6_2.2
Another app is currently holding the yum lock; waiting for it to exit...
  The other application is: yum
    Memory :  24 M RSS (311 MB VSZ)
    State  : Sleeping, pid: 4711
mke2fs 1.41.12 (17-May-2010)
Filesystem label=retention
OS type: Linux
Block size=4096 (log=2)
268435456 inodes, 1073741824 blocks
Superblock backups stored on blocks:
	32768, 98304, 163840
Writing inode tables: done
Creating journal (32768 blocks): done
Pass 1: Checking inodes, blocks, and sizes
meta-data=/dev/mapper/36000c2982b5df41a25811b07e74971e8 isize=256    agcount=4, agsize=65536 blks
naming   =version 2              bsize=4096   ascii-ci=0
36000c2982b5df41a25811b07e74971e8 dm-1 VMware,Virtual disk
size=200G features='0' hwhandler='0' wp=rw
`- 3:0:1:0 sdc 8:32 active ready running
mount: /dev/sdb1 on /mnt/retention type ext4 (rw)
UUID=3e6be9de-8139-11d1-9106-a43f08d823a6 / ext4 defaults,usrquota 1 1
Checking for required packages... OK
Backing up the file /etc/multipath.conf [OK]
FAILED: the operating system is not supported
";
    assert_eq!(without_secrets(SAID), SAID);
    for line in SAID.lines() {
        assert_eq!(without_secrets(line), line);
    }
}

#[test]
fn a_line_of_megabytes_is_looked_at_in_part_and_hidden_behind() {
    let line = "-p token password for ".repeat(400_000) + "S3cr3t";
    let masked = without_secrets(&format!("before\n{line}\nafter\n"));
    assert!(masked.starts_with("before\n") && masked.ends_with("***\nafter\n"), "{}", masked.len());
    assert!(masked.len() < 10_000 && !masked.contains("S3cr3t"));
}
