"""CRD files for tests that need some and not the official ones: each holds the definition its name promises, without a schema."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml

from hardware.bill import Crd
from releases import RELEASES, gateway_api

#: Every file a release can want.
ALL = tuple(crd for files in (*(bill.crds for bill in RELEASES.values()), gateway_api.CRDS) for crd in files)


def write(directory: Path, files: Iterable[Crd] = ALL) -> Path:
    """Writes the files into `directory`, made if absent, and returns it: for `llmd-pd:crds: {directory: …}`."""
    directory.mkdir(parents=True, exist_ok=True)
    for crd in files:
        (directory / crd.file).write_text(yaml.safe_dump(definition(crd), sort_keys=False))
    return directory


def definition(crd: Crd) -> dict[str, Any]:
    """Controller-gen, and so every release, calls a file `<group>_<plural>.yaml`."""
    group, _, plural = crd.file.removesuffix(".yaml").partition("_")
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {
            "name": f"{plural}.{group}",
            "annotations": {"inference.networking.k8s.io/bundle-version": "v1.5.0"},
        },
        "spec": {"group": group, "names": {"plural": plural}, "scope": "Namespaced", "versions": []},
    }
