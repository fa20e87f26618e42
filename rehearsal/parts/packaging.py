"""`helm package`: a chart's directory as the `.tgz` a chart registry would serve."""

import subprocess
from pathlib import Path

from rehearsal.errors import UnavailableError

#: Seconds for a few files on this disk.
HELM_SECONDS = 60.0


def package(helm: Path, chart: Path, destination: Path, *options: str) -> Path:
    """Packages the directory `chart` into `destination` as `<name>-<version>.tgz`; an older package is replaced.

    Raises:
        UnavailableError: helm failed; the message contains its reason.
    """
    said = run(helm, "package", str(chart), "--destination", str(destination), *options)
    # Helm's last line is "Successfully packaged chart and saved it to: <path>".
    return Path(said.strip().rpartition(": ")[2])


def run(helm: Path, *arguments: str, timeout: float = HELM_SECONDS) -> str:
    """Runs a helm command and returns its output.

    Raises:
        UnavailableError: it did not succeed within `timeout` seconds; the message contains its reason.
    """
    try:
        done = subprocess.run(
            [str(helm), *arguments], capture_output=True, text=True, encoding="utf-8", timeout=timeout, check=False
        )
    except subprocess.TimeoutExpired:
        raise UnavailableError(f"`helm {arguments[0]}` did not end within {timeout:g} s") from None
    except OSError as error:
        raise UnavailableError(f"{helm} cannot be run ({error.strerror})") from None
    if done.returncode != 0:
        raise UnavailableError(f"`helm {arguments[0]}` says: {reason(done.stderr)}")
    return done.stdout


def reason(stderr: str) -> str:
    """Returns the line of helm's output that has the error; warnings come before it."""
    lines = [line.strip() for line in stderr.splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith("Error:")]
    return (errors or lines or ["nothing"])[-1].removeprefix("Error:").strip()
