"""The process of a plugin: `python -m rehearsal.plugins KIND-NAME ENGINE_ADDRESS`.

Imports only the modules of that plugin: its start is part of every preview.
"""

import importlib.metadata
import os
import runpy
import sys
from functools import partial
from typing import Any

from rehearsal.plugins.plugin import Engine, engine_address, leave_with_engine, serve
from rehearsal.plugins.protocol import without_sdk


def _language_python(engine: str) -> Any:
    without_sdk()  # the program has a process of its own
    from pulumi.runtime.proto import language_pb2_grpc

    from rehearsal.plugins.language_host import LanguageHost

    return lambda server: language_pb2_grpc.add_LanguageRuntimeServicer_to_server(LanguageHost(engine), server)


def _resource_kubernetes(engine: str) -> Any:
    without_sdk()
    from rehearsal.plugins.kube import library

    library.load_early()
    from rehearsal.plugins.kube.provider import KubernetesProvider

    return _provider(KubernetesProvider, KubernetesProvider.package, engine)


def _pretend_cloud(package: str, engine: str) -> Any:
    # With the SDK: inputs are checked against its types.
    from rehearsal.clouds.provider import PretendProvider
    from rehearsal.clouds.registry import pretend_clouds

    return _provider(partial(PretendProvider, pretend_clouds()[package]), package, engine)


def _provider(provider: Any, package: str, engine: str) -> Any:
    """Returns the registration of a provider, with the version of its SDK package."""
    from pulumi.runtime.proto import provider_pb2_grpc

    instance = provider(importlib.metadata.version(f"pulumi-{package}"), Engine(engine))
    return lambda server: provider_pb2_grpc.add_ResourceProviderServicer_to_server(instance, server)


def _run_dynamic() -> None:
    """Runs `python -u -m pulumi.dynamic` in the program's directory, as the script beside the official CLI does."""
    sys.path.insert(0, os.getcwd())
    leave_with_engine()
    runpy.run_module("pulumi.dynamic", run_name="__main__", alter_sys=True)


DYNAMIC = "resource-pulumi-python"
PLUGINS = {
    "language-python": _language_python,
    "resource-kubernetes": _resource_kubernetes,
}


def _plugin(key: str) -> Any:
    """Returns how a plugin starts; one that is not listed above is a pretend cloud."""
    return PLUGINS.get(key) or partial(_pretend_cloud, key.removeprefix("resource-"))


if __name__ == "__main__":
    if sys.argv[1] == DYNAMIC:
        _run_dynamic()
    else:
        serve(_plugin(sys.argv[1])(engine_address(sys.argv[2:])))
