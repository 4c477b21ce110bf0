"""Random endpoint strings: each makes an endpoint, or raises ValueError, or OSError for a file.

python fuzz/endpoint_strings.py [--seconds 10] [--seed N]
"""

import argparse
import random
import time

from torsion.endpoint import strings
from torsion.endpoints import clientFromString, serverFromString

WORDS = """tcp tcp6 unix ssl tls stdio fd systemd haproxy port interface backlog address mode lockfile privateKey
    certKey sslmethod extraCertChain dhParameters path domain index name host timeout bindAddress caCertsDir certificate
    trustRoots endpoint self reactor INET INET6 UNIX TLSv1_2_METHOD 0 1 80 -1 666 99999999999999999999 localhost
    127.0.0.1 ::1 h\u00f6st /tmp . \u0664 \ud800 \x00""".split(" ")
SEPARATORS = [":", ":", ":", "=", "\\", "\\:", "\\\\", ""]


def description(chance: random.Random) -> str:
    """Words and separators, or a mutation of what makes sense."""
    pieces = []
    for _ in range(chance.randrange(1, 10)):
        pieces += [chance.choice(WORDS).strip(), chance.choice(SEPARATORS)]
    if chance.random() < 0.2:
        at = chance.randrange(len(pieces))
        pieces.insert(at, chr(chance.randrange(0x110000)))
    return "".join(pieces)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 32))
    options = parser.parse_args()
    chance = random.Random(options.seed)
    end = time.monotonic() + options.seconds
    count = made = 0
    while time.monotonic() < end:
        count += 1
        text = description(chance)
        for from_string in (serverFromString, clientFromString):
            try:
                from_string(None, text)
                made += 1
            except (ValueError, OSError):
                pass
            except BaseException:
                print(f"seed {options.seed}, string {count}: {from_string.__name__}(reactor, {text!r})")
                raise
        try:
            parsed = strings.parse(text)
        except ValueError:
            continue
        again = strings.parse(strings.unparse(*parsed)) if parsed[0] else parsed
        if again != parsed:
            raise AssertionError(
                f"seed {options.seed}, string {count}: {text!r} is {parsed}, and written again {again}"
            )
    print(f"{count} endpoint strings (seed {options.seed}), of which {made} made an endpoint")


if __name__ == "__main__":
    main()
