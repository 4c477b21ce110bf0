"""TLS over any stream: an engine with bytes in and bytes out, and the protocol that puts it on a transport."""
