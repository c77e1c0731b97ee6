#!/usr/bin/env python3
"""sbom.py SBOM BINARY TARGET: held against CycloneDX's own schema, Cargo.lock and cargo, and so are copies of it with a fault
each, which must be found. Needs python-jsonschema (Debian) and the schemas that cyclonedx-python-lib carries (PyPI)."""

import copy
import hashlib
import importlib.util
import json
import os
import pathlib
import subprocess
import sys
import tomllib

import jsonschema

TOP = pathlib.Path(__file__).resolve().parents[2]
REGISTRY = "registry+https://github.com/rust-lang/crates.io-index"


def schema():
    """A validator; the schema refers to two others by their addresses."""
    place = pathlib.Path(importlib.util.find_spec("cyclonedx").origin).parent / "schema/_res"
    load = lambda name: json.loads((place / f"{name}.SNAPSHOT.schema.json").read_text())
    main = load("bom-1.5")
    store = {"http://cyclonedx.org/schema/" + f"{name}.SNAPSHOT.schema.json": load(name) for name in ("spdx", "jsf-0.82")}
    return jsonschema.Draft7Validator(
        main, resolver=jsonschema.RefResolver(main["$id"], main, store), format_checker=jsonschema.draft7_format_checker
    )


def cargo(*arguments):
    return subprocess.run(["cargo", *arguments], cwd=TOP, check=True, stdout=subprocess.PIPE, text=True).stdout


def tree(target, edges):
    lines = cargo("tree", "--locked", "--target", target, "--edges", edges, "--prefix", "none", "--no-dedupe").splitlines()
    return {tuple(line.split()[:2]) for line in lines} - {("mt-agent", lines[0].split()[1])}


def licences(target):
    packages = json.loads(cargo("metadata", "--locked", "--format-version", "1", "--filter-platform", target))["packages"]
    return {(package["name"], package["version"]): package["license"].replace("/", " OR ") for package in packages}


class Judge:
    def __init__(self, binary, target):
        self.validator = schema()
        self.linked, self.worked = tree(target, "normal,no-proc-macro"), tree(target, "normal,build")
        self.licences = licences(target)
        self.binary = hashlib.sha256(pathlib.Path(binary).read_bytes()).hexdigest()
        packages = tomllib.loads((TOP / "Cargo.lock").read_text())["package"]
        self.locked = {(package["name"], package["version"]): package for package in packages}
        self.places = [str(TOP) + "/", os.environ.get("CARGO_HOME", os.path.expanduser("~/.cargo")) + "/", "file:"]

    def faults(self, bom):
        for error in self.validator.iter_errors(bom):
            yield f"schema: {error.json_path}: {error.message[:200]}"
        if "serialNumber" in bom:
            yield "a serial number, which is another one each time"
        text = json.dumps(bom, ensure_ascii=False)
        for place in self.places:
            if place in text:
                yield f"it names a place of the build machine: {place}"
        agent = bom["metadata"]["component"]
        if agent["name"] != "mt-agent" or agent["hashes"] != [{"alg": "SHA-256", "content": self.binary}]:
            yield "it is not about this binary"
        if any("cargo" in str(agent.get(key)) for key in ("purl", "bom-ref")):
            yield "the agent looks like a crate of crates.io"
        yield from self.sets(bom)
        for component in bom["components"]:
            yield from self.component(component)
        refs = {component["bom-ref"] for component in bom["components"]} | {agent["bom-ref"]}
        named = {ref for one in bom["dependencies"] for ref in [one["ref"], *one.get("dependsOn", [])]}
        if refs != named:
            yield f"the graph names others than the components: {sorted(refs ^ named)[:3]}"

    def sets(self, bom):
        def those(wanted):
            found = [(one["name"], "v" + one["version"]) for one in bom["components"] if one.get("scope") in wanted]
            return set(found) if len(set(found)) == len(found) else {("twice", "")}

        for name, wanted, expected in (
            ("linked", {"required"}, self.linked),
            ("linked or at work in the build", {"required", "excluded"}, self.worked),
        ):
            if those(wanted) != expected:
                yield f"{name}: differs from cargo tree in {sorted(those(wanted) ^ expected)[:3]}"

    def component(self, one):
        name, version = one["name"], one["version"]
        locked = self.locked.get((name, version))
        if locked is None or locked.get("source") != REGISTRY:
            yield f"{name} {version} is not what Cargo.lock takes from crates.io"
            return
        if one.get("purl") != f"pkg:cargo/{name}@{version.replace('+', '%2B')}" and one.get("purl") != f"pkg:cargo/{name}@{version}":
            yield f"{name}: purl {one.get('purl')}"
        if one.get("hashes") != [{"alg": "SHA-256", "content": locked["checksum"]}]:
            yield f"{name}: hashes {one.get('hashes')}"
        if [licence.get("expression") for licence in one.get("licenses", [])] != [self.licences[name, version]]:
            yield f"{name}: licences {one.get('licenses')}, expected {self.licences[name, version]}"


def broken(bom):
    """The same with one fault each, and a word of how it must be told."""
    def crate(copied, name):
        return next(one for one in copied["components"] if one["name"] == name)

    def without_a_crate(copied):
        copied["components"].remove(crate(copied, "rustls"))

    def with_a_macro_as_linked(copied):
        crate(copied, "serde_derive")["scope"] = "required"

    def with_another_sum(copied):
        crate(copied, "ring")["hashes"][0]["content"] = "0" * 64

    def with_another_version(copied):
        crate(copied, "clap")["version"] = "4.0.0"

    def without_a_licence(copied):
        del crate(copied, "ureq")["licenses"]

    def with_a_place(copied):
        crate(copied, "tar")["description"] = str(TOP / "src")

    def with_a_number(copied):
        copied["serialNumber"] = "urn:uuid:3e671687-395b-41f5-a30f-a58921a69b79"

    def of_another_binary(copied):
        copied["metadata"]["component"]["hashes"][0]["content"] = "0" * 64

    def with_a_key_of_no_schema(copied):
        copied["components"][0]["colour"] = "red"

    def with_a_licence_of_no_list(copied):
        copied["components"][0]["licenses"] = [{"license": {"id": "Mine-1.0"}}]

    for fault in (without_a_crate, with_a_macro_as_linked, with_another_sum, with_another_version, without_a_licence,
                  with_a_place, with_a_number, of_another_binary, with_a_key_of_no_schema, with_a_licence_of_no_list):
        copied = copy.deepcopy(bom)
        fault(copied)
        yield fault.__name__, copied


def main(path, binary, target):
    judge = Judge(binary, target)
    bom = json.loads(pathlib.Path(path).read_text())
    faults = list(judge.faults(bom))
    for fault in faults:
        print(f"NOT OK  SBOM: {fault}")
    for name, copied in broken(bom):
        if not list(judge.faults(copied)):
            faults.append(name)
            print(f"NOT OK  an SBOM {name.replace('_', ' ')} passes")
    if faults:
        sys.exit(1)
    print(f"SBOM: {len(judge.linked)} crates linked, {len(judge.worked - judge.linked)} more in the build, as Cargo.lock has them")


if __name__ == "__main__":
    main(*sys.argv[1:])
