"""multipath.conf, many of them: does mt-agent read each as the real multipath does, on real disks?"""

import json
import os
import re
import subprocess
import time

from machine import AGENT, Machine, write

FILE = "/etc/multipath.conf"
PROFILE = "/etc/mt-agent/profile.yaml"
HOST = "/run/lab/host.json"
TREE = "/run/lab/tree"
SYSTEMD = "/usr/lib/systemd/systemd"
# What is looked at is the file alone, and what the agent says although another requirement would go before.
WAIVED = ["custom-changes.applied", "custom-changes.restarted", "packages.multipath", "multipath.finds"]
ONLY = "multipath.names,multipath.finds,multipath.running,custom-changes.root-disk"


def run(*words):
    done = subprocess.run(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return done.stdout.decode(errors="replace")


ROOT, B, C, D = (run("/lib/udev/scsi_id", "--whitelisted", f"--device=/dev/{disk}").strip()
                 for disk in ("sda", "sdb", "sdc", "sdd"))
OFF = "user_friendly_names no\n find_multipaths no"
# Half of an ID, and what tells sdb from the others.
HALF, TAIL = ROOT[4:12], B[-6:]


def conf(defaults=OFF, blacklist="", more=""):
    """Always with the root disk hidden: nothing is judged on a machine whose root multipath would take."""
    return f'defaults {{\n {defaults}\n}}\nblacklist {{\n wwid "^{ROOT}$"\n {blacklist}\n}}\n{more}\n'


def hides(*lines):
    return conf(blacklist="\n ".join(lines))


def section(name, *lines):
    return "\n".join([name + " {", *lines, "}\n"])


VMWARE = ["device {", " vendor VMware", "}"]
CASES = {
    "plain": conf(),
    "by ID, anchored": hides(f'wwid "^{B}$"'),
    "by an end of an ID": hides(f"wwid {TAIL}$"),
    "by a part that all have": hides(f"wwid {HALF}"),
    "every ID": hides('wwid ".*"'),
    "an ID that is lifted": hides(f"wwid {B}") + section("blacklist_exceptions", f"wwid {B}"),
    "all IDs, one lifted": hides("wwid .*") + section("blacklist_exceptions", f"wwid {B}"),
    "a name": hides('devnode "^sdb$"'),
    "names": hides('devnode "^sd[b-c]"'),
    "a name in curly quotes": hides("devnode “^sdc”"),
    "a name, a number sign": hides('devnode "#sdb"'),
    "a name, a remark behind it": hides("devnode sdd # the last"),
    "all but one name": hides('devnode "!^sd[ab]"'),
    "names, one lifted": hides("devnode sd") + section("blacklist_exceptions", "devnode sdc"),
    "names, lifted by ID": hides('devnode "^sd"') + section("blacklist_exceptions", f"wwid {B}"),
    "a vendor": hides(*VMWARE),
    "a product": hides("device {", ' product "Virtual disk"', "}"),
    "another vendor": hides("device {", " vendor InMage", ' product ".*"', "}"),
    "a vendor, lifted": hides(*VMWARE) + section("blacklist_exceptions", *VMWARE),
    "a protocol": hides('protocol "scsi:unspec"'),
    "another protocol": hides('protocol "scsi:(fcp|iscsi|spi|sas)"'),
    "a property": hides('property "ID_"'),
    "brace in the next line": conf() + f"blacklist\n{{\n wwid {D}\n}}\n",
    "in one line": conf() + f"blacklist {{ wwid {B} }}\n",
    "a quoted section": conf() + f'"blacklist" {{\n wwid {B}\n}}\n',
    "no last brace": conf() + f"blacklist {{\n wwid {C}\n",
    "carriage returns": hides(f"wwid {B}").replace("\n", "\r\n"),
    "a mark before it": "\ufeff" + hides(f"wwid {B}"),
    "blanks of another alphabet": hides(f"wwid\u00a0{B}"),
    "devnode_blacklist": conf() + section("devnode_blacklist", 'devnode "^sdb"'),
    "no expression": hides('devnode "["'),
    "an ID without a value": hides("wwid"),
    **{f"find_multipaths {word}": conf(f"find_multipaths {word}")
       for word in ("yes", "1", "off", "greedy", "strict", "smart")},
    "find_multipaths twice": conf("find_multipaths yes\n find_multipaths no"),
    "find_multipaths nowhere": conf("user_friendly_names no"),
    **{f"user_friendly_names {word}": conf(f"find_multipaths no\n user_friendly_names {word}")
       for word in ('"yes"', "1")},
    "names of a device": conf(more="devices {\n" + section("device", "vendor VMware", 'product ".*"', "user_friendly_names yes") + "}"),
    "names overridden": conf("find_multipaths no\n user_friendly_names yes", more=section("overrides", "user_friendly_names no")),
    "names overridden on": conf(more=section("overrides", "user_friendly_names yes")),
    "names of one map": conf(more="multipaths {\n" + section("multipath", f"wwid {C}", "user_friendly_names yes") + "}"),
    "an alias": conf(more="multipaths {\n" + section("multipath", f"wwid {B}", "alias retention") + "}"),
    "IDs from elsewhere": conf(OFF + '\n uid_attribute "ID_NOTHING"'),
}

# Of these the agent says that it does not judge them, or not the names: what the reason is.
NOT_JUDGED = {
    "a property": "what udev knows of a disk is not among the facts",
    "in one line": "multipath passes over what follows on the line: told, so that a person writes it as it was meant",
    "a quoted section": "multipath passes over the name: told, likewise",
    "no expression": "multipath refuses the whole file",
    "devnode_blacklist": "multipath does not know the section: told, likewise",
    "an ID without a value": "multipath passes over it: told, likewise",
}


def maps(printed):
    """What a dry run would make: the name of the map and its ID by the disk."""
    found, name, wwid = {}, None, None
    for line in printed.splitlines():
        head = re.match(r"(?:: )?(?:\w+: )?(\S+) (?:\((\S+)\) )?(?:undef|dm-\d+) VMware", line)
        if head:
            name, wwid = head.group(1), head.group(2) or head.group(1)
        path = re.search(r"- \d+:\d+:\d+:\d+ (sd\w+) ", line)
        if path:
            found[path.group(1)] = (name, wwid)
    return found


def compare(aliases, findings, theirs):
    """None: the agent does not judge it; else what differs."""
    told = {finding["id"]: finding for finding in findings}
    if told["custom-changes.root-disk"]["status"] != "met":
        return None
    finds = told["multipath.finds"]
    ours = set(re.findall(r"no map over (sd\w+)", told["multipath.running"]["found"] or ""))
    # A disk with one path, or without an ID, gets no map; the blacklist is judged beside it.
    if re.search("single path|are strict then|IDs come from", finds["found"] or ""):
        ours = set()
    wrong = []
    if set(theirs) != ours:
        wrong.append(f"we say that {sorted(ours)} get maps, multipath makes them of {sorted(theirs)}; {finds}")
    if (finds["status"] == "met") != (set(theirs) == {"sdb", "sdc", "sdd"}):
        wrong.append(f"multipath.finds is {finds}, multipath makes maps of {sorted(theirs)}")
    by_id = all(name == aliases.get(wwid, wwid) for name, wwid in theirs.values())
    if theirs and (told["multipath.names"]["status"] == "met") != by_id:
        wrong.append(f"multipath.names is {told['multipath.names']}, multipath names {theirs}")
    return wrong


def one(machine, host, name, text):
    write(FILE, text.encode())
    printed = run("multipath", "-d", "-v3")
    theirs = maps(printed)
    # The disks stay the same: they are read once. Only the file is read anew, in a tree of its own.
    write(TREE + FILE, text.encode())
    read_file = json.loads(run(AGENT, "facts", "--root", TREE))["multipath"]["configuration"]
    host["multipath"]["configuration"] = read_file
    write(HOST, json.dumps(host).encode())
    report = run(AGENT, "check", "--facts", HOST, "--profile", PROFILE, "--only", ONLY, "--format", "json")
    findings = json.loads(report)["findings"]
    wrong = compare(dict(read_file["known"].get("aliases", [])), findings, theirs)
    if "sda" in theirs:
        wrong = (wrong or []) + [f"multipath would take the root disk: {theirs}"]
    if wrong is None:
        reason = NOT_JUDGED.get(name)
        machine.expect(f"{name}: told as not understood" + (f" ({reason})" if reason else ""),
                       [] if reason else [text, str(findings)])
    else:
        excess = ["it is judged by now"] if name in NOT_JUDGED else []
        detail = [text, printed[-1500:]] if wrong or excess else []
        machine.expect(f"{name}: maps of {' '.join(sorted(theirs)) or 'nothing'}", wrong + excess + detail)
    return bool(theirs)


began = time.monotonic()
machine = Machine()
# multipath is that of a machine with systemd here, and so is the dialect.
for root in ("", TREE):
    os.makedirs(root + os.path.dirname(SYSTEMD), exist_ok=True)
    os.makedirs(root + "/etc", exist_ok=True)
    write(root + SYSTEMD, b"")
with open(PROFILE, "a") as profile:
    profile.write("waivers:\n")
    day = time.strftime("%Y-%m-%d", time.gmtime(time.time() + 300 * 86400))
    for waived in WAIVED:
        profile.write(f'- {{requirement: {waived}, reason: the file alone is looked at, until: "{day}"}}\n')
write(FILE, conf().encode())
host = json.loads(run(AGENT, "facts"))
taken = [one(machine, host, name, text) for name, text in CASES.items()]
machine.expect("some make maps, and some make none", [] if 0 < sum(taken) < len(taken) else [str(taken)])
print(f"  {len(CASES)} configurations in {time.monotonic() - began:.0f} s", flush=True)
Machine.end()
