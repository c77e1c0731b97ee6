# shellcheck shell=bash
# check, plan, disks and facts change nothing

hardware() {
    disk blank 1T
    disk customer 20G
}

boot_0() {
    mkfs.ext4 -q -L customer /dev/sdc
    expect "the customer's disk is prepared" blkid -p /dev/sdc
}

boot_1() {
    # Python writes its byte code beside report.py and in its library on first use: before, not between.
    mt-agent check --format json >"$out/check.json"
    report verdict "$out/check.json"
    snapshot before
    agent 1 check
    mt-agent check --format json >/dev/null
    mt-agent check --format nagios >/dev/null
    agent 1 plan
    mt-agent plan --format json >/dev/null
    agent 0 disks
    agent 0 disks --probe
    mt-agent disks --format json >/dev/null
    mt-agent facts >"$out/facts.json"
    expect "facts are one JSON document" python3 -m json.tool "$out/facts.json"
    mt-agent explain >/dev/null
    agent 0 explain 95226
    mt-agent profile show >/dev/null
    mt-agent check --facts "$out/facts.json" >/dev/null
    expect "facts that are read from a file are judged the same" \
        [ "$(mt-agent check --facts "$out/facts.json" --format json | python3 -c "$statuses")" = "$(python3 -c "$statuses" <"$out/check.json")" ]
    snapshot after
    unchanged before after
}

statuses='
import json, sys
for finding in json.load(sys.stdin)["findings"]:
    print(finding["id"], finding["status"])
'

after() { untouched blank customer; }
