"""Google's installed SDK, as inputs are checked against it."""

from rehearsal.standins.cloud.sdk import Sdk
from rehearsal.standins.gcp import SDK

_GOOGLE = Sdk(SDK)
mistakes = _GOOGLE.mistakes
declares = _GOOGLE.declares
