"""Programs beside ours that use the same queue and the same target."""
