"""Quality: the protocol, its tables, FID, intervals, and the search for overlap."""
