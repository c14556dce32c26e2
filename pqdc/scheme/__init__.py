"""Signature schemes: facts (`facts`), the list of them (`catalog`), keys and their encodings, and who computes them."""
