"""What TLS believes and shows: certificates, keys, trust, names; and the options that make an SSL context of them."""
