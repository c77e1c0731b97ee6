# shellcheck shell=bash
# how long check takes, beside the rpm query it needs and the commands typed by hand

hardware() {
    disk blank 1T
}

boot_1() {
    mt-agent check --format json >"$out/check.json"
    report verdict "$out/check.json"
    run env MT_AGENT=/usr/sbin/mt-agent /run/lab/bench 9
    expect "the figures are there" grep -q 'the package query alone' "$out/last"
}

after() { untouched blank; }
