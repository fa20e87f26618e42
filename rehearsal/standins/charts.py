"""The stand-in router chart, packaged as the `.tgz` a chart registry would serve.

Used where the official chart's registry cannot be reached; it reads the same values and makes the same objects, so what is
rehearsed is the stack's own part. Whoever uses it must say so.
"""

import subprocess
from pathlib import Path

STANDALONE = Path(__file__).parent / "charts" / "standalone"


class PackagingError(RuntimeError):
    """Helm could not package the stand-in chart; the message carries Helm's reason."""


def package(destination: Path, helm: Path) -> Path:
    """Package the chart into `destination` (made if absent) with the `helm` binary; the file is named `<name>-<version>.tgz`.

    An older package is replaced. Raises PackagingError.
    """
    destination.mkdir(parents=True, exist_ok=True)
    command = [str(helm), "package", str(STANDALONE), "--destination", str(destination)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise PackagingError(f"the stand-in chart {STANDALONE} cannot be packaged by {helm}: {done.stderr.strip()}")
    # Helm's last line is "Successfully packaged chart and saved it to: <path>".
    return Path(done.stdout.strip().rpartition(": ")[2])
