"""A mutation campaign against what pqdc verifies: credentials, leaves, private keys, raw signatures.

`python -m tests.mutate --count N --jobs K` mutates, asks pqdc, and asks an oracle that shares no code with pqdc's
verifier. It counts verdicts by kind of mutation; what must not happen is in `campaign.BAD`.
"""
