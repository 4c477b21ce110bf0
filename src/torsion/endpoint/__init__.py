"""Where a connection leads to or a service listens, as an object with `connect(factory)` or `listen(factory)`.

An endpoint opens something with its reactor's public methods, and answers with a Deferred; nothing here knows a socket.
`connecting.py` has what the clients share: how a factory's protocol and a Deferred hang together.
"""
