"""Context factories: the oldest way to say how to speak TLS, by files or by a method `getContext`."""

from __future__ import annotations

import os
import ssl

from ..net.tls.settings import Settings
from .contexts import Context, load_chain


class ContextFactory:
    """To subclass: `getContext` returns the ssl.SSLContext for the next connection.

    Contract: twisted.internet.ssl.ContextFactory.
    """

    isClient = 0

    def getContext(self) -> ssl.SSLContext:
        raise NotImplementedError(f"{type(self).__qualname__} does not say which context to use: write getContext")

    def tls_settings(self, server_side: bool) -> Settings:
        """What a connection takes from it."""
        return Settings(self.getContext())


class DefaultOpenSSLContextFactory(ContextFactory):
    """A server's certificate and key, from PEM files. Verifies nothing.

    `certificateFileName` may go on with the certificates between it and the root. The files are read now: OSError if
    that fails, error.VerifyError if the key is another certificate's, ValueError if it is encrypted.
    Contract: twisted.internet.ssl.DefaultOpenSSLContextFactory; `sslmethod` cannot be chosen.
    """

    def __init__(self, privateKeyFileName: str, certificateFileName: str, sslmethod: None = None) -> None:
        if sslmethod is not None:
            raise TypeError("sslmethod cannot be chosen: use CertificateOptions(raiseMinimumTo=…) and its kin")
        self.privateKeyFileName = privateKeyFileName
        self.certificateFileName = certificateFileName
        self._context: Context | None = None
        self.cacheContext()

    def cacheContext(self) -> None:
        """Read the files, unless that was done."""
        if self._context is None:
            made = Context.of_side(server_side=True)
            load_chain(made, os.fspath(self.certificateFileName), os.fspath(self.privateKeyFileName))
            made.options |= ssl.OP_NO_TICKET
            made.num_tickets = 0
            self._context = made

    def getContext(self) -> ssl.SSLContext:
        """The context, with the files as they were when they were read."""
        self.cacheContext()
        assert self._context is not None
        return self._context


class ClientContextFactory(ContextFactory):
    """A client that verifies **nothing**: whoever answers is believed. `optionsForClientTLS` is what you want.

    Contract: twisted.internet.ssl.ClientContextFactory.
    """

    isClient = 1

    def getContext(self) -> ssl.SSLContext:
        """A new context."""
        return Context.of_side(server_side=False)
