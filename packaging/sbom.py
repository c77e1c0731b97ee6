#!/usr/bin/env python3
"""sbom.py RAW BINARY LINKED WORKED TARGET: what cargo-cyclonedx wrote, made true for the binary that is shipped.

RAW is its JSON; LINKED and WORKED have a line "name vVERSION" for each crate whose code is in the binary, and for each that had
a part in the build. TARGET gets a list that names no place of the build machine, holds the binary's SHA-256 and tells apart
what is linked ("required") and what only worked on the build ("excluded": macros, build scripts and what these need).
"""

import hashlib
import json
import sys


def crates(path):
    with open(path, encoding="utf-8") as file:
        return {tuple(line.split()[:2]) for line in file if line.strip()}


def main(raw, binary, linked, worked, target):
    with open(raw, encoding="utf-8") as file:
        bom = json.load(file)
    linked, worked = crates(linked), crates(worked)

    # The agent is on no registry: a purl of cargo would name a stranger's crate.
    agent = bom["metadata"]["component"]
    own = agent["bom-ref"]
    agent["bom-ref"] = agent["purl"] = f"pkg:generic/{agent['name']}@{agent['version']}"
    agent["scope"] = "required"
    with open(binary, "rb") as file:
        agent["hashes"] = [{"alg": "SHA-256", "content": hashlib.sha256(file.read()).hexdigest()}]
    # Its library and binary: one program.
    agent.pop("components", None)

    # cargo-cyclonedx 0.5.9 goes by `cargo metadata`, which lists optional crates that no feature asks for (zlib-rs).
    key = lambda component: (component["name"], "v" + component["version"])
    bom["components"] = [component for component in bom["components"] if key(component) in worked]
    for component in bom["components"]:
        component["scope"] = "required" if key(component) in linked else "excluded"
    refs = {component["bom-ref"] for component in bom["components"]}
    bom["dependencies"] = [one for one in bom["dependencies"] if one["ref"] in refs | {own}]
    for one in bom["dependencies"]:
        if "dependsOn" in one:
            one["dependsOn"] = [ref for ref in one["dependsOn"] if ref in refs]
        if one["ref"] == own:
            one["ref"] = agent["bom-ref"]

    with open(target, "w", encoding="utf-8") as file:
        json.dump(bom, file, indent=2, ensure_ascii=False)
        file.write("\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
