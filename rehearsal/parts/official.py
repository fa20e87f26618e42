"""Official plugins of the Pulumi CLI on this machine: those that a user names, and those in the CLI's plugin directory.

Owns where they are looked for and how a plugin is asked for its version. `plugins` puts them into a rehearsal.
"""

import importlib.metadata
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from threading import Timer

from rehearsal.errors import RehearsalError
from releases.files import cache_dir

PLUGINS = "LLMD_PD_PLUGINS"
"""Environment variable: a directory with official plugins (`pulumi-resource-kubernetes`, `pulumi-language-python`) as files,
which rehearsals use instead of any other."""
KUBERNETES = "resource-kubernetes"
LANGUAGE = "language-python"
#: The plugins that may be named. Not a cloud's: a rehearsal must not reach a real cloud.
NAMEABLE = (KUBERNETES, LANGUAGE)
#: Seconds within which a plugin has to answer with its version; the Kubernetes provider takes about half a second.
ANSWER_SECONDS = 20.0


@dataclass(frozen=True)
class Installed:
    """An installed plugin, and the version in the name of its directory."""

    program: Path
    version: str


def program(key: str) -> str:
    """Returns the file name of a plugin's program."""
    return f"pulumi-{key}"


def named(key: str) -> Path | None:
    """Returns the plugin in the directory that `LLMD_PD_PLUGINS` names; None if it is not set or the directory lacks this plugin.

    Raises:
        RehearsalError: it names no directory, or one without any plugin that may be named.
    """
    if not (where := os.environ.get(PLUGINS)):
        return None
    directory = Path(where).expanduser().absolute()
    if not any(_executable(directory / program(one)) for one in NAMEABLE):
        raise RehearsalError(
            f"{PLUGINS}={where} names no official plugin",
            f"it has to be a directory that holds {' or '.join(program(one) for one in NAMEABLE)} as an executable file",
            f"correct it or unset {PLUGINS}",
        )
    found = directory / program(key)
    return found if _executable(found) else None


def of_the_cli(key: str) -> Installed | None:
    """Returns the plugin of the SDK's version in the plugin directory of the user's own Pulumi CLI."""
    version = importlib.metadata.version(f"pulumi-{key.partition('-')[2]}")
    home = Path(os.environ.get("PULUMI_HOME") or Path.home() / ".pulumi")
    found = directory(home, key, version) / program(key)
    # In the environment of another rehearsal it is a link into our own cache.
    if not _executable(found) or found.resolve().is_relative_to(cache_dir()):
        return None
    return Installed(found, version)


def directory(pulumi_home: Path, key: str, version: str) -> Path:
    """Returns the directory where the CLI looks for a plugin."""
    return pulumi_home / "plugins" / f"{key}-v{version}"


def said_version(plugin: Path) -> str:
    """Starts a plugin and asks it for its version by the engine's protocol.

    Raises:
        RehearsalError: it does not start, or does not answer as a plugin.
    """
    import grpc
    from google.protobuf.empty_pb2 import Empty  # type: ignore[import-untyped]
    from pulumi.runtime.proto import provider_pb2_grpc

    # It needs no engine to tell its version, and logs nothing without one.
    process = subprocess.Popen(
        [str(plugin), "127.0.0.1:1"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    late = Timer(ANSWER_SECONDS, process.kill)
    late.start()
    try:
        port = int(process.stdout.readline()) if process.stdout else 0
        with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
            answer = provider_pb2_grpc.ResourceProviderStub(channel).GetPluginInfo(Empty(), timeout=ANSWER_SECONDS)
            return str(answer.version)
    except (OSError, ValueError, grpc.RpcError) as error:
        raise RehearsalError(
            f"{plugin} is no plugin of Pulumi's", str(error), f"name another directory by {PLUGINS}, or unset it"
        ) from None
    finally:
        late.cancel()
        process.kill()
        process.wait()


def _executable(file: Path) -> bool:
    return file.is_file() and os.access(file, os.X_OK)
