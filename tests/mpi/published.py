#!/usr/bin/env python3
"""published.py DIR - every file that a run has published is whole, whatever ended the run.

results.h5 opens in plain h5py and gives every number of every table; a safetensors file (artifact or
checkpoint) has a header whose tensors cover its data; an artifact with a DONE line has the bytes
that line names; every line of the journal but a last one without end has its checksum. Prints the
number of files looked at; temporaries (*.tmp.*) are nobody's.
"""
import hashlib
import json
import pathlib
import struct
import sys

import h5py
import journal


def look_at_tables(path):
    def read(name, item):
        if isinstance(item, h5py.Dataset):
            values = item[()]
            assert values.shape == item.shape, (name, values.shape, item.shape)
            tables.append(name)
        for attribute in item.attrs.values():
            assert attribute is not None, name

    tables = []
    with h5py.File(path, "r") as file:
        file.visititems(read)
    assert len(tables) > 3, tables


def look_at_tensors(path):
    data = path.read_bytes()
    (size,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8:8 + size])
    spans = sorted(t["data_offsets"] for name, t in header.items() if name != "__metadata__")
    at = 0
    for begin, end in spans:
        assert begin == at and end >= begin, spans
        at = end
    assert 8 + size + at == len(data), (size, at, len(data))


def look_at_done(folder):
    for kind, fields in journal.read(str(folder)):
        event = dict(fields)
        if kind != "done" or event["artifact"] != "1":
            continue
        path = folder / "artifacts" / event["job"][:2] / (event["job"] + ".safetensors")
        found = hashlib.sha256(path.read_bytes()).hexdigest()
        assert found == event["sha256"], (path, found, event["sha256"])


def main():
    folder = pathlib.Path(sys.argv[1])
    tables = list(folder.glob("*.h5"))
    tensors = list(folder.rglob("*.safetensors"))
    for look, paths in ((look_at_tables, tables), (look_at_tensors, tensors)):
        for path in paths:
            try:
                look(path)
            except Exception as trouble:
                sys.exit(f"{path}: {type(trouble).__name__}: {trouble}")
    if (folder / "journal").exists():
        look_at_done(folder)
    print(len(tables), len(tensors))


if __name__ == "__main__":
    main()
