#!/usr/bin/env python3
"""Makes known_answers.txt: what the envelope format gives for fixed keys, salts and places.

Written from the description at the top of src/envelope.rs alone, on other cryptography than the vault's, so that both
being wrong in the same way is unlikely. Run it with the environment of the local KMS, which has what it needs:

    .tools/venv/bin/python server/vault/tests/vault/known_answers.py            # writes the file
    .tools/venv/bin/python server/vault/tests/vault/known_answers.py --check    # says whether it still is the same
"""

import hashlib
import sys
from pathlib import Path
from uuid import UUID

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA512
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

FILE = Path(__file__).with_name("known_answers.txt")
CHUNK = 16384

KEY = bytes(range(32))
KEY_ID = UUID("01234567-89ab-4cde-8f01-23456789abcd")
SALT = bytes(range(0xA0, 0xA0 + 24))
ORGANIZATION = UUID(int=0)
WORKSPACE = UUID("0c35d6b2-77f0-4a5e-9d3c-5b1f7a2e9c04")
ROW = UUID("f81d4fae-7dec-41d0-a765-00a0c91e6bf6")

NAME = ("acme-7", ORGANIZATION, "workspaces", WORKSPACE, "name")
NOTE = ("acme-7", WORKSPACE, "notes", ROW, "body")
OBJECT = ("acme-7", WORKSPACE, "object", ROW, "content")

ANSWERS = [
    ("an empty record", NAME, 0),
    ("a record of one byte", NAME, 1),
    ("a short record", NOTE, 45),
    ("an empty object", OBJECT, 0),
    ("a byte less than a chunk", OBJECT, CHUNK - 1),
    ("exactly one chunk", OBJECT, CHUNK),
    ("a chunk and a byte", OBJECT, CHUNK + 1),
    ("three chunks, the last one short", OBJECT, 2 * CHUNK + 1000),
    ("three whole chunks", OBJECT, 3 * CHUNK),
    ("more chunks than a byte counts", OBJECT, 257 * CHUNK + 5),
]


def plaintext(length):
    return bytes(at % 251 for at in range(length))


def derive(key, info, length):
    return HKDFExpand(algorithm=SHA512(), length=length, info=info).derive(key)


def context(header, place):
    deployment, scope, table, row, column = place
    fields = [deployment.encode(), scope.bytes, table.encode(), row.bytes, column.encode()]
    return header + b"".join(len(field).to_bytes(2, "big") + field for field in fields)


def seal(place, data):
    header = b"KS" + bytes([1, 0]) + KEY_ID.bytes
    info = b"c2sp.org/chunked-encryption@v1+AEAD_AES_256_GCM\0" + SALT + context(header, place)
    material = derive(KEY, info, 76)
    message_key, base, commitment = material[:32], int.from_bytes(material[32:44], "big"), material[44:]
    cipher = AESGCM(message_key)
    sealed = header + SALT + commitment
    for number in range(len(data) // CHUNK + 1):
        nonce = (base ^ number).to_bytes(12, "big")
        sealed += cipher.encrypt(nonce, data[number * CHUNK : (number + 1) * CHUNK], None)
    return sealed


def answers():
    yield "# Known answers of version 1 of the envelope format, made by known_answers.py. They stay for ever."
    yield "# Byte i of each plaintext is i modulo 251. Of what is long, head and tail are here, and the SHA-256 of all."
    yield ""
    yield f"key          {KEY.hex()}"
    yield f"key_id       {KEY_ID}"
    yield f"check_value  {derive(KEY, b'keystead data key check value v1', 32).hex()}"
    yield f"salt         {SALT.hex()}"
    for name, place, length in ANSWERS:
        sealed = seal(place, plaintext(length))
        yield ""
        yield f"[{name}]"
        yield "place   " + " ".join(str(field) for field in place)
        yield f"length  {length}"
        yield f"sealed  {len(sealed)}"
        if len(sealed) <= 200:
            yield f"all     {sealed.hex()}"
        else:
            yield f"head    {sealed[:124].hex()}"
            yield f"tail    {sealed[-48:].hex()}"
        yield f"sha256  {hashlib.sha256(sealed).hexdigest()}"


def main():
    text = "\n".join(answers()) + "\n"
    if sys.argv[1:] == ["--check"]:
        sys.exit(0 if FILE.read_text() == text else f"{FILE.name} is not what this makes")
    FILE.write_text(text)


main()
