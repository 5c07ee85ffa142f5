"""Quality: the protocol, FID, LPIPS and intervals."""
