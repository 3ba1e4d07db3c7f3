"""Python environments for emulators: made once per interpreter and content of a pin file, shared by all runs.

usage: environment.py FOLDER    makes those of all pin files in tests/emulators, so that no test waits for a download

A pin file is tests/emulators/requirements-NAME.txt. Its first line says which Python it is for, best first:
`# python 3.13 3.12`. All versions are pinned, those of what is needed indirectly too: nothing is resolved.
"""

import fcntl
import hashlib
import os
import pathlib
import shutil
import subprocess
import sys

PINS = pathlib.Path(__file__).parents[2] / "emulators"


def pin_file(name):
    return PINS / f"requirements-{name}.txt"


def versions(pins):
    """The Python versions a pin file is for."""
    words = pins.read_text().partition("\n")[0].split()
    if words[:2] != ["#", "python"] or len(words) < 3:
        raise RuntimeError(f"the first line of {pins} does not say which Python it is for: `# python 3.13`")
    return words[2:]


def is_python(path, version):
    """Whether a program is there, runs and is that Python: a pyenv shim may do neither."""
    look = "import sys, venv, ensurepip; print('%d.%d' % sys.version_info[:2])"
    try:
        found = subprocess.run([path, "-c", look], capture_output=True, text=True, timeout=60)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return found.returncode == 0 and found.stdout.strip() == version


def interpreter(wanted):
    """The first interpreter of one of these versions: in PATH, or where pyenv and uv keep theirs."""
    home = pathlib.Path.home()
    folders = [
        (pathlib.Path(os.environ.get("PYENV_ROOT", home / ".pyenv")) / "versions", "{}.*/bin/python"),
        (home / ".local/share/uv/python", "cpython-{}.*/bin/python3"),
    ]
    for version in wanted:
        candidates = [found for name in (f"python{version}", "python3") if (found := shutil.which(name))]
        candidates += [str(path) for root, shape in folders for path in sorted(root.glob(shape.format(version)))]
        for candidate in candidates:
            if is_python(candidate, version):
                return candidate
    either = " or ".join(wanted)
    raise RuntimeError(
        f"Python {either} with the module venv was found neither in PATH nor under pyenv or uv; install one, "
        f"for example with `pyenv install {wanted[0]}` or, where the system has it, "
        f"`apt-get install python{wanted[0]}-venv`"
    )


def make(name, folder):
    """The environment of one pin file as a folder; its programs are in `bin`."""
    pins = pin_file(name)
    python = interpreter(versions(pins))
    exact = subprocess.check_output([python, "-c", "import sys; print(sys.base_prefix, sys.version)"])
    key = hashlib.sha256(exact + pins.read_bytes()).hexdigest()[:16]
    home = pathlib.Path(folder) / f"{name}-{key}"
    home.mkdir(parents=True, exist_ok=True)
    with open(home / ".lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = home / ".installed"
        if not done.exists():
            install = [home / "bin/python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
            for command in ([python, "-m", "venv", home], [*install, "--no-deps", "-r", pins]):
                # Not here: `-m` would take a folder of ours for one of the library's.
                made = subprocess.run(command, cwd="/", capture_output=True, text=True)
                if made.returncode != 0:
                    raise RuntimeError(f"cannot install {pins.name}: {made.stderr.strip() or made.stdout.strip()}")
            done.touch()
    return home


def package_files(home, pattern):
    """Files that a package of the environment brings, as paths below its site-packages."""
    return sorted(pathlib.Path(home).glob(f"lib/python3.*/site-packages/{pattern}"))


if __name__ == "__main__":
    for path in sorted(PINS.glob("requirements-*.txt")):
        make(path.stem.removeprefix("requirements-"), pathlib.Path(sys.argv[1]))
