"""Reads the header of an rpm as rpm 4.8 of CentOS 6 does, and says what that one would not understand.

header.py FILE: exit status 0 and a summary, or 1 and the problems, a line each. It knows nothing of the rpm here: that one
understands more.
"""

import gzip
import hashlib
import struct
import sys

# What `rpm --showrc` of 4.8.0 (CentOS 6.6) lists below "Features supported by rpmlib".
RPMLIB_4_8 = {
    "rpmlib(VersionedDependencies)": (3, 0, 3),
    "rpmlib(CompressedFileNames)": (3, 0, 4),
    "rpmlib(PayloadIsBzip2)": (3, 0, 5),
    "rpmlib(PayloadIsXz)": (5, 2),
    "rpmlib(PayloadIsLzma)": (4, 4, 2),
    "rpmlib(PayloadFilesHavePrefix)": (4, 0),
    "rpmlib(ExplicitPackageProvide)": (4, 0),
    "rpmlib(HeaderLoadSortsTags)": (4, 0, 1),
    "rpmlib(ScriptletInterpreterArgs)": (4, 0, 3),
    "rpmlib(PartialHardlinkSets)": (4, 0, 4),
    "rpmlib(ConcurrentAccess)": (4, 1),
    "rpmlib(BuiltinLuaScripts)": (4, 2, 2),
    "rpmlib(FileDigests)": (4, 6, 0),
    "rpmlib(FileCaps)": (4, 6, 1),
}
# What CentOS 6.6 minimal answers to, that the package asks for.
MINIMAL = {"/bin/sh", "glibc"}

NAME, VERSION, RELEASE, EPOCH, ARCH = 1000, 1001, 1002, 1003, 1022
REQUIRENAME, REQUIREFLAGS, REQUIREVERSION = 1049, 1048, 1050
PAYLOADFORMAT, PAYLOADCOMPRESSOR, PAYLOADFLAGS = 1124, 1125, 1126
BASENAMES, DIRNAMES, DIRINDEXES, FILEDIGESTS, FILEDIGESTALGO = 1117, 1118, 1116, 1035, 5011
INTERPRETERS = (1085, 1086, 1087, 1088)
# Tags that change what a package means, and that rpm 4.8 passes over: dependencies that are weak, triggers on files,
# scripts around whole transactions are not here, for it knows those; sizes above 4 GiB.
UNKNOWN_TO_4_8 = {
    5009: "LONGSIZE", 5008: "LONGFILESIZES", 5114: "RPMFORMAT",
    **{tag: "weak dependencies" for tag in range(5046, 5058)},
    **{tag: "file triggers" for tag in range(5066, 5090)},
}
SIG_SIZE, SIG_MD5, SIG_SHA1 = 1000, 1004, 269
SHA256 = 8


def header(data, at):
    """The tags of the header at `at`, and where it ends."""
    if data[at:at + 4] != b"\x8e\xad\xe8\x01":
        raise SystemExit(f"no header at {at}")
    count, size = struct.unpack(">II", data[at + 8:at + 16])
    index, store = at + 16, at + 16 + 16 * count
    tags = {}
    for number in range(count):
        tag, kind, offset, many = struct.unpack(">IIII", data[index + 16 * number:index + 16 * number + 16])
        start = store + offset
        if kind in (6, 8, 9):
            values = []
            for _ in range(many):
                end = data.index(b"\0", start)
                values.append(data[start:end].decode())
                start = end + 1
        elif kind == 7:
            values = data[start:start + many]
        elif kind in (2, 3, 4, 5):
            letter = {2: "B", 3: "H", 4: "I", 5: "Q"}[kind]
            values = list(struct.unpack(f">{many}{letter}", data[start:start + many * struct.calcsize(letter)]))
        else:
            raise SystemExit(f"tag {tag} has the type {kind}, which rpm 4.8 does not know")
        tags[tag] = values
    return tags, store + size, count, size


def version_tuple(text):
    return tuple(int(part) for part in text.split("-")[0].split("."))


def problems_of(data):
    wrong = []

    def want(holds, text):
        if not holds:
            wrong.append(text)

    magic, major, _, kind, arch = struct.unpack(">IBBHH", data[:10])
    want((magic, major, kind, arch) == (0xEDABEEDB, 3, 0, 1), "the lead is not that of a binary package for x86")
    want(struct.unpack(">H", data[78:80])[0] == 5, "the signature is not of the type 5")
    signature, end, _, _ = header(data, 96)
    at = (end + 7) // 8 * 8
    tags, payload_at, count, size = header(data, at)
    want(count < 0xFFFF and size < 0xFFFFFF, "the header is larger than rpm 4.8 reads")
    want(signature.get(SIG_SIZE) == [len(data) - at], "the size in the signature is not the package's")
    want(signature.get(SIG_MD5) == hashlib.md5(data[at:]).digest(), "no MD5 sum that rpm 4.8 can verify")
    want(signature.get(SIG_SHA1) == [hashlib.sha1(data[at:payload_at]).hexdigest()], "no SHA-1 of the header")

    for tag, what in UNKNOWN_TO_4_8.items():
        want(tag not in tags, f"it has the tag {tag} ({what})")
    want(tags[PAYLOADFORMAT] == ["cpio"], f"the payload is {tags[PAYLOADFORMAT]}, not cpio")
    want(tags[PAYLOADCOMPRESSOR] == ["gzip"], f"the payload is compressed with {tags[PAYLOADCOMPRESSOR][0]}, not gzip")
    want(tags.get(FILEDIGESTALGO) == [SHA256], f"the digests of files are of the kind {tags.get(FILEDIGESTALGO)}, not SHA-256")
    want(all(len(digest) in (0, 64) for digest in tags.get(FILEDIGESTS, [])), "a file's digest is not a SHA-256")
    want(tags[ARCH] == ["x86_64"], f"it is for {tags[ARCH]}")
    want(EPOCH not in tags, "it has an epoch")
    for tag in (VERSION, RELEASE):
        want(not set("~^") & set(tags[tag][0]), f"{tags[tag][0]}: tildes and carets are letters to rpm 4.8")
    for tag in INTERPRETERS:
        want(tags.get(tag, ["/bin/sh"]) == ["/bin/sh"], f"a script is run by {tags.get(tag)}")

    for name, version in zip(tags[REQUIRENAME], tags[REQUIREVERSION]):
        if name.startswith("rpmlib("):
            known = RPMLIB_4_8.get(name)
            want(known and version_tuple(version) <= known, f"rpm 4.8 has no {name} {version}")
        else:
            want(name in MINIMAL, f"CentOS 6.6 minimal has no {name}")
            want(not set("~^") & set(version), f"{name} {version}: tildes and carets are letters to rpm 4.8")
            if name == "glibc":
                want(version_tuple(version) <= (2, 12), f"CentOS 6.6 has glibc 2.12, not {version}")

    names = [tags[DIRNAMES][index] + base for index, base in zip(tags.get(DIRINDEXES, []), tags.get(BASENAMES, []))]
    want(not [name for name in names if "build-id" in name], "it has links by build id")
    if tags[PAYLOADCOMPRESSOR] == ["gzip"]:
        packed = gzip.decompress(data[payload_at:])
        want(packed[:6] == b"070701", "the payload is not cpio's format newc")
        first = packed[110:110 + int(packed[94:102], 16) - 1].decode()
        want(first.startswith("./"), f"the payload begins with {first}, not with ./")
    return wrong, f"{tags[NAME][0]}-{tags[VERSION][0]}-{tags[RELEASE][0]}, {len(names)} files"


def main():
    with open(sys.argv[1], "rb") as stream:
        wrong, summary = problems_of(stream.read())
    if wrong:
        print("\n".join(wrong))
        sys.exit(1)
    print(summary)


main()
