"""The clouds, by their value of `cluster.provider`. The next cloud is one line here."""

from stacks.clouds.cloud import EXISTING, Cloud
from stacks.clouds.coreweave.cloud import COREWEAVE
from stacks.clouds.gke.cloud import GKE

CLOUDS: dict[str, Cloud] = {cloud.key: cloud for cloud in (EXISTING, COREWEAVE, GKE)}
