"""The process of a plugin: `python -m rehearsal.plugins KIND-NAME ENGINE_ADDRESS`.

Imports only the modules of that plugin: its start is part of every preview.
"""

import importlib.metadata
import os
import runpy
import sys
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

    return _provider(KubernetesProvider, engine)


def _resource_gcp(engine: str) -> Any:
    # With the SDK: inputs are checked against its types.
    from rehearsal.clouds.gke.provider import GcpProvider

    return _provider(GcpProvider, engine)


def _resource_coreweave(engine: str) -> Any:
    # With the SDK, as above.
    from rehearsal.clouds.coreweave.provider import CoreWeaveProvider

    return _provider(CoreWeaveProvider, engine)


def _provider(provider: Any, engine: str) -> Any:
    """Returns the registration of a provider, with the version of its SDK package."""
    from pulumi.runtime.proto import provider_pb2_grpc

    instance = provider(importlib.metadata.version(f"pulumi-{provider.package}"), Engine(engine))
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
    "resource-gcp": _resource_gcp,
    "resource-coreweave": _resource_coreweave,
}

if __name__ == "__main__":
    if sys.argv[1] == DYNAMIC:
        _run_dynamic()
    else:
        serve(PLUGINS[sys.argv[1]](engine_address(sys.argv[2:])))
