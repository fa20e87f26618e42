"""Google's installed SDK, as inputs are checked against it."""

from rehearsal.clouds.gke import SDK
from rehearsal.clouds.sdk import Sdk

_GOOGLE = Sdk(SDK)
mistakes = _GOOGLE.mistakes
declares = _GOOGLE.declares
