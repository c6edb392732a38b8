"""HTTPS by a certificate and its key, each in a file."""

from __future__ import annotations

import ssl

import msgspec

from ferryman.domain.errors import BadSetting


class Tls(msgspec.Struct, frozen=True):
    """Where the certificate chain and the private key lie, in PEM; the key may be in the file of the chain."""

    certificate: str
    key: str | None = None

    def context(self) -> ssl.SSLContext:
        """What connections are secured with: TLS 1.2 or later. Raises BadSetting."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        try:
            context.load_cert_chain(self.certificate, self.key, password=_no_password)
        except (OSError, ssl.SSLError, ValueError) as error:
            raise BadSetting(
                f"The certificate in {self.certificate} cannot be used.",
                why=_why(error),
                hint="TLS_CERTIFICATE names a PEM file with the chain, TLS_KEY one with its key, not encrypted.",
            ) from None
        return context


def _no_password() -> str:
    """Nobody is asked for one: a service starts by itself."""
    raise ValueError("The key is encrypted.")


def _why(error: Exception) -> str:
    if isinstance(error, ssl.SSLError):
        return f"OpenSSL says: {error.reason or error}."
    if isinstance(error, OSError):
        return f"The system says: {error.strerror}: {error.filename}." if error.filename else f"{error.strerror}."
    return str(error)
