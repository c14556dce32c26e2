"""RFC 9345: the structures, minting, verifying, certificates for experiments, and the formats that servers load."""
