"""Certificates that are wrong, each in its own way; see tests/certificates.py for the good ones."""

import datetime
from dataclasses import dataclass
from functools import cache
from typing import Any

from cryptography import x509
from tests.certificates import DAY, Identity, Maker, certificates


class Later(Maker):
    """Its certificates are not valid yet."""

    def _builder(self, *arguments: Any, **more: Any) -> x509.CertificateBuilder:
        now = datetime.datetime.now(datetime.UTC)
        builder = super()._builder(*arguments, **more)
        builder._not_valid_before, builder._not_valid_after = now + DAY, now + 30 * DAY
        return builder


@dataclass(frozen=True)
class Wrong:
    """Like those of `certificates()`, and for localhost unless they say otherwise."""

    not_yet: Identity
    #: For the address 127.0.0.2.
    wrong_address: Identity
    #: An authority that nobody knows, under the same name as the good one, and what it signed.
    other_ca: Identity
    other_server: Identity
    other_client: Identity
    #: Of clients, signed by the good authority.
    expired_client: Identity


@cache
def wrong_certificates() -> Wrong:
    """The same ones at each call."""
    folder = certificates().folder
    good = Maker(folder)
    good.ca_key = _key(certificates().ca)
    later, other = Later(folder), Maker(folder / "other")
    other.folder.mkdir()
    later.ca_key = good.ca_key
    hosts = ["localhost", "127.0.0.1"]
    return Wrong(
        not_yet=later.leaf("not-yet", hosts),
        wrong_address=good.leaf("wrong-address", ["127.0.0.2"]),
        other_ca=other.ca(),
        other_server=other.leaf("server", hosts),
        other_client=other.leaf("client", []),
        expired_client=good.leaf("expired-client", [], expired=True),
    )


def _key(identity: Identity) -> Any:
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    return load_pem_private_key(identity.key.read_bytes(), None)
