"""Random changes to PROXY headers: the parser must read or refuse them, the same in one piece and in many.

    python fuzz/proxy_headers.py --seconds 60 [--seed N]

Prints what it did; a header that breaks the rule is printed as a line of Python, and the exit status is 1.
"""

import argparse
import random
import struct
import sys
import time

from torsion.core.proxyheader import HeaderParser, InvalidProxyHeader

SIGNATURE = b"\r\n\r\n\x00\r\nQUIT\n"
SEEDS = [
    b"PROXY TCP4 192.0.2.1 192.0.2.2 5000 80\r\n",
    b"PROXY TCP6 2001:db8::1 ::ffff:1.2.3.4 65535 0\r\n",
    b"PROXY UNKNOWN\r\n",
    b"PROXY UNKNOWN and what follows it\r\n",
    SIGNATURE + b"\x21\x11\x00\x0c" + bytes(range(12)),
    SIGNATURE + b"\x21\x22\x00\x2b" + bytes(range(36)) + b"\x04\x00\x04tlvs",
    SIGNATURE + b"\x21\x31\x00\xd8" + b"/run/a.sock".ljust(108, b"\0") + b"\0abstract".ljust(108, b"\0"),
    SIGNATURE + b"\x20\x00\x00\x00",
]


def mutate(data: bytes, chance: random.Random) -> bytes:
    """A few changes, of the kinds that parsers trip over."""
    changed = bytearray(data)
    for _ in range(chance.randint(0, 4)):
        place = chance.randrange(len(changed) + 1)
        kind = chance.randrange(6)
        if kind == 0 and place < len(changed):
            changed[place] = chance.choice((0, 10, 13, 32, 0x21, 0xFF, chance.randrange(256)))
        elif kind == 1:
            changed[place:place] = chance.randbytes(chance.randint(1, 8))
        elif kind == 2:
            del changed[place : place + chance.randint(1, 20)]
        elif kind == 3 and len(changed) >= 16:
            changed[14:16] = struct.pack(">H", chance.choice((0, 1, 12, 36, 216, 16368, 16369, 65535)))
        elif kind == 4:
            changed[place:place] = changed[place : place + chance.randint(1, 120)]
        else:
            changed += chance.choice((b"\r\n", b"\n", b" ", b"GET / HTTP/1.1\r\n"))
    return bytes(changed)


def outcome(pieces: list[bytes]) -> object:
    parser, info, rest = HeaderParser(), None, b""
    for piece in pieces:
        if info is None:
            try:
                info, behind = parser.feed(piece)
            except InvalidProxyHeader as error:
                return type(error)
            rest += behind or b""
        else:
            rest += piece
    return info, rest


def split(data: bytes, chance: random.Random) -> list[bytes]:
    if chance.random() < 0.2:
        return [data[place : place + 1] for place in range(len(data))]
    places = sorted(chance.randrange(len(data) + 1) for _ in range(chance.randint(1, 5)))
    return [data[start:end] for start, end in zip([0, *places], [*places, len(data)], strict=True)]


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--seconds", type=float, default=10)
    arguments.add_argument("--seed", type=int, default=None)
    options = arguments.parse_args()
    seed = random.randrange(2**32) if options.seed is None else options.seed
    chance = random.Random(seed)
    end, tried, read, failed = time.monotonic() + options.seconds, 0, 0, 0
    while time.monotonic() < end and failed < 10:
        data = mutate(chance.choice(SEEDS), chance)
        tried += 1
        try:
            whole = outcome([data])
            agreed = outcome(split(data, chance)) == whole
        except Exception as error:
            print(f"{error!r} from {data!r}")
            failed += 1
            continue
        if not agreed:
            print(f"it depends on how it is split: {data!r}")
            failed += 1
        read += isinstance(whole, tuple) and whole[0] is not None
    print(f"proxy headers, seed {seed}: {tried} tried, {read} of them read, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
