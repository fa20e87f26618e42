"""Facts about models, by their ids: gated models and download sizes.

A model is gated by the start of its id, from Hugging Face's pages (2026-11); `serving.gated` in a stack file overrides it.
"""

GATED = ("meta-llama/", "google/gemma-")


def is_gated(model: str) -> bool:
    """Returns whether a download needs the token of a user whom the model's owner has admitted."""
    return model.startswith(GATED)


#: Download size in GB by model id, for models that a pod downloads to the node's boot disk.
DOWNLOAD_GB = {"Qwen/Qwen3.5-397B-A17B-FP8": 400}
