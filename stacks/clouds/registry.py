"""The clouds, by their value of `cluster.provider`. The next cloud is one line here."""

from stacks.clouds.cloud import EXISTING, Cloud
from stacks.clouds.coreweave.cloud import COREWEAVE
from stacks.clouds.gke.cloud import GKE
from stacks.schema import Section

CLOUDS: dict[str, Cloud] = {cloud.key: cloud for cloud in (EXISTING, COREWEAVE, GKE)}


def section_types() -> dict[str, type[Section]]:
    """Returns the type of the section of each cloud that has one, by its key. Ask when a file is read: the registry may grow."""
    return {key: cloud.section_type for key, cloud in CLOUDS.items() if cloud.section_type is not None}
