"""A fresh PostgreSQL cluster on a free port of 127.0.0.1.

usage: postgres.py OWNER_PID DIRECTORY (scratch | durable)

`scratch` trades durability for speed; `durable` keeps the server's own defaults, for benchmarks.
Started by root, the server runs as `postgres` or else `nobody`, as it refuses to be root.
"""

import glob
import os
import pathlib
import pwd
import secrets
import signal
import subprocess
import sys

import lifetime

SCRATCH = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "max_wal_size": "2GB",
    "shared_buffers": "128MB",
    "max_connections": "400",
}
DURABLE = {"max_connections": "400"}


def programs():
    """The folder of `postgres` and `initdb`, which distributions keep out of PATH."""
    candidates = []
    try:
        candidates.append(subprocess.check_output(["pg_config", "--bindir"], text=True).strip())
    except (OSError, subprocess.CalledProcessError):
        pass
    versions = glob.glob("/usr/lib/postgresql/*/bin")
    candidates += sorted(versions, key=lambda path: float(path.split("/")[-2]), reverse=True)
    for folder in candidates:
        if all(os.access(f"{folder}/{name}", os.X_OK) for name in ("postgres", "initdb", "pg_isready")):
            return folder
    raise RuntimeError("no PostgreSQL server found: install one (on Debian, apt-get install postgresql)")


def server_user():
    """Whom to become, or None to stay who we are."""
    if os.getuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise RuntimeError("PostgreSQL does not run as root, and there is no user postgres or nobody")


def start(keeper):
    durability = sys.argv[3]
    folder, user = programs(), server_user()
    home = keeper.directory / "cluster"
    home.mkdir(mode=0o700)
    if user:
        os.chown(home, user.pw_uid, user.pw_gid)

    def become():
        if user:
            os.setgroups([])
            os.setgid(user.pw_gid)
            os.setuid(user.pw_uid)
        os.umask(0o077)

    data, password = home / "data", secrets.token_hex(16)
    password_file = home / "password"
    lifetime.write(password_file, password)
    if user:
        os.chown(password_file, user.pw_uid, user.pw_gid)
    init = [f"{folder}/initdb", "-D", str(data), "-U", "postgres", "-A", "scram-sha-256", "-E", "UTF8"]
    init += ["--locale=C.UTF-8", f"--pwfile={password_file}"] + (["--no-sync"] if durability == "scratch" else [])
    made = subprocess.run(init, cwd=home, preexec_fn=become, capture_output=True, text=True)
    if made.returncode != 0:
        raise RuntimeError(f"initdb failed: {made.stderr.strip()}")

    port = lifetime.free_port()
    command = [f"{folder}/postgres", "-D", str(data), "-p", str(port)]
    settings = {"listen_addresses": "127.0.0.1", "unix_socket_directories": "", "autovacuum_naptime": "1h"}
    # A test that ends in mid sign-in holds up every DROP DATABASE until its connection times out, by default a minute. A sign-in
    # may take long on a busy machine.
    settings["authentication_timeout"] = "30s"
    settings |= SCRATCH if durability == "scratch" else DURABLE
    for name, value in settings.items():
        command += ["-c", f"{name}={value}"]

    def ready():
        probe = [f"{folder}/pg_isready", "-q", "-h", "127.0.0.1", "-p", str(port)]
        return subprocess.run(probe, stderr=subprocess.DEVNULL).returncode == 0

    facts = {"port": port, "user": "postgres", "password": password}
    keeper.keep(command, ready, facts, become, cwd=home)


# An immediate shutdown: the cluster is thrown away with its directory.
lifetime.serve(int(sys.argv[1]), pathlib.Path(sys.argv[2]), signal.SIGQUIT, start)
