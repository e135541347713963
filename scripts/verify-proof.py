#!/usr/bin/env python3
"""Checks the proofs in an export (.warc, .warc.gz, .wacz) with Python's standard library, independently of nachtwacht-verify: from
records and salts to the leaf's commitments, from the leaf's hash by its path to the root, and that against the checkpoint. Leaves
payloads, signatures and time-stamps to nachtwacht-verify. Ends with 1 on a mismatch."""
import gzip, hashlib, json, sys, zipfile
from base64 import b64decode

def sha256(*parts):
    return hashlib.sha256(b"".join(parts)).digest()

def demand(holds, why):
    if not holds:
        raise ValueError(why)

def records(stream):  # WARC/1.1: headers and block of each
    while line := stream.readline():
        demand(line.startswith(b"WARC/1."), "no record where one is due")
        headers = {}
        while (line := stream.readline()).strip():
            name, value = line.decode().split(":", 1)
            headers[name.lower()] = value.strip().strip("<>")
        yield headers, stream.read(int(headers["content-length"]))
        demand(stream.read(4) == b"\r\n\r\n", "a record does not end where it says")

def cbor(data, at=0):  # RFC 8949, as far as leaves use it: an item, and where it ends
    major, value, at = data[at] >> 5, data[at] & 31, at + 1
    if 24 <= value < 28 and major != 7:
        width = 1 << value - 24
        value, at = int.from_bytes(data[at : at + width], "big"), at + width
    if major in (2, 3):
        return (data[at : at + value] if major == 2 else data[at : at + value].decode()), at + value
    if major == 5:
        pairs = {}
        for _ in range(value):
            key, at = cbor(data, at)
            pairs[key], at = cbor(data, at)
        return pairs, at
    return {0: value, 1: -1 - value, 7: value == 21}[major], at

def root(found, index, size, path):  # RFC 9162, section 2.1.3.1, from the root down
    demand(index < size and (size == 1) == (not path), "the path is too long or too short")
    if size == 1:
        return found
    split = 1 << (size - 1).bit_length() - 1
    if index < split:
        return sha256(b"\1", root(found, index, split, path[:-1]), path[-1])
    return sha256(b"\1", path[-1], root(found, index - split, size - split, path[:-1]))

def check(proof, parts):
    leaf, _ = cbor(entry := b64decode(proof["leaf"]))
    parts["record"] = b64decode(proof["record"])
    known = sorted(parts.keys() & proof["salts"].keys())
    for name in known:
        demand(sha256(b64decode(proof["salts"][name]), parts[name]) == leaf["parts"][name], f"the part {name} was changed")
    head, checkpoint = proof["proof"].split("\n\n", 1)
    index, *path = [line for line in head.split("\n")[1:] if not line.startswith("extra ")]
    origin, size, expected = checkpoint.split("\n")[:3]
    demand(index == f"index {leaf['seq']}", "it is proved at another index")
    path = [b64decode(line) for line in path]
    demand(root(sha256(b"\0", entry), leaf["seq"], int(size), path) == b64decode(expected), "the path leads to another root")
    return f"{index} of {size} leaves of {origin}: {', '.join(known)}"

def main(name):
    count, wacz = 0, zipfile.ZipFile(name) if zipfile.is_zipfile(name) else None
    for member in [wacz.open(m) for m in wacz.namelist() if m.startswith("archive/")] if wacz else [open(name, "rb")]:
        for headers, block in records(gzip.open(member) if member.peek(1)[:1] == b"\x1f" else member):
            if "warc-concurrent-to" not in headers:
                main_id, parts = headers["warc-record-id"], {"uri": headers.get("warc-target-uri", "").encode()}
            if headers.get("content-type") == "application/vnd.nachtwacht.proof+json":
                demand(headers["warc-concurrent-to"] == main_id, "a proof stands beside no capture")
                print(main_id, check(json.loads(block), parts))
                count += 1
            parts[headers["warc-type"]] = block
    demand(count, "no proof in it")

if __name__ == "__main__":
    try:
        main(sys.argv[1])
    except (ValueError, KeyError, IndexError, EOFError, OSError) as error:
        sys.exit(f"FAILS: {error}")
