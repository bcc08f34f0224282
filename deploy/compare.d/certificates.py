"""A certificate authority that lives as long as one comparison, and the certificate of its domain: one key
(ECDSA P-256) for all servers, so that their handshakes cost the same."""

import subprocess


def _openssl(*arguments):
    done = subprocess.run(["openssl", *arguments], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"openssl {arguments[0]} failed:\n{done.stderr}")


def make(folder, domain):
    """Writes authority.crt, DOMAIN.crt and DOMAIN.key into `folder`. The key is readable by
    everybody: each server runs as a user of its own, and it protects nothing but loopback."""
    curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    _openssl("req", "-x509", *curve, "-keyout", str(folder / "authority.key"), "-out",
             str(folder / "authority.crt"), "-days", "90", "-subj", "/CN=Comparison authority",
             "-addext", "basicConstraints=critical,CA:TRUE")
    _openssl("req", "-new", *curve, "-keyout", str(folder / f"{domain}.key"), "-out",
             str(folder / f"{domain}.csr"), "-subj", f"/CN={domain}")
    extensions = folder / "extensions.cnf"
    extensions.write_text(f"subjectAltName=DNS:{domain}\nbasicConstraints=CA:FALSE\n")
    _openssl("x509", "-req", "-in", str(folder / f"{domain}.csr"), "-CA", str(folder / "authority.crt"),
             "-CAkey", str(folder / "authority.key"), "-CAcreateserial", "-days", "90", "-extfile",
             str(extensions), "-out", str(folder / f"{domain}.crt"))
    (folder / f"{domain}.key").chmod(0o644)
