#!/usr/bin/env python3
"""sbom.py RAW BINARY LINKED TARGET: what cargo-cyclonedx wrote, made true for the binary that is shipped.

RAW is its JSON, LINKED a file with a line "name vVERSION" for each crate whose code is in the binary. TARGET gets a list that
names no place of the build machine, holds the binary's SHA-256 and tells apart what is linked ("required") and what only
worked on the build ("excluded": macros, build scripts and what these need).
"""

import hashlib
import json
import sys


def main(raw, binary, linked, target):
    with open(raw, encoding="utf-8") as file:
        bom = json.load(file)
    with open(linked, encoding="utf-8") as file:
        linked = {tuple(line.split()[:2]) for line in file if line.strip()}

    # The agent is on no registry: a purl of cargo would name a stranger's crate.
    agent = bom["metadata"]["component"]
    own = agent["bom-ref"]
    agent["bom-ref"] = agent["purl"] = f"pkg:generic/{agent['name']}@{agent['version']}"
    agent["scope"] = "required"
    with open(binary, "rb") as file:
        agent["hashes"] = [{"alg": "SHA-256", "content": hashlib.sha256(file.read()).hexdigest()}]
    # Its library and binary: one program.
    agent.pop("components", None)

    for component in bom["components"]:
        there = (component["name"], "v" + component["version"]) in linked
        component["scope"] = "required" if there else "excluded"
    for dependency in bom["dependencies"]:
        if dependency["ref"] == own:
            dependency["ref"] = agent["bom-ref"]

    with open(target, "w", encoding="utf-8") as file:
        json.dump(bom, file, indent=2, ensure_ascii=False)
        file.write("\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
