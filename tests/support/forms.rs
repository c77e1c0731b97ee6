//! A grammar of how secrets are written. `choose(n)` answers a number below `n`: chance, or a fuzzer's bytes.

/// A source of numbers below the one that is asked with.
pub type Choose<'a> = &'a mut dyn FnMut(usize) -> usize;

/// A text with a secret in it.
pub struct Planted {
    /// The text.
    pub text: String,
    /// The parts of the secret: none of them may be seen.
    pub parts: Vec<String>,
    /// How it is written.
    pub form: String,
}

/// How `{}` stands for the secret and `{N}` for the name, and what can stand between its parts.
type Form = (&'static str, &'static [&'static str]);

/// What stands between the parts of a passphrase.
const ANY: &[&str] = &[
    " ", ", ", ",", ";", "; ", ":", "=", "@", "&", "%", "#", "/", "\\", "'", "\"", "  ", " is ", "!", "|",
    "%20", " - ",
];
/// Within double quotes, single quotes, and both.
const DOUBLE: &[&str] = &[" ", ",", ", ", ";", ":", "=", "@", "&", "/", "'", "\\\"", "} ", " key=", "\\\\x"];
const SINGLE: &[&str] = &[" ", ",", ", ", ";", ":", "=", "@", "&", "/", "\"", "] ", " user="];
const QUOTED: &[&str] = &[" ", ",", ", ", ";", ":", "@", "&", "/", "$"];
/// In an address: encoded, or what people put there all the same.
const ADDRESS: &[&str] = &["%40", "%3A", "%2F", "%20", ":", "!", "$", ",", "@", "/", "'", "=", "."];
/// In a query, which has to be encoded.
const QUERY: &[&str] = &["%20", "%26", "%3D", "-", "_", ".", "+", "/", "=", ","];
/// Without blanks and quotes.
const WORD: &[&str] = &[":", ",", "=", "%40", "!", "/", "@", ";"];
/// In a document of XML.
const TAG: &[&str] = &[" ", "&amp;", ":", "\"", "'", "="];
/// Lines of a block.
const LINES: &[&str] = &["\n        ", "\n\n        "];
/// Over more lines than two, in quotes.
const BROKEN: &[&str] = &["\n", "\n  ", "\n\n", " ", "\\\"\n", "\n--- "];
/// In an address that nobody encoded.
const BLANKS: &[&str] = &[" ", "  ", " and ", "@ "];
/// In a hash.
const HASH: &[&str] = &["/", ".", "", "$"];
/// Behind a word.
const SAID: &[&str] = &[" ", ", ", ":", "=", "@", "&", "/", "'", "\"", " is ", " - "];
/// Lines of a private key.
const KEY: &[&str] = &["\n", "/", "+", "\r\n"];
/// Lines of one that a program wrote as one line.
const KEY_LINE: &[&str] = &["\\n", "/", "+"];

const FORMS: &[Form] = &[
    ("{N}={}", ANY),
    ("{N} = {}", ANY),
    ("{N}: {}", ANY),
    ("{N}:{}", ANY),
    ("{N} : {}", ANY),
    ("{N}\t=\t{}", ANY),
    ("{N} := {}", ANY),
    ("export {N}={}", ANY),
    ("export {N}='{}'; echo done", SINGLE),
    ("{N}=\"{}\"", DOUBLE),
    ("{N}: \"{}\", retrying", DOUBLE),
    ("{N}: '{}'", SINGLE),
    ("{\"user\": \"x\", \"{N}\": \"{}\", \"port\": 1}", DOUBLE),
    ("{\\\"{N}\\\": \\\"{}\\\", \\\"port\\\": 1}", QUOTED),
    ("{\"{N}\":\"{}\"}", DOUBLE),
    ("{'{N}': u'{}', 'port': 1}", SINGLE),
    ("$config['{N}'] = '{}';", SINGLE),
    ("  '{N}' => '{}',", SINGLE),
    ("- {N}: {}", ANY),
    ("{N}:\n        {}", LINES),
    ("  {N}: |\n        {}\nnext: 1", LINES),
    ("{N}: >-\n        {}", LINES),
    ("{N} = \\\n        {}", ANY),
    ("{N}=\n{}", ANY),
    ("\"{N}\":\n        \"{}\"", DOUBLE),
    ("{N}: [\n        {}\n]", LINES),
    ("{N} is {}", ANY),
    ("the {N} was {}", ANY),
    ("{N} for root: {}", ANY),
    ("Enter {N} for key '/root/.ssh/id_rsa': {}", ANY),
    ("{N} of user admin: {}", ANY),
    ("{N} \"{}\" was refused", QUOTED),
    ("curl --{N} {} https://host/", ANY),
    ("curl --{N}={}", ANY),
    ("tool --{N} '{}' --verbose", SINGLE),
    ("tool '--{N}' '{}'", SINGLE),
    ("wget --user=me --{N}=\"{}\" http://host/", DOUBLE),
    ("install -i 10.0.0.1 -P {}", ANY),
    ("UnifiedAgentConfigurator.sh -i 10.0.0.1 -P '{}'", SINGLE),
    ("curl -u user:{} https://host/x", ANY),
    ("curl -u 'user:{}' https://host/x", SINGLE),
    ("curl -uuser:{}", ANY),
    ("curl --user \"user:{}\" https://host/x", QUOTED),
    ("curl -x proxy:3128 --proxy-user user:{}", ANY),
    ("curl --proxy-user=user:{} https://host/x", ANY),
    ("curl -x proxy:3128 -U user:{}", ANY),
    ("smbclient -U DOMAIN/user%{} //host/share", ANY),
    ("mount -t cifs //host/share /mnt -o username=user%{}", ANY),
    ("//host/share /mnt cifs rw,user=user%{},uid=0 0 0", ANY),
    ("//host/share /mnt cifs rw,pass={},uid=0 0 0", ANY),
    ("sshpass -p {} ssh host", ANY),
    ("sshpass -p'{}' ssh host", SINGLE),
    ("mysql -u root -p{} db", ANY),
    ("ldapsearch -x -D cn=admin -w {}", ANY),
    ("https://user:{}@host:8443/x?y=1", ADDRESS),
    ("http_proxy=http://user:{}@proxy:3128/ yum", ADDRESS),
    ("https://{}@host/x", &["%40", ".", "-"]),
    ("ftp://user%40corp:{}@host", ADDRESS),
    ("cannot fetch 'https://user:{}@host/x': status 403", &["%40", "!", ":", "."]),
    ("proxy = user:{}@proxy:3128", WORD),
    ("//user:{}@host/share", WORD),
    ("https://host/x?{N}={}&arch=x86_64", QUERY),
    ("https://host/x?sv=1&sig={}&se=2: status 403", QUERY),
    ("GET /x?X-Amz-Signature={} HTTP/1.1", QUERY),
    ("%26user%3Dx%26{N}%3D{}", QUERY),
    ("Authorization: Bearer {}", ANY),
    ("authorization: Basic {}", ANY),
    ("curl -H 'Authorization: Bearer {}' https://host/", SINGLE),
    ("Proxy-Authorization: Digest username=\"x\", response=\"{}\"", DOUBLE),
    ("bearer {}", ANY),
    ("Set-Cookie: session={}; HttpOnly", ANY),
    ("<{N}>{}</{N}>", TAG),
    ("<server {N}=\"{}\" />", QUOTED),
    ("machine host login me password {}", ANY),
    ("rootpw {}", ANY),
    ("rootpw --plaintext {}", ANY),
    ("bindpw {}", ANY),
    ("requirepass {}", ANY),
    ("ALTER USER x IDENTIFIED BY '{}';", SINGLE),
    ("AccountName=a;AccountKey={};EndpointSuffix=x", ANY),
    ("Server=x;Uid=y;Pwd={};", ANY),
    ("KEY1=s:{}", ANY),
    ("WPA_PSK='{}'", SINGLE),
    ("psk={}", ANY),
    ("PWD={}", ANY),
    ("MYSQL_PWD={}", ANY),
    ("-----BEGIN RSA PRIVATE KEY-----\n{}\n-----END RSA PRIVATE KEY-----", KEY),
    ("-----BEGIN OPENSSH PRIVATE KEY-----\n{}", KEY),
    ("-----BEGIN ENCRYPTED PRIVATE KEY-----\r\n{}\r\n-----END ENCRYPTED PRIVATE KEY-----", KEY),
    (
        "private_key: |\n        -----BEGIN PRIVATE KEY-----\n        {}\n        -----END PRIVATE KEY-----",
        KEY,
    ),
    ("FAILED to register passphrase {}", ANY),
    ("using password {}", SAID),
    ("ok, set the password {}", SAID),
    ("password changed to {}", ANY),
    ("password has been reset to {}", ANY),
    ("password is: {}", ANY),
    ("set token to {}", ANY),
    ("pass phrase: {}", ANY),
    ("Enter PEM pass phrase:{}", ANY),
    ("Pass-Phrase = {}", ANY),
    ("pass_phrase={}", ANY),
    ("API key: {}", ANY),
    ("\u{1b}[31m{N}\u{1b}[0m: {}", ANY),
    ("\u{1b}[1;31mpass\u{1b}[0mword=\u{1b}[32m{}\u{1b}[0m", ANY),
    ("pass\u{200b}word\u{feff}: {}", ANY),
    ("{N}\u{ad}:\u{200e} {}", ANY),
    ("{N}=\"{}\"; done", BROKEN),
    ("{N}: '{}', next", BROKEN),
    ("{N}=\"{}", BROKEN),
    ("{N} = \"\"\"\n{}\n\"\"\"", BROKEN),
    ("{N}: >-2  # folded\n        {}\n", LINES),
    ("{N}: |2-\n        {}", LINES),
    ("{N}: !!str |  # a block\n        {}", LINES),
    ("{N}: !vault |\n        {}", LINES),
    ("{N}:\n- {}", &["\n- "]),
    ("{N}:\n        - {}", &["\n        - ", "\n          "]),
    ("{N}: {}", LINES),
    ("{N}={}", &["\\\n", " \\\n"]),
    ("Authorization: Digest {}", &[",\n         ", "\r\n         "]),
    ("https://user:{}@host/x", BLANKS),
    ("cannot open 'https://user:{}@host:8443/x': 403", BLANKS),
    ("//user:{}@host/share", BLANKS),
    ("root:$6$saltsalt${}:19000:0:99999:7:::", HASH),
    ("rootpw --iscrypted $5$rounds=5000$saltsalt${}", HASH),
    ("x $1$saltsalt${} y", HASH),
    ("hash $2y$10$saltsaltsaltsa{} of it", HASH),
    ("x:$y$j9T$saltsalt${}:1", HASH),
    ("x $argon2id$v=19$m=65536,t=3,p=4$saltsalt${}", HASH),
    ("x: {SSHA}saltsalt{}", HASH),
    ("{crypt}saltsalt{}", HASH),
    ("x grub.pbkdf2.sha512.10000.{}", &["."]),
    ("{N}+={}", ANY),
    ("{N}?={}", ANY),
    ("{N}[0]={}", ANY),
    ("{N}[name] = '{}'", SINGLE),
    ("{N} -> {}", ANY),
    ("${{N}:-{}}", ANY),
    ("curl -sSu user:{} https://host/", ANY),
    ("curl -fsSLuuser:{}", ANY),
    ("/usr/bin/curl -sU 'user:{}' https://host/", SINGLE),
    ("ipmitool -H host -U admin -P{} power status", ANY),
    ("sqlcmd -S host -P{}", ANY),
    ("sqlcmd -S host -P '{}'", SINGLE),
    ("chpasswd <<< user:{}", ANY),
    ("chpasswd <<<'user:{}'", SINGLE),
    ("passwd --stdin root <<< {}", ANY),
    ("echo user:{} | sudo /usr/sbin/chpasswd", &[" ", ":", "/", "|"]),
    ("printf '%s' {}|passwd --stdin root", &[" ", ":", "/"]),
    ("{\"auths\": {\"host\": {\"auth\": \"{}\"}}}", DOUBLE),
    ("//registry.example/:_auth={}", ANY),
    ("_auth = {}", ANY),
    ("<{N}><![CDATA[{}]]></{N}>", &[" ", "<", ">", "\"", "\n  ", "\n"]),
    ("<{N} type='x'>{}</{N}>", &["\n", "\n    ", " "]),
    ("<wsse:{N} Type=\"x\">{}</wsse:{N}>", TAG),
    ("<{N}>\n{}\n</{N}>", &["\n", " "]),
    ("<{N}><value>{}</value></{N}>", TAG),
    ("<{N} value=\"{}\"/>", &[" ", ":", "="]),
    ("<user name='x' {N}='{}'/>", &[" ", ":", "="]),
    ("name: {N}\nvalue: {}", ANY),
    ("- name: {N}\n  type: string\n  value: {}", ANY),
    ("{\"name\": \"{N}\", \"value\": \"{}\"}", DOUBLE),
    ("<property name=\"{N}\" value=\"{}\"/>", QUOTED),
    ("<name>{N}</name>\n<value>{}</value>", TAG),
    ("SharedAccessSignature sig={}&se=1&sr=x", ANY),
    ("SharedAccessSignature sr=x&sig={}&se=1", ANY),
    ("curl --oauth2-bearer {} https://host/", ANY),
    ("activationkey {}", ANY),
    ("rhnreg_ks --activationkey={}", ANY),
    ("{\"key\": \"-----BEGIN PRIVATE KEY-----\\n{}\\n-----END PRIVATE KEY-----\\n\", \"x\": 1}", KEY_LINE),
];

const NAMES: &[&str] = &[
    "password",
    "passwd",
    "passphrase",
    "passwort",
    "passcode",
    "secret",
    "token",
    "credentials",
    "api_key",
    "api-key",
    "apikey",
    "access_key",
    "accountKey",
    "private_key",
    "shared-key",
    "client_secret",
    "auth_token",
    "refreshToken",
    "proxy_password",
    "userpass",
    "db_pass",
    "bind_pw",
    "root_pwd",
];

const PREFIXES: &[&str] = &["", "", "", "DB_", "mysql_", "spring.datasource.", "my-", "X-", "_"];
const SUFFIXES: &[&str] = &["", "", "", "2", "_1"];

/// What may stand before it on its line: nothing that takes what follows for its own.
const BEFORE: &[&str] =
    &["", "", "  ", "Nov 29 01:00:00 host yum: ", "[2026-11-29T01:00:00Z] ", "error: ", "+ ", "-> done; "];

/// Lines that are no secrets, around it.
const AROUND: &[&str] = &["", "Loaded plugins: fastestmirror", "status: 0", "Writing superblocks: done"];

/// How many forms there are.
pub fn forms() -> usize {
    FORMS.len()
}

/// A secret of parts that nothing else contains, in the `number`th form of the grammar.
pub fn planted(number: usize, choose: Choose<'_>) -> Planted {
    let (form, between) = FORMS[number];
    let parts: Vec<String> = (0..=choose(4)).map(|number| part(number, choose)).collect();
    let mut secret = parts[0].clone();
    for part in &parts[1..] {
        secret.push_str(between[choose(between.len())]);
        secret.push_str(part);
    }
    let filled = form.replace("{N}", &name(choose)).replacen("{}", &secret, 1);
    let mut pick = |from: &[&'static str]| from[choose(from.len())];
    let (above, before, below) = (pick(AROUND), pick(BEFORE), pick(AROUND));
    Planted { text: format!("{above}\n{before}{filled}\n{below}\n"), parts, form: form.to_owned() }
}

/// `Q`, a digit that tells the part, and what nothing else has in it.
fn part(number: usize, choose: Choose<'_>) -> String {
    const LETTERS: &[u8] = b"abcdefghijkmnopqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789";
    let rest = (0..6).map(|_| char::from(LETTERS[choose(LETTERS.len())]));
    format!("Q{number}z{}", rest.collect::<String>())
}

fn name(choose: Choose<'_>) -> String {
    let mut pick = |from: &[&'static str]| from[choose(from.len())];
    let name = format!("{}{}{}", pick(PREFIXES), pick(NAMES), pick(SUFFIXES));
    match choose(4) {
        0 => name.to_ascii_uppercase(),
        1 => name[..1].to_ascii_uppercase() + &name[1..],
        _ => name,
    }
}
