"""Google's installed SDK, against which inputs are checked."""

from rehearsal.clouds.gke import SDK
from rehearsal.clouds.sdk import Sdk

_GOOGLE = Sdk(SDK)
mistakes = _GOOGLE.mistakes
declares = _GOOGLE.declares
