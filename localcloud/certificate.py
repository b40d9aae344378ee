"""The gateway's TLS certificate and the list of authorities that lets clients trust it."""

import datetime
import ipaddress
import os
from pathlib import Path

import certifi
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from localcloud.state_folder import StateFolder

_NAMES = ("localhost", "*.localhost", "*.s3.localhost", "*.execute-api.localhost")
_BUNDLES = ("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE", "PIP_CERT")
_LIFETIME = datetime.timedelta(days=825)


def ensure_certificate(folder: StateFolder, now: datetime.datetime) -> None:
    """Make certificate and key unless one that is still valid exists; then the trust list."""
    if not folder.certificate.exists() or _expired(folder.certificate.read_bytes(), now):
        _make(folder, now)
    with open(certifi.where(), "rb") as authorities:  # noqa: PTH123  certifi gives a str
        known = [authorities.read(), *_machine_authorities(folder)]
    folder.trust.write_bytes(b"\n".join([*known, folder.certificate.read_bytes()]))


def _machine_authorities(folder: StateFolder) -> list[bytes]:
    """Read whom this machine trusts besides: a proxy's authority, where its settings name one."""
    named = {Path(os.environ[name]) for name in _BUNDLES if os.environ.get(name)}
    return [path.read_bytes() for path in sorted(named) if path.is_file() and path != folder.trust]


def _make(folder: StateFolder, now: datetime.datetime) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    folder.private_key.touch(mode=0o600)
    folder.private_key.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    certificate = _self_signed(key, now).public_bytes(serialization.Encoding.PEM)
    folder.certificate.write_bytes(certificate)


def _expired(pem: bytes, now: datetime.datetime) -> bool:
    return x509.load_pem_x509_certificate(pem).not_valid_after_utc <= now


def _self_signed(key: ec.EllipticCurvePrivateKey, now: datetime.datetime) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "embedded AWS on this machine")])
    addresses = [ipaddress.ip_address("127.0.0.1"), ipaddress.ip_address("::1")]
    names: list[x509.GeneralName] = [x509.DNSName(each) for each in _NAMES]
    names += [x509.IPAddress(each) for each in addresses]
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + _LIFETIME)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .sign(key, hashes.SHA256())
    )
