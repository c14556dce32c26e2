"""Test vectors of pqdc's own for delegated credentials, in Wycheproof's shape; docs/vectors.md tells what they hold.

`make` writes them, `check` judges them without pqdc's credential code, `tests/test_vectors.py` runs pqdc over them.
"""
