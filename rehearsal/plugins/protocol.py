"""The Pulumi plugin protocol's generated messages, without the rest of the Pulumi SDK.

`import pulumi` costs ~0.25 s and every explicit provider is a process of its own, so the processes of provider plugins call
`without_sdk` first and load only the protobuf modules (~0.1 s). Never call it in the process of a program: it needs the real SDK.
"""

import importlib.util
import sys
import types


def without_sdk() -> None:
    """Registers the SDK's packages by their search path only, so that importing the messages runs no `__init__` of the SDK."""
    spec = importlib.util.find_spec("pulumi")
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError("the package `pulumi` is not installed here: install the project's requirements")
    root = spec.submodule_search_locations[0]
    for name in ("pulumi", "pulumi.runtime", "pulumi.runtime.proto"):
        module = types.ModuleType(name)
        module.__path__ = [root + name.removeprefix("pulumi").replace(".", "/")]
        sys.modules[name] = module
