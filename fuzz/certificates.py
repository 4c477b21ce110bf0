"""Damaged certificates, requests and keys: they are read, or are a ValueError, whatever is in them."""

import random

from _fuzzing import damaged, run
from tests.certificates import certificates

from torsion import ssl
from torsion.credentials.der import to_pem

OWN = ssl.PrivateCertificate.loadPEM(certificates().server.both.read_bytes())
GOOD = [
    (ssl.Certificate, "CERTIFICATE", OWN.original),
    (ssl.CertificateRequest, "CERTIFICATE REQUEST", OWN.certificateRequest()),
    (ssl.KeyPair, "PRIVATE KEY", OWN.privateKey.original),
]


def case(chance: random.Random) -> None:
    kind, label, original = chance.choice(GOOD)
    data = damaged(original, chance) if chance.random() < 0.9 else chance.randbytes(chance.randrange(400))
    try:
        if chance.random() < 0.3:
            read = kind.load(damaged(to_pem(label, data), chance), 1)
        else:
            read = kind.load(data)
        if isinstance(read, ssl.Certificate):
            read.inspect()
            repr(read)
        read.dump(1)
    except ValueError:
        pass


if __name__ == "__main__":
    run(case)
