"""Container registries: what a vendor calls its places, which names it takes, and how one logs in."""
