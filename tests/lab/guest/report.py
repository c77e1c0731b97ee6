"""Reads mt-agent's JSON documents for the scenarios: report.py WHAT FILE [ID]"""

import json
import sys

what, path = sys.argv[1:3]
wanted = sys.argv[3] if len(sys.argv) > 3 else None
with open(path) as stream:
    try:
        document = json.load(stream)
    except ValueError as error:
        sys.exit(f"report.py: {path}: {error}")


def finding():
    for item in document["findings"]:
        if item["id"] == wanted:
            return item
    return {}


if what == "verdict":
    print(document["verdict"])
elif what == "statuses":
    for item in document["findings"]:
        print(item["id"], item["status"])
elif what == "text":
    item = finding()
    for key in ("found", "expected", "fix", "reason"):
        if item.get(key):
            print(f"          {key}: {item[key]}")
elif what == "changes":
    for change in document["changes"]:
        print(change["kind"], change["requirement"])
elif what == "disks":
    for disk in document["disks"]:
        multipath = disk["multipath"]
        print(disk["name"], disk["scsi_id"] or "-", multipath["dm_name"] if multipath else "-")
else:
    sys.exit(f"report.py: cannot do {what}")
